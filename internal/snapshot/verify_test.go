package snapshot

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/vfs"
)

// A file that is whole is found so, and any prefix or flipped bit of it is not, while the
// data stay as they are.
func TestVerify(t *testing.T) {
	b := newBuilder()
	b.b = rdb.AppendInfo(b.b, &rdb.Info{RedisVersion: "7.2.4"})
	b.db(0)
	file := b.key("key", "value").key("k2", strings.Repeat("x", 100)).end()
	st := newStore(t, vfs.NewMem("/data"), "/data", 16)
	st.setKey(0, "k", "v", keyspace.NoTTL)
	verify := func(file []byte, size int) error { return st.Verify(bytes.NewReader(file), int64(size), "f") }
	if err := verify(file, len(file)); err != nil {
		t.Error(err)
	}
	for n := range len(file) {
		for _, size := range []int{n, 0} { // 0 is what comes from a socket
			if verify(file[:n], size) == nil {
				t.Errorf("%d bytes of %d are whole", n, len(file))
			}
		}
	}
	for bit := range len(file) * 8 {
		bad := bytes.Clone(file)
		bad[bit/8] ^= 1 << (bit % 8)
		if verify(bad, len(bad)) == nil {
			t.Errorf("bit %d of byte %d: nothing was noticed", bit%8, bit/8)
		}
	}
	few := newStore(t, vfs.NewMem("/data"), "/data", 1)
	other := newBuilder()
	other.db(7)
	other.key("a", "1")
	if _, ok := errors.AsType[*DatabaseError](few.Verify(bytes.NewReader(other.end()), 0, "f")); !ok {
		t.Error("a file with databases that are not here is taken for good")
	}
	if m := st.model(); len(m) != 1 || m["0/k"].value != "v" {
		t.Errorf("%v", m)
	}
}

// A file may be loaded into another keyspace than that which is saved.
func TestLoadInto(t *testing.T) {
	st := newStore(t, vfs.NewMem("/data"), "/data", 16)
	st.setKey(0, "k", "old", keyspace.NoTTL)
	twin, err := st.ks.Twin()
	if err != nil {
		t.Fatal(err)
	}
	file := newBuilder().key("k", "new").expire(1000).key("gone", "by now").end()
	opts := LoadOptions{Into: twin, KeepExpired: true}
	if loaded, err := st.LoadFrom(bytes.NewReader(file), 0, "socket", opts); err != nil || loaded.Keys != 2 {
		t.Fatalf("%+v, %v", loaded, err)
	}
	if m := st.model(); m["0/k"].value != "old" {
		t.Errorf("%v", m)
	}
	var release func()
	st.ks.Exclusive(nil, func() { _, release = st.ks.TakeOver(twin) })
	release()
	if m := st.model(); len(m) != 2 || m["0/k"].value != "new" || m["0/gone"].expiry != 1000 {
		t.Errorf("%v", m)
	}
}
