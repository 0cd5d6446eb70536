//go:build linux

package replication

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/testenv"
)

// A run is a random history of three servers: a master, its replica, and a replica of either.
// Clients write to whoever is the master, links break, servers are killed and roles change.
type run struct {
	t      *testing.T
	rng    *rand.Rand
	all    []*machine
	master int
	parent [3]int // whose replica each is; -1 for nobody's
	events []string

	writesTo atomic.Pointer[machine] // the master as the clients know it
	over     chan struct{}           // closed when the clients are to end
	clients  sync.WaitGroup
	counted  atomic.Int64 // transactions that were acknowledged
	torn     atomic.Pointer[string]
}

// counters is how many clients count in transactions of two commands.
const counters = 2

func newRun(t *testing.T, seed uint64) *run {
	r := &run{t: t, rng: rand.New(rand.NewPCG(seed, 6)), over: make(chan struct{})}
	r.all = newMachines(t, "abc")
	r.parent = [3]int{-1, 0, r.rng.IntN(2)}
	for i, m := range r.all {
		switch r.rng.IntN(3) {
		case 0:
			m.options = append(m.options, "--appendonly", "yes")
		case 1:
			m.options = append(m.options, "--save", "1 20")
		}
		m.options = append(m.options, r.option("repl-diskless-load", "disabled", "swapdb", "on-empty-db")...)
		m.options = append(m.options, r.option("repl-diskless-sync", "yes", "no")...)
		m.options = append(m.options, r.option("repl-backlog-size", "16kb", "100kb", "1mb")...)
		r.note("%s: %s", m.name, strings.Join(m.options, " "))
		own := rand.New(rand.NewPCG(seed, 100+uint64(i)))
		m.proxy.expect(func() []fault { return weather(own) })
	}
	return r
}

func (r *run) option(name string, values ...string) []string {
	return []string{"--" + name, values[r.rng.IntN(len(values))]}
}

