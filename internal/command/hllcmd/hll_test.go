package hllcmd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/hllcmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
)

func newDB(t testing.TB) *cmdtest.DB {
	return cmdtest.New(t, keycmd.Family.Specs, hllcmd.Family.Specs,
		cmdtest.Strings())
}

func TestAdd(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	db.Do("PFADD", "h").WantInt(1) // a new key is a change
	db.Do("PFADD", "h").WantInt(0)
	db.Do("PFADD", "h", "a", "b", "a").WantInt(1)
	db.Do("PFADD", "h", "b", "a").WantInt(0)
	db.WantJournal("PFADD h", "PFADD h a b a")
	db.Do("PFCOUNT", "h").WantInt(2)
	db.WantJournal("PFCOUNT h") // it has changed the bytes
	db.Do("PFCOUNT", "h").WantInt(2)
	db.Do("PFCOUNT", "missing").WantInt(0)
	db.WantJournal()
	db.Do("OBJECT", "ENCODING", "h").Want("raw")
	db.Do("PFADD", "h", "").WantInt(1)
	db.Do("PFCOUNT", "h").WantInt(3)

	db.Do("PEXPIRE", "h", "1000")
	db.Do("PFADD", "h", "d")
	db.Do("PTTL", "h").WantInt(1000)
}

func TestMerge(t *testing.T) {
	db := newDB(t)
	db.Do("PFADD", "a", "1", "2", "3")
	db.Do("PFADD", "b", "3", "4")
	db.RecordJournal()
	db.Do("PFCOUNT", "a", "b", "missing").WantInt(4)
	db.WantJournal()
	db.Do("PFMERGE", "d", "a", "missing", "b").Want("OK")
	db.Do("PFCOUNT", "d").WantInt(4)
	db.Do("PFDEBUG", "ENCODING", "d").Want("sparse")
	db.Do("PFMERGE", "new").Want("OK")
	db.Do("PFCOUNT", "new").WantInt(0)
	db.WantJournal("PFMERGE d a missing b", "PFCOUNT d", "PFMERGE new", "PFCOUNT new")

	db.Do("PFDEBUG", "TODENSE", "a").WantInt(1)
	db.Do("PFDEBUG", "TODENSE", "a").WantInt(0)
	db.Do("PFCOUNT", "a").WantInt(3)
	db.Do("PFMERGE", "new", "a").Want("OK")
	db.Do("PFDEBUG", "ENCODING", "new").Want("dense")
	db.Do("PFCOUNT", "new", "b").WantInt(4)
	db.WantJournal("PFDEBUG TODENSE a", "PFCOUNT a", "PFMERGE new a")
}

// A sparse one becomes dense when it has more bytes than hll-sparse-max-bytes.
func TestSparseMax(t *testing.T) {
	db := newDB(t)
	db.Keyspace.Limits().HLLSparse.Store(100)
	for i := range 100 {
		db.Do("PFADD", "h", fmt.Sprint(i)).WantInt(1)
		n := db.Do("STRLEN", "h").Text()
		if db.Do("PFDEBUG", "ENCODING", "h").Text() == "dense" {
			db.Do("STRLEN", "h").WantInt(12304)
			if i < 20 || i > 50 {
				t.Errorf("it became dense after %d elements", i)
			}
			break
		}
		if len(n) > 2 && n != "100" {
			t.Errorf("a sparse one has %s bytes", n)
		}
	}
	db.Do("PFDEBUG", "DECODE", "h").WantError("ERR HLL encoding is not sparse")
	db.Keyspace.Limits().HLLSparse.Store(0)
	db.Do("PFADD", "at-once", "a")
	db.Do("PFDEBUG", "ENCODING", "at-once").Want("dense")
}

