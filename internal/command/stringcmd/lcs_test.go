package stringcmd_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestLCS(t *testing.T) {
	db := newDB(t)
	db.Do("MSET", "a", "ohmytext", "b", "mynewtext", "n", "1234", "m", "12934")
	db.Do("LCS", "a", "b").Want("mytext")
	db.Do("LCS", "a", "b", "LEN").WantInt(6)
	db.Do("LCS", "a", "b", "idx").Want("[matches [[[4 7] [5 8]] [[2 3] [0 1]]] len 6]")
	db.Do("LCS", "a", "b", "IDX", "MINMATCHLEN", "4").Want("[matches [[[4 7] [5 8]]] len 6]")
	db.Do("LCS", "a", "b", "IDX", "MINMATCHLEN", "4", "WITHMATCHLEN").Want("[matches [[[4 7] [5 8] 4]] len 6]")
	db.Do("LCS", "a", "b", "IDX", "MINMATCHLEN", "9").Want("[matches [] len 6]")
	db.Do("LCS", "a", "b", "IDX", "MINMATCHLEN", "-9").Want("[matches [[[4 7] [5 8]] [[2 3] [0 1]]] len 6]")
	db.Do("LCS", "n", "m").Want("1234") // kept as integers
	db.Do("LCS", "a", "missing").Want("")
	db.Do("LCS", "missing", "a", "LEN").WantInt(0)
	db.Do("LCS", "missing", "missing", "IDX").Want("[matches [] len 0]")

	db.Do("LCS", "a", "b", "LEN", "IDX").
		WantError("ERR If you want both the length and indexes, please just use IDX.")
	db.Do("LCS", "a", "b", "MINMATCHLEN").WantError("ERR syntax error")
	db.Do("LCS", "a", "b", "MINMATCHLEN", "x").WantError("ERR value is not an integer or out of range")
	db.Do("LCS", "a", "b", "WHAT").WantError("ERR syntax error")
	db.Do("LCS", "a").WantError("ERR wrong number of arguments for 'lcs' command")
}

// X3: what Redis would need more memory for than proto-max-bulk-len is refused, before
// anything is allocated (CVE-2021-29477 was an overflow of this product).
func TestX3LCSRefusesBeforeAllocating(t *testing.T) {
	const refused = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
	db := newDB(t)
	db.Do("SET", "a", strings.Repeat("x", 11584))
	db.Do("SET", "b", strings.Repeat("y", 11584))
	db.Do("LCS", "a", "b", "LEN").WantInt(0) // 4*11585*11585 bytes are just allowed
	db.Do("SET", "b", strings.Repeat("y", 11585))
	db.Do("LCS", "a", "b", "LEN").WantError(refused)
	db.Do("LCS", "b", "a", "IDX").WantError(refused)
	db.Do("SET", "a", strings.Repeat("x", 64<<20))
	db.Do("SETRANGE", "b", "67108863", "y")
	db.Do("LCS", "a", "b").WantError(refused)
}

// The table of bits against the table of numbers that everybody writes first, and the
// walk back through it.
func TestLCSAgainstModel(t *testing.T) {
	db := newDB(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		letters := 1 + rng.IntN(4)
		a, b := randomText(rng, 150, letters), randomText(rng, 150, letters)
		db.Do("MSET", "a", a, "b", b)
		common, idx := lcsModel(a, b)
		db.Do("LCS", "a", "b").Want(common)
		db.Do("LCS", "a", "b", "LEN").WantInt(int64(len(common)))
		db.Do("LCS", "a", "b", "IDX", "WITHMATCHLEN").Want(idx)
		if t.Failed() {
			t.Fatalf("a = %q, b = %q", a, b)
		}
	}
}

func randomText(rng *rand.Rand, max, letters int) string {
	b := make([]byte, rng.IntN(max+1))
	for i := range b {
		b[i] = byte('a' + rng.IntN(letters))
	}
	return string(b)
}

func lcsModel(a, b string) (common, idx string) {
	l := make([][]int, len(a)+1)
	for i := range l {
		l[i] = make([]int, len(b)+1)
		for j := range l[i] {
			switch {
			case i == 0 || j == 0:
			case a[i-1] == b[j-1]:
				l[i][j] = l[i-1][j-1] + 1
			default:
				l[i][j] = max(l[i-1][j], l[i][j-1])
			}
		}
	}
	var runs []string
	i, j, run := len(a), len(b), 0
	end := func() {
		if run > 0 {
			at := func(from int) string { return "[" + strconv.Itoa(from) + " " + strconv.Itoa(from+run-1) + "]" }
			runs = append(runs, "["+at(i)+" "+at(j)+" "+strconv.Itoa(run)+"]")
			run = 0
		}
	}
	for i > 0 && j > 0 {
		switch {
		case a[i-1] == b[j-1]:
			common = a[i-1:i] + common
			i, j, run = i-1, j-1, run+1
		case l[i-1][j] > l[i][j-1]:
			end()
			i--
		default:
			end()
			j--
		}
	}
	end()
	return common, "[matches [" + strings.Join(runs, " ") + "] len " + strconv.Itoa(len(common)) + "]"
}
