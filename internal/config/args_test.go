package config_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/config"
)

// Each line is split as redis-server 7.0 splits it; nil stands for its refusal.
func TestSplitArgs(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"", []string{}},
		{" \t\r\n\v\f", []string{}},
		{"set a 1", []string{"set", "a", "1"}},
		{"  set\ta \r\n", []string{"set", "a"}},
		{`set "" ''`, []string{"set", "", ""}},
		{`"a b" 'c d'`, []string{"a b", "c d"}},
		{`"\n\r\t\b\a\\\"\q"`, []string{"\n\r\t\b\a\\\"q"}},
		{`"\x41\xfF\x0"`, []string{"A\xffx0"}},
		{`"\x4g\xg4\x"`, []string{"x4gxg4x"}},
		{`'\n\x41\\''`, []string{`\n\x41\'`}},
		{`'\n\x41\\'`, nil}, // the second backslash escapes the quote
		{`'it\'s'`, []string{"it's"}},
		{`a"b c" d`, []string{"ab c", "d"}},
		{`a'b c'`, []string{"ab c"}},
		{`a"b"c`, nil},
		{`"a"'b'`, nil},
		{`"a`, nil},
		{`'a`, nil},
		{`"a\`, nil},
		{`"a\"`, nil},
		{`'a\'`, nil},
		{"\"a\"\vb", []string{"a", "b"}},
		{"a\vb \fc", []string{"a\vb", "c"}},
		{`a\nb`, []string{`a\nb`}},
		{"a\x00b c", []string{"a"}},
		{"\"a\x00b\"", nil},
		{"\"a\"\x00b", []string{"a"}},
		{`"\x00"`, []string{"\x00"}},
	} {
		got, err := config.SplitArgs([]byte(tt.line))
		if tt.want == nil {
			if !errors.Is(err, config.ErrUnbalanced) {
				t.Errorf("SplitArgs(%q) = %q, %v, want ErrUnbalanced", tt.line, got, err)
			}
			continue
		}
		if err != nil || !slices.Equal(texts(got), tt.want) {
			t.Errorf("SplitArgs(%q) = %q, %v, want %q", tt.line, got, err, tt.want)
		}
	}
}

func texts(args [][]byte) []string {
	all := []string{}
	for _, arg := range args {
		all = append(all, string(arg))
	}
	return all
}

func TestQuote(t *testing.T) {
	const text, want = "a \"b\"\\\n\r\t\a\b\x00\x7f\xff", `"a \"b\"\\\n\r\t\a\b\x00\x7f\xff"`
	if got := config.Quote(text); got != want {
		t.Errorf("Quote(%q) = %s, want %s", text, got, want)
	}
}

// FuzzSplitArgs checks that splitting neither fails in another way than it may nor
// changes the line, and that arguments survive being quoted and split again.
func FuzzSplitArgs(f *testing.F) {
	f.Add([]byte(`set "a b\x00\n" 'it\'s' c"d e" ""`))
	f.Add([]byte("a\x00\"b"))
	f.Add([]byte(`"\x4"`))
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		args, err := config.SplitArgs(line)
		if !bytes.Equal(line, before) {
			t.Fatalf("SplitArgs changed %q to %q", before, line)
		}
		if err != nil && (!errors.Is(err, config.ErrUnbalanced) || args != nil) {
			t.Fatalf("SplitArgs(%q) = %q, %v", line, args, err)
		}
		var quoted []byte
		for _, arg := range args {
			quoted = append(config.AppendQuoted(quoted, string(arg)), ' ')
		}
		again, err := config.SplitArgs(quoted)
		if err != nil || !slices.EqualFunc(args, again, bytes.Equal) {
			t.Fatalf("%q became %s, which is %q, %v", args, quoted, again, err)
		}
	})
}
