package keycmd

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/dump"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// complexityOfValue is what DUMP and RESTORE say alike.
const complexityOfValue = "where N is the number of Redis objects composing the value and M their average " +
	"size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1)."

var _ = Family.Add(command.Spec{
	Name:       "DUMP",
	Summary:    "Return a serialized version of the value stored at the specified key.",
	Since:      "2.6.0",
	Complexity: "O(1) to access the key and additional O(N*M) to serialize it, " + complexityOfValue,
	Tips:       []string{"nondeterministic_output"},
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        dumpKey,
})

// A dumper is the memory that making a payload takes. It holds nothing between two
// payloads, so one pool serves all instances.
type dumper struct {
	values  dump.Writer
	payload []byte
	most    int // bytes of a payload
}

var dumpers = sync.Pool{New: func() any {
	d := &dumper{most: payloadMax}
	d.values.Strings.Compress = true
	return d
}}

// payloadKeptMax is the size in bytes of a payload whose memory is kept for the next.
const payloadKeptMax = 1 << 20

// dumpVersion is the version of payloads: the lowest that everybody reads.
const dumpVersion = 10

// fieldsVersion is that of hashes with fields that expire, which older ones do not have.
const fieldsVersion = 12

// dumpKey replies with what a file would hold of the value, and a version and checksum.
func dumpKey(c *command.Ctx) error {
	v, ok := c.DB.Read(c.Args[1])
	if !ok {
		c.Out.Null()
		return nil
	}
	d := dumpers.Get().(*dumper)
	payload, ok := d.append(d.payload[:0], v)
	if ok {
		c.Out.Bulk(payload)
	}
	if d.payload = payload; cap(payload) > payloadKeptMax {
		d.payload = nil
	}
	dumpers.Put(d)
	if !ok {
		return errDumpLong
	}
	return nil
}

// payloadMax is the size in bytes of the longest payload: nobody takes a longer argument.
const payloadMax = 512 << 20

var errDumpLong = &resp.Error{Code: "ERR", Text: "the value is too long to be the argument of a command"}

// append appends the payload of a value. It gives up one that gets too long.
func (d *dumper) append(dst []byte, v keyspace.Value) (_ []byte, ok bool) {
	start := len(dst)
	d.values.Version = dumpVersion
	if v.Type() != record.String {
		if value.FieldExpiry(v.Record) >= 0 {
			d.values.Version = fieldsVersion
		}
		cell := v.Cell()
		dst = append(dst, byte(d.values.Type(v.Type(), v.Encoding())))
		if dst = d.appendValue(dst, &cell); len(dst)-start > d.most {
			return dst[:start], false
		}
		return rdb.AppendDumpFooterOf(dst, start, d.values.Version), true
	}
	dst = append(dst, byte(rdb.TypeString))
	if v.IsInt() {
		dst = rdb.AppendInt(dst, v.Int())
	} else {
		dst = rdb.AppendString(dst, v.Bytes(), &d.values.Strings)
	}
	return rdb.AppendDumpFooterOf(dst, start, dumpVersion), len(dst)-start <= d.most
}

// appendValue appends a value as in a file, leaf by leaf, until that is too long.
func (d *dumper) appendValue(dst []byte, cell *value.Cell) []byte {
	rec := cell.Record()
	if !rec.IsRooted() {
		return d.values.AppendPart(dst, rec.Type(), rec.Encoding(), rec.Bytes())
	}
	leaves := value.Leaves(cell, nil)
	h := dump.HeadOf(cell, len(leaves))
	dst = d.values.AppendHead(dst, &h)
	for _, ref := range leaves {
		if dst = d.values.AppendLeaf(dst, &h, cell.Arena, ref); len(dst) > d.most {
			return dst
		}
	}
	return d.values.AppendRest(dst, cell)
}

var _ = Family.Add(command.Spec{
	Name:       "RESTORE",
	Summary:    "Create a key using the provided serialized value, previously obtained using DUMP.",
	Since:      "2.6.0",
	Complexity: restoreCosts,
	History:    restoreHistory,
	Syntax:     restoreSyntax,
	Arity:      -4,
	Flags:      command.Write | command.DenyOOM,
	ACL:        command.CatKeyspace | command.CatDangerous,
	Keys:       command.OneKey(1, command.OW|command.Update),
	Run:        restore,
})

