package keycmd_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// Payloads that somebody has made up: their checksum is right, and what it covers is
// hostile. The tests are called after the rows of the list of faults.

const badFormat = "-ERR Bad data format"

// streamOfRedis is the body of what redis-server 7.0.15 dumps of a stream with the entries
// 1000-1 to 1000-4, of which alice and bob, consumers of grp, have 1, and 3 and 4.
const streamOfRedis = "" +
	"13011000000000000003e80000000000000001c3404e4060126000000024000401010102018166028167020020090000" +
	"2001078276310381770205600e0001200e0032e0010e0002200e0033e0010e0003200e0034800e000320390004200e00" +
	"35600e0101ff0443e80543e80143e80505020367727043e804040300000000000003e8000000000000000102556b04a2" +
	"0100000100000000000003e8000000000000000307556b04a20100000100000000000003e8000000000000000407556b" +
	"04a2010000010205616c69636502556b04a20100000100000000000003e8000000000000000103626f6207556b04a201" +
	"00000200000000000003e8000000000000000300000000000003e80000000000000004056f7468657243e80381ffffff" +
	"ffffffffff00010469646c6515556b04a201000000"

func streamBody(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(streamOfRedis)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// id is an ID as payloads hold those of pending entries.
func id(seq byte) string {
	return "\x00\x00\x00\x00\x00\x00\x03\xe8\x00\x00\x00\x00\x00\x00\x00" + string(seq)
}

// refuses restores a body and expects that it leaves nothing, neither a key nor, in place of
// an old one, anything else.
func refuses(t *testing.T, db *cmdtest.DB, what, body string) {
	t.Helper()
	db.Do("SET", "old", "v")
	for _, version := range []uint16{10, 11, 12} {
		payload := withChecksum(body, version)
		fresh, over := []string{"RESTORE", "k", "0", payload}, []string{"RESTORE", "old", "0", payload, "REPLACE"}
		for _, call := range [][]string{fresh, over} {
			if got := db.Do(call...).Text(); !strings.HasPrefix(got, badFormat) {
				t.Errorf("%s: %s", what, got)
			}
		}
	}
	run(t, db, step{"EXISTS k", "0"}, step{"GET old", "v"})
}

// Rows 64 and 70 (CVE-2026-25243, CVE-2026-63639): an entry that two consumers have, or one
// has twice.
func TestRestoreRow70SharedPending(t *testing.T) {
	db := newQuietFullDB(t)
	body := string(streamBody(t))
	db.Do("RESTORE", "k", "0", withChecksum(body, 10)).Want("OK")
	do(db, "XPENDING k grp").Want("[3 1000-1 1000-4 [[alice 1] [bob 2]]]")
	do(db, "DEL k").Want("1")
	bob := id(3) + id(4) + "\x05other"
	if strings.Count(body, bob) != 1 {
		t.Fatal("the payload has changed")
	}
	for what, own := range map[string]string{
		"two have 1000-1":      id(1) + id(4),
		"bob has 1000-3 twice": id(3) + id(3),
		"bob has 1000-4 twice": id(4) + id(4),
	} {
		refuses(t, db, what, strings.Replace(body, bob, own+"\x05other", 1))
	}
}

// Row 77: a consumer has an entry that its group does not know, a group knows one that no
// consumer has, names come twice, IDs are not in order.
func TestRestoreRow77Groups(t *testing.T) {
	db := newQuietFullDB(t)
	body := string(streamBody(t))
	for _, tt := range []struct{ what, old, new string }{
		{"bob has one that is not pending", id(3) + id(4) + "\x05other", id(3) + id(9) + "\x05other"},
		{"two groups of one name", "\x05other", "\x03grp"},
		{"two consumers of one name", "\x03bob", "\x05alice"},
		{"an entry is pending twice", id(4) + "\x07", id(3) + "\x07"},
		{"more are pending than come", "\x43\xe8\x04\x04\x03", "\x43\xe8\x04\x04\x04"},
		{"fewer are pending than come", "\x43\xe8\x04\x04\x03", "\x43\xe8\x04\x04\x02"},
		{"a third group is announced", "\x05\x02\x03grp", "\x05\x03\x03grp"},
		{"one group is announced", "\x05\x02\x03grp", "\x05\x01\x03grp"},
	} {
		if !strings.Contains(body, tt.old) {
			t.Fatalf("%s: the payload has changed", tt.what)
		}
		refuses(t, db, tt.what, strings.Replace(body, tt.old, tt.new, 1))
	}
}

// Row 64 (CVE-2026-25243): lengths in old zipmaps that lead out of them.
func TestRestoreRow64Zipmap(t *testing.T) {
	db := newQuietFullDB(t)
	zipmap := func(b string) string { return "\x09" + string(rune(len(b))) + b }
	db.Do("RESTORE", "k", "0", withChecksum(zipmap("\x01\x01f\x01\x00v\xff"), 10)).Want("OK")
	do(db, "HGETALL k").Want("[f v]")
	do(db, "DEL k")
	for _, b := range []string{
		"", "\x01", "\x01\xff\xff", "\x00\xff", "\x02\x01f\x01\x00v\xff", "\x01\x01f\x01\x00v", "\x01\x01f\xff",
		"\x01\x01f\x09\x00v\xff", "\x01\x09f\x01\x00v\xff", "\x01\x01f\x01\xf0v\xff",
		"\x01\xfe\xff\xff\xff\xfff\x01\x00v\xff", "\x01\x01f\xfe\xff\xff\xff\x7f\x00v\xff",
		"\x02\x01f\x01\x00v\x01f\x01\x00w\xff",
	} {
		refuses(t, db, fmt.Sprintf("zipmap %q", b), zipmap(b))
	}
}

// Rows 65 and 66 (CVE-2026-25588, CVE-2026-25589): values of modules are not supported, and
// the reply says so.
func TestRestoreRow65Modules(t *testing.T) {
	db := newQuietFullDB(t)
	for _, body := range []string{
		"\x07\x81\xf6\x4c\x87\xf3\x8e\x14\xb0\x03\x02\x01\x00", // like a time series
		"\x07\x81\x4b\x8f\x2f\x3d\x30\xd7\x04\x04\x05\x03abc\x00", "\x06\x00", "\x07", "\x07\x00",
	} {
		refuses(t, db, "a module's value", body)
	}
	db.Do("RESTORE", "k", "0", withChecksum("\x07\x00", 10)).
		Want(badFormat + ": values of type module-value (7) are not supported by this version")
}

// X16: what a checksum does not protect from, one of each kind, and what the log says of it.
func TestRestoreX16Impossible(t *testing.T) {
	db := newQuietFullDB(t)
	log := watchLog(db)
	nan := "\x00\x00\x00\x00\x00\x00\xf8\x7f"
	for _, tt := range []struct{ what, body, why string }{
		{"an empty list", "\x12\x00", "is empty"},
		{"an empty set", "\x02\x00", "is empty"},
		{"an empty hash", "\x04\x00", "is empty"},
		{"an empty sorted set", "\x05\x00", "is empty"},
		{"an empty listpack", "\x10\x07\x07\x00\x00\x00\x00\x00\xff", "is empty"},
		{"a hash of three", "\x10\x0d\x0d\x00\x00\x00\x03\x00\x01\x01\x02\x01\x03\x01\xff",
			"the number of entries is wrong"},
		{"a member twice", "\x02\x02\x01a\x01a", "set members"},
		{"a field twice", "\x04\x02\x01a\x01v\x01a\x01w", "hash fields"},
		{"a member of a sorted set twice", "\x05\x02\x01a" + nan[:6] + "\xf0\x3f\x01a" + nan[:6] + "\xf0\x3f",
			"zset fields"},
		{"a score that is no number", "\x05\x01\x01a" + nan, "NAN"},
		{"a score that is no number, as text", "\x03\x01\x01a\xfd", "NAN"},
		{"a field twice in a listpack", "\x10\x11\x11\x00\x00\x00\x04\x00\x81a\x02\x01\x01\x81a\x02\x02\x01\xff",
			"dup elements"},
		{"an intset out of order", "\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x02\x00\x01\x00",
			"is 1, after 2"},
		{"an intset with one twice", "\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x01\x00",
			"is 1, after 1"},
		{"an intset of fewer", "\x0b\x0c\x02\x00\x00\x00\x03\x00\x00\x00\x01\x00\x02\x00",
			"hold 3 numbers of 2"},
		{"an intset of no such width", "\x0b\x0c\x03\x00\x00\x00\x02\x00\x00\x00\x01\x00\x02\x00",
			"numbers of 3 bytes"},
		{"a listpack that counts wrong", "\x10\x0b\x0b\x00\x00\x00\x04\x00\x01\x01\x02\x01\xff",
			"counts 4 entries of 2"},
		{"a listpack of another length", "\x10\x0b\x0c\x00\x00\x00\x02\x00\x01\x01\x02\x01\xff",
			"says 12 bytes of 11"},
		{"an entry that leads out of its listpack", "\x10\x0b\x0b\x00\x00\x00\x02\x00\xbf\x01\x02\x01\xff",
			"more than the 4 that follow"},
		{"few elements that say they are many", "\x02\x81\x00\x00\x00\x10\x00\x00\x00\x00\x01a",
			"2 bytes are left"},
		{"a string that grows to 2 GB", "\x01\x01\xc3\x05\x80\x7f\xff\xff\xff\x00a\xe0\xff\x00",
			"more than the limit"},
		{"a node of no such kind", "\x12\x01\x03\x01a", "neither an element nor"},
		{"something behind the value", "\x02\x01\x01ab", "bytes after the end"},
	} {
		log.Reset()
		refuses(t, db, tt.what, tt.body)
		if !strings.Contains(log.String(), tt.why) {
			t.Errorf("%s: not in the log: %s\n%s", tt.what, tt.why, log)
		}
	}
}

// traffic is what clients may do with a key of any type; most of it is of the wrong one.
var traffic = []string{
	"TYPE k", "OBJECT ENCODING k", "DUMP k", "COPY k copy REPLACE", "GET k", "APPEND k x",
	"LRANGE k 0 -1", "LLEN k", "LPOP k", "RPUSH k x", "LINSERT k BEFORE x y", "LREM k 0 x",
	"LTRIM k 1 -2", "LINDEX k -1", "SORT k ALPHA", "SMEMBERS k", "SCARD k", "SADD k x 5", "SREM k x",
	"SPOP k 2", "SSCAN k 0 COUNT 100", "SDIFF k none", "SUNION k k", "SRANDMEMBER k -5",
	"SISMEMBER k x", "HGETALL k", "HSET k x y", "HDEL k x", "HSCAN k 0 COUNT 100", "HRANDFIELD k 3",
	"HINCRBY k n 1", "HLEN k", "ZRANGE k 0 -1 WITHSCORES", "ZADD k 1 x", "ZREM k x", "ZPOPMIN k",
	"ZRANK k x", "ZRANGEBYSCORE k -inf +inf", "ZRANGEBYLEX k - +", "ZSCAN k 0 COUNT 100", "ZCARD k",
	"XRANGE k - +", "XREVRANGE k + -", "XLEN k", "XINFO STREAM k FULL", "XADD k * f v",
	"XREADGROUP GROUP grp carol COUNT 2 STREAMS k >", "XREADGROUP GROUP grp bob STREAMS k 0",
	"XAUTOCLAIM k grp carol 0 0", "XCLAIM k grp carol 0 1000-3 FORCE", "XPENDING k grp - + 10",
	"XACK k grp 1000-3", "XDEL k 1000-2", "XTRIM k MAXLEN 2", "XGROUP DELCONSUMER k grp bob",
	"XGROUP DESTROY k grp", "RENAME k k2", "RENAME k2 k",
}

// X16: bytes of sound payloads are changed, and the checksum made right again. Whatever is
// accepted bears any command; a panic or a broken invariant ends the test.
func TestRestoreX16Damaged(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 16))
	source, all := newSamples(t)
	bodies := []string{string(streamBody(t))}
	for _, s := range all {
		if !strings.HasPrefix(s.key, "big") {
			payload := cmdtest.BulkOf(t, source.Do("DUMP", s.key).Raw())
			bodies = append(bodies, payload[:len(payload)-10])
		}
	}
	db := newQuietFullDB(t)
	accepted := 0
	for range 6000 {
		body := []byte(bodies[rng.IntN(len(bodies))])
		for range 1 + rng.IntN(2) {
			body[rng.IntN(len(body))] = byte(rng.IntN(256))
		}
		if bear(db, withChecksum(string(body), 12)) {
			accepted++
		}
	}
	if accepted < 100 {
		t.Errorf("only %d payloads were accepted: the traffic tests nothing", accepted)
	}
}

