package server

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/testenv"
)

// rounds is how often what is random is tried: few times, or as often as
// SPINEL_REPLICATION_ROUNDS says.
func rounds(t *testing.T, few int) int { return testenv.Number(t, "SPINEL_REPLICATION_ROUNDS", few) }

// A node is a server in a chain, ours or another.
type node interface {
	do(words string) string
	call(words ...string) string
	host() (host, port string) // for REPLICAOF
}

// ours is a server of this process. Its address is the path of its socket: its link dials those
// too.
type ours struct {
	*running
	*conn
	tcp string
}

func newOurs(t *testing.T, lines string) *ours {
	t.Helper()
	return newThrough(t, lines, nil)
}

// newThrough makes one whose link goes through a proxy.
func newThrough(t *testing.T, lines string, proxy func(nc net.Conn) net.Conn) *ours {
	t.Helper()
	r := startWith(t, "save \"\"\nrepl-diskless-sync-delay 0\n"+lines, dialing(proxy))
	return &ours{running: r, conn: r.dial()}
}

// dialing is what a server is made of that dials paths, and does not wait for long.
func dialing(proxy func(nc net.Conn) net.Conn) Config {
	return Config{DialMaster: dialAny(proxy), RetryMaster: 20 * time.Millisecond}
}

// dialAny dials hosts that are paths as well. What it makes goes through a proxy, if there is
// one.
func dialAny(proxy func(nc net.Conn) net.Conn) func(context.Context, replication.Target) (net.Conn, error) {
	return func(ctx context.Context, to replication.Target) (net.Conn, error) {
		network, addr := "tcp", net.JoinHostPort(to.Host, strconv.Itoa(to.Port))
		if filepath.IsAbs(to.Host) {
			network, addr = "unix", to.Host
		}
		var d net.Dialer
		nc, err := d.DialContext(ctx, network, addr)
		if err == nil && proxy != nil {
			nc = proxy(nc)
		}
		return nc, err
	}
}

func (o *ours) call(words ...string) string {
	o.conn.t.Helper()
	reply, err := o.conn.Do(words...)
	if err != nil {
		o.conn.t.Fatalf("%.100q: %v", words, err)
	}
	if reply.Kind == client.Integer {
		return strconv.FormatInt(reply.Int, 10)
	}
	for _, e := range reply.Elems {
		reply.Text += "\r\n" + e.Text
	}
	return reply.Text
}

func (o *ours) host() (string, string) { return o.path, "1" }

// theirs is a redis-server or a valkey-server.
type theirs struct {
	*original.Server
	port string
}

func newTheirs(t *testing.T) *theirs {
	return theirsOf(original.Redis(t, original.Options{}))
}

func newValkey(t *testing.T) *theirs {
	return theirsOf(original.Start(t, "valkey-server", "9.1.", original.Options{}))
}

func theirsOf(s *original.Server) *theirs {
	s.Do("CONFIG", "SET", "repl-diskless-sync-delay", "0")
	return &theirs{s, s.Port()}
}

// newNodes makes servers: o is ours, t a Redis and v a Valkey.
func newNodes(t *testing.T, kinds, lines string) (all []node) {
	for _, kind := range kinds {
		switch kind {
		case 'o':
			all = append(all, newOurs(t, lines))
		case 't':
			all = append(all, newTheirs(t))
		case 'v':
			all = append(all, newValkey(t))
		}
	}
	return all
}

func (n *theirs) do(words string) string { return n.call(strings.Fields(words)...) }

func (n *theirs) call(words ...string) string {
	reply := strings.TrimSuffix(n.Do(words...), "\r\n")
	if strings.HasPrefix(reply, "$") {
		_, reply, _ = strings.Cut(reply, "\r\n")
	}
	return strings.TrimLeft(reply, "+:")
}

func (n *theirs) host() (string, string) { return "127.0.0.1", n.port }

// addressOf is where n can be reached by by.
func addressOf(t *testing.T, n, by node) (host, port string) {
	o, isOurs := n.(*ours)
	if _, byTheirs := by.(*theirs); !isOurs || !byTheirs {
		return n.host()
	}
	if o.tcp == "" {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, o.tcp, _ = net.SplitHostPort(ln.Addr().String())
		ln.Close()
		if got := o.call("CONFIG", "SET", "bind", "127.0.0.1", "port", o.tcp); got != "OK" {
			t.Fatal(got)
		}
	}
	return "127.0.0.1", o.tcp
}

func attach(t *testing.T, replica, master node) {
	t.Helper()
	host, port := addressOf(t, master, replica)
	if got := replica.call("REPLICAOF", host, port); got != "OK" {
		t.Fatalf("REPLICAOF: %s", got)
	}
	await(t, "the link", func() bool { return infoOf(replica, "master_link_status") == "up" })
}

