package keycmd_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
)

// A sample is a key of a type in one encoding.
type sample struct{ key, typ, encoding string }

// samples are all types in all encodings. Redis 7.0 knows no set as a listpack, and calls
// every list a quicklist.
var samples = []sample{
	{"int", "string", "int"}, {"short", "string", "embstr"}, {"long", "string", "raw"},
	{"list", "list", "quicklist"}, {"biglist", "list", "quicklist"},
	{"ints", "set", "intset"}, {"set", "set", "hashtable"}, {"bigset", "set", "hashtable"},
	{"hash", "hash", "listpack"}, {"bighash", "hash", "hashtable"},
	{"zset", "zset", "listpack"}, {"bigzset", "zset", "skiplist"},
	{"stream", "stream", "stream"}, {"bigstream", "stream", "stream"},
}

// expiring are those that servers before 7.4 do not have.
var expiring = []sample{{"hashex", "hash", "listpackex"}, {"bighashex", "hash", "hashtable"}}

// fill makes the samples.
func fill(call func(args ...string)) {
	call("SET", "int", "42")
	call("SET", "short", "text")
	call("SET", "long", strings.Repeat("long", 100))
	call("RPUSH", "list", "a", "1", "", "-70000")
	call("SADD", "ints", "1", "-1", "70000")
	call("SADD", "set", "a", "b", "3")
	call("HSET", "hash", "f", "v", "g", "12", "", "")
	call("ZADD", "zset", "1", "a", "-inf", "b", "0.5", "c")
	for i := range 900 {
		n := strconv.Itoa(i)
		call("RPUSH", "biglist", "element:"+n, n)
		call("SADD", "bigset", "member:"+n, n)
		call("HSET", "bighash", "field:"+n, "value:"+n)
		call("ZADD", "bigzset", strconv.Itoa(i%50), "member:"+n)
		call("XADD", "bigstream", "5-"+strconv.Itoa(i+1), "f", n, "g"+strconv.Itoa(i%3), "v")
	}
	call("RPUSH", "biglist", strings.Repeat("huge", 5000))
	for _, s := range []string{"stream", "bigstream"} {
		if s == "stream" {
			for i := range 5 {
				call("XADD", s, "5-"+strconv.Itoa(i+1), "f", strconv.Itoa(i))
			}
		}
		call("XGROUP", "CREATE", s, "g", "0")
		call("XGROUP", "CREATE", s, "empty", "5-2")
		call("XGROUP", "CREATECONSUMER", s, "empty", "idle")
		call("XREADGROUP", "GROUP", "g", "alice", "COUNT", "2", "STREAMS", s, ">")
		call("XREADGROUP", "GROUP", "g", "bob", "COUNT", "2", "STREAMS", s, ">")
		call("XACK", s, "g", "5-2")
		call("XDEL", s, "5-5")
	}
}

func fillExpiring(call func(args ...string)) {
	call("HSET", "hashex", "f", "v", "g", "12")
	call("HPEXPIREAT", "hashex", "4102444800000", "FIELDS", "1", "f")
	for i := range 900 {
		call("HSET", "bighashex", fmt.Sprint("field:", i), "v")
	}
	call("HPEXPIREAT", "bighashex", "4102444800000", "FIELDS", "2", "field:3", "field:4")
}

// content is what a key holds, in an order of its own.
func content(ask func(args ...string) string, key string) string {
	var b strings.Builder
	b.WriteString(ask("TYPE", key) + " " + ask("PEXPIRETIME", key) + " ")
	switch ask("TYPE", key) {
	case "string":
		b.WriteString(ask("GET", key))
	case "list":
		b.WriteString(ask("LRANGE", key, "0", "-1"))
	case "set":
		b.WriteString(sortedWords(ask("SMEMBERS", key)) + ask("SCARD", key))
	case "hash":
		b.WriteString(sortedWords(ask("HGETALL", key)) + ask("HLEN", key))
		if strings.HasSuffix(key, "ex") {
			b.WriteString(ask("HPEXPIRETIME", key, "FIELDS", "3", "f", "g", "field:3"))
		}
	case "zset":
		b.WriteString(ask("ZRANGE", key, "0", "-1", "WITHSCORES"))
	case "stream":
		b.WriteString(ask("XRANGE", key, "-", "+") + ask("XLEN", key) + ask("XINFO", "GROUPS", key) +
			ask("XPENDING", key, "g") + ask("XPENDING", key, "empty"))
		for _, consumer := range []string{"alice", "bob"} {
			b.WriteString(ask("XREADGROUP", "GROUP", "g", consumer, "STREAMS", key, "0")[len("[[")+len(key):])
		}
	}
	return b.String()
}

