package catalogcmd_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/client"
)

// calls are asked of COMMAND GETKEYS and GETKEYSANDFLAGS: right and wrong ones, of
// every way to say where keys are.
var calls = strings.FieldsFunc(`
get k / get k k / nope k / client kill / client nope x / ping x / spublish c m / set k v
set k v get / set k v ex 1 GET nx / set k v ex GET / getex k persist / mset a 1 b 2 / mset a 1 b
msetnx a 1 / mget a b c / lcs a b / lcs a b len / del a b / copy a b / copy a b db 1 replace
rename a b / object encoding k / object encoding / object help x / memory usage k
memory usage k samples 5 / memory stats x / sort k / sort k by p / sort k by p store d
sort k store d store e / sort k get store get x / sort k limit 0 1 store d / sort k limit store d
sort k by store store d / sort k alpha desc store / sort_ro k by p get q / migrate h 1 k 0 1
migrate h 1  0 1 keys a b / migrate h 1 k 0 1 keys a b / migrate h 1 k 0 1 copy auth keys
migrate h 1  0 1 auth keys keys a / migrate h 1  0 1 auth2 u keys keys a / migrate h 1  0 1 keys
eval s 1 k a / eval s 0 / eval s 3 k / eval s -1 k / eval s x k / evalsha s 2 a b / fcall f 1 k
fcall_ro f 0 / zunion 2 a b / zunion 0 a b / zunion 3 a b / zunionstore d 2 a b weights 1 2
zunionstore d 0 a / zdiffstore d 1 a / zinter 1 a withscores / zintercard 2 a b limit 1
sintercard 2 a b / sintercard 2 a / zmpop 1 k min / bzmpop 0 1 k min / lmpop 1 k left
blmpop 0 2 a b left / blpop a b 0 / blpop a 0 / bzpopmin a b c 0 / zrangestore d s 0 1
geosearchstore d s x / georadius k 1 2 3 m store d / georadius k 1 2 3 m storedist d
georadius k 1 2 3 m store d storedist e / georadius k 1 2 3 m store
georadius k 1 2 3 m count store store d / georadiusbymember k m 3 m STORE d
georadiusbymember k m 3 m asc STOREDIST d / georadius_ro k 1 2 3 m store d / xread streams a 1
xread count 1 block 0 streams a b 1 2 / xread streams a b 1 / xread streams streams 1
xread count streams streams a 1 / xread count 1 streams / xreadgroup group g c streams a 1
xreadgroup group g streams streams a 1 / xreadgroup group g c count 1 noack streams a >
xadd k * f v / xgroup create k g $ / xgroup help x / xinfo stream k / xautoclaim k g c 0 0
bitop and d a b / bitop not d a / bitop and d / bitfield k get u8 0 / bitfield k set u8 0 1
bitfield k / bitfield k get u8 0 get u8 1 / bitfield k overflow sat get u8 0 / bitfield k get u8
bitfield_ro k get u8 0 / bitcount k / pfcount a b / pfmerge d / pfmerge d a b / pfadd k
lmove a b left right / brpoplpush a b 0 / smove a b m / watch a b / exists a b / touch a / scan 0
restore k 0 x / restore k 0 x replace / dump k / publish c m / command getkeys get k / acl cat x
subscribe a / pfdebug encoding k / pfselftest x
`, func(r rune) bool { return r == '/' || r == '\n' })

// TestKeysAgainstRedis compares the keys that are found in calls, and what is said to be
// done with them.
func TestKeysAgainstRedis(t *testing.T) {
	p := newPair(t, wholeServer(t))
	p.Speak("3")
	compared := 0
	for _, call := range append(calls, randomCalls(p)...) {
		args := strings.Split(strings.TrimSpace(call), " ")
		s := p.Shared.Table.Find([]byte(args[0]))
		if s == nil || isLater(s.Since) || slices.Contains(grown, s.Name) {
			continue
		}
		compared++
		for _, how := range []string{"GETKEYS", "GETKEYSANDFLAGS"} {
			ours, redis := p.ask(append([]string{"COMMAND", how}, args...)...)
			if how == "GETKEYSANDFLAGS" && slices.Contains(unsure, s.Name) {
				withoutFlags(ours)
				withoutFlags(redis)
			}
			if got, want := render(ours), render(redis); got != want {
				t.Errorf("COMMAND %s %s:\n  ours %s\n Redis %s", how, call, got, want)
			}
		}
	}
	t.Logf("%d calls were compared", compared)
}

// grown are commands that take more arguments since 7.2.
var grown = []string{"ZRANK", "ZREVRANK"}

// unsure are commands that do different things with their key, of which we always say
// the most that they may do. A look at the options of each SET before it runs, to say
// it better, would cost every SET.
var unsure = []string{"SET"}

func withoutFlags(r client.Reply) {
	for i := range r.Elems {
		r.Elems[i].Elems = r.Elems[i].Elems[:1]
	}
}

// randomCalls makes calls of all commands out of their own tokens, counts and names.
func randomCalls(p *pair) (calls []string) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range p.Shared.Table.Specs() {
		if len(s.Subs) > 0 || isLater(s.Since) {
			continue
		}
		words := strings.Fields(strings.NewReplacer("=", " ", "[", " ", "]", " ", "(", " ", ")", " ", "|", " ",
			"{", " ", "}", " ", "...", " ").Replace(s.Syntax))
		for range 10 {
			call := strings.Split(s.FullName(), "|")
			least := max(s.Arity, -s.Arity)
			for n := least + rng.IntN(5); len(call) < n; {
				switch rng.IntN(4) {
				case 0:
					call = append(call, strconv.Itoa(rng.IntN(3)))
				case 1:
					if len(words) > 0 {
						call = append(call, words[rng.IntN(len(words))])
					}
				default:
					call = append(call, "w"+strconv.Itoa(len(call)))
				}
			}
			calls = append(calls, strings.Join(call, " "))
		}
	}
	return calls
}
