package hllcmd_test

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
	p.Keyspace.Limits().HLLSparse.Store(1000)
	p.Original.Do("CONFIG", "SET", "hll-sparse-max-bytes", "1000")
	rng := rand.New(rand.NewPCG(9, 4))
	for range testenv.Number(t, "SPINEL_COMMANDS", 5000) {
		p.Same(randomCommand(rng)...)
	}
	p.SameJournal()
}

var alternatives = [][]string{{"PFDEBUG", "TODENSE", "bad"}, {"PFMERGE", "bad", "a"},
	{"PFMERGE", "bad", "b"},
	{"PFCOUNT", "a", "bad"}}

// randomCommand writes into the bytes of one key, but adds nothing to it: Redis notices
// damage then only if it comes before the register, and we also some that comes behind.
func randomCommand(rng *rand.Rand) []string {
	pick := func(line string) string {
		words := strings.Split(line, " ")
		return words[rng.IntN(len(words))]
	}
	key := func() string { return pick("a b c d e f") }
	elements := func() (args []string) {
		many := []int{3, 3, 3, 200}[rng.IntN(4)]
		for range rng.IntN(many) {
			args = append(args, strings.Repeat("x", rng.IntN(20))+strconv.Itoa(rng.IntN(3000)))
		}
		return args
	}
	switch rng.IntN(12) {
	case 0:
		return []string{pick("DEL DEL TYPE PFSELFTEST"), key()}
	case 1:
		return []string{"PFDEBUG", pick("DECODE ENCODING TODENSE GETREG nope"), key()}
	case 2:
		return []string{"PFMERGE", key(), key(), key(), key()}[:2+rng.IntN(4)]
	case 3:
		args := []string{"PFCOUNT", key(), key(), key(), "bad"}
		return args[:2+rng.IntN(4)]
	case 4:
		damage := strings.Repeat(string([]byte{byte(rng.Uint32())}), rng.IntN(3))
		return []string{"SETRANGE", "bad", strconv.Itoa(14 + rng.IntN(20)), damage}
	case 5:
		return []string{pick("PFCOUNT PFMERGE GET STRLEN"), "bad"}
	case 6:
		return alternatives[rng.IntN(len(alternatives))]
	case 7:
		if rng.IntN(4) == 0 {
			return []string{"DEL", "bad"}
		}
		return []string{"GET", key()}
	case 8:
		return []string{"PFCOUNT", key()}
	default:
		return append([]string{"PFADD", key()}, elements()...)
	}
}
