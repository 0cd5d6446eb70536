//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/testenv"
)

// The append-only file's promise to a process that is killed: whatever the policy, nothing
// that was acknowledged is lost, since a reply leaves when the kernel has the write.

const (
	aofWriters = 3
	aofPushers = 2
	txSize     = 4 // commands of a transaction
)

// A ledger is a client that counts, and knows what it was told.
type ledger struct {
	writer
	acked atomic.Int64
	kind  ledgerKind
}

type ledgerKind uint8

const (
	sets   ledgerKind = iota // SET after SET
	groups                   // SETs in transactions of txSize
	pushes                   // one list, a number after the other
)

// run sends numbers in order until the connection breaks.
func (l *ledger) run(addr string, rng *rand.Rand) {
	c, err := client.Dial("tcp", addr, clientOptions)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		from, n := l.sent.Load()+1, int64(txSize)
		if l.kind != groups {
			n = 1 + rng.Int64N(killBatch)
		}
		l.sent.Store(from + n - 1)
		if l.send(c, from, n) != nil || l.receive(c, from, n) != nil {
			return
		}
	}
}

func (l *ledger) send(c *client.Conn, from, n int64) error {
	var err error
	if l.kind == groups {
		err = c.Send("MULTI")
	}
	for k := from; k < from+n; k++ {
		if l.kind == pushes {
			err = errors.Join(err, c.Send("RPUSH", l.list(), strconv.FormatInt(k, 10)))
		} else {
			err = errors.Join(err, c.Send("SET", l.key(k), l.value(k)))
		}
	}
	if l.kind == groups {
		err = errors.Join(err, c.Send("EXEC"))
	}
	return err
}

// errRefused is an error as a reply, which nothing here gives reason to.
var errRefused = errors.New("refused")

func (l *ledger) receive(c *client.Conn, from, n int64) error {
	replies := n
	if l.kind == groups {
		replies += 2
	}
	for i := range replies {
		r, err := c.Receive()
		if err != nil {
			return err
		}
		if r.IsError() {
			return errRefused
		}
		if l.kind != groups {
			l.acked.Store(from + i)
		}
	}
	if l.kind == groups {
		l.acked.Store(from + n - 1)
	}
	return nil
}

func (l *ledger) list() string { return fmt.Sprintf("list:%d", l.id) }

// audit compares what the server has with what the ledger knows, and goes on from there.
func (l *ledger) audit(c conn) error {
	acked, sent := l.acked.Load(), l.sent.Load()
	var last int64
	if l.kind == pushes {
		last = c.do("LLEN", l.list()).Int
		tail := c.do("LRANGE", l.list(), "-50", "-1").Elems
		for i, e := range tail {
			if want := strconv.FormatInt(last-int64(len(tail))+int64(i)+1, 10); e.Text != want {
				return fmt.Errorf("%s has %q where %s belongs, of %d", l.list(), e.Text, want, last)
			}
		}
	} else {
		l.check(c)
		last = l.sent.Load()
	}
	switch {
	case last < acked:
		return fmt.Errorf("client %d: write %d was acknowledged, and %d is the last", l.id, acked, last)
	case last > sent:
		return fmt.Errorf("client %d: write %d is there, and %d were sent", l.id, last, sent)
	case l.kind == groups && last%txSize != 0:
		return fmt.Errorf("client %d: half of a transaction: up to %d", l.id, last)
	}
	l.sent.Store(last)
	l.acked.Store(last)
	return nil
}

var aofPolicies = []string{"always", "everysec", "no"}

