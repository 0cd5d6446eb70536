package server

import (
	"io"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/netloop"
)

// TestProtectedMode shows who is served without a password, which no test with sockets of
// this machine can: they all come from it.
func TestProtectedMode(t *testing.T) {
	const no, yes = false, true
	for _, tt := range []struct {
		protected, password string
		remote              string
		unix                bool
		welcome             bool
	}{
		{"yes", "", "127.0.0.1:5000", no, yes},
		{"yes", "", "127.9.9.9:5000", no, yes},
		{"yes", "", "[::1]:5000", no, yes},
		{"yes", "", "[::ffff:127.0.0.1]:5000", no, yes},
		{"yes", "", "/run/redis.sock:0", yes, yes},
		{"yes", "", "192.0.2.1:5000", no, no},
		{"yes", "", "[2001:db8::1]:5000", no, no},
		{"yes", "", "[::ffff:192.0.2.1]:5000", no, no},
		{"yes", "", "10.127.0.1:5000", no, no},
		{"yes", "secret", "192.0.2.1:5000", no, yes},
		{"no", "", "192.0.2.1:5000", no, yes},
	} {
		set := Schema().NewSet()
		netloop.ProtectedMode.Store(set, tt.protected == "yes")
		s, err := New(Config{Set: set, Stdout: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		if tt.password != "" {
			if err := set.ConfigSet([][]byte{[]byte("requirepass"), []byte(tt.password)}, true); err != nil {
				t.Fatal(err)
			}
		}
		c, refusal := s.accept(netloop.Accepted{Remote: tt.remote, Unix: tt.unix})
		if welcome := c != nil; welcome != tt.welcome {
			t.Errorf("%s, protected-mode %s, password %q: welcome %v, want %v", tt.remote, tt.protected,
				tt.password, welcome, tt.welcome)
		}
		if c == nil && !strings.HasPrefix(string(refusal), "-DENIED Redis is running in protected mode") {
			t.Errorf("%s is told %q", tt.remote, refusal)
		}
		if c != nil && c.Authenticated != (tt.password == "") {
			t.Errorf("%s with password %q: authenticated %v", tt.remote, tt.password, c.Authenticated)
		}
		s.Close()
	}
}
