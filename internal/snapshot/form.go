package snapshot

import (
	"github.com/spineldb/spinel/internal/dump"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/value"
)

// A form is what a walk writes records as: the file format of snapshots, or commands. It
// appends, and keeps memory from one record to the next, so each encoder has its own.
//
//	record                              of a value in memory
//	before, the value's bytes, behind   of a text that is written from where it is
//	begin, piece, piece ..., end        of a value that is read in pieces
type form interface {
	// selectDB appends that what follows is of a database. It needs no memory.
	selectDB(dst []byte, db int) []byte
	record(dst []byte, r *rawRecord) []byte
	// inPlace says whether a long text is to be written from where it is.
	inPlace(r *rawRecord) bool
	before(dst []byte, r *rawRecord) []byte
	behind(dst []byte, r *rawRecord) []byte
	begin(dst []byte, r *rawRecord) []byte
	piece(dst []byte, r *rawRecord, elements []value.Element) []byte
	end(dst []byte, r *rawRecord) []byte
}

// newForm makes a form as the options have it.
func (w *walk) newForm() form {
	if w.opts.commands {
		return newCommandForm()
	}
	f := &fileForm{}
	f.dump.Version = w.opts.version
	f.dump.Strings.Compress = w.opts.compress
	return f
}

// A fileForm is the file format of snapshots.
type fileForm struct{ dump dump.Writer }

func (f *fileForm) selectDB(dst []byte, db int) []byte { return rdb.AppendSelectDB(dst, db) }

// head appends what stands before a value.
func (f *fileForm) head(dst []byte, r *rawRecord) []byte {
	if r.flags&flagExpiry != 0 {
		dst = rdb.AppendExpire(dst, r.expiry)
	}
	switch {
	case r.flags&flagIdle != 0:
		dst = rdb.AppendIdle(dst, uint64(r.access))
	case r.flags&flagFreq != 0:
		dst = rdb.AppendFreq(dst, uint8(r.access))
	}
	t := rdb.TypeString
	if r.flags&(flagPart|flagFrozen) != 0 {
		t = f.dump.Type(r.kindOf())
	}
	return rdb.AppendKey(dst, t, r.key, &f.dump.Strings)
}

func (f *fileForm) record(dst []byte, r *rawRecord) []byte {
	dst = f.head(dst, r)
	switch {
	case r.flags&flagPart != 0:
		t, enc := r.kindOf()
		return f.dump.AppendPart(dst, t, enc, r.value)
	case r.flags&flagInt != 0:
		return rdb.AppendInt(dst, r.number)
	}
	return rdb.AppendString(dst, r.value, &f.dump.Strings)
}

func (f *fileForm) inPlace(r *rawRecord) bool {
	return len(r.value) > compressBytesMax || !f.dump.Strings.Compress
}

func (f *fileForm) before(dst []byte, r *rawRecord) []byte {
	return rdb.AppendLen(f.head(dst, r), uint64(len(r.value)))
}

func (f *fileForm) behind(dst []byte, _ *rawRecord) []byte { return dst }

func (f *fileForm) begin(dst []byte, r *rawRecord) []byte {
	return f.dump.AppendHead(f.head(dst, r), &r.frozen.head)
}

func (f *fileForm) piece(dst []byte, r *rawRecord, elements []value.Element) []byte {
	for i := range elements {
		dst = f.dump.AppendElement(dst, &r.frozen.head, &elements[i])
	}
	return dst
}

func (f *fileForm) end(dst []byte, _ *rawRecord) []byte { return dst }
