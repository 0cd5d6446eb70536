//go:build linux

package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/testenv"
)

// Random commands over all types, biased to edges, are sent to our server and to a
// redis-server 7.0: the replies must be the same, and so must DEBUG DIGEST now and then.
// At the end each loads the other's file and has the same digest still.

// TestDifferential sends SPINEL_DIFFERENTIAL commands, 20,000 by default.
func TestDifferential(t *testing.T) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server is installed to compare with")
	}
	if version, _ := exec.Command(program, "--version").Output(); !strings.Contains(string(version), "v=7.0.") {
		t.Skipf("the installed redis-server is not a 7.0: %s", version)
	}
	commands := testenv.Number(t, "SPINEL_DIFFERENTIAL", 20_000)
	seed := uint64(testenv.Number(t, "SPINEL_SEED", 1))
	args := []string{
		"--save", "", "--enable-debug-command", "yes", "--hash-max-listpack-entries", "6",
		"--hash-max-listpack-value", "12", "--zset-max-listpack-entries", "6", "--zset-max-listpack-value", "12",
		"--set-max-intset-entries", "6", "--list-max-listpack-size", "4", "--stream-node-max-entries", "4",
		"--hll-sparse-max-bytes", "200",
	}
	ours := start(t, t.TempDir(), args...)
	theirs := launchProgram(t, t.TempDir(), []string{program}, args...)
	if !theirs.waitReady() {
		t.Fatal("redis-server does not start")
	}
	d := &differ{t: t, a: join(ours), b: join(theirs), rng: rand.New(rand.NewPCG(seed, 7))}
	var missing []string
	for _, line := range cmdtest.Templates {
		name := strings.Fields(strings.TrimLeft(line, "~%!"))[0]
		if info, err := d.a.Do("COMMAND", "INFO", name); err != nil || info.Elems[0].IsNull() {
			missing = append(missing, name)
		} else {
			d.lines = append(d.lines, line)
		}
	}
	if len(missing) > 0 {
		t.Logf("commands that are not there: %v", slices.Compact(missing))
	}
	for d.sent < commands && !t.Failed() {
		d.batch(min(200, commands-d.sent))
		if d.sent%5000 == 0 {
			d.compareDigests()
		}
	}
	d.compareDigests()
	if !t.Failed() {
		crosswise(t, d, ours, theirs, program, args)
	}
	t.Logf("%d commands of seed %d, %d of them refused by both; begun anew %d times",
		d.sent, seed, d.refused, d.anew)
}

