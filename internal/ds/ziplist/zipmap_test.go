package ziplist

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

func appendLength(b []byte, n int) []byte {
	if n < bigLen {
		return append(b, byte(n))
	}
	return binary.LittleEndian.AppendUint32(append(b, bigLen), uint32(n))
}

func appendPair(b []byte, field, value string, free int) []byte {
	b = append(appendLength(b, len(field)), field...)
	b = append(append(appendLength(b, len(value)), byte(free)), value...)
	return append(b, strings.Repeat("\xff", free)...)
}

// readMap is the fields and values of a map, once by ValidateMap and once by Read.
func readMap(t *testing.T, b []byte) []string {
	t.Helper()
	var by, walked []string
	if err := ValidateMap(b, func(field, value []byte) error {
		by = append(by, string(field), string(value))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	m := Map(b)
	for at := m.First(); at != 0; {
		var field, value []byte
		field, value, at = m.Read(at)
		walked = append(walked, string(field), string(value))
	}
	if !slices.Equal(by, walked) || m.Len()*2 != len(by) {
		t.Fatalf("%q, then %q, %d", by, walked, m.Len())
	}
	return by
}

func TestReadMap(t *testing.T) {
	if got := readMap(t, []byte("\x01\x01a\x03\x00xyz\xff")); !slices.Equal(got, []string{"a", "xyz"}) {
		t.Errorf("the example is %q", got)
	}
	if got := readMap(t, []byte("\x00\xff")); len(got) != 0 {
		t.Errorf("empty: %q", got)
	}
	b, want := []byte{0}, []string(nil)
	for i, n := range []int{0, 1, 253, 254, 70000} {
		field, value := strings.Repeat("f", n), strings.Repeat("v", n/2)
		b = appendPair(b, field, value, i*60)
		b[0]++
		want = append(want, field, value)
	}
	b = append(b, end)
	for _, count := range []byte{5, 254} {
		b[0] = count
		if got := readMap(t, b); !slices.Equal(got, want) {
			t.Errorf("%.300q", got)
		}
	}
}

func TestValidateMap(t *testing.T) {
	for _, tt := range []struct{ name, bytes, want string }{
		{"nothing", "", "fewer"},
		{"count alone", "\xff", "fewer"},
		{"end", "\x00\xfe", "the end is"},
		{"count", "\x02\x01a\x01\x00b\xff", "counts 2 pairs of 1"},
		{"count of 255", "\xff\x01a\x01\x00b\xff", "counts 255 pairs of 1"},
		{"early end", "\x01\xff\xff", "damaged"},
		{"field", "\x01\x05a\x01\x00b\xff", "damaged"},
		{"no value", "\x01\x01a\xff", "damaged"},
		{"end in the pair", "\x01\x01a\xff\x00b\xff", "damaged"},
		{"no free", "\x01\x01a\x00\xff", "damaged"},
		{"value", "\x01\x01a\x02\x00b\xff", "damaged"},
		{"free", "\x01\x01a\x01\x02b-\xff", "damaged"},
		{"long length cut", "\x01\xfe\x01\x00\x00\xff", "damaged"},
		{"long length huge", "\x01\xfe\xff\xff\xff\xffa\x01\x00b\xff", "damaged"},
		{"long value huge", "\x01\x01a\xfe\xff\xff\xff\xff\x00b\xff", "damaged"},
		{"free after a long length", "\x01\x01a\xfe\x00\x00\x00\x00\xff", "damaged"},
	} {
		err := ValidateMap([]byte(tt.bytes), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	stop := errors.New("stop")
	err := ValidateMap([]byte("\x01\x01a\x01\x00b\xff"), func(field, value []byte) error { return stop })
	if err != stop {
		t.Errorf("each: %v", err)
	}
}

// FuzzValidateMap reads whatever passes ValidateMap.
func FuzzValidateMap(f *testing.F) {
	f.Add([]byte("\x01\x01a\x03\x00xyz\xff"))
	f.Add(append(appendPair([]byte{2}, "field", strings.Repeat("v", 300), 7), "\x01a\x00\x00\xff"...))
	f.Fuzz(func(t *testing.T, input []byte) {
		b := exact(input)
		if ValidateMap(b, nil) == nil {
			readMap(t, b)
		}
		if len(b) > 1 { // the same past the first hurdles
			b[0], b[len(b)-1] = bigLen, end
			if ValidateMap(b, nil) == nil {
				readMap(t, b)
			}
		}
	})
}