func sortedWords(reply string) string {
	words := strings.Fields(strings.Trim(reply, "[]"))
	slices.Sort(words)
	return strings.Join(words, " ")
}

// asking is content's way to ask a server of ours.
func asking(c *cmdtest.Client) func(args ...string) string {
	return func(args ...string) string { return c.Do(args...).Text() }
}

// newSamples is a server with all samples.
func newSamples(t testing.TB) (*cmdtest.DB, []sample) {
	t.Helper()
	db := newQuietFullDB(t)
	call := func(args ...string) {
		t.Helper()
		if got := db.Do(args...).Text(); strings.HasPrefix(got, "-") {
			t.Fatalf("%q: %s", args, got)
		}
	}
	fill(call)
	fillExpiring(call)
	return db, slices.Concat(samples, expiring)
}

func TestTypeOfEveryType(t *testing.T) {
	db, all := newSamples(t)
	for _, s := range all {
		db.Do("TYPE", s.key).Want(s.typ)
		db.Do("OBJECT", "ENCODING", s.key).Want(s.encoding)
		if s.key != "int" { // which Redis shares
			db.Do("OBJECT", "REFCOUNT", s.key).Want("1")
		}
		db.Do("OBJECT", "FREQ", s.key).WantError("ERR An LFU maxmemory policy is not selected")
		db.Do("OBJECT", "IDLETIME", s.key).Want("0")
		db.Do("TOUCH", s.key).Want("1")
	}
	for _, typ := range []string{"string", "LIST", "set", "zset", "Hash", "stream", "none", "module"} {
		var want, got []string
		for _, s := range all {
			if strings.EqualFold(s.typ, typ) {
				want = append(want, s.key)
			}
		}
		for cursor := "0"; ; {
			words := strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(
				db.Do("SCAN", cursor, "TYPE", typ, "COUNT", "3").Text()))
			got = append(got, words[1:]...)
			if cursor = words[0]; cursor == "0" {
				break
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, slices.Compact(got)) {
			t.Errorf("SCAN TYPE %s: %q, want %q", typ, got, want)
		}
	}
}

// TestCopyEveryType copies each value to names in many stripes. The copies hold the same and
// are values of their own.
func TestCopyEveryType(t *testing.T) {
	db, all := newSamples(t)
	for _, s := range all {
		db.Do("PEXPIREAT", s.key, "4102444800000").Want("1")
		want := content(asking(db.Client), s.key)
		for i := range 12 {
			to := fmt.Sprint("copy", i, s.key)
			db.Do("COPY", s.key, to).Want("1")
			if got := content(asking(db.Client), to); got != want {
				t.Fatalf("a copy of %s: %.300s\nwant %.300s", s.key, got, want)
			}
			db.Do("OBJECT", "ENCODING", to).Want(s.encoding)
			if i%3 == 0 {
				change(db, s.typ, to)
			}
			if got := content(asking(db.Client), s.key); got != want {
				t.Fatalf("%s has changed with its copy: %.300s\nwant %.300s", s.key, got, want)
			}
			db.Do("COPY", s.key, to, "REPLACE").Want("1")
			db.Do("UNLINK", to).Want("1")
		}
		db.Do("COPY", s.key, s.key, "DB", "3").Want("1")
		db.Do("DEL", s.key).Want("1")
		db.Do("SELECT", "3").Want("OK")
		if got := content(asking(db.Client), s.key); got != want {
			t.Fatalf("a copy of %s in another database: %.300s\nwant %.300s", s.key, got, want)
		}
		db.Do("SELECT", "0").Want("OK")
	}
}

