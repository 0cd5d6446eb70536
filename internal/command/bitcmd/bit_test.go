package bitcmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/bitcmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
)

const maxBulk = 512 << 20

func newDB(t testing.TB) *cmdtest.DB {
	most := func() int64 { return maxBulk }
	return cmdtest.New(t, keycmd.Family.Specs, stringcmd.Family.With(stringcmd.Deps{MaxBulk: most}),
		bitcmd.Family.With(bitcmd.Deps{MaxBulk: most}))
}

func TestSetBit(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	db.Do("SETBIT", "k", "1", "1").WantInt(0)
	db.Do("GET", "k").Want("@")
	db.Do("SETBIT", "k", "1", "1").WantInt(1) // no change
	db.Do("SETBIT", "k", "2", "1").WantInt(0)
	db.Do("SETBIT", "k", "1", "0").WantInt(1)
	db.Do("GET", "k").Want(" ")
	db.Do("SETBIT", "k", "17", "0").WantInt(0) // makes it longer
	db.Do("GET", "k").Want(" \x00\x00")
	db.WantJournal("SETBIT k 1 1", "SETBIT k 2 1", "SETBIT k 1 0", "SETBIT k 17 0")

	db.Do("SET", "n", "1234", "EX", "10") // kept as an integer
	db.Do("GETBIT", "n", "3").WantInt(1)
	db.Do("GETBIT", "n", "4").WantInt(0)
	db.Do("SETBIT", "n", "6", "1").WantInt(0)
	db.Do("GET", "n").Want("3234")
	db.Do("OBJECT", "ENCODING", "n").Want("raw")
	db.Do("PTTL", "n").WantInt(10000)
	db.Do("GETBIT", "n", "4000").WantInt(0)
	db.Do("GETBIT", "missing", "0").WantInt(0)
}

// X2: offsets at the ends of what there can be.
func TestX2OffsetsAtTheEnds(t *testing.T) {
	const tooFar = "ERR bit offset is not an integer or out of range"
	db := newDB(t)
	for _, at := range []string{"4294967296", "9223372036854775807", "9223372036854775808", "-1", "x", "",
		"#0", "01"} {
		db.Do("SETBIT", "k", at, "1").WantError(tooFar)
		db.Do("GETBIT", "k", at).WantError(tooFar)
	}
	for _, at := range []string{"#2305843009213693952", "#2305843009213693953", "#9223372036854775807", "#-1",
		"#", "#536870912", "4294967296", "-1"} {
		db.Do("BITFIELD", "k", "SET", "u8", at, "1").WantError(tooFar)
		db.Do("BITFIELD_RO", "k", "GET", "u8", at).WantError(tooFar)
	}
	db.Do("GETBIT", "k", "4294967295").WantInt(0)
	db.Do("BITFIELD", "k", "GET", "i64", "4294967295").WantArray("0")
	db.Do("EXISTS", "k").WantInt(0)

	small := cmdtest.New(t, bitcmd.Family.With(bitcmd.Deps{MaxBulk: func() int64 { return 10 }}))
	small.Do("SETBIT", "k", "80", "1").WantError(tooFar)
	small.Do("SETBIT", "k", "79", "1").WantInt(0)
	small.Do("BITFIELD", "k", "SET", "u8", "#10", "1").WantError(tooFar)
	small.Do("BITFIELD", "k", "SET", "u8", "#9", "255").WantArray("1")
}

