package stringcmd_test

import (
	"strings"
	"testing"
)

const (
	helloDigest = "9555e8555c62dcfd" // XXH3 of hello
	badDigest   = "ERR The digest must be exactly 16 hexadecimal characters"
)

func TestDigest(t *testing.T) {
	db := newDB(t)
	db.Do("DIGEST", "k").WantNil()
	for value, digest := range map[string]string{
		"hello": helloDigest,
		"":      "2d06800538d394c2",
		"123":   "404a763b3f4c8c9a", // kept as an integer, hashed as its text
		"v8":    "0cc76dbb41381419", // sixteen digits in any case
	} {
		db.Do("SET", "k", value)
		db.Do("DIGEST", "k").Want(digest)
	}
}

// SET with a comparison sets the key if it holds. A missing key equals nothing.
func TestSetComparing(t *testing.T) {
	db := newDB(t)
	upper := strings.ToUpper(helloDigest)
	for _, tt := range []struct {
		old, option, operand string
		set                  bool
	}{
		{"hello", "IFEQ", "hello", true},
		{"hello", "ifeq", "Hello", false},
		{"hello", "IFNE", "hello", false},
		{"hello", "IFNE", "", true},
		{"12", "IFEQ", "12", true},
		{"12", "IFEQ", "012", false},
		{"hello", "IFDEQ", helloDigest, true},
		{"hello", "IFDEQ", upper, true},
		{"hello", "IFDEQ", "0000000000000000", false},
		{"hello", "IFDEQ", "zzzzzzzzzzzzzzzz", false},
		{"hello", "IFDNE", helloDigest, false},
		{"hello", "IFDNE", upper, false},
		{"hello", "IFDNE", "zzzzzzzzzzzzzzzz", true},
		{"", "IFEQ", "x", false}, // "" stands for a missing key
		{"", "IFEQ", "", false},
		{"", "IFNE", "x", true},
		{"", "IFDEQ", "short", false},
		{"", "IFDNE", "short", true},
	} {
		for _, get := range []bool{false, true} {
			db.Do("DEL", "k")
			old := "(nil)"
			if tt.old != "" {
				db.Do("SET", "k", tt.old)
				old = tt.old
			}
			args := []string{"SET", "k", "new", tt.option, tt.operand}
			reply := "(nil)"
			if tt.set {
				reply = "OK"
			}
			if get {
				args, reply = append(args, "GET"), old
			}
			db.Do(args...).Want(reply)
			if tt.set {
				old = "new"
			}
			db.Do("GET", "k").Want(old)
		}
	}
	db.Do("SET", "k", "hello")
	db.Do("SET", "k", "v", "IFDEQ", "short").WantError(badDigest)
	db.Do("SET", "k", "v", "IFDNE", helloDigest+"0", "GET").WantError(badDigest)
	db.Do("GET", "k").Want("hello")
}

// Older servers and files know nothing of comparisons, so they are told the outcome.
func TestComparisonsAreJournalledAsOutcomes(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "k", "1", "IFNE", "x").Want("OK")
	db.Do("SET", "k", "2", "IFEQ", "1", "GET", "KEEPTTL").Want("1")
	db.Do("SET", "k", "3", "EX", "1", "IFEQ", "2").Want("OK")
	db.Do("SET", "k", "4", "IFEQ", "wrong").WantNil()
	db.WantJournal("SET k 1", "SET k 2 KEEPTTL", "SET k 3 PXAT 1700000001000")
}

func TestDelEx(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct {
		line    string
		deleted bool
	}{
		{"", true},
		{"IFEQ hello", true},
		{"ifeq other", false},
		{"IFNE other", true},
		{"IFNE hello", false},
		{"IFDEQ " + helloDigest, true},
		{"IFDEQ 0000000000000000", false},
		{"IFDNE 0000000000000000", true},
		{"IFDNE " + strings.ToUpper(helloDigest), false},
	} {
		db.Do("SET", "k", "hello")
		db.WantJournal("SET k hello")
		args := append([]string{"DELEX", "k"}, strings.Fields(tt.line)...)
		if tt.deleted {
			db.Do(args...).WantInt(1)
			db.Do("GET", "k").WantNil()
			db.WantJournal("DEL k")
		} else {
			db.Do(args...).WantInt(0)
			db.Do("GET", "k").Want("hello")
			db.WantJournal()
		}
	}
	db.Do("DELEX", "missing").WantInt(0)
	db.Do("DELEX", "missing", "IFNE", "x").WantInt(0)
	db.Do("DELEX", "missing", "WHAT", "x").WantInt(0)
	db.Do("SET", "k", "hello")
	db.Do("DELEX", "k", "WHAT", "x").WantError("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")
	db.Do("DELEX", "k", "NX", "x").WantError("ERR Invalid condition.")
	db.Do("DELEX", "k", "IFDEQ", "0123").WantError(badDigest)
	db.Do("DELEX", "k", "IFEQ").WantError("ERR wrong number of arguments for 'delex' command")
	db.Do("DELEX", "missing", "IFEQ", "a", "b").WantError("ERR wrong number of arguments for 'delex' command")
}

func TestDelIfEq(t *testing.T) {
	db := newDB(t)
	db.Do("DELIFEQ", "k", "v").WantInt(0)
	db.Do("DELIFEQ", "k", "").WantInt(0)
	db.Do("SET", "k", "v")
	db.Do("DELIFEQ", "k", "w").WantInt(0)
	db.Do("DELIFEQ", "k", "v").WantInt(1)
	db.Do("GET", "k").WantNil()
	db.Do("SET", "k", "12")
	db.Do("DELIFEQ", "k", "12").WantInt(1)
	db.WantJournal("SET k v", "DEL k", "SET k 12", "DEL k")
}