// change changes a value.
func change(db *cmdtest.DB, typ, key string) {
	switch typ {
	case "string":
		db.Do("APPEND", key, "x")
	case "list":
		db.Do("LSET", key, "0", "new")
	case "set":
		db.Do("SADD", key, "new")
	case "hash":
		db.Do("HSET", key, "f", "new")
	case "zset":
		db.Do("ZADD", key, "9", "a", "9", "new")
	case "stream":
		db.Do("XADD", key, "*", "new", "entry")
		db.Do("XREADGROUP", "GROUP", "g", "carol", "STREAMS", key, ">")
	}
}

// TestRenameEveryType sends each value through many stripes and a database, and back.
func TestRenameEveryType(t *testing.T) {
	db, all := newSamples(t)
	for _, s := range all {
		want, at := content(asking(db.Client), s.key), s.key
		for i := range 20 {
			to := fmt.Sprint("name", i)
			if i%2 == 0 {
				to += s.key
			}
			db.Do("RENAME", at, to).Want("OK")
			db.Do("EXISTS", at).Want("0")
			at = to
		}
		db.Do("MOVE", at, "7").Want("1")
		db.Do("EXISTS", at).Want("0")
		db.Do("SELECT", "7").Want("OK")
		db.Do("MOVE", at, "0").Want("1")
		db.Do("SELECT", "0").Want("OK")
		if s.key != at {
			db.Do("RENAMENX", at, s.key).Want("1")
		}
		if got := content(asking(db.Client), s.key); got != want {
			t.Fatalf("%s became %.300s\nwant %.300s", s.key, got, want)
		}
		db.Do("OBJECT", "ENCODING", s.key).Want(s.encoding)
		change(db, s.typ, s.key)
	}
}

// TestDumpEveryType: a payload makes the same value, in the same encoding.
func TestDumpEveryType(t *testing.T) {
	db, all := newSamples(t)
	for _, s := range all {
		payload := cmdtest.BulkOf(t, db.Do("DUMP", s.key).Raw())
		db.Do("RESTORE", "to", "0", payload, "REPLACE").Want("OK")
		db.Do("OBJECT", "ENCODING", "to").Want(s.encoding)
		want := content(asking(db.Client), s.key)
		db.Do("DEL", s.key).Want("1")
		db.Do("RENAME", "to", s.key).Want("OK")
		if got := content(asking(db.Client), s.key); got != want {
			t.Fatalf("%s became %.300s\nwant %.300s", s.key, got, want)
		}
	}
}

// TestDumpEveryTypeAgainstRedis: what we dump Redis 7.0 restores to what it was, and what it
// dumps we do.
func TestDumpEveryTypeAgainstRedis(t *testing.T) {
	r := original.Redis(t, original.Options{})
	askRedis := func(args ...string) string { return cmdtest.Render(r.Do(args...)) }
	fill(func(args ...string) { r.Do(args...) })
	db := newQuietFullDB(t)
	for _, s := range samples {
		want := content(askRedis, s.key)
		payload := cmdtest.BulkOf(t, r.Do("DUMP", s.key))
		db.Do("RESTORE", s.key, "0", payload).Want("OK")
		if got := content(asking(db.Client), s.key); got != want {
			t.Errorf("%s from Redis: %.500s\nwant %.500s", s.key, got, want)
		}
		db.Do("OBJECT", "ENCODING", s.key).Want(askRedis("OBJECT", "ENCODING", s.key))

		ours := cmdtest.BulkOf(t, db.Do("DUMP", s.key).Raw())
		if got := r.Do("RESTORE", s.key, "0", ours, "REPLACE"); got != "+OK\r\n" {
			t.Errorf("Redis does not restore %s: %q", s.key, got)
		}
		if got := content(askRedis, s.key); got != want {
			t.Errorf("%s to Redis: %.500s\nwant %.500s", s.key, got, want)
		}
		r.Do("RESTORE", s.key, "0", ours, "REPLACE")
		if got := askRedis("OBJECT", "ENCODING", s.key); got != s.encoding {
			t.Errorf("%s is a %s in Redis", s.key, got)
		}
	}
}
