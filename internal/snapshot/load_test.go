package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/vfs"
)

// A builder writes files by hand.
type builder struct {
	b   []byte
	enc rdb.StringEncoder
}

func newBuilder() *builder {
	b := &builder{b: rdb.AppendHeader(nil, versionLowest)}
	b.enc.Compress = true
	return b
}

func (b *builder) key(key, value string) *builder {
	b.b = rdb.AppendKey(b.b, rdb.TypeString, []byte(key), &b.enc)
	b.b = rdb.AppendString(b.b, []byte(value), &b.enc)
	return b
}

func (b *builder) expire(at int64) *builder { b.b = rdb.AppendExpire(b.b, at); return b }
func (b *builder) db(n int) *builder        { b.b = rdb.AppendSelectDB(b.b, n); return b }

func (b *builder) end() []byte { return rdb.AppendEOF(b.b, hash.CRC64(0, b.b)) }

// loadFile loads a file into a new store.
func loadFile(t testing.TB, file []byte, databases int, opts LoadOptions) (*store, Loaded, error) {
	t.Helper()
	fs := vfs.NewMem("/data")
	if file != nil {
		fs.Put("/data/dump.rdb", file)
	}
	st := newStore(t, fs, "/data", databases)
	loaded, err := st.Load(opts)
	return st, loaded, err
}

