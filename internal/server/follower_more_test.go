package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

// What a replica refuses, and what it does not.
func TestReplicasGates(t *testing.T) {
	master, replica := newOurs(t, ""), newOurs(t, "")
	master.do("SET k v")
	blocked := replica.dial()
	if err := errors.Join(blocked.Send("BLPOP", "list", "0"), blocked.Flush()); err != nil {
		t.Fatal(err)
	}
	await(t, "the client that waits", func() bool { return replica.info("blocked_clients") == "1" })
	attach(t, replica, master)
	reply, err := blocked.Receive()
	if err != nil || !strings.HasPrefix(reply.Text, "UNBLOCKED") {
		t.Errorf("the client that waited: %q %v", reply.Text, err)
	}
	const readOnly = "READONLY You can't write against a read only replica."
	host, port := master.host()
	for _, tt := range []struct{ words, want string }{
		{"SET k w", readOnly},
		{"GET k", "v"},
		{"MULTI", "OK"},
		{"SET k w", readOnly},
		{"EXEC", "EXECABORT Transaction discarded because of previous errors."},
		{"REPLICAOF " + host + " " + port, "OK Already connected to specified master"},
		{"REPLICAOF " + host + " x", "ERR Invalid master port"},
		{"FAILOVER", "ERR FAILOVER is not valid when server is a replica."},
		{"CONFIG SET replica-read-only no", "OK"},
		{"SET own 1", "OK"},
		{"SET short v PX 1", "OK"},
		{"SET long v EX 1000", "OK"},
		{"CONFIG SET replica-read-only yes", "OK"},
	} {
		if got := replica.do(tt.words); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.words, got, tt.want)
		}
	}
	if got := master.call("EXISTS", "own"); got != "0" {
		t.Error("a replica's own write came to its master")
	}
	await(t, "the end of its own key", func() bool { return replica.call("DBSIZE") == "3" })
	if a, b := replica.call("EXISTS", "long"), replica.info("slave_expires_tracked_keys"); a != "1" || b != "1" {
		t.Errorf("EXISTS %s, %s tracked", a, b)
	}
	replica.do("CONFIG SET replica-read-only no")
	replica.do("DEL long")
	replica.do("CONFIG SET replica-read-only yes")

	// Expired keys are unseen and stay, until the master says that they go.
	master.do("DEBUG SET-ACTIVE-EXPIRE 0")
	master.do("SET gone v PX 1")
	inStepOffsets(t, master, replica)
	time.Sleep(5 * time.Millisecond)
	if a, b := replica.call("EXISTS", "gone"), replica.call("DBSIZE"); a != "0" || b != "3" {
		t.Errorf("an expired key: EXISTS %s, DBSIZE %s", a, b)
	}
	master.do("GET gone")
	inStepOffsets(t, master, replica)
	if b := replica.call("DBSIZE"); b != "2" {
		t.Errorf("DBSIZE %s", b)
	}

	// Without its master.
	replica.do("CONFIG SET replica-serve-stale-data no")
	if got := replica.do("GET k"); got != "v" {
		t.Errorf("with a link: %q", got)
	}
	replica.do("MULTI")
	replica.do("GET k")
	if got := replica.dial().do("REPLICAOF /nowhere 1"); got != "OK" {
		t.Error(got)
	}
	const down = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
	for _, tt := range []struct{ words, want string }{
		{"EXEC", "EXECABORT Transaction discarded because of: " + down},
		{"GET k", down},
		{"PING", down},
		{"INFO nothing", ""},
		{"CONFIG SET replica-serve-stale-data yes", "OK"},
		{"GET k", "v"},
		{"REPLICAOF NO ONE", "OK"},
		{"SET k w", "OK"},
	} {
		if got := replica.do(tt.words); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.words, got, tt.want)
		}
	}
}

// inStepOffsets waits until a replica has executed what its master has done.
func inStepOffsets(t *testing.T, master, replica node) {
	t.Helper()
	await(t, "the stream", func() bool {
		return infoOf(replica, "slave_repl_offset") == infoOf(master, "master_repl_offset")
	})
}

