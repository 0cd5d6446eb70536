package benchmark

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A scenario is one row of the report: one command, sent again and again.
type scenario struct {
	title  string
	inline string // the request as it is, or
	args   []string
	bytes  int // what the report calls payload
}

// A trial is a test that -t can name.
type trial struct {
	names  string // that -t may use for it, parted by blanks
	title  string
	inline string
	args   string // parted by blanks; DATA stands for the bytes of -d, SCORE for a number
}

// rangeNames are the tests that need a list, and therefore fill it first.
const rangeNames = "lrange lrange_100 lrange_300 lrange_500 lrange_600"

// trials are all tests in the order in which they run. The keys are redis-benchmark's, so
// that what one program left behind, the other finds. Without -r the marks stay in them.
var trials = []trial{
	{names: "ping_inline ping", title: "PING_INLINE", inline: "PING\r\n"},
	{names: "ping_mbulk ping", title: "PING_MBULK", args: "PING"},
	{names: "set", title: "SET", args: "SET key:__rand_int__ DATA"},
	{names: "get", title: "GET", args: "GET key:__rand_int__"},
	{names: "incr", title: "INCR", args: "INCR counter:__rand_int__"},
	{names: "lpush", title: "LPUSH", args: "LPUSH mylist DATA"},
	{names: "rpush", title: "RPUSH", args: "RPUSH mylist DATA"},
	{names: "lpop", title: "LPOP", args: "LPOP mylist"},
	{names: "rpop", title: "RPOP", args: "RPOP mylist"},
	{names: "sadd", title: "SADD", args: "SADD myset element:__rand_int__"},
	{names: "hset", title: "HSET", args: "HSET myhash element:__rand_int__ DATA"},
	{names: "spop", title: "SPOP", args: "SPOP myset"},
	{names: "zadd", title: "ZADD", args: "ZADD myzset SCORE element:__rand_int__"},
	{names: "zpopmin", title: "ZPOPMIN", args: "ZPOPMIN myzset"},
	{names: rangeNames, title: "LPUSH (needed to benchmark LRANGE)", args: "LPUSH mylist DATA"},
	{names: "lrange lrange_100", title: "LRANGE_100 (first 100 elements)", args: "LRANGE mylist 0 99"},
	{names: "lrange lrange_300", title: "LRANGE_300 (first 300 elements)", args: "LRANGE mylist 0 299"},
	{names: "lrange lrange_500", title: "LRANGE_500 (first 500 elements)", args: "LRANGE mylist 0 499"},
	{names: "lrange lrange_600", title: "LRANGE_600 (first 600 elements)", args: "LRANGE mylist 0 599"},
	{names: "mset", title: "MSET (10 keys)", args: "MSET" + strings.Repeat(" key:__rand_int__ DATA", 10)},
	{names: "xadd", title: "XADD", args: "XADD mystream * myfield DATA"},
}

// selected are the scenarios of -t, or all, and warnings about names that no test has.
func selected(o *options) (chosen []scenario, warnings []string) {
	var wanted []string
	for name := range strings.SplitSeq(o.tests, ",") {
		if name = strings.TrimSpace(name); name != "" {
			wanted = append(wanted, name)
		}
	}
	known := map[string]bool{}
	data := payload(o.dataBytes)
	score := "0"
	if o.random {
		score = randomMark
	}
	for _, tr := range trials {
		names := strings.Fields(tr.names)
		named := func(name string) bool { return slices.Contains(names, name) }
		for _, name := range names {
			known[name] = true
		}
		if o.tests != "" && !slices.ContainsFunc(wanted, named) {
			continue
		}
		sc := scenario{title: tr.title, inline: tr.inline, bytes: o.dataBytes}
		for word := range strings.FieldsSeq(tr.args) {
			switch word {
			case "DATA":
				word = data
			case "SCORE":
				word = score
			}
			sc.args = append(sc.args, word)
		}
		chosen = append(chosen, sc)
	}
	for _, name := range wanted {
		if !known[name] {
			warnings = append(warnings, fmt.Sprintf("There is no test named '%s'.", name))
		}
	}
	return chosen, warnings
}

// custom is the scenario of a command on the command line. Its name is what was written
// there, without what -x reads.
func custom(o *options, command []string, stdin []byte) scenario {
	sc := scenario{title: strings.Join(command, " ")}
	for _, arg := range command {
		if strings.Contains(arg, dataMark) {
			arg = strings.ReplaceAll(arg, dataMark, payload(o.dataBytes))
		}
		sc.args = append(sc.args, arg)
	}
	if o.stdinLast {
		sc.args = append(sc.args, string(stdin))
	}
	sc.bytes = len(newTemplate(&sc, false).text)
	return sc
}

// payload is n bytes without blanks that hardly compress, and always the same ones.
func payload(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	rng := rand.NewPCG(1, 1)
	var b bytes.Buffer
	b.Grow(n)
	for range n {
		b.WriteByte(letters[rng.Uint64()%uint64(len(letters))])
	}
	return b.String()
}