func (r *run) note(format string, args ...any) {
	r.events = append(r.events, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
}

// weather is what happens to a connection: often nothing.
func weather(rng *rand.Rand) (all []fault) {
	for range rng.IntN(3) {
		at := rng.IntN(1 << (4 + rng.IntN(13)))
		f := fault{kind: faultKind(rng.IntN(int(corrupt))), to: side(rng.IntN(2)), at: at}
		f.hold = time.Duration(rng.IntN(1<<rng.IntN(11))) * time.Millisecond
		f.count = rng.IntN(500)
		all = append(all, f)
	}
	return all
}

// upstream is the master of a machine, or nil.
func (r *run) upstream(i int) *machine {
	if p := r.parent[i]; p >= 0 {
		return r.all[p]
	}
	return nil
}

// begin starts the servers and the clients.
func (r *run) begin() error {
	for i, m := range r.all {
		if err := m.start(r.upstream(i)); err != nil {
			return err
		}
	}
	r.writesTo.Store(r.all[r.master])
	for i := range counters {
		r.clients.Go(func() { r.count(i) })
	}
	seed := r.rng.Uint64()
	r.clients.Go(func() { r.scribble(rand.New(rand.NewPCG(seed, 7))) })
	r.clients.Go(r.watch)
	return nil
}

func (r *run) isOver() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

// clientOptions are those of clients, who do not wait for long: the master may be paused or gone.
var clientOptions = client.Options{ReadTimeout: 300 * time.Millisecond}

// serve has a client of the master do something until it fails, again and again.
func (r *run) serve(do func(c *client.Conn) error) {
	for ; !r.isOver(); time.Sleep(5 * time.Millisecond) {
		m := r.writesTo.Load()
		c, err := client.Dial("unix", m.socket(), clientOptions)
		if err != nil {
			continue
		}
		for err == nil && !r.isOver() && r.writesTo.Load() == m {
			err = do(c)
		}
		_ = c.Close()
	}
}

var errNotTaken = errors.New("refused")

// count is a client whose two counters are equal at any time, to anybody.
func (r *run) count(id int) {
	r.serve(func(c *client.Conn) error {
		err := errors.Join(c.Send("MULTI"), c.Send("INCR", counter(id, "a")), c.Send("INCR", counter(id, "b")),
			c.Send("EXEC"))
		var reply client.Reply
		for range 4 {
			if err == nil {
				reply, err = c.Receive()
			}
		}
		if err == nil && reply.IsError() {
			return errNotTaken
		}
		r.counted.Add(1)
		time.Sleep(100 * time.Microsecond)
		return err
	})
}

func counter(id int, which string) string { return fmt.Sprintf("counter:%d:%s", id, which) }

// scribble is a client that writes whatever there is. It may be late to notice that its master
// is a replica, where PFCOUNT keeps the count within the value, as in Redis, for itself alone: so
// there is none.
func (r *run) scribble(rng *rand.Rand) {
	w := &writer{node: &node{t: r.t}, rng: rng, gen: cmdtest.Generator{Rand: rng}}
	r.serve(func(c *client.Conn) error {
		call := w.call()
		if call[0] == "PFCOUNT" {
			return nil
		}
		_, err := c.Do(call...)
		time.Sleep(50 * time.Microsecond)
		return err
	})
}

// watch reads the counters everywhere, and notes halves of transactions.
func (r *run) watch() {
	for i := 0; !r.isOver(); i++ {
		time.Sleep(time.Millisecond)
		m := r.all[i%len(r.all)]
		c, err := client.Dial("unix", m.socket(), clientOptions)
		if err != nil {
			continue
		}
		for id := range counters {
			reply, err := c.Do("MGET", counter(id, "a"), counter(id, "b"))
			if err != nil || reply.IsError() {
				break
			}
			if a, b := reply.Elems[0].Text, reply.Elems[1].Text; a != b {
				text := fmt.Sprintf("%s has half of a transaction: %s and %s", m.name, a, b)
				r.torn.Store(&text)
			}
		}
		_ = c.Close()
	}
}

// An event is something that happens to servers. An error is a fault of theirs.
var events = []func(r *run) error{
	(*run).killOne, (*run).killOne, (*run).endOne, (*run).endOne, (*run).swap, (*run).swap, (*run).failover,
	(*run).failover, (*run).move, (*run).configure, (*run).configure, (*run).save, (*run).severAll,
	(*run).darken, (*run).freeze, (*run).flood,
}

// pick is one of the servers.
func (r *run) pick() int { return r.rng.IntN(len(r.all)) }

// patience is a time up to some milliseconds.
func (r *run) patience(ms int) time.Duration {
	return time.Duration(r.rng.IntN(ms*1000)) * time.Microsecond
}

// killOne kills a server and starts it again.
func (r *run) killOne() error {
	i := r.pick()
	r.note("kill %s", r.all[i].name)
	r.all[i].kill()
	time.Sleep(r.patience(100))
	return r.all[i].start(r.upstream(i))
}

// endOne shuts a server down and starts it again.
func (r *run) endOne() error {
	i := r.pick()
	how := [][]string{{}, {"SAVE"}, {"NOSAVE"}, {"SAVE", "NOW"}}[r.rng.IntN(4)]
	r.note("shut down %s %s", r.all[i].name, how)
	if err := r.all[i].shutDown(how...); err != nil {
		return err
	}
	time.Sleep(r.patience(100))
	return r.all[i].start(r.upstream(i))
}

// attach changes whose replica a server is. It may refuse, during a failover.
func (r *run) attach(i, parent int) {
	r.parent[i] = parent
	if parent < 0 {
		r.note("%s becomes a master: %s", r.all[i].name, r.tell(i, "REPLICAOF", "NO", "ONE"))
		return
	}
	got := r.tell(i, "REPLICAOF", "127.0.0.1", r.all[parent].port)
	r.note("%s becomes a replica of %s: %s", r.all[i].name, r.all[parent].name, got)
}

// tell sends a command, whatever comes of it.
func (r *run) tell(i int, args ...string) string {
	reply, err := r.all[i].conn.Do(args...)
	if err != nil {
		return err.Error()
	}
	return reply.Text
}

// swap makes a replica the master, with the others behind it in either order.
func (r *run) swap() error {
	next := (r.master + 1 + r.rng.IntN(2)) % 3
	old, third := r.master, 3-next-r.master
	r.attach(next, -1)
	if r.rng.IntN(2) == 0 { // clients go on with the old one for a while
		time.Sleep(r.patience(30))
	}
	r.master = next
	r.writesTo.Store(r.all[next])
	time.Sleep(r.patience(30))
	for _, i := range r.shuffled(old, third) {
		r.attach(i, []int{next, next, old + third - i}[r.rng.IntN(3)])
	}
	r.untangle(old, third)
	return nil
}

// untangle ends that two servers are each other's replicas.
func (r *run) untangle(i, k int) {
	if r.parent[i] == k && r.parent[k] == i {
		r.attach(i, r.master)
	}
}

func (r *run) shuffled(i, k int) []int {
	if r.rng.IntN(2) == 0 {
		return []int{k, i}
	}
	return []int{i, k}
}

// field is a field of INFO of a server.
func (r *run) field(i int, name string) string {
	for line := range strings.Lines(r.tell(i, "INFO", "replication")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return value
		}
	}
	return ""
}