// bear restores a payload and lets traffic go over what it is accepted as.
func bear(db *cmdtest.DB, payload string) (accepted bool) {
	if db.Call("RESTORE", "k", "0", payload) != "+OK\r\n" {
		return false
	}
	for _, line := range traffic {
		db.Call(strings.Fields(line)...)
	}
	db.Call("DEL", "k", "k2", "copy")
	return true
}

// X16: a payload that was cut off is never accepted.
func TestRestoreX16Cut(t *testing.T) {
	source, all := newSamples(t)
	db := newQuietFullDB(t)
	for _, s := range all {
		if strings.HasPrefix(s.key, "big") {
			continue
		}
		payload := cmdtest.BulkOf(t, source.Do("DUMP", s.key).Raw())
		for n := range len(payload) - 10 {
			if db.Do("RESTORE", "k", "0", withChecksum(payload[:n], 12)).Text() == "OK" {
				t.Fatalf("%d of %d bytes of %s were accepted", n, len(payload)-10, s.key)
			}
		}
	}
}

// FuzzRestoreTypes gives RESTORE any bytes with the right checksum.
func FuzzRestoreTypes(f *testing.F) {
	source, all := newSamples(f)
	f.Add(streamBody(f))
	for _, s := range all {
		raw := source.Do("DUMP", s.key).Raw()
		_, payload, _ := bytes.Cut([]byte(raw), []byte("\r\n"))
		if len(payload) < 1000 {
			f.Add(payload[:len(payload)-12])
		}
	}
	db := newQuietFullDB(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		bear(db, withChecksum(string(body), 12))
		if err := db.Keyspace.Check(); err != nil {
			t.Fatal(err)
		}
	})
}
