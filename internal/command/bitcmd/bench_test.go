package bitcmd_test

import (
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestAllocations(t *testing.T) {
	db := newDB(t)
	db.Do("SETBIT", "k", "800000", "1")
	db.Do("SETBIT", "long", "1600000", "1")
	db.Do("SET", "n", "1234")
	for _, line := range []string{
		"SETBIT k 7 1", "SETBIT k 7 0", "GETBIT k 7", "GETBIT n 7", "GETBIT missing 7", "BITCOUNT k", "BITCOUNT n",
		"BITCOUNT k 1 -2", "BITCOUNT k 1 -2 BIT", "BITPOS k 1", "BITPOS n 0 1 -1 BIT", "BITOP OR d k long n",
		"BITOP XOR k k long", "BITFIELD k INCRBY u8 100 1 GET u8 100", "BITFIELD_RO k GET i64 7",
	} {
		if n := db.AllocsPerRun(strings.Fields(line)...); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func BenchmarkSetBit(b *testing.B) { newDB(b).Bench(b, "SETBIT", "k", "8000", "1") }

func BenchmarkGetBit(b *testing.B) {
	db := newDB(b)
	db.Do("SETBIT", "k", "8000", "1")
	db.Bench(b, "GETBIT", "k", "8000")
}

// A bitmap of a million bits.
func BenchmarkBitCount(b *testing.B) {
	db := newDB(b)
	db.Do("SETBIT", "k", "999999", "1")
	b.SetBytes(125000)
	db.Bench(b, "BITCOUNT", "k")
}

func BenchmarkBitPos(b *testing.B) {
	db := newDB(b)
	db.Do("SETBIT", "k", "999999", "1")
	b.SetBytes(125000)
	db.Bench(b, "BITPOS", "k", "1")
}

func BenchmarkBitOp(b *testing.B) {
	db := newDB(b)
	for _, key := range []string{"k1", "k2", "k3"} {
		db.Do("SETBIT", key, "999999", "1")
	}
	b.SetBytes(3 * 125000)
	db.Bench(b, "BITOP", "AND", "d", "k1", "k2", "k3")
}