func infoOf(n node, field string) string {
	for line := range strings.Lines(n.call("INFO", "replication")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && name == field {
			return value
		}
	}
	for line := range strings.Lines(n.call("INFO", "stats")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && name == field {
			return value
		}
	}
	return ""
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("too late: " + what)
		}
	}
}

// inStep waits until all nodes are as far as the first, and compares their data.
func inStep(t *testing.T, all ...node) {
	t.Helper()
	for i, n := range all {
		await(t, fmt.Sprintf("node %d", i), func() bool {
			return infoOf(n, "master_repl_offset") == infoOf(all[0], "master_repl_offset") &&
				infoOf(n, "master_replid") == infoOf(all[0], "master_replid")
		})
	}
	want := all[0].do("DEBUG DIGEST")
	for i, n := range all {
		if n.do("DEBUG DIGEST") == want {
			continue
		}
		if d := difference(n, all[0]); d != "" || n.call("DBSIZE") != all[0].call("DBSIZE") {
			t.Errorf("node %d has %s keys and other data than the first, which has %s: %s",
				i, n.call("DBSIZE"), all[0].call("DBSIZE"), d)
		}
	}
}

// difference says in which of the generator's keys two nodes differ. Valkey's digests of sorted
// sets are others than Redis's, so it may be in none.
func difference(a, b node) (text string) {
	for db := range databases {
		a.call("SELECT", strconv.Itoa(db))
		b.call("SELECT", strconv.Itoa(db))
		for _, key := range cmdtest.GeneratedKeys {
			x, y := a.call("DEBUG", "DIGEST-VALUE", key), b.call("DEBUG", "DIGEST-VALUE", key)
			if x[max(0, len(x)-digestLen):] == y[max(0, len(y)-digestLen):] {
				continue
			}
			if a.call("TYPE", key) != "zset" || b.call("TYPE", key) != "zset" || scores(a, key) != scores(b, key) {
				text += fmt.Sprintf("%d/%s (%s and %s) ", db, key, a.call("TYPE", key), b.call("TYPE", key))
			}
		}
	}
	a.call("SELECT", "0")
	b.call("SELECT", "0")
	return text
}

const digestLen = 40

// scores are the members of a sorted set with their scores, written in one way.
func scores(n node, key string) (text string) {
	words := strings.Split(n.call("ZRANGE", key, "0", "-1", "WITHSCORES"), "\r\n")
	if _, isTheirs := n.(*theirs); isTheirs { // every other line is a length
		kept := words[:1]
		for i := 2; i < len(words); i += 2 {
			kept = append(kept, words[i])
		}
		words = kept
	}
	for i, word := range words[1:] {
		if i%2 == 1 {
			score, err := strconv.ParseFloat(word, 64)
			word = fmt.Sprint(score, err)
		}
		text += fmt.Sprintf("%q ", word)
	}
	return text
}

// databases is how many of them are used.
const databases = 4

// work runs random commands on all types in some databases. Replies do not matter.
func work(n node, rng *rand.Rand, count int) {
	g := cmdtest.Generator{Rand: rng}
	for range count {
		template := strings.TrimLeft(cmdtest.Templates[rng.IntN(len(cmdtest.Templates))], "~%!")
		if rng.IntN(30) == 0 {
			n.call("SELECT", strconv.Itoa(rng.IntN(databases)))
		}
		inMulti := rng.IntN(20) == 0
		if inMulti {
			n.call("MULTI")
		}
		for range 1 + rng.IntN(3) {
			n.call(g.Fill(template)...)
		}
		if inMulti {
			n.call("EXEC")
		}
	}
	n.call("SELECT", "0")
}

// Three servers in a row have the same data, whoever they are and however they load.
func TestChains(t *testing.T) {
	few := map[string]bool{"ooo disabled": true, "too swapdb": true, "oto disabled": true, "ovo swapdb": true}
	for _, kinds := range []string{"ooo", "too", "oto", "tot", "oot", "voo", "ovo", "vov", "vot", "oov"} {
		for _, mode := range []string{"disabled", "swapdb", "on-empty-db"} {
			if !few[kinds+" "+mode] && rounds(t, 0) == 0 {
				continue
			}
			t.Run(kinds+" "+mode, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, uint64(len(kinds))))
				all := newNodes(t, kinds, "repl-diskless-load "+mode)
				work(all[0], rng, 300)
				all[1].call("SET", "stale", "data")
				attach(t, all[1], all[0])
				attach(t, all[2], all[1])
				work(all[0], rng, 400)
				inStep(t, all...)
				if got := infoOf(all[0], "sync_full") + infoOf(all[1], "sync_full"); got != "11" {
					t.Errorf("full synchronizations: %s", got)
				}
			})
		}
	}
}

