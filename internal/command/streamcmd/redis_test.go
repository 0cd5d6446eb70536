package streamcmd_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/testenv"
)

// TestAgainstRedis sends random programs to a redis-server 7.0 and to us. Replies must
// be equal but for times and for what later versions have changed, and so must effects
// be. In the end everything is copied crosswise by DUMP and RESTORE, and what we have
// journalled must make of an empty server what we are.
func TestAgainstRedis(t *testing.T) {
	for _, version := range []string{"2", "3"} {
		t.Run("RESP"+version, func(t *testing.T) { againstRedis(t, version) })
	}
}

func againstRedis(t *testing.T, version string) {
	p := cmdtest.NewPair(newDB(t), original.Redis(t, original.Options{AppendOnly: true}))
	p.Speak(version)
	p.Clock.Advance(time.Since(time.UnixMilli(int64(cmdtest.Start))))
	p.Keyspace.Limits().StreamEntries.Store(5)
	p.Original.Do("CONFIG", "SET", "stream-node-max-entries", "5")
	p.RecordJournal()
	next := program{Rand: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)), last: map[string]uint64{}}
	for range testenv.Number(t, "SPINEL_COMMANDS", 2000) {
		args := next.next()
		got, want := p.Ask(args...)
		if got, want = masked(args, got), masked(args, want); got != want {
			p.Differ(got, want)
		}
	}
	sameState(t, p)
	effects := p.TakeJournal()
	compareEffects(t, effects, p.Original.Appended())
	again := newDB(t)
	again.Session.Out.Resp3 = version == "3"
	again.Clock.Advance(time.Since(time.UnixMilli(int64(cmdtest.Start))))
	again.Keyspace.Limits().StreamEntries.Store(5)
	for _, args := range effects {
		if reply := again.Do(args...).Raw(); reply[0] == '-' {
			t.Fatalf("%q: %s", args, reply)
		}
	}
	for _, key := range streamKeys {
		args := []string{"XINFO", "STREAM", key, "FULL", "COUNT", "0"}
		// Nobody journals that a consumer has looked at its history once more.
		got, want := deliveries.ReplaceAllString(timeless(again.Do(args...).Raw()), ""),
			deliveries.ReplaceAllString(timeless(p.Do(args...).Raw()), "")
		if got != want {
			t.Errorf("%s, replayed:\n got %s\nwant %s", key, got, want)
		}
	}
}

// TestTreeAgainstRedis compares what is said of the tree of nodes, of streams whose IDs
// are near each other and far.
func TestTreeAgainstRedis(t *testing.T) {
	p := cmdtest.NewPair(newDB(t), original.Redis(t, original.Options{}))
	p.Keyspace.Limits().StreamEntries.Store(2)
	p.Original.Do("CONFIG", "SET", "stream-node-max-entries", "2")
	rng := rand.New(rand.NewPCG(3, 4))
	for key, bits := range map[string]int{"near": 3, "apart": 12, "far": 50} {
		ms, seq := uint64(1), uint64(0)
		for i := range 300 {
			if rng.IntN(3) > 0 {
				ms, seq = ms+rng.Uint64N(1<<bits), rng.Uint64N(300)
			}
			seq += 1 + rng.Uint64N(1<<bits)
			p.Same("XADD", key, fmt.Sprintf("%d-%d", ms, seq), "f", "v")
			if i%10 == 0 {
				p.Same("XINFO", "STREAM", key)
			}
		}
	}
}

var streamKeys = strings.Fields("a b c d")