// A fakeMaster sends what it is told in place of a snapshot.
type fakeMaster struct {
	path     string
	snapshot []byte
	asked    chan string
}

func newFakeMaster(t *testing.T, snapshot []byte) *fakeMaster {
	m := &fakeMaster{path: filepath.Join(t.TempDir(), "s"), snapshot: snapshot, asked: make(chan string, 100)}
	ln, err := net.Listen("unix", m.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go m.serve(nc)
		}
	}()
	return m
}

func (m *fakeMaster) serve(nc net.Conn) {
	defer nc.Close()
	in := bufio.NewScanner(nc)
	for in.Scan() {
		switch line := strings.ToUpper(in.Text()); line {
		case "PING":
			fmt.Fprint(nc, "+PONG\r\n")
		case "REPLCONF":
			fmt.Fprint(nc, "+OK\r\n")
		case "PSYNC":
			m.asked <- line
			fmt.Fprintf(nc, "+FULLRESYNC %s 5\r\n$%d\r\n%s", strings.Repeat("f", 40), len(m.snapshot), m.snapshot)
		}
	}
}

// A master that sends something that is no snapshot, or one that is damaged anywhere, changes
// nothing: the old data stay as they are.
func TestDamagedSnapshot(t *testing.T) {
	source := newOurs(t, "")
	for i := range 20 {
		source.call("SET", fmt.Sprint("new", i), strings.Repeat("n", i*20))
	}
	source.do("SAVE")
	good, err := os.ReadFile(filepath.Join(filepath.Dir(source.path), "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"disabled", "swapdb"} {
		for _, damage := range []func(b []byte) []byte{
			func(b []byte) []byte { return b[:len(b)-1] },
			func(b []byte) []byte { return b[:len(b)/2] },
			func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
			func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
			func([]byte) []byte { return []byte("REDIS0010 is what it looks like") },
			func([]byte) []byte { return nil },
		} {
			replica := newOurs(t, "repl-diskless-load "+mode)
			for i := range 10 {
				replica.call("SET", fmt.Sprint("old", i), "v")
			}
			before := replica.do("DEBUG DIGEST")
			m := newFakeMaster(t, damage(bytes.Clone(good)))
			replica.call("REPLICAOF", m.path, "1")
			<-m.asked
			<-m.asked // it has come again, so it is through with the first
			var after string
			await(t, "the old data", func() bool {
				after = replica.do("DEBUG DIGEST")
				return !strings.HasPrefix(after, "LOADING")
			})
			if after != before {
				t.Errorf("%s: other data are there: %s keys", mode, replica.call("DBSIZE"))
			}
			entries, _ := filepath.Glob(filepath.Join(filepath.Dir(replica.path), "temp-*"))
			if len(entries) > 1 { // one may be under way
				t.Errorf("%s: files are left: %q", mode, entries)
			}
			replica.call("REPLICAOF", "NO", "ONE")
		}
	}
}

// A snapshot that names another history or position than the master's reply is not believed:
// one of the two is damaged, and the snapshot has a checksum.
func TestSnapshotOfAnotherPlace(t *testing.T) {
	master, replica := newOurs(t, ""), newOurs(t, "")
	master.do("SET new v")
	attach(t, replica, master)
	inStepOffsets(t, master, replica)
	replica.do("SAVE")
	snapshot, err := os.ReadFile(filepath.Join(filepath.Dir(replica.path), "dump.rdb"))
	if err != nil || !bytes.Contains(snapshot, []byte("repl-id")) {
		t.Fatalf("%v: the snapshot names no place", err)
	}
	for _, mode := range []string{"disabled", "swapdb"} {
		r := newOurs(t, "repl-diskless-load "+mode)
		m := newFakeMaster(t, snapshot)
		r.call("REPLICAOF", m.path, "1")
		<-m.asked
		if got := <-m.asked; got != "PSYNC" {
			t.Errorf("%s: %q", mode, got)
		}
		if infoOf(r, "master_link_status") != "down" {
			t.Errorf("%s: it is connected", mode)
		}
		r.call("REPLICAOF", "NO", "ONE")
	}
}

// However many keys a replica has of its own, a round looks at some, and rounds come to all.
func TestManyOwnKeys(t *testing.T) {
	r := newOurs(t, "")
	const n = 3 * ownLook
	for i := range n {
		r.follower.own.wrote([]command.Effect{{Args: [][]byte{[]byte("SET"), fmt.Append(nil, i), []byte("v")}}})
	}
	r.follower.ownCron()
	if left := r.follower.own.len(); left < n-2*ownLook {
		t.Errorf("%d of %d are left after a round", left, n)
	}
	await(t, "the end", func() bool { r.follower.ownCron(); return r.follower.own.len() == 0 })
}

// What the master sends to a replica whose clients may not write waits too, and then comes to
// the replica and its stream as if nothing had been: a transaction that is cut by it as well.
func TestPausedReplica(t *testing.T) {
	master, replica := newOurs(t, ""), newOurs(t, "")
	attach(t, replica, master)
	for _, mode := range []string{"100000 WRITE", "100 ALL"} {
		master.do("SET k 1")
		inStepOffsets(t, master, replica)
		at := infoOf(replica, "slave_repl_offset")
		if got := replica.do("CLIENT PAUSE " + mode); got != "OK" {
			t.Fatal(got)
		}
		for _, words := range []string{"SET k 2", "MULTI", "INCR k", "SADD s v", "EXEC"} {
			master.do(words)
		}
		if strings.HasSuffix(mode, "WRITE") { // else nothing can be asked, not even to end it
			await(t, "the stream", func() bool {
				return infoOf(replica, "slave_read_repl_offset") == infoOf(master, "master_repl_offset")
			})
			if got := replica.do("GET k"); got != "1" || infoOf(replica, "slave_repl_offset") != at {
				t.Errorf("k is %s, the offset %s, and was %s", got, infoOf(replica, "slave_repl_offset"), at)
			}
			if got := replica.do("CLIENT UNPAUSE"); got != "OK" {
				t.Fatal(got)
			}
		}
		inStep(t, master, replica)
		if a, b := infoOf(replica, "slave_read_repl_offset"), infoOf(replica, "slave_repl_offset"); a != b {
			t.Errorf("%s was read and %s executed", a, b)
		}
		if got := infoOf(replica, "unexpected_error_replies"); got != "0" {
			t.Errorf("%s commands failed", got)
		}
	}
	if got := infoOf(master, "sync_full"); got != "1" {
		t.Errorf("%s full synchronizations", got)
	}
}

// Who ends a pause, or begins one, does not end that of a failover: nothing is written in it.
func TestPauseOfFailoverStays(t *testing.T) {
	master, replica := newOurs(t, ""), newOurs(t, "")
	attach(t, replica, master)
	inStepOffsets(t, master, replica)
	master.keyspace.Exclusive(nil, func() { master.follower.pauseWrites(true) })
	for _, words := range []string{"CLIENT UNPAUSE", "CLIENT PAUSE 50 ALL"} {
		if got := master.do(words); got != "OK" {
			t.Fatal(got)
		}
	}
	if got := master.do("GET k"); got != "" { // when only writes are held back
		t.Errorf("k is %q", got)
	}
	writer := master.dial()
	if err := errors.Join(writer.Send("SET", "k", "v"), writer.Flush()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(150 * time.Millisecond) // of a tick, and more
	if got := master.do("GET k"); got != "" {
		t.Errorf("k is %q", got)
	}
	master.keyspace.Exclusive(nil, func() { master.follower.pauseWrites(false) })
	if reply, err := writer.Receive(); err != nil || reply.Text != "OK" {
		t.Errorf("%v, %v", reply, err)
	}
}

// again starts a server anew with the data of one that has ended.
func again(t *testing.T, old *ours) *ours {
	t.Helper()
	old.Server.Close()
	r := startAgain(t, filepath.Dir(old.path), dialing(nil))
	return &ours{running: r, conn: r.dial()}
}

// A replica that is started again goes on where its snapshot says, in the database that the
// stream had selected; its master is in its file.
func TestReplicaRestarts(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	master, replica := newOurs(t, ""), newOurs(t, "")
	attach(t, replica, master)
	work(master, rng, 100)
	master.do("SELECT 3")
	master.do("SET x 1")
	inStepOffsets(t, master, replica)
	if got := replica.do("CONFIG REWRITE"); got != "OK" {
		t.Fatal(got)
	}
	replica.do("SAVE")
	master.do("SET x 2") // without a SELECT in front
	replica = again(t, replica)
	await(t, "the link", func() bool { return infoOf(replica, "master_link_status") == "up" })
	inStep(t, master, replica)
	if a, b := infoOf(master, "sync_full"), infoOf(master, "sync_partial_ok"); a != "1" || b != "1" {
		t.Errorf("%s full synchronizations and %s partial ones", a, b)
	}
}

// A replica's append-only file holds what the replica has, also in the middle of a stream.
func TestReplicaWithFile(t *testing.T) {
	for _, mode := range []string{"disabled", "swapdb"} {
		rng := rand.New(rand.NewPCG(12, 1))
		master := newOurs(t, "")
		replica := newOurs(t, "appendonly yes\nrepl-diskless-load "+mode)
		replica.do("SET old data")
		master.do("SELECT 2")
		master.do("SET x 1")
		attach(t, replica, master)
		work(master, rng, 150)
		master.do("SELECT 2")
		for range 30 {
			master.do("INCR x")
		}
		inStep(t, master, replica)
		want := replica.do("DEBUG DIGEST")
		await(t, "the file's base", func() bool {
			return replica.info("aof_rewrite_in_progress") == "0" && replica.info("aof_current_size") != "0"
		})
		replica = again(t, replica)
		if got := replica.do("DEBUG DIGEST"); got != want {
			t.Errorf("%s: %s keys after the restart", mode, replica.call("DBSIZE"))
		}
	}
}

// A failover hands the role over while clients write: nothing that was acknowledged is lost.
func TestFailover(t *testing.T) {
	a, b := newOurs(t, ""), newOurs(t, "")
	_, port := addressOf(t, b, &theirs{}) // by which a finds b
	host, aPort := addressOf(t, a, &theirs{})
	b.call("REPLICAOF", host, aPort)
	attachless(t, b)
	a.do("SET n 0")
	inStepOffsets(t, a, b)
	writer := a.dial()
	ended := make(chan int)
	go func() {
		n := 0
		for {
			reply, err := writer.Do("INCR", "n")
			if err != nil || reply.IsError() {
				ended <- n
				return
			}
			n++
		}
	}()
	time.Sleep(20 * time.Millisecond)
	if got := a.call("FAILOVER", "TO", host, port, "TIMEOUT", "10000"); got != "OK" {
		t.Fatal(got)
	}
	await(t, "the failover", func() bool { return infoOf(a, "master_failover_state") == "no-failover" })
	n := <-ended
	attachless(t, a)
	inStep(t, b, a)
	if got := b.call("GET", "n"); got != fmt.Sprint(n) {
		t.Errorf("%s increments are there, %d were acknowledged", got, n)
	}
	if got := infoOf(b, "sync_full") + infoOf(b, "sync_partial_ok"); got != "01" {
		t.Errorf("synchronizations: %s", got)
	}
}

// A Redis hands its role over to us, and we hand it back, without a full synchronization.
func TestFailoverWithRedis(t *testing.T) {
	a, b := newTheirs(t), newOurs(t, "")
	_, port := addressOf(t, b, a)
	attach(t, b, a)
	a.do("SET k v")
	inStep(t, a, b)
	if got := a.call("FAILOVER", "TO", "127.0.0.1", port, "TIMEOUT", "10000"); got != "OK" {
		t.Fatal(got)
	}
	await(t, "our promotion", func() bool { return infoOf(b, "role") == "master" })
	attachless(t, a)
	b.do("SET k w")
	inStep(t, b, a)
	if got := b.call("FAILOVER", "TO", "127.0.0.1", a.port, "TIMEOUT", "10000"); got != "OK" {
		t.Fatal(got)
	}
	await(t, "its promotion", func() bool { return infoOf(a, "role") == "master" })
	attachless(t, b)
	a.do("SET k x")
	inStep(t, a, b)
	if a, b := infoOf(a, "sync_full"), infoOf(b, "sync_full"); a != "1" || b != "0" {
		t.Errorf("full synchronizations: %s and %s", a, b)
	}
}

func attachless(t *testing.T, replica node) {
	t.Helper()
	await(t, "the link", func() bool { return infoOf(replica, "master_link_status") == "up" })
}

// A server that is told to be its own replica, or that of its replica, waits in vain and harms
// nobody.
func TestCircles(t *testing.T) {
	a, b := newOurs(t, ""), newOurs(t, "")
	a.do("SET k v")
	host, port := a.host()
	a.call("REPLICAOF", host, port)
	time.Sleep(30 * time.Millisecond)
	if infoOf(a, "master_link_status") != "down" || a.do("GET k") != "v" {
		t.Error("it is its own replica")
	}
	a.do("REPLICAOF NO ONE")
	attach(t, b, a)
	host, port = b.host()
	a.call("REPLICAOF", host, port)
	time.Sleep(50 * time.Millisecond)
	if a.do("GET k") != "v" || b.do("GET k") != "v" {
		t.Error("the data are gone")
	}
	b.do("REPLICAOF NO ONE")
	attachless(t, a)
	b.do("SET k w")
	inStep(t, b, a)
}

// A master that says nothing any more is given up, and so is one that never says anything.
func TestSilentMaster(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	came := make(chan net.Conn, 10)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			came <- nc
		}
	}()
	r := newOurs(t, "repl-timeout 1")
	r.call("REPLICAOF", ln.Addr().String(), "1")
	first := <-came
	buf := make([]byte, 100)
	if n, err := first.Read(buf); err != nil || string(buf[:n]) != string(resp.AppendCommand(nil, "PING")) {
		t.Fatalf("%q %v", buf[:n], err)
	}
	select {
	case <-came:
	case <-time.After(10 * time.Second):
		t.Error("it waits for ever")
	}
}

