package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/numtext"
)

// Reasons for refusing a number. They end up in replies, and are Redis's texts.
var (
	errNotInteger       error = Reason("argument couldn't be parsed into an integer")
	errNotMemory        error = Reason("argument must be a memory value")
	errNotMemoryPercent error = Reason("argument must be a memory or percent value")
	errNotOctal         error = Reason("argument couldn't be parsed as an octal number")
	errPercentRange     error = Reason("percentage argument must be less or equal to 100")
)

// An IntOption is a whole number: a count, a time, a size in bytes, a file mode.
type IntOption struct{ option }

// Get returns the option's value in s.
func (o *IntOption) Get(s *Set) int64 { return s.slot(&o.option).n.Load() }

// Store puts v in place without checks, hooks or locks: for a subsystem that has to
// correct its own option (maxclients beyond what the system allows), and for tests.
func (o *IntOption) Store(s *Set, v int64) { s.slot(&o.option).n.Store(v) }

// Int declares a plain number. The checks, if any, refuse a value with the reason
// that CONFIG SET should give.
func Int(o Option, checks ...func(int64) error) *IntOption {
	return newInt(o, "integer", plainNumber, checks)
}

// Percent declares a whole number from 0 to 100, or to Max.
func Percent(o Option, checks ...func(int64) error) *IntOption {
	if o.Max == 0 {
		o.Max = 100
	}
	return newInt(o, "percentage", plainNumber, checks)
}

// Memory declares a number of bytes, written with or without a unit: 100mb.
func Memory(o Option, checks ...func(int64) error) *IntOption {
	return newInt(o, "memory size", memoryNumber, checks)
}

// OctalMode declares a file mode, written in octal.
func OctalMode(o Option, checks ...func(int64) error) *IntOption {
	return newInt(o, "file mode", octalNumber, checks)
}

// A ShareOption is a number of bytes, or a percentage of some other number of bytes.
type ShareOption struct{ option }

// MemoryPercent declares an option that takes bytes (64mb) or a share (5%), which checks
// are given as a negative number.
func MemoryPercent(o Option, checks ...func(int64) error) *ShareOption {
	return &ShareOption{newNumber(o, "memory size or percentage", shareNumber, checks)}
}

// Get returns the option's value in s in bytes, where a percentage is of whole.
func (o *ShareOption) Get(s *Set, whole int64) int64 {
	v := s.slot(&o.option).n.Load()
	if v >= 0 {
		return v
	}
	return int64(float64(whole) * float64(-v) / 100)
}

// Percent returns the percentage and true if that is how the option is set.
func (o *ShareOption) Percent(s *Set) (int64, bool) {
	v := s.slot(&o.option).n.Load()
	return -v, v < 0
}

type numberFormat uint8

const (
	plainNumber numberFormat = iota
	memoryNumber
	octalNumber
	shareNumber // a percentage is kept as its negative
)

// numberKind reads and writes numbers within bounds.
type numberKind struct {
	format   numberFormat
	min, max int64
	checks   []func(int64) error
}

func newInt(o Option, typeName string, format numberFormat, checks []func(int64) error) *IntOption {
	return &IntOption{newNumber(o, typeName, format, checks)}
}

func newNumber(o Option, typeName string, format numberFormat, checks []func(int64) error) option {
	k := &numberKind{format: format, min: o.Min, max: o.Max, checks: checks}
	if k.max == 0 {
		k.max = math.MaxInt64
	}
	opt := newOption(o, typeName, k)
	opt.number = true
	switch d := o.Default.(type) {
	case nil:
	case int:
		opt.initial.n = int64(d)
	case int64:
		opt.initial.n = d
	case string:
		v, err := k.read(d)
		if err != nil || format == plainNumber {
			opt.badDefault("a number")
		}
		opt.initial.n = v
	default:
		opt.badDefault("a number")
	}
	if opt.initial.n < k.min || opt.initial.n > k.max {
		opt.badDefault(fmt.Sprintf("a number from %d to %d", k.min, k.max))
	}
	return opt
}

func (k *numberKind) hasMax() bool { return k.max != math.MaxInt64 }

func (k *numberKind) parse(args []string, _ value, _ bool) (value, error) {
	v, err := k.read(args[0])
	if err != nil {
		return value{}, err
	}
	if err := k.inBounds(v); err != nil {
		return value{}, err
	}
	for _, check := range k.checks {
		if err := check(v); err != nil {
			return value{}, err
		}
	}
	return value{n: v}, nil
}

func (k *numberKind) inBounds(v int64) error {
	switch {
	case k.format == shareNumber && v < -100:
		return errPercentRange
	case k.format == shareNumber && v < 0:
		return nil
	case v >= k.min && v <= k.max:
		return nil
	case k.format == octalNumber:
		return fmt.Errorf("argument must be between %o and %o inclusive", k.min, k.max)
	default:
		return fmt.Errorf("argument must be between %d and %d inclusive", k.min, k.max)
	}
}

// read understands the notation, whatever the bounds.
func (k *numberKind) read(text string) (int64, error) {
	switch k.format {
	case memoryNumber, shareNumber:
		if v, ok := numtext.ParseMemory([]byte(text)); ok && v >= 0 {
			return v, nil
		}
		if k.format == memoryNumber {
			return 0, errNotMemory
		}
		percent, found := strings.CutSuffix(text, "%")
		v, ok := numtext.ParseInt([]byte(percent))
		if !found || !ok || v < 0 {
			return 0, errNotMemoryPercent
		}
		return -v, nil
	case octalNumber:
		v, err := strconv.ParseInt(text, 8, 64)
		if err != nil || v < 0 {
			return 0, errNotOctal
		}
		return v, nil
	default:
		v, ok := numtext.ParseInt([]byte(text))
		if !ok {
			return 0, errNotInteger
		}
		return v, nil
	}
}

func (k *numberKind) append(dst []byte, v value) []byte {
	switch {
	case k.format == shareNumber && v.n < 0:
		return append(strconv.AppendInt(dst, -v.n, 10), '%')
	case k.format == octalNumber:
		return strconv.AppendInt(dst, v.n, 8)
	default:
		return strconv.AppendInt(dst, v.n, 10)
	}
}

func (k *numberKind) lines(v value) []string {
	if v.n > 0 && (k.format == memoryNumber || k.format == shareNumber) {
		return []string{formatMemory(v.n)}
	}
	return []string{string(k.append(nil, v))}
}

// formatMemory writes bytes with the largest unit that divides them.
func formatMemory(v int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "gb"}, {1 << 20, "mb"}, {1 << 10, "kb"}} {
		if v%unit.size == 0 {
			return strconv.FormatInt(v/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(v, 10)
}