// failover has the master hand its role over, which may fail.
func (r *run) failover() error {
	next := (r.master + 1 + r.rng.IntN(2)) % 3
	args := []string{"FAILOVER", "TO", "127.0.0.1", r.all[next].port, "TIMEOUT", "500"}
	if r.rng.IntN(3) == 0 {
		args = append(args, "FORCE")
	}
	got := r.tell(r.master, args...)
	r.note("failover from %s to %s %s: %s", r.all[r.master].name, r.all[next].name, args[6:], got)
	if got != "OK" {
		return nil
	}
	if r.rng.IntN(4) == 0 { // and what follows happens in its middle
		time.Sleep(r.patience(20))
	} else {
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if r.field(r.master, "master_failover_state") == "no-failover" {
				break
			}
		}
	}
	if r.field(next, "role") == "master" {
		r.parent[next], r.parent[r.master] = -1, next
		r.note("%s is the master", r.all[next].name)
		r.master = next
		r.writesTo.Store(r.all[next])
	}
	return nil
}

// move gives the replica that may have it another master.
func (r *run) move() error {
	i, k := (r.master+1)%3, (r.master+2)%3
	if r.rng.IntN(2) == 0 {
		i, k = k, i
	}
	if r.parent[i] == r.master && r.parent[k] != i {
		r.attach(i, k)
	} else {
		r.attach(i, r.master)
	}
	return nil
}

func (r *run) configure() error {
	choices := [][]string{
		{"repl-diskless-sync", "yes"}, {"repl-diskless-sync", "no"}, {"repl-diskless-load", "disabled"},
		{"repl-diskless-load", "swapdb"}, {"repl-diskless-load", "on-empty-db"}, {"repl-backlog-size", "16kb"},
		{"repl-backlog-size", "1mb"}, {"appendonly", "yes"}, {"appendonly", "no"}, {"rdbcompression", "no"},
		{"repl-diskless-sync-max-replicas", "1"}, {"replica-serve-stale-data", "no"}, {"rdb-key-save-delay", "200"},
		{"rdb-key-save-delay", "0"}, {"key-load-delay", "100"}, {"key-load-delay", "0"},
	}
	i, choice := r.pick(), choices[r.rng.IntN(len(choices))]
	r.note("%s: %s: %s", r.all[i].name, choice, r.tell(i, append([]string{"CONFIG", "SET"}, choice...)...))
	return nil
}

func (r *run) save() error {
	i, how := r.pick(), []string{"BGSAVE", "BGREWRITEAOF", "SAVE"}[r.rng.IntN(3)]
	r.note("%s: %s: %s", r.all[i].name, how, r.tell(i, how))
	return nil
}

func (r *run) severAll() error {
	i := r.pick()
	r.note("sever the links to %s", r.all[i].name)
	r.all[i].proxy.sever()
	return nil
}

// darken keeps everybody from a server for a time.
func (r *run) darken() error {
	i := r.pick()
	r.note("nobody reaches %s", r.all[i].name)
	r.all[i].proxy.shut(true)
	time.Sleep(r.patience(200))
	r.all[i].proxy.shut(false)
	return nil
}

// freeze stops a server's process for a time.
func (r *run) freeze() error {
	i := r.pick()
	r.note("freeze %s", r.all[i].name)
	process := r.all[i].process.Process
	_ = process.Signal(syscall.SIGSTOP)
	time.Sleep(r.patience(200))
	_ = process.Signal(syscall.SIGCONT)
	return nil
}

// flood writes more than a small backlog keeps, while links are down.
func (r *run) flood() error {
	r.note("flood")
	for _, m := range r.all {
		m.proxy.sever()
	}
	c, err := client.Dial("unix", r.all[r.master].socket(), clientOptions)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range 20 {
		if _, err := c.Do("SET", fmt.Sprint("flood", i%5), strings.Repeat("v", 5000)); err != nil {
			return nil // writes may be paused
		}
	}
	return nil
}

