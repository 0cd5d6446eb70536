package config

import (
	"strings"

	"github.com/spineldb/spinel/internal/numtext"
)

var errNotBool error = Reason("argument must be 'yes' or 'no'")

// A BoolOption is yes or no.
type BoolOption struct{ option }

// Bool declares a flag. The checks, if any, refuse a value with a reason.
func Bool(o Option, checks ...func(bool) error) *BoolOption {
	opt := newOption(o, "yes or no", boolKind{checks})
	opt.number = true
	switch d := o.Default.(type) {
	case nil:
	case bool:
		opt.initial = boolValue(d)
	default:
		opt.badDefault("a bool")
	}
	return &BoolOption{opt}
}

// Get returns the option's value in s.
func (o *BoolOption) Get(s *Set) bool { return s.slot(&o.option).n.Load() != 0 }

// Store puts v in place without checks, hooks or locks; see IntOption.Store.
func (o *BoolOption) Store(s *Set, v bool) { s.slot(&o.option).n.Store(boolValue(v).n) }

func boolValue(v bool) value {
	if v {
		return value{n: 1}
	}
	return value{}
}

type boolKind struct{ checks []func(bool) error }

func (k boolKind) parse(args []string, _ value, _ bool) (value, error) {
	yes := numtext.EqualFold([]byte(args[0]), "YES")
	if !yes && !numtext.EqualFold([]byte(args[0]), "NO") {
		return value{}, errNotBool
	}
	for _, check := range k.checks {
		if err := check(yes); err != nil {
			return value{}, err
		}
	}
	return boolValue(yes), nil
}

func (k boolKind) append(dst []byte, v value) []byte {
	if v.n != 0 {
		return append(dst, "yes"...)
	}
	return append(dst, "no"...)
}

func (k boolKind) lines(v value) []string { return []string{string(k.append(nil, v))} }

// Integer is what the values of an Enum or Flags option may be made of.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}

// A Named is one value of an Enum or Flags option under one name.
type Named[T Integer] struct {
	name  string
	value T
}

// Choice names a value. If several names have the same value, the first is the one
// that CONFIG GET shows.
func Choice[T Integer](name string, v T) Named[T] { return Named[T]{name, v} }

// An EnumOption is one of several named values, or for Flags any number of them.
type EnumOption[T Integer] struct{ option }

// Enum declares a choice. The order of the choices is that of the error text.
func Enum[T Integer](o Option, choices ...Named[T]) *EnumOption[T] {
	return newEnum(o, "choice", false, choices)
}

// Flags declares a set of named bits, given as several arguments. A choice whose
// value is 0 stands for none of them.
func Flags[T Integer](o Option, choices ...Named[T]) *EnumOption[T] {
	return newEnum(o, "list of choices", true, choices)
}

// Get returns the option's value in s.
func (o *EnumOption[T]) Get(s *Set) T { return T(s.slot(&o.option).n.Load()) }

// Store puts v in place without checks, hooks or locks; see IntOption.Store.
func (o *EnumOption[T]) Store(s *Set, v T) { s.slot(&o.option).n.Store(int64(v)) }

// Name returns what the option's value in s is called.
func (o *EnumOption[T]) Name(s *Set) string {
	return string(o.kind.append(nil, s.load(&o.option)))
}

type enumKind struct {
	names  []string
	values []int64
	bits   bool // several choices may be given, and are or-ed
}

func newEnum[T Integer](o Option, typeName string, bits bool, choices []Named[T]) *EnumOption[T] {
	k := &enumKind{bits: bits}
	for _, c := range choices {
		k.names = append(k.names, c.name)
		k.values = append(k.values, int64(c.value))
	}
	opt := newOption(o, typeName, k)
	opt.number = true
	opt.multi = bits
	text, ok := o.Default.(string)
	initial, err := k.parse(strings.Fields(text), value{}, true)
	if !ok || err != nil {
		opt.badDefault("the name of a choice")
	}
	opt.initial = initial
	return &EnumOption[T]{opt}
}

func (k *enumKind) parse(args []string, _ value, _ bool) (value, error) {
	var v value
	for _, arg := range args {
		n, ok := k.lookup(arg)
		if !ok {
			return value{}, k.unknown()
		}
		v.n |= n
	}
	if len(args) == 0 {
		return value{}, k.unknown()
	}
	return v, nil
}

func (k *enumKind) lookup(name string) (int64, bool) {
	for i := range k.names {
		if lowerASCII(name) == lowerASCII(k.names[i]) {
			return k.values[i], true
		}
	}
	return 0, false
}

func (k *enumKind) unknown() error {
	return Reason("argument(s) must be one of the following: " + strings.Join(k.names, ", "))
}

func (k *enumKind) append(dst []byte, v value) []byte {
	for i := range k.names {
		if k.values[i] == v.n {
			return append(dst, k.names[i]...)
		}
	}
	start := len(dst)
	for i := range k.names {
		if k.bits && k.values[i] != 0 && v.n&k.values[i] == k.values[i] {
			if len(dst) > start {
				dst = append(dst, ' ')
			}
			dst = append(dst, k.names[i]...)
			v.n &^= k.values[i]
		}
	}
	return dst
}

func (k *enumKind) lines(v value) []string { return []string{string(k.append(nil, v))} }
