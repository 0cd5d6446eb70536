package rdb

import "fmt"

// isSupported says whether values of type t can be read: the two switches below
// have a case for exactly these.
func isSupported(t Type) bool { return t == TypeString }

// checkType returns an error if version v has no type t, or has it and we can't
// read it. Who knows the key fills it in.
func checkType(v Version, t Type, at int64) error {
	if isSupported(t) {
		return nil
	}
	name := v.typeName(t)
	if name == "" {
		return corruptAt(at, "value type", fmt.Errorf("%d is none in version %d", t, int(v)))
	}
	return &UnsupportedTypeError{Offset: at, Code: byte(t), Name: name}
}

// scanValue finds the end of a value of a supported type.
func (r *Reader) scanValue(t Type) error {
	switch t {
	case TypeString:
		return r.scanString("value")
	default:
		return checkType(r.version, t, r.offset())
	}
}

// decodeValue decodes a value of type rec.Type, which is supported.
func (d *Decoder) decodeValue(c *cursor, rec *Record) error {
	switch rec.Type {
	case TypeString:
		return d.decodeString(c, rec)
	default:
		return checkType(VersionWritten, rec.Type, c.offset())
	}
}

func (d *Decoder) decodeString(c *cursor, rec *Record) error {
	var s text
	if err := c.string("value", &d.value, &s); err != nil {
		return err
	}
	rec.Value, rec.Int, rec.IsInt = s.bytes, s.number, s.isInt
	return nil
}