func TestTypes(t *testing.T) {
	db := cmdtest.New(t, bitcmd.Family.With(bitcmd.Deps{MaxBulk: func() int64 { return 10 }}),
		stringcmd.Family.With(stringcmd.Deps{MaxBulk: func() int64 { return maxBulk }}), keycmd.Family.Specs)
	db.Do("SET", "k", "v")
	for _, tt := range []struct{ call, want string }{
		{"SETBIT k 0 2", "ERR bit is not an integer or out of range"},
		{"SETBIT k 0 x", "ERR bit is not an integer or out of range"},
		{"BITPOS k 2", "ERR The bit argument must be 1 or 0."},
		{"BITPOS k x", "ERR value is not an integer or out of range"},
		{"BITCOUNT k 0", "ERR syntax error"},
		{"BITCOUNT k 0 1 bits", "ERR syntax error"},
		{"BITPOS k 0 0 1 bits", "ERR syntax error"},
		{"BITOP NAND d k", "ERR syntax error"},
		{"BITOP NOT d k k", "ERR BITOP NOT must be called with a single source key."},
		{"BITOP DIFF d k", "ERR BITOP DIFF must be called with at least two source keys."},
		{"BITOP diff1 d k", "ERR BITOP DIFF1 must be called with at least two source keys."},
		{"BITOP ANDOR d k", "ERR BITOP ANDOR must be called with at least two source keys."},
		{"BITFIELD k GET u64 0", "ERR Invalid bitfield type."},
		{"BITFIELD k GET i65 0", "ERR Invalid bitfield type."},
		{"BITFIELD k GET u0 0", "ERR Invalid bitfield type."},
		{"BITFIELD k GET i 0", "ERR Invalid bitfield type."},
		{"BITFIELD k OVERFLOW", "ERR syntax error"},
		{"BITFIELD k OVERFLOW MAYBE", "ERR Invalid OVERFLOW type specified"},
		{"BITFIELD_RO k SET u8 0 1", "ERR BITFIELD_RO only supports the GET subcommand"},
		{"BITFIELD k SET u8 0 x", "ERR value is not an integer or out of range"},
	} {
		db.Do(strings.Fields(tt.call)...).WantError(tt.want)
	}
	db.Do("GET", "k").Want("v")
}

// A count or a search may have any ends, in bits too: each is compared with a loop over
// bits.
func TestRangesAgainstLoop(t *testing.T) {
	db := newDB(t)
	text := strings.Repeat("\x00", 37) + "\x01\xf0" + strings.Repeat("\xff", 71) + "\x7f\x10" + "abc"
	db.Do("SET", "k", text)
	bit := func(i int) int { return int(text[i/8]>>(7-i%8)) & 1 }
	for from := 0; from < 8*len(text); from += 11 {
		for to := from; to < 8*len(text); to += 13 {
			n, places := 0, [2]int{-1, -1}
			for i := to; i >= from; i-- {
				n += bit(i)
				places[bit(i)] = i
			}
			a, b := itoa(from), itoa(to)
			db.Do("BITCOUNT", "k", a, b, "BIT").WantInt(int64(n))
			db.Do("BITPOS", "k", "0", a, b, "BIT").WantInt(int64(places[0]))
			db.Do("BITPOS", "k", "1", a, b, "BIT").WantInt(int64(places[1]))
		}
	}
}

func TestBitOp(t *testing.T) {
	db := newDB(t)
	db.Do("MSET", "x", "\xf0\xff", "y", "\x3c", "z", "\x0f\x81\x01")
	for _, tt := range []struct{ call, want string }{
		{"AND d x y", "\x30\x00"},
		{"AND d x missing", "\x00\x00"},
		{"OR d x y z", "\xff\xff\x01"},
		{"XOR d x y z", "\xc3\x7e\x01"},
		{"NOT d z", "\xf0\x7e\xfe"},
		{"DIFF d x y z", "\xc0\x7e\x00"},
		{"DIFF d missing z", "\x00\x00\x00"},
		{"DIFF1 d x y z", "\x0f\x00\x01"},
		{"ANDOR d x y z", "\x30\x81\x00"},
		{"ANDOR d y x z", "\x3c\x00\x00"},
		{"ONE d x y z", "\xc3\x7e\x01"},
		{"ONE d x", "\xf0\xff"},
		{"ONE d x x z", "\x0f\x00\x01"},
		{"ONE d x x x", "\x00\x00"}, // three times is not once
	} {
		db.Do("SET", "d", "a longer value than any", "EX", "10")
		db.Do(append([]string{"BITOP"}, strings.Fields(tt.call)...)...).WantInt(int64(len(tt.want)))
		db.Do("GET", "d").Want(tt.want)
		db.Do("PTTL", "d").WantInt(-1)
	}
	db.Do("SET", "n", "12")
	db.Do("BITOP", "OR", "d", "n").WantInt(2)
	db.Do("OBJECT", "ENCODING", "d").Want("raw")
	db.Do("BITOP", "OR", "d", "missing", "d2").WantInt(0)
	db.Do("EXISTS", "d").WantInt(0)
}

