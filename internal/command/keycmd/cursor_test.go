package keycmd

import (
	"bytes"
	"strconv"
	"testing"
)

// FuzzCursor compares with strconv wherever the two have the same idea of a number: no
// sign, some digits, no zero byte.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "0", "-1", "+7", "18446744073709551615", "18446744073709551616", "0x1",
		"1\x002", " 1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := parseCursor(b)
		if len(b) == 0 || bytes.ContainsAny(b, "+-\x00") {
			return
		}
		want, err := strconv.ParseUint(string(b), 10, 64)
		if ok != (err == nil) || ok && got != want {
			t.Errorf("%q: %d, %t; want %d, %v", b, got, ok, want, err)
		}
	})
}
