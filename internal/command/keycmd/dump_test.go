package keycmd_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/hash"
)

// payloadOfRedis is what redis-server 7.0.15 dumps of the string "v".
const payloadOfRedis = "\x00\x01v\x0a\x00\x91\x08\xce\xb2\x198\x8a\xce"

// withChecksum completes a type and a value as anybody can.
func withChecksum(body string, version uint16) string {
	b := binary.LittleEndian.AppendUint16([]byte(body), version)
	return string(binary.LittleEndian.AppendUint64(b, hash.CRC64(0, b)))
}

func TestDumpRestore(t *testing.T) {
	db := newDB(t)
	for _, value := range []string{
		"", "v", "0", "-1", "127", "128", "-32768", "32768", "2147483647", "2147483648", "-9223372036854775808",
		"9223372036854775808", "007", "1.5", "\x00\r\n\xff", strings.Repeat("ab", 5000), strings.Repeat("x", 20),
		strings.Repeat("x", 21),
	} {
		db.Do("SET", "k", value).Want("OK")
		payload := cmdtest.BulkOf(t, db.Do("DUMP", "k").Raw())
		db.Do("DEL", "to")
		db.Do("RESTORE", "to", "0", payload).Want("OK")
		db.Do("GET", "to").Want(value)
		db.Do("TTL", "to").Want("-1")
		db.Do("OBJECT", "ENCODING", "to").Want(db.Do("OBJECT", "ENCODING", "k").Text())
		if len(value) > 1000 && len(payload) > 200 {
			t.Errorf("%d bytes of payload for %d equal ones", len(payload), len(value))
		}
	}
	db.Do("APPEND", "raw", "ab").Want("2")
	db.Do("RESTORE", "raw", "0", cmdtest.BulkOf(t, db.Do("DUMP", "raw").Raw()), "REPLACE").Want("OK")
	db.Do("GET", "raw").Want("ab")
	db.Do("DUMP", "none").WantNil()
	db.Do("SET", "k", "v")
	db.Do("DUMP", "k").WantRaw("$13\r\n" + withChecksum("\x00\x01v", 10) + "\r\n")
}

func TestRestoreArguments(t *testing.T) {
	db := newDB(t)
	good, bad := payloadOfRedis, payloadOfRedis+"x"
	const (
		wrong = "-ERR DUMP payload version or checksum are wrong"
		busy  = "-BUSYKEY Target key name already exists."
		ttl   = "-ERR Invalid TTL value, must be >= 0"
		idle  = "-ERR Invalid IDLETIME value, must be >= 0"
		freq  = "-ERR Invalid FREQ value, must be >= 0 and <= 255"
		late  = "-ERR invalid expire time in 'restore' command"
	)
	db.Do("SET", "there", "old").Want("OK")
	for _, tt := range []struct{ key, ttl, payload, options, want string }{
		// Options are looked at first, then the key, the time, the payload.
		{"there", "x", bad, "FOO", errSyntax},
		{"there", "x", bad, "IDLETIME -1", idle},
		{"there", "x", bad, "", busy},
		{"none", "x", bad, "", errInt},
		{"none", "-1", bad, "", ttl},
		{"none", "0", bad, "", wrong},
		{"none", "0", "", "", wrong},
		{"none", "0", good, "IDLETIME", errSyntax},
		{"none", "0", good, "FREQ", errSyntax},
		{"none", "0", good, "IDLETIME x", errInt},
		{"none", "0", good, "FREQ x", errInt},
		{"none", "0", good, "FREQ -1", freq},
		{"none", "0", good, "FREQ 256", freq},
		{"none", "0", good, "IDLETIME 1 FREQ 1", errSyntax},
		{"none", "0", good, "FREQ 1 IDLETIME 1", errSyntax},
		{"none", "9223372036854775808", good, "", errInt},
		{"none", "-9223372036854775808", good, "ABSTTL", ttl},
		{"none", "9223372036854775807", good, "", late}, // X7: never wraps into the past
		{"none", "9223370336854775808", good, "", late},
		{"a", "9223370336854775807", good, "", "OK"},
		{"b", "9223372036854775807", good, "absttl", "OK"},
		{"c", "0", good, "IDLETIME 1 IDLETIME 9223372036854775807", "OK"},
		{"d", "0", good, "replace REPLACE ABSTTL FREQ 255", "OK"},
		{"there", "0", good, "REPLACE", "OK"},
	} {
		args := append([]string{"RESTORE", tt.key, tt.ttl, tt.payload}, strings.Fields(tt.options)...)
		db.Do(args...).Want(tt.want)
		if tt.want == "OK" {
			db.Do("GET", tt.key).Want("v")
		}
	}
	run(t, db, step{"EXISTS none", "0"}, step{"PEXPIRETIME a", "9223372036854775807"},
		step{"PEXPIRETIME b", "9223372036854775807"}, step{"TTL d", "-1"})
}

