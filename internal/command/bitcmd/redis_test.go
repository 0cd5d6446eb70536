package bitcmd_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/testenv"
)

// TestAgainstRedis sends random commands to a redis-server 7.0 and to us. The replies
// must be the same bytes, and in the end Redis's append-only file must hold what we
// journalled.
func TestAgainstRedis(t *testing.T) {
	p := cmdtest.NewPair(newDB(t), original.Redis(t, original.Options{AppendOnly: true}))
	p.RecordJournal()
	rng := rand.New(rand.NewPCG(8, 3))
	for range testenv.Number(t, "SPINEL_COMMANDS", 8000) {
		p.Same(randomCommand(rng)...)
	}
	p.SameJournal()
}

// randomCommand leaves OVERFLOW FAIL out where it decides whether anything is journalled.
func randomCommand(rng *rand.Rand) []string {
	pick := func(line string) string {
		words := strings.Split(line, " ")
		return words[rng.IntN(len(words))]
	}
	key := func() string { return pick("a b c d e missing") }
	number := func() string {
		return pick("0 1 -1 2 3 -3 7 10 -10 17 100 -100 9223372036854775807 -9223372036854775808 x 1.5 ")
	}
	offset := func() string { return pick("0 1 2 3 7 8 9 31 63 64 65 100 199 1000 -1 x 4294967296 #1 #3 #x") }
	kind := func() string {
		return pick("u i") + pick("1 2 3 4 5 7 8 9 13 15 16 31 32 33 48 62 63 63 64 65 0 x")
	}
	value := func() string {
		return pick("0 1 -1 7 8 -8 127 128 -128 -129 255 256 65535 4611686018427387904 -4611686018427387904 " +
			"9223372036854775807 -9223372036854775808 x " + strconv.FormatInt(int64(rng.Uint64()), 10))
	}
	field := func(writes bool) (args []string) {
		for range rng.IntN(6) {
			switch n := rng.IntN(8); {
			case n < 3 || !writes && n < 7:
				args = append(args, pick("GET get"), kind(), offset())
			case n == 7:
				args = append(args, "OVERFLOW", pick("WRAP SAT sat SAT SAT nonsense"))
			default:
				args = append(args, pick("SET INCRBY incrby"), kind(), offset(), value())
			}
		}
		return args
	}
	switch rng.IntN(12) {
	case 0:
		return []string{"SET", key(), pick("0 12 -9223372036854775808 hello " + strings.Repeat("\xff", 40) + " " +
			strings.Repeat("\x00", 50) + "\x10")}
	case 1:
		return []string{pick("GET STRLEN DEL TYPE"), key()}
	case 2:
		return []string{"SETBIT", key(), offset(), pick("0 1 1 2 x")}
	case 3:
		return []string{"GETBIT", key(), offset()}
	case 4, 5:
		args := []string{"BITCOUNT", key(), number(), number(), pick("BIT BYTE bit x"), "more"}
		return args[:pick("2 3 4 4 5 5 5 6")[0]-'0']
	case 6, 7:
		args := []string{"BITPOS", key(), pick("0 1 1 0 2 x"), number(), number(), pick("BIT BYTE byte x"), "more"}
		return args[:pick("3 4 5 5 6 6 6 7")[0]-'0']
	case 8:
		args := []string{"BITOP", pick("AND or XOR NOT NAND"), key(), key(), key(), key(), key()}
		return args[:4+rng.IntN(4)]
	case 9:
		return append([]string{"BITFIELD_RO", key()}, field(rng.IntN(4) == 0)...)
	default:
		return append([]string{"BITFIELD", key()}, field(true)...)
	}
}
