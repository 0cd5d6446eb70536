package stringcmd_test

import (
	"math/rand/v2"
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
	p.Original.Do("DEBUG", "SET-ACTIVE-EXPIRE", "0") // so that keys go when they are looked at
	rng := rand.New(rand.NewPCG(7, 2))
	for range testenv.Number(t, "SPINEL_COMMANDS", 6000) {
		p.Same(randomCommand(rng)...)
	}
	p.SameJournal()
}

// randomCommand is a command of the string group. Times are either long past or far
// away, on both servers' clocks.
func randomCommand(rng *rand.Rand) []string {
	pick := func(line string) string {
		words := strings.Split(line, " ")
		return words[rng.IntN(len(words))]
	}
	key := func() string { return pick("a b c d e") }
	value := func() string {
		return pick("0 1 -1 9223372036854775807 -9223372036854775808 3.5 1e3 inf x hello hellohellohello " +
			"007 12 ohmytext mynewtext  " + strings.Repeat("long", 30))
	}
	number := func() string {
		return pick("0 1 -1 2 3 -3 7 100 -100 9223372036854775807 -9223372036854775808 9223372036854775808 x 1.5 ")
	}
	expiry := func() string {
		return pick("EXAT EX ex") + " 9223372036854776|" + pick("EXAT PXAT EX PX px") + " " +
			pick("-1 0 x 9223372036854775807 9223372036854775808")
	}
	at := func() string { return pick("EXAT PXAT exat") + " " + pick("1 1000 4102444800 9223372036854775") }
	var line string
	switch rng.IntN(20) {
	case 0, 1:
		args := []string{pick("SET set"), key(), value()}
		for range rng.IntN(4) {
			option := pick("NX XX GET get KEEPTTL nonsense PERSIST EX at at at expiry")
			switch option {
			case "at":
				option = at()
			case "expiry":
				option = alternative(rng, expiry())
			}
			args = append(args, strings.Split(option, " ")...)
		}
		return args
	case 2:
		line = pick("GET STRLEN GETDEL PEXPIRETIME PEXPIRETIME") + " " + key()
	case 3:
		line = pick("INCR DECR") + " " + key()
	case 4, 5:
		line = pick("INCRBY DECRBY INCRBYFLOAT") + " " + key() + " " + pick(number()+" "+value())
	case 6:
		return []string{pick("APPEND SETNX GETSET"), key(), value()}
	case 7, 8:
		line = pick("GETRANGE SUBSTR") + " " + key() + " " + number() + " " + number()
	case 9:
		offset := pick("0 1 5 40 -1 536870912 9223372036854775807 x")
		return []string{"SETRANGE", key(), offset, value()}
	case 10:
		line = pick("MSET MSETNX") + " " + key() + " " + pick("1 v") + " " + pick("f g h") + " " + pick("2 w")
	case 11:
		line = alternative(rng, "MSET a|MSET a 1 b|MGET a b c d e f g|MSETNX i 1 i 2|MSETNX|SET|GET a b|GETEX")
	case 12:
		return []string{"GETEX", key(), pick("PERSIST NX KEEPTTL"), pick("EX GET PERSIST")}
	case 13, 14:
		line = "GETEX " + key() + " " + alternative(rng, "PERSIST|"+at()+"|"+at()+"|"+expiry())
	case 15:
		line = pick("SETEX PSETEX") + " " + key() + " " + pick("0 -1 x 9223372036854775807") + " v"
	default:
		line = "LCS " + key() + " " + key() + alternative(rng, "| LEN| IDX| IDX WITHMATCHLEN|"+
			" IDX MINMATCHLEN 2| IDX LEN| MINMATCHLEN| IDX MINMATCHLEN x| WHAT")
	}
	return strings.Split(line, " ")
}

func alternative(rng *rand.Rand, line string) string {
	all := strings.Split(line, "|")
	return all[rng.IntN(len(all))]
}
