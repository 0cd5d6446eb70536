package streamcmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// filled is a DB with a stream of many nodes, and a group that has read some of it.
func filled(t testing.TB) *cmdtest.DB {
	db := newDB(t)
	for range 2000 {
		db.Do("XADD", "s", "*", "field", "value", "other", "123456")
	}
	db.Do("XGROUP", "CREATE", "s", "g", "0")
	db.Do("XREADGROUP", "GROUP", "g", "c", "COUNT", "100", "STREAMS", "s", ">")
	return db
}

// The common calls allocate nothing.
func TestAllocations(t *testing.T) {
	db := filled(t)
	db.Do("XADD", "one", "5-5", "f", "v")
	for _, line := range []string{
		"XADD s * field " +
			"value", "XADD s MAXLEN ~ 1000 * field value", "XADD s MAXLEN 1000 * field value", "XLEN s",
		"XRANGE s - + COUNT 10", "XREVRANGE s + - COUNT 10", "XRANGE s 1700000000000-1000 1700000000000-1009",
		"XRANGE s (5 + COUNT 1", "XRANGE none - +", "XDEL s 1-1", "XTRIM s MAXLEN 100", "XACK s g 1-1",
	} {
		if n := db.AllocsPerRun(strings.Fields(line)...); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func BenchmarkXAdd(b *testing.B) { newDB(b).Bench(b, "XADD", "s", "*", "field", "value") }

func BenchmarkXAddTrim(b *testing.B) {
	newDB(b).Bench(b, "XADD", "s", "MAXLEN", "~", "1000", "*", "field", "value")
}

func BenchmarkXLen(b *testing.B) { filled(b).Bench(b, "XLEN", "s") }

func BenchmarkXRange10(b *testing.B) { filled(b).Bench(b, "XRANGE", "s", "-", "+", "COUNT", "10") }

func BenchmarkXRangeMiddle(b *testing.B) {
	filled(b).Bench(b, "XRANGE", "s", "1700000000000-1050", "+", "COUNT", "10")
}

func BenchmarkXRead(b *testing.B) {
	filled(b).Bench(b, "XREAD", "COUNT", "10", "STREAMS", "s", "1700000000000-1990")
}

// An entry is delivered and its reference dropped.
func BenchmarkXReadGroupHistory(b *testing.B) {
	filled(b).Bench(b, "XREADGROUP", "GROUP", "g", "c", "COUNT", "10", "STREAMS", "s", "0")
}

func BenchmarkXPending(b *testing.B) { filled(b).Bench(b, "XPENDING", "s", "g", "-", "+", "10") }