// X10: what is no HyperLogLog, and what looks like one.
func TestX10Damaged(t *testing.T) {
	const wrong = "WRONGTYPE Key is not a valid HyperLogLog string value."
	db := newDB(t)
	for _, value := range []string{"", "1234", "HYLL", "HYLL\x02\x00\x00\x0000000000\x7f\xff",
		"HYLL\x00\x00\x00\x0000000000" + strings.Repeat("x", 12287)} {
		db.Do("SET", "k", value)
		for _, call := range []string{"PFADD k a", "PFADD k", "PFCOUNT k", "PFCOUNT missing k", "PFMERGE d k",
			"PFMERGE k missing", "PFDEBUG ENCODING k"} {
			db.Do(strings.Fields(call)...).WantError(wrong)
		}
	}
	const corrupt = "INVALIDOBJ Corrupted HLL object detected"
	for _, body := range []string{"", "\x7f", "\x7f\xfe", "\x7f\xff\x00", "\x7f\xff\xff"} {
		db.Do("SET", "k", "HYLL\x01\x00\x00\x000000000\xff"+body)
		for _, call := range []string{"PFCOUNT k", "PFCOUNT missing k", "PFMERGE d k", "PFMERGE k missing",
			"PFDEBUG TODENSE k", "PFDEBUG GETREG k"} {
			db.Do(strings.Fields(call)...).WantError(corrupt)
		}
		db.Do("GETRANGE", "k", "16", "-1").Want(body)
	}
	db.Do("SET", "k", "HYLL\x01\x00\x00\x000000000\xff")
	db.Do("PFADD", "k", "a").WantError(corrupt)
	db.Do("EXISTS", "d").WantInt(0)

	// Good runs with megabytes of anything behind them are not copied.
	db.Do("PFADD", "long", "a")
	db.Do("SETRANGE", "long", "10000000", "x")
	db.Do("PFADD", "long", "b", "c").WantError(corrupt)
	db.Do("PFDEBUG", "TODENSE", "long").WantError(corrupt)

	// Redis's suite shortens a good one byte by byte, and writes over its runs.
	db.Do("PFADD", "h", "a", "b", "c")
	db.Do("SETRANGE", "h", "18", "\xff\xff\xff\xff\xff")
	db.Do("PFCOUNT", "h").WantError(corrupt)
}

func TestDebug(t *testing.T) {
	db := newDB(t)
	db.Do("PFADD", "h", "a")
	db.Do("PFDEBUG", "DECODE", "missing").WantError("ERR The specified key does not exist")
	db.Do("PFDEBUG", "DECODE", "h").Want(db.Do("PFDEBUG", "decode", "h").Text())
	db.Do("PFDEBUG", "nope", "h").WantError("ERR Unknown PFDEBUG subcommand 'nope'")
	registers := strings.Fields(strings.Trim(db.Do("PFDEBUG", "GETREG", "h").Text(), "[]"))
	raised := 0
	for _, r := range registers {
		if r != "0" {
			raised++
		}
	}
	if len(registers) != 16384 || raised != 1 {
		t.Errorf("%d registers, %d are not 0", len(registers), raised)
	}
	db.Do("PFDEBUG", "ENCODING", "h").Want("dense")
	db.Do("PFSELFTEST").Want("OK")
}

func TestAllocations(t *testing.T) {
	db := newDB(t)
	db.Do("PFADD", "sparse", "a", "b", "c")
	db.Do("PFMERGE", "dense", "sparse")
	db.Do("PFDEBUG", "TODENSE", "dense")
	for _, line := range []string{
		"PFADD sparse a b c", "PFADD dense a b c", "PFCOUNT sparse", "PFCOUNT dense", "PFCOUNT sparse dense",
		"PFMERGE sparse sparse", "PFMERGE dense sparse",
	} {
		if n := db.AllocsPerRun(strings.Fields(line)...); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func BenchmarkAdd(b *testing.B) { newDB(b).Bench(b, "PFADD", "h", "a", "b", "c") }

func BenchmarkCountTwo(b *testing.B) {
	db := newDB(b)
	for i := range 10000 {
		db.Do("PFADD", "h1", fmt.Sprint(i))
		db.Do("PFADD", "h2", fmt.Sprint(-i))
	}
	db.Bench(b, "PFCOUNT", "h1", "h2")
}
