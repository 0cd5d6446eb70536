package rdb

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestFault3A9: a length or number that claims more than there is allocates nothing, in a
// payload and in a file, whatever type of value it is in (CVE-2021-3470 and its kin).
func TestFault3A9Lengths(t *testing.T) {
	lengths := []string{"\xbf\xff", "\x80\x7f\xff\xff\xff", "\x80\xff\xff\xff\xff",
		"\x81\x00\x00\x00\x7f\xff\xff\xff\xff", "\x81\x7f\xff\xff\xff\xff\xff\xff\xff",
		"\x81\xff\xff\xff\xff\xff\xff\xff\xff"}
	var values []string
	for _, n := range lengths {
		values = append(values, n, n+"xxxx", "\x01"+n+"xxxx", "\x01\x02"+n+"xxxx", "\x01\x01a"+n+"xxxx",
			"\xc3\x04"+n+"xxxx", "\xc3"+n+"\x04xxxx", "\x01\xc3\x04"+n+"xxxx", le64(0)+n+"xxxx",
			le64(0)+"\x01"+n+"xxxx", streamNode+n+"xxxx", "\x00"+n+"xxxx",
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00"+n+"xxxx")
	}
	var before, after runtime.MemStats
	for _, value := range values {
		runtime.ReadMemStats(&before)
		for typ := range Type(32) {
			var err error
			if typ == TypeString {
				err = new(Decoder).DecodeDump(Dump{12, typ, []byte(value)}, &Record{})
			} else {
				_, err = undump(t, 12, typ, value)
			}
			file := "REDIS0012" + string(rune(typ)) + "\x01k" + value
			_, inFile := readObjects(t, []byte(file), Options{Size: int64(len(file))})
			if err == nil || inFile == nil {
				t.Errorf("type %d, %q: %v, and in a file %v", typ, value, err, inFile)
			}
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
			t.Errorf("%q: %d bytes were allocated", value, n)
		}
	}
}

// TestFault3A71: a slot that there is none of is refused, with its place (Redis of August 2026).
func TestFault3A71SlotInfo(t *testing.T) {
	for slot, ok := range map[uint64]bool{0: true, 16383: true, 16384: false, 1 << 31: false, 1<<64 - 1: false} {
		b := AppendLen([]byte("REDIS0012\xf4"), slot)
		file := AppendEOFUnchecked(append(b, "\x01\x00\x00\x01k\x01v"...))
		got, err := readObjects(t, file, Options{})
		if ok != (err == nil) || ok != (len(got) == 1) {
			t.Errorf("slot %d: %v, %v", slot, got, err)
		}
		if want := fmt.Sprintf("rdb: byte 10: slot: %d is not below 16384", slot); !ok && err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestFault3A69: what a module has written is passed over or refused, never believed: its
// lengths are checked like all others (CVE-2026-25588, CVE-2026-25589, CVE-2026-62356).
func TestFault3A69ModuleValues(t *testing.T) {
	const module = "\x81\x4d\x32\x3a\x35\xa7\x00\x00\x01"
	for _, tt := range []struct{ value, want string }{
		{"\x05\x03abc\x00", ""},
		{"\x05\x81\x7f\xff\xff\xff\xff\xff\xff\xffabc\x00", "module value"},
		{"\x05\x80\x20\x00\x00\x01abc\x00", "module value"},
		{"\x04\x00\x00\x00", "truncated"},
		{"\x06\x00", "module value"},
		{"\x02", "module value"},
		{"", "module value"},
	} {
		file := AppendEOFUnchecked([]byte("REDIS0012\x07\x01k" + module + tt.value))
		_, err := readObjects(t, file, Options{})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: %v, want %q", tt.value, err, tt.want)
		}
		if err := new(Pieces).BeginDump(Dump{12, 7, []byte(module + tt.value)}); err == nil ||
			errors.As(err, new(*CorruptError)) {
			t.Errorf("%q as a payload: %v", tt.value, err)
		}
	}
}