const (
	restoreCosts = "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, " +
		complexityOfValue + " However for sorted set values the complexity is O(N*M*log(N)) because inserting " +
		"values into sorted sets is O(log(N))."
	restoreSyntax = "key ttl:integer serialized-value [REPLACE{since 3.0.0}] [ABSTTL{since 5.0.0}] " +
		"[IDLETIME=seconds:integer{since 5.0.0}] [FREQ=frequency:integer{since 5.0.0}]"
)

var restoreHistory = [][2]string{
	{"3.0.0", "Added the `REPLACE` modifier."},
	{"5.0.0", "Added the `ABSTTL` modifier."},
	{"5.0.0", "Added the `IDLETIME` and `FREQ` options."},
}

var _ = Family.Add(command.Spec{
	Name:       "RESTORE-ASKING",
	Group:      "server",
	Summary:    "An internal command for migrating keys in a cluster",
	Since:      "3.0.0",
	Complexity: restoreCosts,
	History:    restoreHistory,
	Syntax:     restoreSyntax,
	Arity:      -4,
	Flags:      command.Write | command.DenyOOM | command.Asking,
	ACL:        command.CatKeyspace | command.CatDangerous,
	Keys:       command.OneKey(1, command.OW|command.Update),
	Run:        restore,
})

var (
	errTTL     = &resp.Error{Code: "ERR", Text: "Invalid TTL value, must be >= 0"}
	errIdle    = &resp.Error{Code: "ERR", Text: "Invalid IDLETIME value, must be >= 0"}
	errFreq    = &resp.Error{Code: "ERR", Text: "Invalid FREQ value, must be >= 0 and <= 255"}
	errPayload = &resp.Error{Code: "ERR", Text: "DUMP payload version or checksum are wrong"}
	errData    = &resp.Error{Code: "ERR", Text: "Bad data format"}
)

// freqMax is the highest access counter.
const freqMax = 255

// restoreOptions are the words behind RESTORE's payload.
type restoreOptions struct {
	replace, absolute bool
	idle, freq        int64 // -1 if not given
	expiry            int64 // of argument 2
}

func parseRestore(args command.Args) (o restoreOptions, err error) {
	o.idle, o.freq = -1, -1
	for i := 4; i < len(args); i++ {
		more := i+1 < len(args)
		switch {
		case args.Is(i, "REPLACE"):
			o.replace = true
		case args.Is(i, "ABSTTL"):
			o.absolute = true
		case args.Is(i, "IDLETIME") && more && o.freq < 0:
			i++
			if o.idle, err = args.Int(i); err != nil {
				return o, err
			}
			if o.idle < 0 {
				return o, errIdle
			}
		case args.Is(i, "FREQ") && more && o.idle < 0:
			i++
			if o.freq, err = args.Int(i); err != nil {
				return o, err
			}
			if o.freq < 0 || o.freq > freqMax {
				return o, errFreq
			}
		default:
			return o, resp.ErrSyntax
		}
	}
	return o, nil
}

// restore makes a key of a payload. A payload is hostile until proved otherwise: its
// checksum only guards against accidents.
func restore(c *command.Ctx) error {
	o, err := parseRestore(c.Args)
	if err != nil {
		return err
	}
	key := c.Args[1]
	if !o.replace && c.DB.Exists(key) {
		return resp.ErrBusyKey
	}
	if o.expiry, err = restoreExpiry(c, o.absolute); err != nil {
		return err
	}
	parse := rdb.ParseDump
	if c.DB.Tuning().SkipChecksum.Load() {
		parse = rdb.ParseDumpUnsummed
	}
	payload, err := parse(c.Args[3])
	if err != nil {
		return errPayload
	}
	r := restoring{payload: payload, c: c, key: key, o: &o}
	if err := r.decode(); err != nil {
		return r.refuse(err)
	}
	if o.expiry != keyspace.NoTTL && c.DB.Past(o.expiry) {
		if err := r.try(); err != nil {
			return err
		}
		if c.DB.Delete(key) {
			removed(c, key)
		}
		c.Out.OK()
		return nil
	}
	if err := r.set(); err != nil {
		return err
	}
	if c.Journaling() && o.expiry != keyspace.NoTTL && !o.absolute {
		args := append(append([][]byte(nil), c.Args...), wordAbsTTL)
		args[2] = numtext.AppendInt(nil, o.expiry)
		c.JournalAs(args...)
	}
	c.Out.OK()
	return nil
}

