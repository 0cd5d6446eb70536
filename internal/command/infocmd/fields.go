package infocmd

import (
	"strconv"
	"time"

	"github.com/spineldb/spinel/internal/numtext"
)

// fields are lines of name:value under way.
type fields []byte

func (f *fields) name(name string) { *f = append(append(*f, name...), ':') }

func (f *fields) end() { *f = append(*f, '\r', '\n') }

func (f *fields) text(name, value string) {
	f.name(name)
	*f = append(*f, value...)
	f.end()
}

func (f *fields) int(name string, v int64) {
	f.name(name)
	*f = numtext.AppendInt(*f, v)
	f.end()
}

// zeros are fields of what there is none of.
func (f *fields) zeros(names ...string) {
	for _, name := range names {
		f.int(name, 0)
	}
}

func (f *fields) flag(name string, v bool) {
	n := int64(0)
	if v {
		n = 1
	}
	f.int(name, n)
}

// okay is ok or err.
func (f *fields) okay(name string, ok bool) {
	if ok {
		f.text(name, "ok")
	} else {
		f.text(name, "err")
	}
}

func (f *fields) decimal(name string, v float64, digits int) {
	f.name(name)
	*f = strconv.AppendFloat(*f, v, 'f', digits, 64)
	f.end()
}

func (f *fields) percent(name string, v float64) {
	f.name(name)
	*f = append(strconv.AppendFloat(*f, v, 'f', 2, 64), '%')
	f.end()
}

func (f *fields) seconds(name string, v time.Duration) { f.decimal(name, v.Seconds(), 6) }

// bytes is a number of bytes, and again for people.
func (f *fields) bytes(name string, v int64) {
	f.int(name, v)
	f.human(name+"_human", v)
}

func (f *fields) human(name string, v int64) {
	f.name(name)
	*f = appendHuman(*f, v)
	f.end()
}

// appendHuman appends a number of bytes with a unit of 1024s: 512B, 1.50K, 3.25G.
func appendHuman(dst []byte, n int64) []byte {
	if n < 1024 {
		return append(numtext.AppendInt(dst, n), 'B')
	}
	const units = "KMGTP"
	v, unit := float64(n)/1024, 0
	for v >= 1024 && unit+1 < len(units) {
		v, unit = v/1024, unit+1
	}
	return append(strconv.AppendFloat(dst, v, 'f', 2, 64), units[unit])
}