// The destination may be a source, at any place and shorter or longer than the others.
func TestBitOpInPlace(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	long := strings.Repeat("0123456789abcdef", 1000)
	for _, op := range []string{"AND", "OR", "XOR", "DIFF", "DIFF1", "ANDOR", "ONE"} {
		for _, sources := range [][]string{{"d", "l", "s"}, {"l", "d", "s"}, {"s", "l", "d"}, {"d", "d", "l"}} {
			for _, old := range []string{"1234", strings.Repeat("spinel", 3000)} {
				db.Do("MSET", "l", long, "s", "short", "d", old, "same", old)
				db.Do("PEXPIRE", "d", "1000")
				call := append([]string{"BITOP", op, "d"}, sources...)
				want := append([]string{"BITOP", op, "other"}, sources...)
				for i := range want[3:] {
					if want[3+i] == "d" {
						want[3+i] = "same"
					}
				}
				n := db.Do(want...).Text()
				db.Do(call...).Want(n)
				db.Do("GET", "d").Want(db.Do("GET", "other").Text())
				db.Do("PTTL", "d").WantInt(-1)
			}
		}
	}
}

func TestBitField(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	for _, tt := range []struct {
		call string
		want string
	}{
		{"", ""},
		{"SET i8 0 -100 SET i8 8 101 GET i8 0 GET i8 8", "0 0 -100 101"},
		{"SET u8 0 255 GET u8 0", "156 255"},
		{"SET u8 #0 65 SET u8 #1 66 SET u8 #2 67", "255 101 0"},
		{"INCRBY u8 0 10 INCRBY u8 0 100", "75 175"},
		{"OVERFLOW FAIL INCRBY u8 0 100 OVERFLOW SAT INCRBY u8 0 100 OVERFLOW WRAP INCRBY u8 0 1", "(nil) 255 0"},
		{"GET i64 0 GET u63 1 GET i5 7", "18651015741964288 18651015741964288 4"},
		{"SET i64 3 -9223372036854775808 GET i64 3 OVERFLOW SAT INCRBY i64 3 -1",
			"149208125935714304 -9223372036854775808 -9223372036854775808"},
		{"overflow sat set i4 100 100 get i4 100", "0 7"},
	} {
		db.Do(append([]string{"BITFIELD", "k"}, strings.Fields(tt.call)...)...).Want("[" + tt.want + "]")
	}
	db.Do("BITFIELD_RO", "k", "GET", "i4", "100", "OVERFLOW", "SAT", "GET", "u1", "3").Want("[7 1]")

	db.WantJournal("BITFIELD k SET i8 0 -100 SET i8 8 101 GET i8 0 GET i8 8", "BITFIELD k SET u8 0 255 GET u8 0",
		"BITFIELD k SET u8 #0 65 SET u8 #1 66 SET u8 #2 67", "BITFIELD k INCRBY u8 0 10 INCRBY u8 0 100",
		"BITFIELD k OVERFLOW FAIL INCRBY u8 0 100 OVERFLOW SAT INCRBY u8 0 100 OVERFLOW WRAP INCRBY u8 0 1",
		"BITFIELD k SET i64 3 -9223372036854775808 GET i64 3 OVERFLOW SAT INCRBY i64 3 -1",
		"BITFIELD k overflow sat set i4 100 100 get i4 100")
	db.Do("BITFIELD", "k", "SET", "i4", "100", "7", "GET", "u1", "0").Want("[7 0]") // changes nothing
	db.WantJournal()
	db.Do("BITFIELD", "new", "OVERFLOW", "FAIL", "SET", "u8", "8", "256").Want("[(nil)]")
	db.Do("STRLEN", "new").WantInt(2)
	db.WantJournal("BITFIELD new OVERFLOW FAIL SET u8 8 256")
}

// Calls that only read need no more than the right to read.
func TestFlagsOfCalls(t *testing.T) {
	var spec *command.Spec
	for _, s := range bitcmd.Family.With(bitcmd.Deps{}) {
		if s.Name == "BITFIELD" {
			spec = s
		}
	}
	for _, tt := range []struct {
		call string
		want command.KeyFlags
	}{
		{"BITFIELD k", command.RO | command.Access},
		{"BITFIELD k GET u8 0 OVERFLOW SAT get u8 0", command.RO | command.Access},
		{"BITFIELD k GET u8 0 SET u8 0 1", command.RW | command.Access | command.Update},
		{"BITFIELD k GET u8", command.RW | command.Access | command.Update}, // not understood
	} {
		var args command.Args
		for _, w := range strings.Fields(tt.call) {
			args = append(args, []byte(w))
		}
		if got := spec.CallFlags(args); got != tt.want {
			t.Errorf("%s: flags %v, want %v", tt.call, got.Names(), tt.want.Names())
		}
	}
}