// killRounds kills a server of one folder again and again, and returns what was found lost.
func killRounds(t *testing.T, rounds int, seed uint64, command []string) error {
	rng := rand.New(rand.NewPCG(seed, 4))
	dir := t.TempDir()
	var ledgers []*ledger
	for i := range aofWriters {
		ledgers = append(ledgers, &ledger{writer: writer{id: i}, kind: ledgerKind(i % 2)})
	}
	for i := range aofPushers {
		ledgers = append(ledgers, &ledger{writer: writer{id: aofWriters + i}, kind: pushes})
	}
	writes := int64(0)
	for round := range rounds {
		policy := aofPolicies[round%len(aofPolicies)]
		p := startProgram(t, dir, command, "--save", "", "--appendonly", "yes", "--appendfsync", policy,
			"--auto-aof-rewrite-min-size", "1mb")
		c := p.dial()
		for _, l := range ledgers {
			before := l.acked.Load()
			if err := l.audit(c); err != nil {
				return fmt.Errorf("round %d, behind policy %s: %w", round,
					aofPolicies[(round+len(aofPolicies)-1)%len(aofPolicies)], err)
			}
			writes += before
		}
		if c.do("LLEN", ledgers[aofWriters].list()).Int > 20_000 { // so that a start stays fast
			c.want("OK", "FLUSHALL")
			for _, l := range ledgers {
				l.sent.Store(0)
				l.acked.Store(0)
			}
		}
		var running sync.WaitGroup
		for _, l := range ledgers {
			own := rand.New(rand.NewPCG(seed, rng.Uint64()))
			running.Go(func() { l.run(p.addr(), own) })
		}
		time.Sleep(time.Duration(rng.IntN(40_000)) * time.Microsecond)
		if round%3 == 0 {
			_, _ = c.Do([]string{"BGREWRITEAOF", "BGSAVE"}[rng.IntN(2)]) // one may be scheduled or in progress
			time.Sleep(time.Duration(rng.IntN(20_000)) * time.Microsecond)
		}
		p.kill()
		running.Wait()
		if round%500 == 499 {
			t.Logf("seed %d: %d of %d rounds, %d writes acknowledged", seed, round+1, rounds, writes)
		}
	}
	t.Logf("seed %d: %d rounds", seed, rounds)
	return nil
}

// startProgram is start for another command.
func startProgram(t *testing.T, dir string, command []string, args ...string) *process {
	t.Helper()
	for try := 1; ; try++ {
		p := launchProgram(t, dir, command, args...)
		if p.waitReady() {
			return p
		}
		if try == 3 || !strings.Contains(p.out.String(), "address already in use") {
			t.Fatalf("the server does not start (%v):\n%s", p.cmd.ProcessState, p.out)
		}
	}
}

// TestKillWithAOF kills the server at random moments under each policy, in a third of the
// rounds with a rewrite or a save going on: no acknowledged write is lost, no transaction is
// there by half, nothing is there twice, and it starts by itself.
func TestKillWithAOF(t *testing.T) {
	rounds, lanes := testenv.Number(t, "SPINEL_AOF_ROUNDS", 12), testenv.Number(t, "SPINEL_LANES", 1)
	seed := uint64(testenv.Number(t, "SPINEL_SEED", int(time.Now().UnixNano())))
	for lane := range lanes {
		t.Run(itoa(lane), func(t *testing.T) {
			t.Parallel()
			if err := killRounds(t, rounds/lanes, seed+uint64(lane), []string{server(t)}); err != nil {
				t.Error(err)
			}
		})
	}
}

// mutant builds a server with a bug: in a source file, one piece of text is another one.
func mutant(t *testing.T, file, text, bug string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", file))
	if err != nil {
		t.Fatal(err)
	}
	source := string(read(t, path))
	if n := strings.Count(source, text); n != 1 {
		t.Fatalf("%s has %d times what the bug is to be put in for:\n%s", file, n, text)
	}
	dir := t.TempDir()
	changed, overlay, program := dir+"/changed.go", dir+"/overlay.json", dir+"/redis-server"
	content, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.WriteFile(changed, []byte(strings.Replace(source, text, bug, 1)), 0o600),
		os.WriteFile(overlay, content, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if err := testenv.Build(program, "-overlay", overlay); err != nil {
		t.Fatal(err)
	}
	return program
}

// TestKillFindsEarlyReplies shows that a server which replies before it has written is caught.
func TestKillFindsEarlyReplies(t *testing.T) {
	program := mutant(t, "internal/aof/keeper_sync.go", `		default:
			k.flush(l)
		}
	}
	return k.Open()
`, `		default:
			wake(k.toWrite)
		}
	}
	return math.MaxInt64
`)
	const rounds = 200 // it is found in one of ten
	err := killRounds(t, rounds, 1, []string{program})
	if err == nil {
		t.Errorf("%d rounds have lost nothing", rounds)
	}
	t.Log(err)
}
