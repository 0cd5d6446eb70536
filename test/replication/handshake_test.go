//go:build linux

package replication

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/testenv"
)

// A pair is a master and its replica in this process, with a proxy between them.
type pair struct {
	t               *testing.T
	master, replica *inside
	proxy           *proxy
	settle          time.Duration // how long it may take until the two are in step
}

func newPair(t *testing.T, masterLines, replicaLines string) *pair {
	t.Helper()
	p := &pair{t: t, master: newInside(t, masterLines), replica: newInside(t, replicaLines), settle: untilTime}
	p.proxy = newProxy(t, "unix", p.master.path)
	for i := range 5 {
		p.master.do("SET", fmt.Sprint("key", i), "value")
	}
	p.master.do("RPUSH", "list", "a", "b", "3")
	p.master.do("HSET", "hash", "f", "v")
	p.master.do("SET", "stale", "of the master")
	return p
}

// anew has the replica, which has other data and a history of its own, synchronize fully.
func (p *pair) anew(faults ...fault) {
	p.t.Helper()
	p.replica.do("REPLICAOF", "NO", "ONE")
	p.replica.do("SET", "stale", "of the replica")
	p.proxy.once(faults...)
	p.replica.do("REPLICAOF", "127.0.0.1", p.proxy.port)
}

// onward has the replica go on where it stands, with some commands that it lacks.
func (p *pair) onward(faults ...fault) {
	p.t.Helper()
	p.proxy.shut(true)
	p.master.do("MULTI")
	p.master.do("INCR", "a")
	p.master.do("INCR", "b")
	p.master.do("EXEC")
	p.master.do("SET", "last", "word")
	p.proxy.once(faults...)
	p.proxy.shut(false)
}

// inStep waits until the replica has a link and is as far as the master. Nobody writes, so
// from the first such moment on the two must have the same data.
func (p *pair) inStep() error {
	p.t.Helper()
	var last string
	for end := time.Now().Add(p.settle); time.Now().Before(end); time.Sleep(time.Millisecond) {
		theirs, ours := p.master.figures("replication"), p.replica.figures("replication")
		if ours["master_link_status"] != "up" {
			last = "the link is down"
			continue
		}
		if a, b := ours["slave_repl_offset"], theirs["master_repl_offset"]; a != b {
			last = fmt.Sprintf("the replica is at %s, the master at %s", a, b)
			continue
		}
		if a, b := p.replica.do("DEBUG", "DIGEST"), p.master.do("DEBUG", "DIGEST"); a != b {
			if strings.HasPrefix(a, "LOADING") || p.replica.figures("replication")["master_link_status"] != "up" {
				continue // it was the end of the connection before
			}
			return errors.New("the replica says that it is connected, and has other data")
		}
		return nil
	}
	return errors.New("they did not come together: " + last)
}

// heard is what the two have said on the last connection, when it is quiet.
func (p *pair) heard() (said [2][]byte) {
	p.t.Helper()
	if err := p.inStep(); err != nil {
		p.t.Fatal(err)
	}
	c := p.proxy.latest()
	return [2][]byte{c.transcript(toMaster), c.transcript(toReplica)}
}

// A stretch is a part of what was said, from a byte to another.
type stretch struct{ from, end int }

func (s stretch) has(i int) bool { return i >= s.from && i < s.end }

// argument is where the n-th argument of a command of a transcript lies.
func argument(said []byte, name string, n int) stretch {
	i := bytes.Index(said, []byte("\r\n"+name+"\r\n")) + len("\r\n"+name+"\r\n")
	for ; n > 1; n-- {
		i += bytes.Index(said[i:], []byte("\r\n")) + 2 // its length
		i += bytes.Index(said[i:], []byte("\r\n")) + 2
	}
	i += bytes.Index(said[i:], []byte("\r\n")) + 2
	return stretch{i, i + bytes.Index(said[i:], []byte("\r\n"))}
}

