package snapshot

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/vfs"
)

// TestThroughRedis lets redis-check-rdb and redis-server read our file, and loads
// what redis-server then saves: nothing may change on the way.
func TestThroughRedis(t *testing.T) {
	for _, program := range []string{"redis-server", "redis-check-rdb"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("no " + program + " to compare with")
		}
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
		askRedisToSave(t, dir)
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

// askRedisToSave runs a redis-server that loads the file in dir and saves it anew.
func askRedisToSave(t *testing.T, dir string) {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", "sock", "--save", "", "--dir", dir)
	cmd.Dir, cmd.Stdout = dir, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	conn := dial(t, filepath.Join(dir, "sock"))
	defer conn.Close()
	replies := bufio.NewReader(conn)
	for {
		if _, err := conn.Write([]byte("SAVE\r\n")); err != nil {
			t.Fatal(err)
		}
		reply, err := replies.ReadString('\n')
		if reply == "+OK\r\n" {
			break
		}
		if err != nil || !strings.HasPrefix(reply, "-LOADING") {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("SAVE: %q, %v; the log:\n%s", reply, err, text)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := conn.Write([]byte("SHUTDOWN NOSAVE\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, socket string) net.Conn {
	t.Helper()
	for range 300 {
		if conn, err := net.Dial("unix", socket); err == nil {
			return conn
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("redis-server doesn't listen")
	return nil
}
