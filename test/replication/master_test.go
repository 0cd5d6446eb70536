//go:build linux

package replication

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/testenv"
)

// chances are commands whose outcome depends on chance, time or other clients, or that
// concern whole databases: what a replica is sent is not what was called.
var chances = []string{
	"SPOP {s}", "SPOP {s} {n}", "SPOP {s} 1000", "XADD {x} * f {e}", "XADD {x} MAXLEN ~ 5 * f {e}",
	"PEXPIRE {k} {n}", "PEXPIRE {k} 40", "EXPIRE {k} 100", "SET {k} {e} PX 30", "SET {k} {e} EX 100 GET",
	"GETEX {k} PX 20", "SETEX {k} 100 {e}", "PSETEX {k} 25 {e}", "EXPIRE {k} -1", "EXPIRETIME {k}",
	"INCRBYFLOAT {k} 0.1", "HINCRBYFLOAT {h} f 0.1", "BLPOP {l} {l} 0.001", "BLMOVE {l} {l} LEFT RIGHT 0.001",
	"BZPOPMIN {z} {z} 0.001", "LMPOP 2 {l} {l} LEFT COUNT {n}", "ZMPOP 2 {z} {z} MIN COUNT {n}",
	"XREADGROUP GROUP g1 {c} COUNT {n} STREAMS {x} >", "XREADGROUP GROUP g1 {c} NOACK STREAMS {x} >",
	"XGROUP CREATE {x} g1 0 MKSTREAM", "XCLAIM {x} g1 {c} 0 {id}", "XAUTOCLAIM {x} g1 {c} 0 0",
	"SELECT 0", "SELECT 1", "SELECT 3", "SWAPDB 0 1", "FLUSHDB", "COPY {k} {k} DB 2 REPLACE", "MOVE {k} 2",
	"RENAME {k} {k}", "SORT {L} ALPHA STORE {L}", "GEOADD {z}g {lon} {lat} {g}", "PFADD {p} {e} {e}",
	"PFMERGE {p} {p} {p}", "SETBIT {b} {o} 1", "BITFIELD {b} INCRBY u8 {o} 3", "FLUSHALL",
}

// A writer is a client that sends random commands, some of them in transactions.
type writer struct {
	*node
	rng *rand.Rand
	gen cmdtest.Generator
}

// newRandom is chance that SPINEL_SEED repeats.
func newRandom(t *testing.T, seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(testenv.Number(t, "SPINEL_SEED", 1))))
}

func newWriter(t *testing.T, to *node, seed uint64) *writer {
	rng := newRandom(t, seed)
	return &writer{connect(t, to.name, to.port), rng, cmdtest.Generator{Rand: rng}}
}

// call is a random command.
func (w *writer) call() []string {
	switch template := chances[w.rng.IntN(len(chances))]; {
	case w.rng.IntN(3) > 0:
		return w.gen.Fill(cmdtest.Templates[w.rng.IntN(len(cmdtest.Templates))])
	case strings.HasPrefix(template, "FLUSH") && w.rng.IntN(20) > 0:
		return []string{"PING"}
	default:
		return w.gen.Fill(template)
	}
}

// write sends n random commands. What is replied does not matter.
func (w *writer) write(n int) {
	w.t.Helper()
	for n > 0 {
		size := 1
		if w.rng.IntN(8) == 0 {
			size = 1 + w.rng.IntN(6)
			w.do("MULTI")
		}
		for range size {
			if _, err := w.conn.Do(w.call()...); err != nil {
				w.t.Fatal(err)
			}
			n--
		}
		if size > 1 {
			w.do("EXEC")
		} else {
			_, _ = w.conn.Do("DISCARD") // of a transaction of one; an error otherwise
		}
	}
}

// replicasOf starts a replica of each kind that is there.
func replicasOf(t *testing.T, master *node) (all []*node) {
	t.Helper()
	all = append(all, another(t, "redis-server", "7.0."), spinel(t))
	if path := valkey(); path != "" {
		all = append(all, another(t, "valkey-server", "9."))
	}
	for _, r := range all {
		r.follow(master)
	}
	return all
}