// A replica that is not synchronized saves data that belong to no history, so that nobody goes
// on from them.
func TestUnsynchronizedSnapshot(t *testing.T) {
	r := newOurs(t, "")
	r.do("SET k v")
	r.call("REPLICAOF", "/nowhere", "1")
	r.do("SAVE")
	file, err := os.ReadFile(filepath.Join(filepath.Dir(r.path), "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte("repl-id")) {
		t.Error("the snapshot names a history")
	}
	master := newOurs(t, "")
	attach(t, r, master)
	r.do("SAVE")
	if file, err = os.ReadFile(filepath.Join(filepath.Dir(r.path), "dump.rdb")); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(file, []byte(infoOf(master, "master_replid"))) {
		t.Error("the snapshot does not name the master's history")
	}
}

// What the master executed and we cannot is counted and logged, and the stream goes on.
func TestUnexpectedErrors(t *testing.T) {
	master, replica := newOurs(t, ""), newOurs(t, "replica-read-only no")
	attach(t, replica, master)
	replica.do("SET text abc")
	for _, words := range []string{
		"DEBUG REPLICATE fake-command-1", "INCR text", "DEBUG CHANGE-REPL-ID", "SET k v",
	} {
		if got := master.do(words); strings.HasPrefix(got, "ERR") {
			t.Errorf("%s: %s", words, got)
		}
	}
	inStepOffsets(t, master, replica)
	if got := infoOf(replica, "unexpected_error_replies"); got != "2" || replica.do("GET k") != "v" {
		t.Errorf("%s errors", got)
	}
	replica.do("CLIENT KILL TYPE master")
	await(t, "a full synchronization", func() bool { return infoOf(master, "sync_full") == "2" })
	attachless(t, replica)
	inStep(t, master, replica)
}
