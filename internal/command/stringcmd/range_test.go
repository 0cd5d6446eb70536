package stringcmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/keyspace"
)

func TestGetRange(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "k", "This is a string")
	db.Do("SET", "n", "1234") // kept as an integer
	for _, tt := range []struct{ key, start, end, want string }{
		{"k", "0", "3", "This"},
		{"k", "-3", "-1", "ing"},
		{"k", "0", "-1", "This is a string"},
		{"k", "10", "100", "string"}, // the end is clamped
		{"k", "-100", "3", "This"},   // and so is the start
		{"k", "5", "3", ""},          // a backwards range is empty,
		{"k", "100", "200", ""},      // and so is one past the end
		{"k", "0", "-100", "T"},      // an end before the start is the first byte
		{"k", "-100", "-99", "T"},
		{"k", "-100", "-100", "T"},
		{"k", "-100", "-101", ""},
		{"k", "1", "-100", ""},
		{"n", "0", "2", "123"},
		{"n", "-3", "-1", "234"},
		{"n", "3", "5000", "4"},
		{"missing", "0", "-1", ""},
		{"missing", "-1", "-1", ""},
		{"missing", "0", "0", ""},
	} {
		db.Do("GETRANGE", tt.key, tt.start, tt.end).Want(tt.want)
		db.Do("SUBSTR", tt.key, tt.start, tt.end).Want(tt.want)
	}
	db.Do("GETRANGE", "k", "zero", "1").WantError("ERR value is not an integer or out of range")
	db.Do("GETRANGE", "k", "0", "1.5").WantError("ERR value is not an integer or out of range")
	big := strings.Repeat("0123456789", keyspace.Big/5)
	db.Do("SET", "big", big)
	db.Do("GETRANGE", "big", "1", "-2").Want(big[1 : len(big)-1])
	db.WantJournal("SET k \"This is a string\"", "SET n 1234", "SET big "+big) // reads leave no trace
}

// X1: what would be longer than proto-max-bulk-len is refused before memory is taken,
// and ranges at the ends of the integers are clamped.
func TestX1SizesAtTheEnds(t *testing.T) {
	const tooBig = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
	db := newDB(t)
	db.Do("SETRANGE", "k", "536870912", "x").WantError(tooBig)
	db.Do("SETRANGE", "k", "536870908", "world").WantError(tooBig)
	db.Do("SETRANGE", "k", "9223372036854775807", "x").WantError(tooBig)
	db.Do("SETRANGE", "k", "9223372036854775808", "x").WantError("ERR value is not an integer or out of range")
	db.Do("SETRANGE", "k", "-1", "x").WantError("ERR offset is out of range")
	db.Do("SETRANGE", "k", "9223372036854775807", "").WantInt(0)
	db.Do("GET", "k").WantNil()

	small := newDBMax(t, 10)
	small.Do("SET", "k", "12345678").Want("OK")
	small.Do("APPEND", "k", "9ab").WantError(tooBig)
	small.Do("APPEND", "k", "9a").WantInt(10)
	small.Do("APPEND", "k", "").WantInt(10)
	small.Do("APPEND", "k", "b").WantError(tooBig)
	small.Do("SETRANGE", "k", "9", "xy").WantError(tooBig)
	small.Do("SETRANGE", "k", "9", "x").WantInt(10)
	small.Do("GET", "k").Want("123456789x")

	const least, greatest = "-9223372036854775808", "9223372036854775807"
	db.Do("SET", "k", "abc")
	db.Do("GETRANGE", "k", least, greatest).Want("abc")
	db.Do("GETRANGE", "k", greatest, least).Want("")
	db.Do("GETRANGE", "k", least, least).Want("a")
	db.Do("SUBSTR", "k", greatest, greatest).Want("")
}

func TestAppend(t *testing.T) {
	db := newDB(t)
	db.Do("APPEND", "k", "12").WantInt(2)
	db.Do("ENCODING", "k").Want("int")
	db.Do("APPEND", "k", "34").WantInt(4)
	db.Do("GET", "k").Want("1234")
	db.Do("APPEND", "k", "").WantInt(4)
	db.Do("APPEND", "empty", "").WantInt(0)
	db.Do("GET", "empty").Want("")
	db.WantJournal("APPEND k 12", "APPEND k 34", `APPEND k ""`, `APPEND empty ""`)

	db.Do("SETEX", "k", "10", "")
	want := ""
	for i := range 400 { // through every size of block
		part := strings.Repeat(string(rune('a'+i%26)), i)
		want += part
		db.Do("APPEND", "k", part).WantInt(int64(len(want)))
	}
	db.Do("GET", "k").Want(want)
	db.Do("PTTL", "k").Want("10000")
}

func TestSetRange(t *testing.T) {
	db := newDB(t)
	db.Do("SETRANGE", "k", "0", "").WantInt(0)
	db.Do("GET", "k").WantNil()
	db.WantJournal()
	db.Do("SETRANGE", "k", "1", "foo").WantInt(4)
	db.Do("GET", "k").Want("\x00foo")
	db.WantJournal("SETRANGE k 1 foo")
	for _, tt := range []struct{ old, offset, part, want string }{
		{"foo", "0", "b", "boo"},
		{"foo", "0", "", "foo"},
		{"foo", "1", "b", "fbo"},
		{"foo", "3", "bar", "foobar"},
		{"foo", "4", "bar", "foo\x00bar"},
		{"1234", "0", "2", "2234"},
		{"1234", "0", "", "1234"},
		{"1234", "5", "2", "1234\x002"},
	} {
		db.Do("SET", "k", tt.old, "EX", "10")
		db.Do("SETRANGE", "k", tt.offset, tt.part).WantInt(int64(len(tt.want)))
		db.Do("GET", "k").Want(tt.want)
		db.Do("PTTL", "k").Want("10000")
	}
	db.Do("SET", "k", "1234")
	db.Do("SETRANGE", "k", "9", "").WantInt(4)
	db.Do("ENCODING", "k").Want("int") // nothing was written
	db.Do("SETRANGE", "k", "x", "y").WantError("ERR value is not an integer or out of range")
}