// handshakeFaults are those that happen at one place. The rarer ones take turns in how.
func handshakeFaults(to side, at int, rng *rand.Rand) []fault {
	return []fault{
		{kind: cut, to: to, at: at},
		{kind: reset, to: to, at: at},
		{kind: stall, to: to, at: at, hold: 2 * time.Millisecond},
		{kind: drip, to: to, at: at, count: 1 + rng.IntN(40)},
		{kind: corrupt, to: to, at: at, bit: rng.IntN(8)},
		{kind: duplicate, to: to, at: at, count: []int{1, 2, 5, 14, 64}[rng.IntN(5)]},
	}
}

// changes says whether a kind gives somebody other bytes than were sent.
func (k faultKind) changes() bool { return k == corrupt || k == duplicate }

// A mishap is a test of one pair with one fault after the other.
type mishap struct {
	*pair
	rng  *rand.Rand
	seed uint64
	step int
	n    int // faults so far
}

// each calls try for the places of what was said to a side, and each fault that may happen.
func (m *mishap) each(to side, said []byte, try func(f fault)) {
	for at := m.rng.IntN(m.step); at < len(said); at += m.step {
		for _, f := range handshakeFaults(to, at, m.rng) {
			m.n++
			try(f)
		}
	}
}

// fail reports what came of a fault, and repairs it.
func (m *mishap) fail(what string, f fault, said []byte, err error) {
	m.t.Helper()
	m.t.Errorf("%s, seed %d, %s: %v\n%q\n%s", what, m.seed, f, err, said, m.replica.log)
	m.anew()
}

// full has faults happen to a full synchronization.
func (m *mishap) full() {
	m.anew()
	said := m.heard()
	for to := range toReplica + 1 {
		m.each(to, said[to], func(f fault) {
			m.anew(f)
			if err := m.inStep(); err != nil {
				m.fail("full", f, said[to], err)
			}
		})
	}
}

var errAllAgain = errors.New("all data were sent again")

// partial has faults happen to a partial one.
func (m *mishap) partial() {
	m.anew()
	m.heard()
	m.onward()
	said := m.heard()
	position := argument(said[toMaster], "PSYNC", 2)
	position.end += 8 // more digits later on
	stream := stretch{bytes.Index(said[toReplica], []byte("*")), len(said[toReplica])}
	unseen := [2]stretch{toMaster: position, toReplica: stream}
	for to := range toReplica + 1 {
		m.each(to, said[to], func(f fault) {
			if f.kind.changes() && unseen[to].has(f.at) {
				return
			}
			before := m.master.figures("stats")["sync_full"]
			m.onward(f)
			err := m.inStep()
			if err == nil && !f.kind.changes() && m.master.figures("stats")["sync_full"] != before {
				err = errAllAgain
			}
			if err != nil {
				m.fail("partial", f, said[to], err)
			}
		})
	}
}

// Whatever happens to a handshake, at any byte of it and of the snapshot: in the end the
// replica has a link and what the master has, and it never says so before. And as long as no
// byte is another one, a replica that may go on where it stands is not sent all data again.
//
// What cannot be held: nothing in the protocol says which position the master has understood,
// so a digit of PSYNC's offset that becomes another one has the replica go on at the wrong
// place; TCP's own sum is what protects it. For the stream see TestBrokenStream.
func TestHandshakeFaults(t *testing.T) {
	t.Parallel()
	for i, tt := range []struct{ master, replica string }{
		{"repl-diskless-sync yes", "repl-diskless-load disabled"},
		{"repl-diskless-sync no", "repl-diskless-load swapdb"},
		{"repl-diskless-sync yes", "repl-diskless-load swapdb"},
		{"repl-diskless-sync no", "repl-diskless-load disabled"},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			seed := uint64(testenv.Number(t, "SPINEL_SEED", 1))
			m := &mishap{
				pair: newPair(t, tt.master, tt.replica), rng: rand.New(rand.NewPCG(seed, uint64(i))), seed: seed,
				step: testenv.Number(t, "SPINEL_HANDSHAKE_STEP", 61),
			}
			m.full()
			m.partial()
			t.Logf("%s, %s: %d faults", tt.master, tt.replica, m.n)
		})
	}
}
