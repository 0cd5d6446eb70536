package servercmd_test

import (
	"bytes"
	"testing"

	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/session"
)

// FuzzAppendMonitor shows monitors any argument. The line is one, whatever is in it, and
// who reads it can get the argument back.
func FuzzAppendMonitor(f *testing.F) {
	for _, arg := range []string{"", "k", "a\r\n-ERR forged", "\"\\\x00\xff", "é"} {
		f.Add([]byte(arg))
	}
	from := &session.Session{Remote: "[::1]:5"}
	f.Fuzz(func(t *testing.T, arg []byte) {
		line := servercmd.AppendMonitor(nil, 1, 0, from, [][]byte{[]byte("ECHO"), arg})
		body, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if !ok || bytes.ContainsAny(body, "\r\n\x00") {
			t.Fatalf("%q is no line", line)
		}
		words, err := config.SplitArgs(bytes.TrimPrefix(body, []byte("+0.000001 [0 [::1]:5] ")))
		if err != nil || len(words) != 2 || string(words[0]) != "ECHO" || !bytes.Equal(words[1], arg) {
			t.Fatalf("%q reads as %q, %v", line, words, err)
		}
	})
}
