package snapshot

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/vfs"
)

// A store is a keyspace with a Saver, in a file system in memory unless told otherwise.
type store struct {
	*Saver
	t   testing.TB
	ks  *keyspace.Keyspace
	set *config.Set
	log *syncBuffer
}

// A syncBuffer is a log that tests read.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newStore(t testing.TB, fs vfs.FS, dir string, databases int) *store {
	t.Helper()
	return newStoreAt(t, fs, dir, databases, clock.System{})
}

func newStoreAt(t testing.TB, fs vfs.FS, dir string, databases int, c clock.Clock) *store {
	t.Helper()
	ks, err := keyspace.New(keyspace.Options{Databases: databases, Reserve: 1 << 28, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ks.Close)
	ks.SetNow(clock.Now(c))
	st := &store{t: t, ks: ks, set: config.NewSchema(Options).NewSet(), log: &syncBuffer{}}
	st.Saver, err = New(Config{
		Keyspace: ks, Options: st.set, FS: fs, Clock: c, WorkDir: dir, PID: 77, RedisVersion: "7.2.4",
		Log: slog.New(slog.NewTextHandler(st.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// An entry is all that a snapshot says about a key.
type entry struct {
	value  string
	expiry int64
}

// A model is the content of all databases; the keys begin with "db/".
type model map[string]entry

func modelKey(db int, key []byte) string { return fmt.Sprintf("%d/%s", db, key) }

// modelNow copies the keyspace, in exclusive mode.
func modelNow(ks *keyspace.Keyspace) model {
	m := model{}
	t := ks.NewTxn()
	t.Adopt()
	for db := range ks.Databases() {
		t.Begin(db, 0) // at time 0 nothing has expired
		t.Each(db, func(key []byte, v keyspace.Value) bool {
			str, err := v.Str()
			if err != nil {
				panic(err)
			}
			var buf [20]byte
			m[modelKey(db, key)] = entry{string(str.Bytes(&buf)), v.Expiry()}
			return true
		})
	}
	t.Disown()
	return m
}

// model copies the keyspace.
func (s *store) model() (m model) {
	s.ks.Exclusive(nil, func() { m = modelNow(s.ks) })
	return m
}

// parse reads a file with the plain reader of package rdb.
func parse(t testing.TB, file []byte) model {
	t.Helper()
	m, err := parseStrings(t, file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// parseStrings is parse, and its error that of a value which is no string.
func parseStrings(t testing.TB, file []byte) (model, error) {
	t.Helper()
	r := rdb.NewReader(bytes.NewReader(file), rdb.Options{Size: int64(len(file))})
	m := model{}
	var rec rdb.Record
	for {
		err := r.Next(&rec)
		if err == io.EOF {
			return m, nil
		}
		if err != nil {
			return nil, err
		}
		if rec.Kind != rdb.KindKey {
			continue
		}
		key := modelKey(rec.DB, rec.Key)
		if _, twice := m[key]; twice {
			t.Fatalf("%.80q is in the file twice", key)
		}
		m[key] = entry{string(rec.Value), rec.ExpireMS}
	}
}

func wantModel(t testing.TB, got, want model) {
	t.Helper()
	if maps.Equal(got, want) {
		return
	}
	shown := 0
	for k, w := range want {
		if g, ok := got[k]; !ok || g != w {
			t.Errorf("key %.60q: got %v %.60q, %d; want %.60q, %d", k, ok, g.value, g.expiry, w.value, w.expiry)
			if shown++; shown > 5 {
				break
			}
		}
	}
	t.Fatalf("%d keys, want %d", len(got), len(want))
}

// do runs a function with all stripes locked, in a database.
func (s *store) do(db int, fn func(t *keyspace.Txn)) {
	txn := s.ks.NewTxn()
	txn.Begin(db, clock.Now(s.Clock))
	txn.LockAll()
	fn(txn)
	txn.Unlock()
	txn.Report()
}

func (s *store) setKey(db int, key, value string, expiry int64) {
	s.t.Helper()
	s.do(db, func(t *keyspace.Txn) {
		if err := t.SetString([]byte(key), []byte(value), expiry); err != nil {
			s.t.Fatal(err)
		}
	})
}

func (s *store) wantLog(text string) {
	s.t.Helper()
	if !strings.Contains(s.log.String(), text) {
		s.t.Errorf("not in the log: %s\n%s", text, s.log)
	}
}

// empty removes all keys.
func (s *store) empty() {
	s.ks.Exclusive(nil, func() {
		for db := range s.ks.Databases() {
			s.ks.FlushDB(db)
		}
	})
	for s.ks.LazyFree() {
	}
}
