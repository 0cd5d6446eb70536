package command_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestMultiPop(t *testing.T) {
	const (
		syntax  = "ERR syntax error"
		numKeys = "ERR numkeys should be greater than 0"
		count   = "ERR count should be greater than 0"
	)
	for _, tt := range []struct{ in, want string }{
		{"1 a LEFT", "a first 1"}, {"2 a b right", "a,b second 1"}, {"1 LEFT RIGHT", "LEFT second 1"},
		{"1 a LEFT COUNT 3", "a first 3"}, {"1 a LEFT count 9223372036854775807", "a first 9223372036854775807"},
		{"0 LEFT", numKeys}, {"-1 a LEFT", numKeys}, {"x a LEFT", numKeys}, {"", numKeys},
		{"1 a", syntax}, {"1 LEFT", syntax}, {"2 a LEFT", syntax}, {"2 a b", syntax}, {"1 a b LEFT", syntax},
		{"9223372036854775807 a LEFT", syntax}, {"1 a MIDDLE", syntax},
		{"1 a LEFT COUNT", syntax}, {"1 a LEFT COUNT 0", count}, {"1 a LEFT COUNT -1", count},
		{"1 a LEFT COUNT x", count}, {"1 a LEFT 3", syntax}, {"1 a LEFT COUNT 1 COUNT 1", syntax},
		{"1 a LEFT COUNT 0 more", count}, {"1 a LEFT LIMIT 1", syntax},
	} {
		m, err := arguments(strings.Split("LMPOP "+tt.in, " ")...).MultiPop(1, "LEFT", "RIGHT")
		end := map[bool]string{false: "first", true: "second"}[m.Second]
		got := fmt.Sprintf("%s %s %d", bytes.Join(m.Keys, []byte(",")), end, m.Count)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.in, got, tt.want)
		}
	}
}

// FuzzMultiPop: whatever the words are, there are as many keys as is said, and a count.
func FuzzMultiPop(f *testing.F) {
	for _, s := range []string{"1 a LEFT", "2 a b RIGHT COUNT 3", "9223372036854775807 a LEFT", "0 LEFT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := arguments(strings.Split(text, " ")...)
		m, err := args.MultiPop(0, "LEFT", "RIGHT")
		if err == nil && (fmt.Sprint(len(m.Keys)) != strings.TrimLeft(string(args[0]), "+") || m.Count < 1 ||
			len(args) != len(m.Keys)+2 && len(args) != len(m.Keys)+4) {
			t.Errorf("%q: %d keys, COUNT %d", text, len(m.Keys), m.Count)
		}
	})
}
