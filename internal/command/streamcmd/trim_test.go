package streamcmd

import (
	"bytes"
	"testing"
)

// TestTooLarge: more than a gigabyte is no entry, of whatever it is made.
func TestTooLarge(t *testing.T) {
	mega := bytes.Repeat([]byte{'x'}, 1<<20)
	var pairs [][]byte
	for range 1 << 10 {
		pairs = append(pairs, mega)
	}
	if isTooLarge(pairs) {
		t.Error("a gigabyte is refused")
	}
	if pairs = append(pairs, []byte("f")); !isTooLarge(pairs) {
		t.Error("more than a gigabyte is not")
	}
}