// restoreExpiry is argument 2, of which 0 means that the key does not expire.
func restoreExpiry(c *command.Ctx, isAbsolute bool) (int64, error) {
	ttl, err := c.Args.Int(2)
	switch {
	case err != nil:
		return 0, err
	case ttl < 0:
		return 0, errTTL
	case ttl == 0:
		return keyspace.NoTTL, nil
	case isAbsolute:
		return ttl, nil
	}
	at, ok := absolute(ttl, c.Now, millisecond)
	if !ok {
		return 0, resp.InvalidExpire(c.Name())
	}
	return at, nil
}

// A restoring is a payload on its way to be a key's value.
type restoring struct {
	payload rdb.Dump
	c       *command.Ctx
	key     []byte
	o       *restoreOptions

	text rdb.Record // of a string
	typ  record.Type
}

// decode takes a string's payload apart; that of another value is looked through.
func (r *restoring) decode() error {
	if r.payload.Type == rdb.TypeString {
		var decoder rdb.Decoder
		return decoder.DecodeDump(r.payload, &r.text)
	}
	var pieces rdb.Pieces
	if err := pieces.BeginDump(r.payload); err != nil {
		return err
	}
	var ok bool
	if r.typ, ok = dump.TypeOf(pieces.Object.Type); !ok {
		return errData
	}
	var p rdb.Piece
	for {
		if more, err := pieces.Next(&p); !more {
			return err
		}
	}
}

// set sets the key. Whoever says for how long it was not used wants to be told one day,
// so accesses are tracked from then on.
func (r *restoring) set() (err error) {
	db, o := r.c.DB, r.o
	if o.idle >= 0 && !keyspace.Policy(db.Tuning().Policy.Load()).LFU() {
		db.Tuning().TrackClock.Store(true)
	}
	switch {
	case r.typ != record.String:
		_, err = db.Replace(r.key, r.typ, o.expiry, r.build)
	case r.text.IsInt:
		err = db.SetInt(r.key, r.text.Int, o.expiry)
	default:
		err = db.SetString(r.key, r.text.Value, o.expiry)
	}
	if err != nil && err != resp.ErrOOM {
		return r.refuse(err)
	}
	if err == nil && (o.idle >= 0 || o.freq >= 0) {
		db.SetAccess(r.key, min(o.idle, keyspace.IdleMax), o.freq)
	}
	return err
}

var errTried = errors.New("keycmd: the value can be built")

// try says whether set would succeed, and leaves the key alone. What is wrong between two
// elements shows only when the value is built.
func (r *restoring) try() error {
	if r.typ == record.String {
		return nil
	}
	_, err := r.c.DB.Replace(r.key, r.typ, keyspace.NoTTL, func(cell *value.Cell) error {
		return cmp.Or(r.build(cell), errTried)
	})
	if err == errTried || err == resp.ErrOOM {
		return nil // what is over needs no memory
	}
	return r.refuse(err)
}

// build makes the value of the pieces.
func (r *restoring) build(cell *value.Cell) error {
	var pieces rdb.Pieces
	var b dump.Builder
	var p rdb.Piece
	err := pieces.BeginDump(r.payload)
	for more := true; more && err == nil; {
		if more, err = pieces.Next(&p); !more {
			break
		}
		if err = b.Add(cell, &p); err != nil && err != mem.ErrExhausted {
			err = pieces.Blame(&p, err)
		}
	}
	return err
}

// keyShownMax is how many bytes of a key the log shows.
const keyShownMax = 128

// refuse is the reply to a payload that is whole but cannot become a value. What is wrong
// with it goes to the log, as in Redis.
func (r *restoring) refuse(err error) error {
	text := err.Error()
	if e, ok := errors.AsType[*rdb.CorruptError](err); ok {
		text = e.LogText()
	}
	r.c.Note(fmt.Sprintf("%s; RESTORE of key %q", text, r.key[:min(len(r.key), keyShownMax)]))
	if e, ok := errors.AsType[*rdb.UnsupportedTypeError](err); ok {
		return resp.Errorf(errData.Text + ": values of type " + e.Name + " (" + strconv.Itoa(int(e.Code)) +
			") are not supported by this version")
	}
	return errData
}