// After random programs over all types, with links that are cut now and then, replicas of all
// kinds have what the master has, and nobody needed all of the data twice.
func TestRandomPrograms(t *testing.T) {
	master := spinel(t)
	before := newWriter(t, master, 1)
	before.write(500)
	replicas := replicasOf(t, master)
	n := testenv.Number(t, "SPINEL_REPLICATED", 12_000)
	writers := []*writer{before, newWriter(t, master, 2), newWriter(t, master, 3)}
	const rounds = 10
	for round := range rounds {
		for _, w := range writers {
			w.write(n / rounds / len(writers))
		}
		if round%3 == 1 {
			master.do("CLIENT", "KILL", "TYPE", "replica")
		}
	}
	master.do("SET", "last", "1")
	same(t, master, replicas...)
	if got := master.info("sync_full"); got != strconv.Itoa(len(replicas)) {
		t.Errorf("%s full synchronizations of %d replicas", got, len(replicas))
	}
	if got := master.info("sync_partial_ok"); got == "0" {
		t.Error("no partial synchronization")
	}
}

// What the master evicts and expires, replicas lose as well.
func TestEvictionAndExpiry(t *testing.T) {
	master := spinel(t, "--maxmemory", "8mb", "--maxmemory-policy", "allkeys-random")
	replicas := replicasOf(t, master)
	for i := range 4000 {
		master.do("SET", fmt.Sprint("key:", i), strings.Repeat("v", 4000), "PX", strconv.Itoa(1+i%300))
		master.do("SET", fmt.Sprint("stays:", i), strings.Repeat("v", 2000))
	}
	if master.info("evicted_keys") == "0" || master.info("expired_keys") == "0" {
		t.Errorf("%s keys were evicted, %s expired", master.info("evicted_keys"), master.info("expired_keys"))
	}
	until(t, "what expires has expired", func() bool {
		return strings.Contains(master.do("INFO", "keyspace"), "expires=0,")
	})
	same(t, master, replicas...)
}

// A replica that lacks more than the backlog has gets all of the data again; one that lacks
// less does not.
func TestBeyondBacklog(t *testing.T) {
	for _, how := range []string{"yes", "no"} {
		master := spinel(t, "--repl-backlog-size", "100kb", "--repl-diskless-sync", how)
		redis := another(t, "redis-server", "7.0.")
		redis.follow(master)
		big := strings.Repeat("v", 60_000)
		for times, wantFull := range []string{1: "1", 4: "2"} {
			if wantFull == "" {
				continue
			}
			master.do("MULTI")
			master.do("CLIENT", "KILL", "TYPE", "replica")
			for i := range times {
				master.do("SET", fmt.Sprint("k", i), big)
			}
			master.do("EXEC")
			same(t, master, redis)
			if got := master.info("sync_full"); got != wantFull {
				t.Errorf("diskless %s: %s full synchronizations after %d values, want %s", how, got, times, wantFull)
			}
		}
	}
}

// Writes go on while replicas get a snapshot of many keys, and are all there in the end.
func TestSyncUnderWrites(t *testing.T) {
	for _, how := range []string{"yes", "no"} {
		master := spinel(t, "--repl-diskless-sync", how)
		master.do("DEBUG", "POPULATE", "100000", "key", "100")
		w := newWriter(t, master, 7)
		w.write(500)
		replicas := []*node{another(t, "redis-server", "7.0."), spinel(t)}
		for _, r := range replicas {
			r.do("REPLICAOF", "127.0.0.1", master.port)
		}
		for range 20 {
			w.write(100)
		}
		for _, r := range replicas {
			until(t, "the link is up", func() bool { return r.info("master_link_status") == "up" })
		}
		w.write(100)
		same(t, master, replicas...)
	}
}

// WAIT counts those who have it, in pipelines and transactions too.
func TestWait(t *testing.T) {
	master := spinel(t)
	replicas := replicasOf(t, master)
	for i := range 50 {
		master.do("SET", "k", strconv.Itoa(i))
		if got := master.do("WAIT", strconv.Itoa(len(replicas)), "5000"); got != strconv.Itoa(len(replicas)) {
			t.Fatalf("WAIT: %s of %d", got, len(replicas))
		}
		for _, r := range replicas {
			if got := r.do("GET", "k"); got != strconv.Itoa(i) {
				t.Fatalf("%s has %s after WAIT for %d", r.name, got, i)
			}
		}
	}
}
