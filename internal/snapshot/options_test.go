package snapshot

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/vfs"
)

// CONFIG SET and GET of the options with rules of their own.
func TestOptions(t *testing.T) {
	fs := vfs.NewMem("/", "/data", "/data/sub")
	fs.Put("/data/file", []byte("x"))
	st := newStore(t, fs, "/data", 1)
	for _, tt := range []struct{ name, value, want string }{
		{"save", "900 1 300 10", "900 1 300 10"},
		{"save", "", ""},
		{"save", "1", "!Invalid save parameters"},
		{"save", "0 1", "!Invalid save parameters"},
		{"save", "1 -1", "!Invalid save parameters"},
		{"save", "x 1", "!Invalid save parameters"},
		{"save", "60 0", "60 0"},
		{"dbfilename", "a/b", "!dbfilename can't be a path, just a filename"},
		{"dbfilename", "other.rdb", "other.rdb"},
		{"dir", "/none", "!No such file or directory"},
		{"dir", "/data/file", "!Not a directory"},
		{"dir", "sub", "/data/sub"},
		{"dir", "..", "/data"},
		{"dir", "/", "/"},
		{"dir", "/data/", "/data"},
		{"rdbchecksum", "no", "!can't set immutable config"},
		{"sanitize-dump-payload", "clients", "clients"},
		{"rdb-key-save-delay", "-10", "-10"},
	} {
		err := st.set.ConfigSet([][]byte{[]byte(tt.name), []byte(tt.value)}, true)
		if reason, ok := strings.CutPrefix(tt.want, "!"); ok {
			if err == nil || !strings.HasSuffix(err.Error(), "- "+reason) {
				t.Errorf("%s %q: %v, want %s", tt.name, tt.value, err, reason)
			}
			continue
		}
		if got, _ := st.set.Text(tt.name); err != nil || got != tt.want {
			t.Errorf("%s %q: %q, %v; want %q", tt.name, tt.value, got, err, tt.want)
		}
	}
	if got := st.Path(); got != "/data/other.rdb" {
		t.Errorf("path %s", got)
	}
	if err := st.set.ConfigSet([][]byte{[]byte("dir"), []byte("/")}, false); err == nil {
		t.Error("dir is not protected")
	}
}

// A server does not start in a folder that is not there.
func TestNewRefusesDir(t *testing.T) {
	st := newStore(t, vfs.NewMem("/data"), "/data", 1)
	optDir.Store(st.set, "elsewhere")
	c := st.Config
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "elsewhere: No such file or directory") {
		t.Errorf("%v", err)
	}
}

// Whether writes stop after a failure follows the options as they are now.
func TestWritesStoppedFollowsOptions(t *testing.T) {
	fs := vfs.NewMem("/data", "/data/dump.rdb") // a folder is in the way
	st := newStore(t, fs, "/data", 1)
	st.setKey(0, "k", "v", keyspace.NoTTL)
	if err := st.SaveInBackground(); err != nil {
		t.Fatal(err)
	}
	st.Wait(nil)
	for _, tt := range []struct {
		name, value string
		want        bool
	}{
		{"save", "60 1", true},
		{"save", "", false},
		{"save", "60 1", true},
		{"stop-writes-on-bgsave-error", "no", false},
		{"stop-writes-on-bgsave-error", "yes", true},
	} {
		if err := st.set.ConfigSet([][]byte{[]byte(tt.name), []byte(tt.value)}, true); err != nil {
			t.Fatal(err)
		}
		if got := st.WritesStopped(); got != tt.want {
			t.Errorf("%s %q: stopped %v", tt.name, tt.value, got)
		}
	}
}