// A replica becomes the master and the master its replica, between us and Redis both ways, and
// nothing is sent again.
func TestPromotion(t *testing.T) {
	for _, kinds := range []string{"oo", "to", "ot", "vo"} {
		t.Run(kinds, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			all := newNodes(t, kinds, "")
			a, b := all[0], all[1]
			work(a, rng, 100)
			attach(t, b, a)
			for range 3 {
				work(a, rng, 60)
				inStep(t, a, b)
				b.call("REPLICAOF", "NO", "ONE")
				attach(t, a, b)
				a, b = b, a
			}
			work(a, rng, 100)
			inStep(t, a, b)
			full := 0
			for _, n := range all {
				k, _ := strconv.Atoi(infoOf(n, "sync_full"))
				full += k
			}
			if full != 1 {
				t.Errorf("%d full synchronizations", full)
			}
		})
	}
}

// A cutter is a proxy that breaks connections after so many bytes to the replica.
type cutter struct {
	t      *testing.T
	dir    string
	budget func() int
	cuts   atomic.Int64
	n      atomic.Int64
}

// through returns a connection that what nc carries goes through.
func (c *cutter) through(nc net.Conn) net.Conn {
	path := filepath.Join(c.dir, fmt.Sprint("proxy", c.n.Add(1)))
	ln, err := net.Listen("unix", path)
	if err != nil {
		c.t.Error(err)
		return nc
	}
	defer ln.Close()
	var there net.Conn
	var accepting sync.WaitGroup
	accepting.Go(func() { there, _ = ln.Accept() })
	here, err := net.Dial("unix", path)
	accepting.Wait()
	if err != nil || there == nil {
		c.t.Error("no proxy: ", err)
		return nc
	}
	left := c.budget()
	end := func() {
		_ = nc.Close()
		_ = there.Close()
	}
	go func() {
		defer end()
		buf := make([]byte, 32<<10)
		for {
			n, err := there.Read(buf)
			if err != nil {
				return
			}
			if _, err := nc.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	go func() {
		defer end()
		buf := make([]byte, 1<<10)
		for left != 0 {
			n, err := nc.Read(buf)
			if err != nil {
				return
			}
			if left > 0 {
				n = min(n, left)
				left -= n
			}
			if _, err := there.Write(buf[:n]); err != nil {
				return
			}
		}
		c.cuts.Add(1)
	}()
	return here
}

// A link that breaks at random bytes, in the snapshot and in transactions, loses nothing and
// applies nothing twice, and no client ever sees half of a transaction or of the data.
func TestLinkCut(t *testing.T) {
	for _, mode := range []string{"disabled", "swapdb"} {
		t.Run(mode, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 7))
			var mu sync.Mutex
			c := &cutter{t: t, dir: t.TempDir()}
			calm := false
			c.budget = func() int {
				mu.Lock()
				defer mu.Unlock()
				if calm {
					return -1
				}
				return 1 + rng.IntN(20_000)
			}
			master, replica := newOurs(t, ""), newThrough(t, "repl-diskless-load "+mode, c.through)
			for i := range 300 {
				master.call("SET", fmt.Sprint("key", i), strings.Repeat("v", 10+i%100))
			}
			master.do("MSET a 0 b 0")
			host, port := master.host()
			replica.call("REPLICAOF", host, port)

			stop := make(chan struct{})
			var reading sync.WaitGroup
			reader := replica.dial()
			reading.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					reply, err := reader.Do("MGET", "a", "b", "key1", "key299")
					if err != nil {
						t.Error(err)
						return
					}
					all := reply.Elems
					if len(all) != 4 {
						continue // LOADING
					}
					if all[0].Text != all[1].Text {
						t.Errorf("half of a transaction: %q %q", all[0].Text, all[1].Text)
						return
					}
					if (all[0].Text == "") != (all[2].Text == "") || (all[2].Text == "") != (all[3].Text == "") {
						t.Errorf("half of the data: %v", all)
						return
					}
				}
			})
			for i := range rounds(t, 1000) {
				master.do("MULTI")
				master.call("SET", "a", strconv.Itoa(i))
				master.call("RPUSH", "list", strings.Repeat("x", i%50))
				master.call("SET", "b", strconv.Itoa(i))
				master.do("EXEC")
				master.call("INCR", "n")
				if i%50 == 0 {
					time.Sleep(10 * time.Millisecond)
				}
			}
			mu.Lock()
			calm = true
			mu.Unlock()
			_ = replica.call("CLIENT", "KILL", "TYPE", "master") // or nobody is there
			await(t, "the link", func() bool { return infoOf(replica, "master_link_status") == "up" })
			inStep(t, master, replica)
			close(stop)
			reading.Wait()
			if c.cuts.Load() < 5 {
				t.Errorf("only %d connections were cut", c.cuts.Load())
			}
		})
	}
}