// What is saved is loaded, from small values to big ones, by one worker or several.
func TestLoadRestoresAll(t *testing.T) {
	fs := vfs.NewMem("/data")
	st := newStore(t, fs, "/data", 3)
	fill(t, st, 20_000)
	far := int64(clock.Now(st.Clock)) + 1_000_000
	for i, value := range []string{
		"", "0", "-1", "007", "2147483648", "9223372036854775807", "-9223372036854775808",
		"9223372036854775808", "12345678901234567890", strings.Repeat("a", 300_000), strings.Repeat("7", 20),
	} {
		st.setKey(2, value, value, far)
		st.setKey(1, fmt.Sprint(i), value, keyspace.NoTTL)
	}
	st.do(0, func(x *keyspace.Txn) { // what fill set to expire soon would be dropped
		for i := range 20_000 {
			for x.DB = range 3 {
				key := fmt.Appendf(nil, "k%d", i)
				if at, ok := x.Expiry(key); ok && at >= 0 && at < far {
					x.Delete(key)
				}
			}
		}
	})
	if err := st.Save(nil); err != nil {
		t.Fatal(err)
	}
	file, _ := fs.Get("/data/dump.rdb")
	want := st.model()
	for _, workers := range []int{1, 2, 7} {
		again, loaded, err := loadFile(t, file, 3, LoadOptions{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if loaded.Keys != int64(len(want)) || loaded.Expired != 0 || loaded.Info.RedisVersion != "7.2.4" ||
			loaded.Info.CTime == 0 {
			t.Errorf("%+v, want %d keys", loaded, len(want))
		}
		wantModel(t, again.model(), want)
		if err := again.ks.Check(); err != nil {
			t.Error(err)
		}
		again.wantLog(fmt.Sprintf("Done loading RDB, keys loaded: %d, keys expired: 0.", loaded.Keys))
		again.wantLog("DB loaded from disk: ")
		again.wantLog("Loading RDB produced by version 7.2.4")
		if l := again.Loading(); l.InProgress || l.LastKeys != loaded.Keys {
			t.Errorf("%+v", l)
		}
		again.do(1, func(x *keyspace.Txn) { // integers are kept as such, however they were written
			if s, err := x.String([]byte("5")); err != nil || s.Len() != 19 {
				t.Errorf("%v, %v", s.Len(), err)
			} else if _, ok := s.Int(); !ok {
				t.Error("an integer became text")
			}
		})
	}
}

// A primary drops keys whose time has come; a replica keeps them.
func TestLoadExpired(t *testing.T) {
	file := newBuilder().expire(1).key("past", "v").expire(-5).key("long ago", "v").expire(4102444800000).
		key("future", "v").key("forever", "v").end()
	st, loaded, err := loadFile(t, file, 1, LoadOptions{})
	if err != nil || loaded.Keys != 2 || loaded.Expired != 2 || len(st.model()) != 2 {
		t.Errorf("%+v, %v", loaded, err)
	}
	st.wantLog("keys loaded: 2, keys expired: 2.")
	st, loaded, err = loadFile(t, file, 1, LoadOptions{KeepExpired: true})
	if err != nil || loaded.Keys != 4 || loaded.Expired != 0 || st.model()["0/long ago"].expiry != 0 {
		t.Errorf("%+v, %v", loaded, err)
	}
}

func TestLoadNothing(t *testing.T) {
	_, loaded, err := loadFile(t, nil, 1, LoadOptions{})
	if err != nil || loaded.Found {
		t.Errorf("%+v, %v", loaded, err)
	}
	_, loaded, err = loadFile(t, newBuilder().end(), 1, LoadOptions{})
	if err != nil || !loaded.Found || loaded.Keys != 0 {
		t.Errorf("%+v, %v", loaded, err)
	}
}

// Whatever cannot be loaded is refused with file, offset and reason.
func TestLoadRefuses(t *testing.T) {
	good := newBuilder().key("a", "1").end()
	for _, tt := range []struct {
		file []byte
		want string
	}{
		{[]byte{}, "/data/dump.rdb: byte 0: header: truncated"},
		{good[:len(good)-9], "/data/dump.rdb: byte 14: opcode: truncated"},
		{good[:12], "/data/dump.rdb: byte 12: "},
		{append(bytes.Clone(good), 'x'), "bytes after the end"},
		{[]byte("REDIS0079"), "version is newer"},
		{newBuilder().key("a", "1").key("b", "2").key("a", "3").end(),
			`/data/dump.rdb: byte 20: key "a" in database 0: the key was there already`},
		{newBuilder().db(1).key("a", "1").db(2).key("a", "1").end(),
			"/data/dump.rdb: byte 16: database 2: FATAL: Data file was created with a Redis server configured to handle more than 2 databases. Exiting"},
		{append(rdb.AppendHeader(nil, versionLowest), 7, 1, 'm', 0), "values of type module"},
		{append(rdb.AppendHeader(nil, versionLowest), 245, 1, 'x'), "functions (opcode 245) are not supported"},
	} {
		_, _, err := loadFile(t, tt.file, 2, LoadOptions{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q:\n got %v\nwant %s", tt.file, err, tt.want)
		}
	}
}

// file is a file of these bytes, which stand for one key's type, key and value.
func file(keys ...string) []byte {
	b := newBuilder()
	for _, key := range keys {
		b.b = append(b.b, key...)
	}
	return b.end()
}

// Keys whose values have no elements were never there, as for Redis: whatever they are, and
// whether they have expired. They are counted, and the log names ten of them at most.
func TestLoadSkipsEmpty(t *testing.T) {
	empty := []string{
		"\x01\x04list\x00", "\x02\x03set\x00", "\x04\x04hash\x00", "\x05\x04zset\x00", "\x12\x09quicklist\x00",
		"\x0e\x04old1\x01\x0b\x0b\x00\x00\x00\x0a\x00\x00\x00\x00\x00\xff",
		"\x10\x04pack\x07\x07\x00\x00\x00\x00\x00\xff",
		"\x0b\x06intset\x08\x02\x00\x00\x00\x00\x00\x00\x00",
	}
	st, loaded, err := loadFile(t, file(append(empty, "\x02\x04some\x01\x01a")...), 1, LoadOptions{})
	if err != nil || loaded.Keys != 1 || loaded.Empty != int64(len(empty)) {
		t.Errorf("%+v, %v", loaded, err)
	}
	st.wantLog("level=WARN msg=\"RDB: skipping empty key: quicklist\"")
	st.wantLog("level=WARN msg=\"Done loading RDB, keys loaded: 1, keys expired: 0, empty keys skipped: 8.\"")

	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprintf("\x02\x03k%02d\x00", i))
	}
	st, loaded, err = loadFile(t, file(many...), 1, LoadOptions{})
	lines := strings.Count(st.log.String(), "skipping empty key")
	if err != nil || loaded.Empty != 50 || lines != emptyLogged {
		t.Errorf("%+v, %v: %d lines", loaded, err, lines)
	}
}

// A value that is damaged in the part that is empty is no empty value: to pass over it would
// lose the rest.
func TestLoadRefusesEmptyParts(t *testing.T) {
	node := "\x10\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01" // ID 5-1
	for value, want := range map[string]string{
		"\x0f\x01s\x01" + node + "\x07\x07\x00\x00\x00\x00\x00\xff\x00\x05\x01\x00": "Empty listpack inside stream",
		"\x09\x01m\x02\x00\xff": "Zipmap integrity check failed",
	} {
		st, loaded, err := loadFile(t, file(value), 1, LoadOptions{})
		if err == nil || loaded.Empty != 0 || !strings.Contains(err.Error(), "/data/dump.rdb: byte ") {
			t.Errorf("%q: %+v, %v", value, loaded, err)
		}
		st.wantLog("level=WARN msg=\"Internal error in RDB reading offset ")
		st.wantLog("-> " + want + " (")
	}
}

// An element that comes twice is found by who builds the value; the error says where it is
// nevertheless.
func TestLoadBlames(t *testing.T) {
	st, _, err := loadFile(t, file("\x02\x01s\x03\x01a\x01b\x01a"), 1, LoadOptions{})
	want := `rdb: /data/dump.rdb: byte 17: element of key "s" in database 0: an element comes twice`
	if fmt.Sprint(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
	st.wantLog("Internal error in RDB reading offset 17 -> Duplicate set members detected")
}

// With many keys and workers, the first damage in the file is the one reported.
func TestLoadNamesTheFirstError(t *testing.T) {
	b := newBuilder()
	for i := range 5000 {
		b.key(fmt.Sprint("key", i), "v")
	}
	at := len(b.b) + 1
	b.key("key17", "again")
	for i := range 5000 {
		b.key(fmt.Sprint("other", i), "v")
	}
	b.key("key18", "again")
	for range 10 {
		_, _, err := loadFile(t, b.b, 1, LoadOptions{Workers: 4})
		corrupt, ok := errors.AsType[*rdb.CorruptError](err)
		if !ok || corrupt.Path != "/data/dump.rdb" {
			t.Fatalf("%v", err)
		}
		// The reader may be stopped before it comes to the end, and another worker
		// may see the key first that another batch has again: but not a later error.
		if corrupt.Offset > int64(len(b.b)) || corrupt.Offset < int64(at) && !errors.Is(corrupt.Err, errTwice) {
			t.Errorf("%v, want byte %d", err, at)
		}
	}
}

// Every flipped bit of a file is noticed: refused, or at least not loaded as something
// else without a word.
func TestEveryBitFlip(t *testing.T) {
	b := newBuilder()
	b.b = rdb.AppendInfo(b.b, &rdb.Info{RedisVersion: "7.2.4"})
	b.db(0)
	b.b = rdb.AppendResizeDB(b.b, 3, 1)
	file := b.key("key", "value").expire(4102444800000).key("k2", strings.Repeat("x", 100)).key("n", "77").end()
	fs := vfs.NewMem("/data")
	st := newStore(t, fs, "/data", 16)
	for bit := range len(file) * 8 {
		bad := bytes.Clone(file)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := st.LoadFrom(bytes.NewReader(bad), int64(len(bad)), "f", LoadOptions{}); err == nil {
			t.Errorf("bit %d of byte %d: nothing was noticed", bit%8, bit/8)
		}
		st.empty()
	}
}

// A checksum of 0 stands for none, and rdbchecksum no leaves it out both ways.
func TestWithoutChecksum(t *testing.T) {
	file := rdb.AppendEOFUnchecked(newBuilder().key("a", "1").b)
	if _, loaded, err := loadFile(t, file, 1, LoadOptions{}); err != nil || loaded.Keys != 1 {
		t.Errorf("%+v, %v", loaded, err)
	}
	fs := vfs.NewMem("/data")
	st := newStore(t, fs, "/data", 1)
	st.setKey(0, "k", "v", keyspace.NoTTL)
	optChecksum.Store(st.set, false)
	if err := st.Save(nil); err != nil {
		t.Fatal(err)
	}
	saved, _ := fs.Get("/data/dump.rdb")
	if !bytes.HasSuffix(saved, make([]byte, 8)) {
		t.Errorf("the end is %x", saved[len(saved)-9:])
	}
	wrong := newBuilder().key("a", "1").end()
	wrong[len(wrong)-1]++
	fs.Put("/data/dump.rdb", wrong)
	if _, err := st.Load(LoadOptions{}); err != nil {
		t.Errorf("a checksum that nobody wants: %v", err)
	}
}

// FuzzLoad loads anything as a file: no panic, and what is loaded of a file of strings is
// what the plain reader finds.
func FuzzLoad(f *testing.F) {
	f.Add(newBuilder().key("a", "1").db(1).expire(4102444800000).key("b", strings.Repeat("b", 50)).end())
	f.Add(rdb.AppendEOFUnchecked(newBuilder().key("a", "1").key("a", "2").b))
	f.Add([]byte("REDIS0011\xfe\x20"))
	f.Add([]byte("REDIS0001\x02\x00\x00\xff")) // an empty set, which the plain reader does not know
	st := newStore(f, vfs.NewMem("/data"), "/data", 4)
	f.Fuzz(func(t *testing.T, file []byte) {
		loaded, err := st.LoadFrom(bytes.NewReader(file), int64(len(file)), "f", LoadOptions{
			KeepExpired: true, StringBytesMax: 1 << 20,
		})
		var others *rdb.UnsupportedTypeError
		want, failed := model(nil), error(nil)
		if err == nil {
			if want, failed = parseStrings(t, file); failed != nil && !errors.As(failed, &others) {
				t.Fatal(failed)
			}
		}
		if err == nil && failed == nil {
			got := st.model()
			if len(want) != len(got) || loaded.Keys != int64(len(want)) {
				t.Errorf("%d keys (%d counted), want %d", len(got), loaded.Keys, len(want))
			}
			for k, w := range want {
				if got[k].value != w.value {
					t.Errorf("%q: %q, want %q", k, got[k].value, w.value)
				}
			}
		}
		st.empty()
	})
}