// sameState compares what both hold, and copies it from each to the other.
func sameState(t *testing.T, p *cmdtest.Pair) {
	t.Helper()
	p.Same("DEBUG", "DIGEST")
	for _, key := range streamKeys {
		args := []string{"XINFO", "STREAM", key, "FULL", "COUNT", "0"}
		got, want := p.Ask(args...)
		if got, want = masked(args, got), masked(args, want); got != want {
			t.Errorf("%s:\n got %s\nwant %s", key, got, want)
		}
		if strings.HasPrefix(want, "-") {
			continue
		}
		ours, theirs := p.Ask("DUMP", key)
		p.Do("RESTORE", "copy", "0", cmdtest.Render(theirs), "REPLACE").Want("OK")
		if reply := p.Original.Do("RESTORE", "copy", "0", cmdtest.Render(ours), "REPLACE"); reply != "+OK\r\n" {
			t.Fatal(reply)
		}
		args[2] = "copy"
		got, fromUs := p.Ask(args...)
		if fromUs = masked(args, fromUs); fromUs != want {
			t.Errorf("%s, copied to Redis:\n got %s\nwant %s", key, fromUs, want)
		}
		if got = masked(args, got); got != want {
			t.Errorf("%s, copied from Redis:\n got %s\nwant %s", key, got, want)
		}
	}
}

