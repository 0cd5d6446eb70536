package original_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/original"
)

// Replies of every form are returned whole, and nothing of the next one.
func TestDo(t *testing.T) {
	r := original.Redis(t, original.Options{})
	for _, tt := range []struct{ call, want string }{
		{"SET k v", "+OK\r\n"},
		{"INCR k", "-ERR value is not an integer or out of range\r\n"},
		{"STRLEN k", ":1\r\n"},
		{"GET k", "$1\r\nv\r\n"},
		{"GET none", "$-1\r\n"},
		{"BLPOP none 0.001", "*-1\r\n"},
		{"RPUSH l a b", ":2\r\n"},
		{"EVAL return{1,{'a',{}}} 0", "*2\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n"},
		{"DEBUG PROTOCOL map", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n"},
		{"HELLO 3", "%"},
		{"GET none", "_\r\n"},
		{"DEBUG PROTOCOL map", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n"},
		{"DEBUG PROTOCOL set", "~3\r\n:0\r\n:1\r\n:2\r\n"},
		{"DEBUG PROTOCOL double", ",3.141\r\n"},
		{"DEBUG PROTOCOL bignum", "(1234567999999999999999999999999999999\r\n"},
		{"DEBUG PROTOCOL verbatim", "=29\r\ntxt:This is a verbatim\nstring\r\n"},
		{"DEBUG PROTOCOL attrib", "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n" +
			"$39\r\nSome real reply following the attribute\r\n"},
		{"ECHO end", "$3\r\nend\r\n"},
	} {
		got := r.Do(strings.Fields(tt.call)...)
		if got != tt.want && (tt.want != "%" || got[0] != '%') {
			t.Errorf("%s: got %q, want %q", tt.call, got, tt.want)
		}
	}
}

func TestAppended(t *testing.T) {
	r := original.Redis(t, original.Options{AppendOnly: true})
	if all := r.Appended(); all != nil {
		t.Errorf("of nothing %q", all)
	}
	r.Do("SET", "k", "a\r\nb")
	r.Do("GET", "k")
	r.Do("SELECT", "1")
	r.Do("SPOP", "none")
	r.Do("INCR", "n")
	want := [][]string{{"SET", "k", "a\r\nb"}, {"SELECT", "1"}, {"INCR", "n"}}
	if all := r.Appended(); !reflect.DeepEqual(all, want) {
		t.Errorf("%q, want %q", all, want)
	}
}

func TestPort(t *testing.T) {
	r := original.Redis(t, original.Options{})
	conn, err := net.Dial("tcp", "127.0.0.1:"+r.Port())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reply := make([]byte, len("+PONG\r\n"))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, reply); err != nil || string(reply) != "+PONG\r\n" {
		t.Errorf("%q, %v", reply, err)
	}
}

// A failing is a test that is told to end. Its end is not that of the test around it.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// Who waits for a server that will not start is told what it says.
func TestStartRefused(t *testing.T) {
	original.Redis(t, original.Options{}) // or the test is skipped
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dump.rdb"), []byte("REDIS9999"), 0o600); err != nil {
		t.Fatal(err)
	}
	inner := &failing{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		original.Redis(inner, original.Options{Dir: dir})
	}()
	<-ended
	if !strings.Contains(inner.text, "Can't handle RDB format version 9999") {
		t.Errorf("%q", inner.text)
	}
}

// A server in the folder of another one that saved has its data.
func TestDir(t *testing.T) {
	first := original.Redis(t, original.Options{})
	for i := range 1000 {
		first.Do("SET", fmt.Sprint("k", i), "v")
	}
	if reply := first.Do("SAVE"); reply != "+OK\r\n" {
		t.Fatal(reply)
	}
	second := original.Start(t, "redis-server", "", original.Options{Dir: first.Dir})
	if reply := second.Do("DBSIZE"); reply != ":1000\r\n" {
		t.Errorf("%q keys were loaded, want 1000", reply)
	}
}
