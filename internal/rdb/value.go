package rdb

import "fmt"

// Accept says what a caller can take besides strings. What it can't is refused with an
// UnsupportedTypeError: passing over it would lose data without a word.
type Accept uint8

const (
	// Collections are the values of all other types but modules', which NextRaw gives in
	// parts.
	Collections Accept = 1 << iota

	// Functions are libraries of functions: KindFunction.
	Functions

	// Modules are the values of modules, and the data that they keep beside the keys:
	// KindModuleAux. Their end is found and their content not decoded. That is for who
	// looks at a file and replaces nothing by it.
	Modules
)

// checkType returns an error unless version v has a type t that is accepted. Who knows
// the key fills it in.
func checkType(v Version, t Type, accept Accept, at int64) error {
	if t == TypeString {
		return nil
	}
	name := v.typeName(t)
	if name == "" {
		return corruptAt(at, "value type", fmt.Errorf("%d is none in version %d", t, int(v)))
	}
	if l := v.layout(t); l != nil {
		wanted := Collections
		if l.object == ObjectModule {
			wanted = Modules
		}
		if accept&wanted != 0 {
			return nil
		}
	}
	return &UnsupportedTypeError{Offset: at, Code: byte(t), Name: name}
}

// decodeString decodes the value of a string.
func (d *Decoder) decodeString(c *cursor, rec *Record) error {
	var s text
	if err := c.string("value", &d.value, &s); err != nil {
		return err
	}
	rec.Value, rec.Int, rec.IsInt = s.bytes, s.number, s.isInt
	return nil
}