// compareEffects compares effects but for times, and for four things: an XADD or XTRIM
// keeps no LIMIT, the ID from which on entries stay is an entry's (Redis may name a deleted
// one before it), consumers without entries are always noted, and so is how much a group
// has read (as by Redis since 7.2.5).
func compareEffects(t *testing.T, ours, theirs [][]string) {
	t.Helper()
	normal := func(all [][]string) (out []string) {
		for _, args := range all {
			args = slices.Clone(args)
			name := strings.ToUpper(args[0])
			if name == "SELECT" || name == "MULTI" || name == "EXEC" || name == "RESTORE" {
				continue
			}
			line := strings.Join(args, " ")
			if name == "XGROUP" &&
				(strings.Contains(line, "ENTRIESREAD") || strings.EqualFold(args[1], "CREATECONSUMER")) {
				continue
			}
			for i := 0; i+1 < len(args); i++ {
				switch {
				case name == "XCLAIM" && args[i] == "TIME" && len(args[i+1]) > 6:
					args[i+1] = "T"
				case (name == "XADD" || name == "XTRIM") && strings.EqualFold(args[i], "MINID") && args[i+1] == "=":
					args[i+2] = "ID"
				case (name == "XADD" || name == "XTRIM") && strings.EqualFold(args[i], "LIMIT"):
					args = append(args[:i:i], args[i+2:]...)
				}
			}
			out = append(out, strings.Join(args, " "))
		}
		return out
	}
	got, want := normal(ours), normal(theirs)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("effect %d: %s, want %s; before %q", i, got[i], want[i], got[max(i-5, 0):i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d effects, want %d", len(got), len(want))
	}
}

// A program makes random commands about some streams, whose IDs are in the future, so that
// an ID made of the time is the next one.
//
// Who claims is made a consumer before. From 7.2 on XCLAIM and XAUTOCLAIM make one even if
// there is nothing to be claimed, as we do.
type program struct {
	*rand.Rand
	last  map[string]uint64
	queue [][]string // what is to be sent next
}

func (p *program) next() []string {
	if len(p.queue) == 0 {
		args := p.command()
		if args[0] == "XCLAIM" || args[0] == "XAUTOCLAIM" {
			p.queue = append(p.queue, []string{"XGROUP", "CREATECONSUMER", args[1], args[2], args[3]})
		}
		p.queue = append(p.queue, args)
	}
	args := p.queue[0]
	p.queue = p.queue[1:]
	return args
}

const future = 9_000_000_000_000

func (p *program) pick(line string) string {
	words := strings.Split(line, " ")
	return words[p.IntN(len(words))]
}

func (p *program) key() string { return p.pick("a b c d") }

// id is an ID near those that there are.
func (p *program) id(key string) string {
	ms := future + p.last[key] - uint64(p.IntN(12)) + uint64(p.IntN(2))
	switch p.IntN(12) {
	case 0:
		return strconv.FormatUint(ms, 10)
	case 1:
		return p.pick("0 1 0-0 18446744073709551615 18446744073709551615-18446744073709551615 007-1 x " +
			"1-x -1 - 5- 1-1-1")
	}
	return fmt.Sprintf("%d-%d", ms, p.IntN(3))
}

func (p *program) some(n int, of func() string) (out []string) {
	for range 1 + p.IntN(n) {
		out = append(out, of())
	}
	return out
}

func (p *program) trim(key string) []string {
	args := strings.Fields(p.pick("MAXLEN MINID maxlen minid MAXLEN MINID"))
	if op := p.pick("= ~ ~ ~ none"); op != "none" {
		args = append(args, op)
	}
	if strings.EqualFold(args[0], "MAXLEN") {
		args = append(args, p.pick("0 1 3 5 6 8 10 12 15 20 -1 x 9223372036854775807"))
	} else {
		args = append(args, p.id(key))
	}
	if p.IntN(3) == 0 {
		args = append(args, "LIMIT", p.pick("0 1 2 4 5 6 10 11 100 -1 x"))
	}
	return args
}

func (p *program) command() []string {
	key := p.key()
	switch n := p.IntN(60); {
	case n < 20:
		return p.add(key)
	case n < 22:
		return append([]string{"XTRIM", key}, p.trim(key)...)
	case n < 24:
		return append([]string{"XDEL", key}, p.some(4, func() string { return p.id(key) })...)
	case n < 28:
		return p.ranges(key)
	case n < 30:
		return p.info(key)
	case n < 36:
		return p.groups(key)
	case n < 44:
		return p.readGroup(key)
	case n < 46:
		return p.read(key)
	case n < 49:
		ids := p.some(4, func() string { return p.id(key) })
		return append([]string{"XACK", key, p.pick("g h i")}, ids...)
	case n < 53:
		return p.claim(key)
	case n < 55:
		return p.autoClaim(key)
	case n < 58:
		return p.pending(key)
	case n < 59:
		return p.pickOdd(key)
	default:
		if p.IntN(4) > 0 {
			return []string{"XLEN", key}
		}
		return []string{"DEL", key}
	}
}

func (p *program) pickOdd(key string) []string {
	switch p.IntN(4) {
	case 0:
		return []string{"TYPE", key}
	case 1:
		return []string{"OBJECT", "ENCODING", key}
	case 2:
		to := p.key()
		p.last[to] = max(p.last[to], p.last[key])
		return []string{"RENAME", key, to}
	}
	p.last[key] += 3
	return []string{"XSETID", key, fmt.Sprintf("%d-5", future+p.last[key])}
}

func (p *program) add(key string) []string {
	args := []string{"XADD", key}
	if p.IntN(15) == 0 {
		args = append(args, "NOMKSTREAM")
	}
	if p.IntN(5) == 0 {
		args = append(args, p.trim(key)...)
	}
	switch n := p.IntN(20); {
	case n < 2:
		id := p.id(key)
		if strings.HasPrefix(id, "184467") {
			id = "0-*" // nothing could be added any more
		}
		args = append(args, id)
	case n < 4 && p.last[key] > 0:
		args = append(args, fmt.Sprintf("%d-*", future+p.last[key]))
	default:
		p.last[key] += uint64(1 + p.IntN(3))
		args = append(args, fmt.Sprintf("%d-%d", future+p.last[key], p.IntN(3)))
	}
	for range 1 + p.IntN(3) {
		args = append(args, p.pick("f f f g "+
			"12"), p.pick("v 1 -5 300 70000 9223372036854775807 "+strings.Repeat("x", 70)))
	}
	if p.IntN(40) == 0 {
		args = args[:len(args)-1]
	}
	return args
}

func (p *program) ranges(key string) []string {
	from, to := p.pick("- ( id id"), p.pick("+ ( id id")
	for _, s := range []*string{&from, &to} {
		switch *s {
		case "(":
			*s += p.id(key)
		case "id":
			*s = p.id(key)
		}
	}
	args := []string{"XRANGE", key, from, to}
	if p.IntN(2) == 0 {
		args = []string{"XREVRANGE", key, to, from}
	}
	if p.IntN(3) == 0 {
		args = append(args, "COUNT", p.pick("0 1 2 5 -1 x 100"))
	}
	return args
}

func (p *program) info(key string) []string {
	args := strings.Split(p.pick("STREAM STREAM,FULL STREAM,FULL,COUNT,2 STREAM,FULL,COUNT,0 GROUPS "+
		"CONSUMERS,g CONSUMERS,h STREAM,FULL,COUNT STREAM,x STREAM,FULL,COUNT,x"), ",")
	return append([]string{"XINFO", args[0], key}, args[1:]...)
}

func (p *program) groups(key string) []string {
	group := p.pick("g g h i")
	switch p.IntN(7) {
	case 0, 1, 2:
		args := []string{"XGROUP", "CREATE", key, group, p.pick("0 $ id")}
		if args[4] == "id" {
			args[4] = p.id(key)
		}
		if p.IntN(3) == 0 {
			args = append(args, "MKSTREAM")
		}
		if p.IntN(4) == 0 {
			args = append(args, "ENTRIESREAD", p.pick("0 3 -1 -2 x"))
		}
		return args
	case 3:
		args := []string{"XGROUP", "SETID", key, group, p.pick("0 $ id")}
		if args[4] == "id" {
			args[4] = p.id(key)
		}
		return args
	case 4:
		return []string{"XGROUP", p.pick("CREATECONSUMER DELCONSUMER"), key, group, p.pick("x y z")}
	case 5:
		if p.IntN(3) == 0 {
			return []string{"XGROUP", "DESTROY", key, group}
		}
	}
	return []string{"XINFO", "GROUPS", key}
}

func (p *program) readGroup(key string) []string {
	args := []string{"XREADGROUP", "GROUP", p.pick("g g g h"), p.pick("x y z")}
	if p.IntN(3) > 0 {
		args = append(args, "COUNT", p.pick("1 1 2 3 5 0 -1 x"))
	}
	if p.IntN(6) == 0 {
		args = append(args, "NOACK")
	}
	id := func(key string) string {
		if p.IntN(5) > 0 {
			return ">"
		}
		return p.pick("0 0 $ " + p.id(key))
	}
	if p.IntN(5) == 0 {
		other := p.key()
		return append(args, "STREAMS", key, other, id(key), id(other))
	}
	return append(args, "STREAMS", key, id(key))
}

func (p *program) read(key string) []string {
	args := []string{"XREAD"}
	if p.IntN(2) == 0 {
		args = append(args, "COUNT", p.pick("1 2 5 0 -1 x"))
	}
	id := func(key string) string {
		if p.IntN(5) > 0 {
			return p.id(key)
		}
		return p.pick("0 $ >")
	}
	if p.IntN(3) == 0 {
		other := p.key()
		return append(args, "STREAMS", key, other, id(key), id(other))
	}
	return append(args, "STREAMS", key, id(key))
}

const leastIdle = "0 0 0 100000 9999999999999 -5 x"

func (p *program) claim(key string) []string {
	args := []string{"XCLAIM", key, p.pick("g g h i"), p.pick("x y z"), p.pick(leastIdle)}
	args = append(args, p.some(5, func() string { return p.id(key) })...)
	for range p.IntN(3) {
		args = append(args, strings.Split(p.pick("FORCE JUSTID TIME,1000 IDLE,1700000000000 IDLE,x "+
			"RETRYCOUNT,7 RETRYCOUNT,-1 TIME,-5 LASTID,"+p.id(key)+" NOPE TIME RETRYCOUNT,0"), ",")...)
	}
	return args
}

func (p *program) autoClaim(key string) []string {
	args := []string{"XAUTOCLAIM", key, p.pick("g g h i"), p.pick("x y z"), p.pick(leastIdle),
		p.pick("0 0 - (- " + p.id(key) + " (" + p.id(key))}
	if p.IntN(2) == 0 {
		args = append(args, "COUNT", p.pick("1 1 2 3 100 0 -1 x 8070450532247928833"))
	}
	if p.IntN(3) == 0 {
		args = append(args, "JUSTID")
	}
	return args
}

func (p *program) pending(key string) []string {
	args := []string{"XPENDING", key, p.pick("g g h i")}
	if p.IntN(3) == 0 {
		return args
	}
	if p.IntN(4) == 0 {
		args = append(args, "IDLE", p.pick("0 100000 9999999999999 x"))
	}
	from, to := p.pick("- - ( id"), p.pick("+ + ( id")
	for _, s := range []*string{&from, &to} {
		switch *s {
		case "(":
			*s += p.id(key)
		case "id":
			*s = p.id(key)
		}
	}
	args = append(args, from, to, p.pick("1 3 10 100 0 -1 x"))
	if p.IntN(2) == 0 {
		args = append(args, p.pick("x y z nobody"))
	}
	if p.IntN(10) == 0 {
		args = append(args, "more")
	}
	return args
}

// masked is a reply in a readable form without times, and without what Redis 7.0 has
// otherwise than 7.2 and later: the fields that came, and the counting of groups. The tree
// is compared elsewhere: Redis may keep a node of deleted entries after trimming.
func masked(args []string, raw string) string {
	text := timeless(raw)
	if len(args) > 1 && args[0] == "XINFO" {
		text = dropFields(text, "entries-read", "lag", "radix-tree-keys", "radix-tree-nodes")
		return strings.Join(strings.Fields(text), " ")
	}
	if args[0] == "XPENDING" && len(args) > 3 {
		return pendingRow.ReplaceAllString(text, "[ $1 $2 T ")
	}
	return text
}

// deliveries is how often an entry was delivered, in a row of XINFO.
var deliveries = regexp.MustCompile(` (T|1000) [0-9]+ \]`)

// pendingRow is a row of XPENDING: ID, consumer, time.
var pendingRow = regexp.MustCompile(`\[ ([0-9]+-[0-9]+) ([a-z]*) [^ ]+ `)

// timeless is a reply in a readable form without times and the fields about them.
func timeless(raw string) string {
	text, _ := renderTimeless(raw)
	return dropFields(text, "inactive", "active-time", "idle", "seen-time")
}

// dropFields takes fields and their values out.
func dropFields(text string, names ...string) string {
	for _, name := range names {
		for {
			before, after, found := strings.Cut(text, " "+name+" ")
			if !found {
				break
			}
			_, rest, _ := strings.Cut(after, " ")
			if i := strings.IndexByte(after, ' '); i < 0 {
				rest = ""
			}
			text = before + " " + rest
		}
	}
	return text
}

// renderTimeless makes words of a reply. A time of today is T.
func renderTimeless(raw string) (text, rest string) {
	line, rest, _ := strings.Cut(raw, "\r\n")
	if line == "" {
		return "(none)", ""
	}
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '$':
		if n < 0 {
			return "nil", rest
		}
		return strconv.Quote(rest[:n])[1 : len(strconv.Quote(rest[:n]))-1], rest[n+2:]
	case '*', '%':
		if n < 0 {
			return "nilarray", rest
		}
		words := []string{string(line[0]) + "["}
		if line[0] == '%' {
			n *= 2
		} else {
			words[0] = "["
		}
		for range n {
			var word string
			word, rest = renderTimeless(rest)
			words = append(words, word)
		}
		return strings.Join(append(words, "]"), " "), rest
	case ':':
		if n > 10_000_000 && n < future {
			return "T", rest
		}
		if n >= 0 && n < 600_000 {
			return line[1:], rest
		}
	}
	return line, rest
}