// TestRestoreJournal: a time to live is journalled as the time at which it ends, and a
// key that is over before it was made as its removal.
func TestRestoreJournal(t *testing.T) {
	db := newDB(t)
	restore := func(want string, args ...string) {
		t.Helper()
		db.Do(append([]string{"RESTORE"}, args...)...).Want(want)
	}
	quoted := fmt.Sprintf("%q", payloadOfRedis)
	restore("OK", "k", "0", payloadOfRedis)
	db.WantJournal("RESTORE k 0 " + quoted)
	restore("OK", "k", "100", payloadOfRedis, "REPLACE", "IDLETIME", "3")
	db.WantJournal("RESTORE k 1700000000100 " + quoted + " REPLACE IDLETIME 3 ABSTTL")
	restore("OK", "k", "1700000000200", payloadOfRedis, "REPLACE", "ABSTTL")
	db.WantJournal("RESTORE k 1700000000200 " + quoted + " REPLACE ABSTTL")
	restore("OK", "none", "1700000000000", payloadOfRedis, "ABSTTL")
	db.WantJournal()
	restore("OK", "k", "1700000000000", payloadOfRedis, "ABSTTL", "REPLACE")
	db.WantJournal("DEL k")
	db.Do("EXISTS", "k").Want("0")
}

// TestRestoreBadData: the checksum is right, and what it covers is not a value.
func TestRestoreBadData(t *testing.T) {
	db := newDB(t)
	const bad = "-ERR Bad data format"
	for _, tt := range []struct{ body, want string }{
		{"\x00", bad},
		{"\x00\x02v", bad},
		{"\x00\x01vw", bad},
		{"\x00\x80\xff\xff\xff\xff", bad}, // a length of 4 GB
		{"\x00\x81\x7f\xff\xff\xff\xff\xff\xff\xff", bad},   // one of 2^63-1
		{"\x00\xc3\x05\x80\xff\xff\xff\xff\x00a\x00b", bad}, // few bytes that become many
		{"\x00\xc3\x01\x05\x00", bad},                       // compressed nonsense
		{"\x00\xc4", bad},                                   // no such form of a string
		{"\xf0\x00", bad},                                   // no such type
		{"\x0b\x00", bad},                                   // an intset of no bytes
		{"\x07\x00", bad + ": values of type module-value (7) are not supported by this version"},
	} {
		db.Do("RESTORE", "k", "0", withChecksum(tt.body, 11)).Want(tt.want)
		db.Do("SET", "old", "v")
		db.Do("RESTORE", "old", "0", withChecksum(tt.body, 11), "REPLACE").Want(tt.want)
		run(t, db, step{"GET old", "v"}, step{"EXISTS k", "0"})
	}
	for _, version := range []uint16{0, 17, 79, 82, 65535} {
		db.Do("RESTORE", "k", "0", withChecksum("\x00\x01v", version)).
			Want("-ERR DUMP payload version or checksum are wrong")
	}
}

// FuzzRestore gives RESTORE any bytes with the right checksum. Either they are refused
// or they are a value that is the same after another DUMP and RESTORE.
func FuzzRestore(f *testing.F) {
	for _, body := range []string{"\x00\x01v", "\x00\xc0\x05", "\x00\xc2\x00\x00\x00\x80",
		"\x00\xc3\x09\x1e\x00a\xe0\x10\x00\x01aa", "\x0b\x0e\x02\x00\x00\x00", "\x00\x80\x00\x00\x00\x01v"} {
		f.Add([]byte(body), uint8(11))
	}
	db := newDB(f)
	f.Fuzz(func(t *testing.T, body []byte, version uint8) {
		db.Call("DEL", "a", "b")
		reply := db.Call("RESTORE", "a", "0", withChecksum(string(body), uint16(version)))
		if reply != "+OK\r\n" {
			if reply[0] != '-' || db.Call("EXISTS", "a") != ":0\r\n" {
				t.Fatalf("refused with %q, and left something", reply)
			}
			return
		}
		payload := cmdtest.BulkOf(t, db.Call("DUMP", "a"))
		if reply := db.Call("RESTORE", "b", "0", payload); reply != "+OK\r\n" {
			t.Fatalf("of our own payload %q: %q", payload, reply)
		}
		if a, b := db.Call("GET", "a"), db.Call("GET", "b"); a != b {
			t.Fatalf("%q became %q", a, b)
		}
	})
}
