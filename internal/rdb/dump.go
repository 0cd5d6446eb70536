package rdb

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/hash"
)

// dumpFooterBytes is the size of the version and the checksum together.
const dumpFooterBytes = 2 + 8

// A Dump is what a DUMP payload holds. Body is a part of the payload.
type Dump struct {
	Version Version
	Type    Type
	Body    []byte // the value, as it would stand in a file
}

// AppendDumpFooterOf completes a DUMP payload: dst[start:] holds a type byte and a
// value, and gets the version, which must have that type, and a checksum. Who reads a
// payload refuses a version newer than its own, so the lowest one goes furthest.
func AppendDumpFooterOf(dst []byte, start int, v Version) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(v))
	return binary.LittleEndian.AppendUint64(dst, hash.CRC64(0, dst[start:]))
}

// ParseDump takes a DUMP payload apart. It checks the version and the checksum,
// of which 0 means that there is none, but not the value: anybody can compute a
// checksum. Its only error is ErrDump.
func ParseDump(payload []byte) (Dump, error) { return parseDump(payload, false) }

// ParseDumpUnsummed is ParseDump but for the checksum: for tests that damage payloads, and
// want to know what becomes of them.
func ParseDumpUnsummed(payload []byte) (Dump, error) { return parseDump(payload, true) }

func parseDump(payload []byte, unsummed bool) (Dump, error) {
	at := len(payload) - dumpFooterBytes
	if at < 1 {
		return Dump{}, ErrDump
	}
	d := Dump{
		Version: Version(binary.LittleEndian.Uint16(payload[at:])),
		Type:    Type(payload[0]),
		Body:    payload[1:at],
	}
	sum := binary.LittleEndian.Uint64(payload[at+2:])
	if !d.Version.isKnown() || !unsummed && sum != 0 && sum != hash.CRC64(0, payload[:at+2]) {
		return Dump{}, ErrDump
	}
	return d, nil
}

// DecodeDump decodes the value of a payload, a string, into rec's Value, Int and
// IsInt, which are valid until the next call. What the value leaves over of the body
// is an error too. Pieces.BeginDump is for all other types.
func (d *Decoder) DecodeDump(dump Dump, rec *Record) error {
	rec.Head = Head{Kind: KindKey, Type: dump.Type, ExpireMS: None, IdleSeconds: None, Freq: None}
	rec.Key = nil
	if err := checkType(dump.Version, dump.Type, 0, 0); err != nil {
		return err
	}
	c := cursor{p: dump.Body, base: 1, stringBytesMax: limitOr(d.StringBytesMax)}
	if err := d.decodeString(&c, rec); err != nil {
		return err
	}
	return c.atEnd()
}
