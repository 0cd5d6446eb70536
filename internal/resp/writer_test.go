package resp_test

import (
	"testing"

	"github.com/spineldb/spinel/internal/resp"
)

// written is what f writes.
func written(resp3 bool, f func(w *resp.Writer)) (text string) {
	w := resp.Writer{Resp3: resp3}
	f(&w)
	for _, c := range w.Take(nil) {
		text += string(c.Bytes)
	}
	return text
}

func TestWriter(t *testing.T) {
	for _, tt := range []struct {
		name         string
		write        func(w *resp.Writer)
		resp2, resp3 string
	}{
		{"an element that is a text", func(w *resp.Writer) { w.Element([]byte("x"), 5) }, "$1\r\nx\r\n", ""},
		{"one that is no text", func(w *resp.Writer) { w.Element([]byte{}, 5) }, "$0\r\n\r\n", ""},
		{"one that is an integer", func(w *resp.Writer) { w.Element(nil, -5) }, "$2\r\n-5\r\n", ""},
		{"one and none", func(w *resp.Writer) { w.OneIf(true); w.OneIf(false) }, ":1\r\n:0\r\n", ""},
		{"true and false", func(w *resp.Writer) { w.Bool(true); w.Bool(false) }, ":1\r\n:0\r\n", "#t\r\n#f\r\n"},
		{"lines", func(w *resp.Writer) { w.Lines([]string{"a", "b c"}) }, "*2\r\n+a\r\n+b c\r\n", ""},
		{"no lines", func(w *resp.Writer) { w.Lines(nil) }, "*0\r\n", ""},
	} {
		if tt.resp3 == "" {
			tt.resp3 = tt.resp2
		}
		if got := written(false, tt.write); got != tt.resp2 {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.resp2)
		}
		if got := written(true, tt.write); got != tt.resp3 {
			t.Errorf("%s in RESP3: %q, want %q", tt.name, got, tt.resp3)
		}
	}
}