// heal ends all faults, decides who is the master, and has the others follow.
func (r *run) heal() error {
	r.note("heal")
	close(r.over)
	r.clients.Wait()
	for _, m := range r.all {
		m.proxy.expect(nil)
		m.proxy.sever() // or what was to happen still would
		if m.hasEnded() {
			return fmt.Errorf("%s has ended by itself", m.name)
		}
	}
	for i := range r.all {
		if state := r.field(i, "master_failover_state"); state != "no-failover" {
			r.note("%s: %s: %s", r.all[i].name, state, r.tell(i, "FAILOVER", "ABORT"))
		}
	}
	r.attach(r.master, -1)
	i, k := (r.master+1)%3, (r.master+2)%3
	r.attach(i, r.master)
	r.attach(k, []int{r.master, i}[r.rng.IntN(2)])
	return nil
}

// healTime is how long it may take until all have the same data.
const healTime = 25 * time.Second

// agree waits until all have the same data at the same position of the same history.
func (r *run) agree() error {
	var last string
	for end := time.Now().Add(healTime); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var places, digests []string
		for i := range r.all {
			if i != r.master && r.field(i, "master_link_status") != "up" {
				places = append(places, r.all[i].name+" is down")
			} else {
				places = append(places, r.field(i, "master_replid")+":"+r.field(i, "master_repl_offset"))
			}
			digests = append(digests, r.tell(i, "DEBUG", "DIGEST"))
		}
		if len(slices.Compact(slices.Clone(places))) == 1 && len(slices.Compact(slices.Clone(digests))) == 1 {
			return r.audit()
		}
		last = fmt.Sprint(places, digests)
	}
	nodes := []*node{r.all[r.master].node, r.all[(r.master+1)%3].node, r.all[(r.master+2)%3].node}
	return fmt.Errorf("they do not agree: %s\n%.1000s\n%.1000s", last, differences(nodes[0], nodes[1]),
		differences(nodes[0], nodes[2]))
}

// audit looks for halves of transactions in all databases, and for commands of the stream that
// a replica could not execute.
func (r *run) audit() error {
	if text := r.torn.Load(); text != nil {
		return errors.New(*text)
	}
	for i, m := range r.all {
		for db := range 16 {
			r.tell(i, "SELECT", strconv.Itoa(db))
			for id := range counters {
				if a, b := r.tell(i, "GET", counter(id, "a")), r.tell(i, "GET", counter(id, "b")); a != b {
					return fmt.Errorf("%s has half of a transaction in database %d: %s and %s", m.name, db, a, b)
				}
			}
		}
		for line := range strings.Lines(m.log()) {
			if strings.Contains(line, "CRITICAL") || strings.Contains(line, "panic") ||
				strings.Contains(line, "Protocol error") {
				return fmt.Errorf("%s logs: %s", m.name, line)
			}
		}
	}
	return nil
}

// play is a run from beginning to end.
func (r *run) play() error {
	if err := r.begin(); err != nil {
		return err
	}
	for range 4 + r.rng.IntN(7) {
		time.Sleep(r.patience(150))
		if err := events[r.rng.IntN(len(events))](r); err != nil {
			return err
		}
	}
	time.Sleep(r.patience(150))
	if err := r.heal(); err != nil {
		return err
	}
	return r.agree()
}

// Whatever happens to three servers and their links, when it is over all have the same data at
// the same position, nobody has ever seen half of a transaction, and no command of the stream
// has failed.
func TestReplicationRuns(t *testing.T) {
	t.Parallel()
	runs, lanes := testenv.Number(t, "SPINEL_REPL_RUNS", 2), testenv.Number(t, "SPINEL_LANES", 1)
	seed := uint64(testenv.Number(t, "SPINEL_SEED", 1))
	var counted atomic.Int64
	t.Cleanup(func() { t.Logf("%d transactions were acknowledged", counted.Load()) })
	for lane := range lanes {
		t.Run(strconv.Itoa(lane), func(t *testing.T) {
			t.Parallel()
			for i := lane; i < runs; i += lanes {
				own := seed + uint64(i)
				t.Run(strconv.FormatUint(own, 10), func(t *testing.T) {
					r := newRun(t, own)
					err := r.play()
					if !r.isOver() {
						close(r.over)
						r.clients.Wait()
					}
					counted.Add(r.counted.Load())
					if err != nil {
						t.Errorf("seed %d: %v\n%s", own, err, strings.Join(r.events, "\n"))
					}
				})
			}
		})
	}
}
