package snapshot

import (
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// # Commands in place of a file
//
// With aof-use-rdb-preamble no, the base of an append-only file is commands, as Redis writes
// them: whoever can execute commands can read it, also Redis before 4.0.
//
//	SELECT db                             where the database changes
//	SET key text
//	RPUSH, SADD, ZADD, HMSET key ...      64 elements at most
//	HPEXPIREAT key ms FIELDS 1 field      for each field that expires, behind the field
//	XADD key id field value ...           streams are in commands_stream.go
//	PEXPIREAT key ms                      the last of a key that expires
//
// The commands of a key follow each other, nobody else's come between them, since a piece of
// output is whole keys or one that is frozen. What commands cannot say is lost, as it is in
// Redis: when a key was last used, and what is in commands_stream.go.

// groupElements is how many elements are given to a key by one command, as Redis does.
const groupElements = 64

// A commandForm writes commands. Those that take several elements are written with a count
// that is put right when it is known:
//
//	*66 RPUSH key e1 ... e64
//	^ at
type commandForm struct {
	dst   []byte // while elements are added
	add   func(e *value.Element)
	typ   record.Type
	key   []byte
	at    int    // where in dst the command under way begins
	added int    // elements that it has
	later []byte // commands that follow it
	text  [stream.IDTextMax]byte
	ints  [numtext.MaxIntLen]byte
	group openGroup
}

func newCommandForm() *commandForm {
	f := &commandForm{}
	f.add = f.addElement // made once, since it is a value on the heap
	f.group.consumers = map[uint32][]byte{}
	return f
}

// verbs are the commands that add elements, and how many arguments they have for each.
var verbs = [...]struct {
	name string
	args int
}{
	record.List: {"RPUSH", 1}, record.Set: {"SADD", 1}, record.ZSet: {"ZADD", 2}, record.Hash: {"HMSET", 2},
}

// appendCount appends what begins a command of n arguments, '*', or an argument of n bytes, '$'.
func appendCount(dst []byte, kind byte, n int) []byte {
	dst = numtext.AppendInt(append(dst, kind), int64(n))
	return append(dst, '\r', '\n')
}

// command appends the beginning of a command on a key: of so many arguments, of which the
// first is its name.
func command(dst []byte, args int, name string, key []byte) []byte {
	dst = resp.AppendBulk(appendCount(dst, '*', args), name)
	return resp.AppendBulk(dst, key)
}

func (f *commandForm) int(dst []byte, n int64) []byte {
	return resp.AppendBulk(dst, numtext.AppendInt(f.text[:0], n))
}

func (f *commandForm) elem(dst []byte, e listpack.Elem) []byte {
	return resp.AppendBulk(dst, e.Text(&f.ints))
}

func (f *commandForm) selectDB(dst []byte, db int) []byte {
	var text [numtext.MaxIntLen]byte // as this form may be the output's
	dst = resp.AppendBulk(appendCount(dst, '*', 2), "SELECT")
	return resp.AppendBulk(dst, numtext.AppendInt(text[:0], int64(db)))
}

func (f *commandForm) record(dst []byte, r *rawRecord) []byte {
	switch {
	case r.flags&flagPart != 0:
		t, enc := r.kindOf()
		f.open(dst, t, r.key)
		value.EachInPart(t, enc, r.value, f.add)
		dst = f.close()
	case r.flags&flagInt != 0:
		dst = f.int(command(dst, 3, "SET", r.key), r.number)
	default:
		dst = resp.AppendBulk(command(dst, 3, "SET", r.key), r.value)
	}
	return f.end(dst, r)
}

func (f *commandForm) inPlace(*rawRecord) bool { return true }

func (f *commandForm) before(dst []byte, r *rawRecord) []byte {
	return appendCount(command(dst, 3, "SET", r.key), '$', len(r.value))
}

func (f *commandForm) behind(dst []byte, r *rawRecord) []byte {
	return f.end(append(dst, '\r', '\n'), r)
}

func (f *commandForm) begin(dst []byte, _ *rawRecord) []byte { return dst }

// piece leaves no command open, since the next piece may come into another buffer.
func (f *commandForm) piece(dst []byte, r *rawRecord, elements []value.Element) []byte {
	f.open(dst, r.frozen.head.Type, r.key)
	for i := range elements {
		e := &elements[i]
		switch {
		case f.typ == record.Stream:
			f.addPart(e)
		case e.Node != nil || e.IsPlain:
			value.EachInNode(e, f.add)
		default:
			f.addElement(e)
		}
	}
	return f.close()
}

// end appends when the key expires.
func (f *commandForm) end(dst []byte, r *rawRecord) []byte {
	if r.flags&flagExpiry == 0 {
		return dst
	}
	return f.int(command(dst, 3, "PEXPIREAT", r.key), r.expiry)
}

// open begins with elements, or parts of a stream, of a key.
func (f *commandForm) open(dst []byte, t record.Type, key []byte) {
	f.dst, f.typ, f.key, f.added = dst, t, key, 0
}

// close ends the command under way and gives the buffer back.
func (f *commandForm) close() (dst []byte) {
	if f.typ == record.Stream {
		f.endClaim()
	} else {
		f.endGroup()
	}
	dst, f.dst, f.key = f.dst, nil, nil
	return dst
}

// addElement adds an element of the key to the command under way.
func (f *commandForm) addElement(e *value.Element) {
	verb := &verbs[f.typ]
	if f.added == 0 {
		f.at = len(f.dst)
		f.dst = command(f.dst, 2+groupElements*verb.args, verb.name, f.key)
	}
	switch f.typ {
	case record.ZSet:
		f.dst = resp.AppendBulk(f.dst, numtext.AppendFloat(f.text[:0], e.Score))
		f.dst = f.elem(f.dst, e.Name)
	case record.Hash:
		f.dst = f.elem(f.dst, e.Name)
		f.dst = f.elem(f.dst, e.Value)
		if e.Expiry >= 0 {
			f.addExpiry(e)
		}
	default:
		f.dst = f.elem(f.dst, e.Name)
	}
	if f.added++; f.added == groupElements {
		f.endGroup()
	}
}

func (f *commandForm) addExpiry(e *value.Element) {
	f.later = command(f.later, 6, "HPEXPIREAT", f.key)
	f.later = f.int(f.later, e.Expiry)
	f.later = resp.AppendBulk(resp.AppendBulk(f.later, "FIELDS"), "1")
	f.later = f.elem(f.later, e.Name)
}

// endGroup puts the count of the command under way right, and appends what follows it.
func (f *commandForm) endGroup() {
	if f.added > 0 {
		f.putCount(2+groupElements*verbs[f.typ].args, 2+f.added*verbs[f.typ].args)
	}
	f.added = 0
	f.dst = append(f.dst, f.later...)
	f.later = f.later[:0]
}

// putCount replaces the count of arguments of the command at f.at, which was written as if it
// were most, by one that is not greater. What has fewer digits makes the rest move up.
func (f *commandForm) putCount(most, n int) {
	if n == most {
		return
	}
	var before, after [numtext.MaxIntLen + len("*\r\n")]byte
	was, is := appendCount(before[:0], '*', most), appendCount(after[:0], '*', n)
	if spare := len(was) - len(is); spare > 0 {
		copy(f.dst[f.at:], f.dst[f.at+spare:])
		f.dst = f.dst[:len(f.dst)-spare]
	}
	copy(f.dst[f.at:], is)
}