func join(p *process) *client.Conn {
	p.t.Helper()
	c, err := client.Dial("tcp", p.addr(), clientOptions)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// crosswise has each server load the other's file.
func crosswise(t *testing.T, d *differ, ours, theirs *process, program string, args []string) {
	digest := d.must(d.a, "DEBUG", "DIGEST")
	d.must(d.a, "SAVE")
	d.must(d.b, "SAVE")
	fromOurs := launchProgram(t, ours.dir, []string{program}, args...)
	fromTheirs := start(t, theirs.dir, args...)
	if !fromOurs.waitReady() {
		t.Fatal("redis-server does not load our file")
	}
	all := map[string]*process{"theirs from our file": fromOurs, "ours from their file": fromTheirs}
	for name, p := range all {
		if got := d.must(join(p), "DEBUG", "DIGEST"); got != digest {
			t.Errorf("%s: digest %s, want %s", name, got, digest)
		}
	}
}

// A differ has a connection to each server.
type differ struct {
	t             *testing.T
	a, b          *client.Conn
	rng           *rand.Rand
	lines         []string
	sent, refused int
	anew          int // how often both were emptied, since a difference had to follow
	history       []string
}

func (d *differ) must(c *client.Conn, args ...string) string {
	d.t.Helper()
	reply, err := c.Do(args...)
	if err == nil {
		err = reply.Err()
	}
	if err != nil {
		d.t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return reply.Text
}

// batch sends n commands to both and compares the replies.
func (d *differ) batch(n int) {
	lines := make([]string, n)
	calls := make([][]string, n)
	fill := cmdtest.Generator{Rand: d.rng}
	for i := range lines {
		lines[i] = d.lines[d.rng.IntN(len(d.lines))]
		calls[i] = fill.Fill(lines[i])
		for _, c := range []*client.Conn{d.a, d.b} {
			if err := c.Send(calls[i]...); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	for _, c := range []*client.Conn{d.a, d.b} {
		if err := c.Flush(); err != nil {
			d.t.Fatal(err)
		}
	}
	for i := range lines {
		ours, err := d.a.Receive()
		if err != nil {
			d.t.Fatalf("ours, %q: %v\nbefore it:\n%s", calls[i], err, strings.Join(d.history, "\n"))
		}
		theirs, err := d.b.Receive()
		if err != nil {
			d.t.Fatalf("theirs, %q: %v", calls[i], err)
		}
		d.sent++
		if ours.IsError() && theirs.IsError() {
			d.refused++
		}
		if d.history = append(d.history, fmt.Sprintf("%q", calls[i])); len(d.history) > 400 {
			d.history = slices.Delete(d.history, 0, 200)
		}
		if calls[i][0] == "OBJECT" { // some commands change it there and not here
			ours.Text, theirs.Text = encoding(ours.Text), encoding(theirs.Text)
		}
		if lines[i][0] == '!' { // in 7.0 XCLAIM of nothing makes no consumer, in 7.2 it does
			continue
		}
		if a, b := render(ours, lines[i][0]), render(theirs, lines[i][0]); a != b {
			if isDamagedSketch(calls[i], ours, theirs) {
				d.beginAnew(len(calls) - i - 1)
				return
			}
			if isTieOfTexts(calls[i], ours, theirs) {
				continue
			}
			d.t.Errorf("command %d, %q:\n  ours %s\ntheirs %s", d.sent, calls[i], clip(a), clip(b))
			d.explain(calls[i])
			d.t.FailNow()
		}
	}
}

// isDamagedSketch says whether a HyperLogLog was changed as a string before: its registers do
// not add up, which Redis overlooks unless it comes by.
func isDamagedSketch(call []string, ours, theirs client.Reply) bool {
	return call[0] == "PFADD" && strings.HasPrefix(ours.Text, "INVALIDOBJ") && !theirs.IsError()
}

// isTieOfTexts says whether texts came in another order of which some are the same to Redis,
// which compares up to the first zero byte.
func isTieOfTexts(call []string, ours, theirs client.Reply) bool {
	if call[0] != "SORT" && call[0] != "SORT_RO" || !slices.Contains(call, "ALPHA") {
		return false
	}
	reply := render(ours, 0)
	return strings.Contains(reply, `\x00`) && render(ours, '~') == render(theirs, '~')
}

// beginAnew forgets the data of both, behind replies that are still to come.
func (d *differ) beginAnew(replies int) {
	for _, c := range []*client.Conn{d.a, d.b} {
		for range replies {
			if _, err := c.Receive(); err != nil {
				d.t.Fatal(err)
			}
		}
		d.must(c, "FLUSHALL")
	}
	d.sent += replies
	d.anew++
}

// explain shows what was last done to the keys of a call.
func (d *differ) explain(call []string) {
	for _, line := range d.history[max(0, len(d.history)-250):] {
		for _, word := range call[1:] {
			if len(word) >= 2 && len(word) <= 3 && strings.Contains(line, strconv.Quote(word)) {
				d.t.Log(clip(line))
				break
			}
		}
	}
}

func encoding(name string) string {
	switch name {
	case "embstr", "int":
		return "raw"
	case "skiplist": // SORT makes it one in 7.0
		return "listpack"
	}
	return name
}

func clip(s string) string {
	if len(s) > 2000 {
		return s[:2000] + "..."
	}
	return s
}

// render is a reply as text. In a reply that begins with ~ or % order does not matter.
func render(r client.Reply, order byte) string {
	if !r.IsAggregate() {
		return fmt.Sprintf("%d %q %d", r.Kind, r.Text, r.Int)
	}
	parts := make([]string, len(r.Elems))
	for i, e := range r.Elems {
		parts[i] = render(e, 0)
	}
	switch order {
	case '~':
		slices.Sort(parts)
	case '%':
		pairs := slices.Collect(slices.Chunk(parts, 2))
		slices.SortFunc(pairs, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
		parts = slices.Concat(pairs...)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// compareDigests compares all data, and says which keys differ.
func (d *differ) compareDigests() {
	if d.must(d.a, "DEBUG", "DIGEST") == d.must(d.b, "DEBUG", "DIGEST") {
		return
	}
	d.t.Errorf("after %d commands the data differ", d.sent)
	for _, key := range cmdtest.GeneratedKeys {
		a, b := d.must0(d.a, key), d.must0(d.b, key)
		if a != b {
			d.t.Errorf("key %s: digest %s, theirs %s, type %s", key, a, b, d.must(d.b, "TYPE", key))
		}
	}
	d.t.FailNow()
}

func (d *differ) must0(c *client.Conn, key string) string {
	reply, err := c.Do("DEBUG", "DIGEST-VALUE", key)
	if err != nil || len(reply.Elems) != 1 {
		d.t.Fatalf("DEBUG DIGEST-VALUE %s: %v %v", key, reply, err)
	}
	return reply.Elems[0].Text
}
