package snapshot

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/vfs"
)

// TestThroughRedis lets redis-check-rdb and redis-server read our file, and loads
// what redis-server then saves: nothing may change on the way.
func TestThroughRedis(t *testing.T) {
	if _, err := exec.LookPath("redis-check-rdb"); err != nil {
		t.Skip("no redis-check-rdb to compare with")
	}
	for _, policy := range []keyspace.Policy{keyspace.NoEviction, keyspace.AllKeysLRU, keyspace.AllKeysLFU} {
		dir := t.TempDir()
		st := newStore(t, vfs.OS{}, dir, 4)
		st.ks.Tuning.Policy.Store(int32(policy))
		st.ks.Tuning.TrackClock.Store(policy.Clocks())
		far := int64(clock.Now(st.Clock)) + 1_000_000
		w := newWriter(st, 3, 1)
		for i := range 5000 {
			expiry := int64(keyspace.NoTTL)
			if i%3 == 0 {
				expiry = far + int64(i)
			}
			st.setKey(i%4, fmt.Sprint("key", i), string(w.value()), expiry)
		}
		st.setKey(3, "big", strings.Repeat("big", 1<<20), keyspace.NoTTL)
		if err := st.Save(nil); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("redis-check-rdb", st.Path()).CombinedOutput(); err != nil ||
			!strings.Contains(string(out), "RDB looks OK") {
			t.Fatalf("%v\n%s", err, out)
		}
		redis := original.Start(t, "redis-server", "", original.Options{Dir: dir})
		if reply := redis.Do("SAVE"); reply != "+OK\r\n" {
			t.Fatal(reply)
		}
		again := newStore(t, vfs.OS{}, dir, 4)
		if loaded, err := again.Load(LoadOptions{}); err != nil || loaded.Keys != 5001 {
			t.Fatalf("%+v, %v", loaded, err)
		}
		again.wantLog("Loading RDB produced by version " + redisVersion(t, again))
		wantModel(t, again.model(), st.model())
	}
}

// redisVersion is what the log says; ours would mean that nobody else saved.
func redisVersion(t *testing.T, st *store) string {
	t.Helper()
	_, rest, _ := strings.Cut(st.log.String(), "produced by version ")
	version, _, _ := strings.Cut(rest, "\"")
	if version == "7.2.4" || version == "" {
		t.Errorf("the file is of version %q: redis-server did not save", version)
	}
	return version
}
