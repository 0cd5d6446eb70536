package rdb

import (
	"encoding/binary"
	"math"

	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/lzf"
	"github.com/spineldb/spinel/internal/numtext"
)

const (
	// intTextBytesMax is the length of the longest text of an int32.
	intTextBytesMax = len("-2147483648")

	// compressBytesMin is the shortest string that is worth an attempt to
	// compress it. It is Redis's figure.
	compressBytesMin = 21
)

// A StringEncoder is what AppendString needs to compress. The zero value doesn't
// compress. It is 64 KiB big and not safe for concurrent use.
type StringEncoder struct {
	Compress bool // the option rdbcompression
	lzf      lzf.Compressor
}

// AppendString appends b in the form that Redis would choose: an integer if b is
// the text that formatting this integer gives and 32 bits hold it, else
// compressed if that is on, b is long enough and becomes shorter, else plain.
func AppendString(dst, b []byte, e *StringEncoder) []byte {
	if len(b) <= intTextBytesMax {
		if v, ok := numtext.ParseInt(b); ok && v >= math.MinInt32 && v <= math.MaxInt32 {
			return AppendInt(dst, v)
		}
	}
	if len(b) >= compressBytesMin && e.Compress {
		if out, ok := e.appendCompressed(dst, b); ok {
			return out
		}
	}
	return append(AppendLen(dst, uint64(len(b))), b...)
}

// appendCompressed leaves room for a head as long as it could get, compresses
// behind it, and closes the gap if the head came out shorter.
func (e *StringEncoder) appendCompressed(dst, b []byte) ([]byte, bool) {
	start := len(dst)
	full := uint64(len(b))
	gap := 1 + 2*lenBytes(full)
	for range gap {
		dst = append(dst, 0)
	}
	dst, ok := e.lzf.AppendCompressed(dst, b)
	if !ok {
		return dst[:start], false
	}
	body := dst[start+gap:]
	head := append(dst[:start], stringLZF)
	head = AppendLen(AppendLen(head, uint64(len(body))), full)
	return append(head, body...), true // a move to lower addresses, in place
}

// AppendInt appends the string that is v's decimal text. It is what AppendString
// gives for that text.
func AppendInt(dst []byte, v int64) []byte {
	switch {
	case v == int64(int8(v)):
		return append(dst, stringInt8, byte(v))
	case v == int64(int16(v)):
		return append(dst, stringInt16, byte(v), byte(v>>8))
	case v == int64(int32(v)):
		return binary.LittleEndian.AppendUint32(append(dst, stringInt32), uint32(v))
	}
	// The text of an int64 is shorter than 64 bytes, so its length takes one.
	at := len(dst)
	dst = numtext.AppendInt(append(dst, 0), v)
	dst[at] = byte(len(dst) - at - 1)
	return dst
}

// AppendHeader appends the magic and version that a file begins with. The version is
// the lowest that has all types of the file's values, so that most servers read it:
// VersionLowest, or VersionFieldExpiry if fields of a hash expire.
func AppendHeader(dst []byte, v Version) []byte {
	invariant.Check(v.isKnown() && !v.IsValkey(), "rdb: header of version %d", int(v))
	return append(dst, 'R', 'E', 'D', 'I', 'S', '0', '0', byte('0'+v/10), byte('0'+v%10))
}

// An Info is what a file says about itself, in its AUX fields.
type Info struct {
	RedisVersion string // that we claim to be: 7.2.x
	CTime        int64  // seconds since 1970 at which the file was begun
	UsedMemBytes int64
	AOFBase      bool // the file is the base of an append-only file

	// Replication, left out if ReplID is empty: the identifier and offset of the
	// stream that continues this file, and the database it has selected.
	ReplID       string
	ReplOffset   int64
	ReplStreamDB int
}

// AppendInfo appends the AUX fields in the order of Redis.
func AppendInfo(dst []byte, info *Info) []byte {
	dst = AppendAux(dst, "redis-ver", info.RedisVersion)
	dst = AppendAuxInt(dst, "redis-bits", 64)
	dst = AppendAuxInt(dst, "ctime", info.CTime)
	dst = AppendAuxInt(dst, "used-mem", info.UsedMemBytes)
	if info.ReplID != "" {
		dst = AppendAuxInt(dst, "repl-stream-db", int64(info.ReplStreamDB))
		dst = AppendAux(dst, "repl-id", info.ReplID)
		dst = AppendAuxInt(dst, "repl-offset", info.ReplOffset)
	}
	aofBase := int64(0)
	if info.AOFBase {
		aofBase = 1
	}
	return AppendAuxInt(dst, "aof-base", aofBase)
}

// AppendAux appends one AUX field, with its value as a plain string.
func AppendAux(dst []byte, name, value string) []byte {
	return appendPlain(appendPlain(append(dst, opAux), name), value)
}

// AppendAuxInt appends one AUX field that is a number.
func AppendAuxInt(dst []byte, name string, value int64) []byte {
	return AppendInt(appendPlain(append(dst, opAux), name), value)
}

func appendPlain(dst []byte, s string) []byte {
	return append(AppendLen(dst, uint64(len(s))), s...)
}

// AppendSelectDB appends which database the following keys are in.
func AppendSelectDB(dst []byte, db int) []byte {
	return AppendLen(append(dst, opSelectDB), uint64(db))
}

// AppendResizeDB appends how many keys the selected database has, and how many
// of them expire, so that a reader can make room at once.
func AppendResizeDB(dst []byte, keys, expires uint64) []byte {
	return AppendLen(AppendLen(append(dst, opResizeDB), keys), expires)
}

// AppendExpire appends when the key expires that AppendKey adds next, in
// milliseconds since 1970.
func AppendExpire(dst []byte, ms int64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, opExpireMS), uint64(ms))
}

// AppendIdle appends for how long the next key was not used, for LRU eviction.
func AppendIdle(dst []byte, seconds uint64) []byte {
	return AppendLen(append(dst, opIdle), seconds)
}

// AppendFreq appends the next key's logarithmic counter, for LFU eviction.
func AppendFreq(dst []byte, freq uint8) []byte {
	return append(dst, opFreq, freq)
}

// AppendKey appends a key with the type of its value, which comes next.
func AppendKey(dst []byte, t Type, key []byte, e *StringEncoder) []byte {
	return AppendString(append(dst, byte(t)), key, e)
}

// AppendEOF appends the end of a file. crc is the CRC-64 of all that was written
// before, from the header on.
func AppendEOF(dst []byte, crc uint64) []byte {
	dst = append(dst, opEOF)
	return binary.LittleEndian.AppendUint64(dst, hash.CRC64(crc, dst[len(dst)-1:]))
}

// AppendEOFUnchecked appends the end of a file that has no checksum, for
// rdbchecksum no.
func AppendEOFUnchecked(dst []byte) []byte {
	return append(dst, opEOF, 0, 0, 0, 0, 0, 0, 0, 0)
}
