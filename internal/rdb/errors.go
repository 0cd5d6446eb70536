package rdb

import (
	"errors"
	"fmt"
)

// ErrTruncated means that the input ends before it is complete: a crash during
// SAVE, or a copy that was cut short. A length that was damaged and points past
// the end of the file looks the same.
var ErrTruncated = errors.New("truncated")

// ErrChecksum means that the content isn't what was written.
var ErrChecksum = errors.New("checksum mismatch")

// ErrVersion means that a newer program wrote the file. It isn't damaged.
var ErrVersion = errors.New("version is newer than this program reads")

// ErrDump means that a DUMP payload is not one of ours to decode: too short,
// altered, or from a newer version. The reply to RESTORE tells no difference.
var ErrDump = errors.New("rdb: DUMP payload version or checksum are wrong")

var (
	errMagic      = errors.New("this is not an RDB file")
	errCompressed = errors.New("the whole file is compressed (Valkey's VCS envelope), which isn't supported")
	errLength     = errors.New("no length begins with this byte")
	errTrailing   = errors.New("bytes after the end")
	errLooseMeta  = errors.New("an expiry, idle time or frequency without its key")
)

// A CorruptError says where the input stopped making sense, in terms that an
// operator with a hex editor, or the check tool, can act on.
type CorruptError struct {
	Path   string // set by who opened the file; empty for what came by the network
	Offset int64  // of the first byte that could not be understood
	What   string // what was being read there: "string length", "checksum"
	Err    error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("rdb: %sbyte %d: %s: %v", prefix(e.Path), e.Offset, e.What, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// An UnsupportedTypeError says that the input is sound as far as it was read,
// and holds something that this version can't represent. Skipping it would lose
// data, so that decision isn't made here.
type UnsupportedTypeError struct {
	Path   string
	Offset int64  // of the type byte or opcode
	Code   byte   // the type byte or opcode
	Name   string // what it stands for: "quicklist-v2", "functions"
	Opcode bool   // it is an opcode, of something beside the keys
	DB     int    // where Key is
	Key    []byte // whose value it is; nil for an opcode or a DUMP payload
}

func (e *UnsupportedTypeError) Error() string {
	if e.Opcode {
		return fmt.Sprintf("rdb: %sbyte %d: %s (opcode %d) are not supported by this version",
			prefix(e.Path), e.Offset, e.Name, e.Code)
	}
	key := ""
	if e.Key != nil {
		key = keyPlace(e.DB, e.Key) + ": "
	}
	return fmt.Sprintf("rdb: %sbyte %d: %svalues of type %s (%d) are not supported by this version",
		prefix(e.Path), e.Offset, key, e.Name, e.Code)
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func corruptAt(at int64, what string, err error) error {
	return &CorruptError{Offset: at, What: what, Err: err}
}

// keyShownBytesMax keeps an error about a huge key readable.
const keyShownBytesMax = 128

func keyPlace(db int, key []byte) string {
	if len(key) > keyShownBytesMax {
		return fmt.Sprintf("key %q... (%d bytes) in database %d", key[:keyShownBytesMax], len(key), db)
	}
	return fmt.Sprintf("key %q in database %d", key, db)
}

// atKey adds to a CorruptError which key's value it is about.
func atKey(err error, db int, key []byte) error {
	if corrupt, ok := errors.AsType[*CorruptError](err); ok {
		corrupt.What += " of " + keyPlace(db, key)
	}
	return err
}
