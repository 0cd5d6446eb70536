package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A follower of flesh: what a test says as a replica, byte by byte.
type rawReplica struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func (r *running) replica(words ...string) *rawReplica {
	r.t.Helper()
	nc, err := net.Dial("unix", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = nc.Close() })
	c := &rawReplica{nc, r.t, bufio.NewReader(nc)}
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	for _, w := range words {
		if got := c.ask(w); got != "+OK" {
			r.t.Fatalf("%s: %q", w, got)
		}
	}
	return c
}

func (c *rawReplica) send(words string) {
	c.t.Helper()
	if _, err := c.Write(resp.AppendCommand(nil, strings.Fields(words)...)); err != nil {
		c.t.Fatalf("%s: %v", words, err)
	}
}

// line is the next line that is not a newline alone; "" at the connection's end.
func (c *rawReplica) line() string {
	for {
		s, err := c.in.ReadString('\n')
		if err != nil {
			return ""
		}
		if s != "\n" {
			return strings.TrimRight(s, "\r\n")
		}
	}
}

func (c *rawReplica) ask(words string) string {
	c.send(words)
	return c.line()
}

// full takes FULLRESYNC and the snapshot, and returns what was said of the stream.
func (c *rawReplica) full(reply string) (id string, offset int64, snapshot []byte) {
	c.t.Helper()
	var err error
	f := strings.Fields(reply)
	if len(f) != 3 || f[0] != "+FULLRESYNC" {
		c.t.Fatalf("%q", reply)
	}
	id = f[1]
	if offset, err = strconv.ParseInt(f[2], 10, 64); err != nil {
		c.t.Fatal(err)
	}
	return id, offset, c.bulk()
}

func (c *rawReplica) bulk() (snapshot []byte) {
	c.t.Helper()
	head := c.line()
	if mark, ok := strings.CutPrefix(head, "$EOF:"); ok {
		for !bytes.HasSuffix(snapshot, []byte(mark)) {
			b := make([]byte, 64<<10) // nothing follows the mark before the replica has said a word
			n, err := c.in.Read(b)
			if err != nil {
				c.t.Error(err)
				return nil
			}
			snapshot = append(snapshot, b[:n]...)
		}
		return snapshot[:len(snapshot)-len(mark)]
	}
	n, err := strconv.Atoi(strings.TrimPrefix(head, "$"))
	if err != nil {
		c.t.Fatalf("%q", head)
	}
	snapshot = make([]byte, n)
	if _, err := io.ReadFull(c.in, snapshot); err != nil {
		c.t.Fatal(err)
	}
	return snapshot
}

// stream reads as many bytes of the stream as text has, and compares them.
func (c *rawReplica) stream(text string) {
	c.t.Helper()
	b := make([]byte, len(text))
	if n, err := io.ReadFull(c.in, b); err != nil || string(b) != text {
		c.t.Fatalf("%q, %v, want %q", b[:n], err, text)
	}
}

// gone says whether the connection has ended.
func (c *rawReplica) gone() bool {
	_, err := io.Copy(io.Discard, c.in)
	return err == nil || !strings.Contains(err.Error(), "timeout")
}

const (
	disklessNow = "repl-diskless-sync-delay 0\nsave \"\""
	disk        = "repl-diskless-sync no\nsave \"\""
	select0     = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
	setXY       = "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\ny\r\n"
	introduced2 = "REPLCONF capa eof capa psync2"
)

// A full synchronization, both ways, and then the stream.
func TestFullSync(t *testing.T) {
	for _, options := range []string{disklessNow, disk} {
		for _, hello := range []string{introduced2, "REPLCONF capa psync2"} {
			r := start(t, options)
			c := r.dial()
			c.do("SET before 1")
			f := r.replica(hello, "REPLCONF listening-port 7000 ip-address 10.0.0.1")
			id, offset, snapshot := f.full(f.ask("PSYNC ? -1"))
			if id != r.master.History().ID || !bytes.HasPrefix(snapshot, []byte("REDIS00")) ||
				!bytes.Contains(snapshot, []byte("before")) || !bytes.Contains(snapshot, []byte(id)) {
				t.Errorf("stream %s at %d, snapshot %.60q", id, offset, snapshot)
			}
			f.send(fmt.Sprintf("REPLCONF ACK %d", offset))
			c.do("SET x y")
			f.stream(select0 + setXY)
			want := fmt.Sprintf("slave0:ip=10.0.0.1,port=7000,state=online,offset=%d,lag=0", offset)
			if info := c.do("INFO replication"); !strings.Contains(info, want) {
				t.Errorf("no %s in %s", want, info)
			}
			if list := c.do("CLIENT LIST TYPE replica"); !strings.Contains(list, " flags=SU ") {
				t.Errorf("%q", list)
			}
			f.send("REPLCONF ACK 1000000 FACK 7")
			if got := c.doInt("WAIT 1 5000"); got != 1 {
				t.Errorf("WAIT: %d", got)
			}
			if got := c.doInt("CLIENT KILL TYPE slave"); got != 1 || !f.gone() {
				t.Errorf("killed %d", got)
			}
		}
	}
}

// SYNC has no answer but the snapshot, and whoever asked by it need not acknowledge.
func TestOldSync(t *testing.T) {
	r := start(t, disk)
	f := r.replica()
	f.send("SYNC")
	f.bulk()
	c := r.dial()
	c.do("SET x y")
	f.stream(select0 + setXY)
}

// Several replicas that come in time are sent one snapshot; the one that comes later, the
// next. One that wants the snapshot alone is closed behind it.
func TestSharedSnapshot(t *testing.T) {
	r := start(t, "repl-diskless-sync-delay 1\nrepl-diskless-sync-max-replicas 3\nsave \"\"")
	c := r.dial()
	c.do("SET k v")
	var all []*rawReplica
	for range 2 {
		f := r.replica(introduced2)
		f.send("PSYNC ? -1")
		all = append(all, f)
	}
	only := r.replica(introduced2, "REPLCONF rdb-only 1")
	only.send("PSYNC ? -1")
	_, at, first := all[0].full(all[0].line())
	_, at2, second := all[1].full(all[1].line())
	_, _, third := only.full(only.line())
	if at != at2 || !bytes.Equal(first, second) || !bytes.Equal(first, third) {
		t.Errorf("snapshots at %d and %d", at, at2)
	}
	if !only.gone() {
		t.Error("a replica that wanted a snapshot alone is still connected")
	}
	if n := r.master.Full.Load(); n != 3 {
		t.Errorf("%d full synchronizations", n)
	}
}

// A replica that comes back goes on where it stood, as long as the backlog reaches.
func TestPartialSync(t *testing.T) {
	r := start(t, disklessNow+"\nrepl-backlog-size 16kb")
	c := r.dial()
	f := r.replica(introduced2)
	id, offset, _ := f.full(f.ask("PSYNC ? -1"))
	_ = f.Close()
	c.do("SET x y")
	f = r.replica(introduced2)
	if got := f.ask(fmt.Sprintf("PSYNC %s %d", id, offset+1)); got != "+CONTINUE "+id {
		t.Fatalf("%q", got)
	}
	f.stream(select0 + setXY)
	c.do("SET x y")
	f.stream(setXY)
	_ = f.Close()
	old := r.replica()
	if got := old.ask(fmt.Sprintf("PSYNC %s %d", id, offset+1)); got != "+CONTINUE" {
		t.Fatalf("without psync2: %q", got)
	}
	_ = old.Close()
	for range 40 {
		c.do("SET x " + strings.Repeat("v", 1000))
	}
	f = r.replica(introduced2)
	id2, offset2, _ := f.full(f.ask(fmt.Sprintf("PSYNC %s %d", id, offset+1)))
	if id2 != id || offset2 <= offset+40_000 {
		t.Errorf("%s %d after %s %d", id2, offset2, id, offset)
	}
	m := r.master
	if m.Full.Load() != 2 || m.PartialOK.Load() != 2 || m.PartialRefused.Load() != 1 {
		t.Errorf("%d full, %d partial, %d refused", m.Full.Load(), m.PartialOK.Load(), m.PartialRefused.Load())
	}
}

// Whatever a replica says of its history, it gets the stream from an offset that exists, or
// all of the data, and nothing breaks.
func TestHostilePSYNC(t *testing.T) {
	r := start(t, disk)
	c := r.dial()
	first := r.replica()
	id, _, _ := first.full(first.ask("PSYNC ? -1"))
	c.do("SET x y")
	for _, ask := range []string{
		id + " 0", id + " -1", id + " -9223372036854775808", id + " 9223372036854775807",
		id + " 1000000", strings.Repeat("0", 40) + " 1", strings.Repeat("0", 40) + " -1", "? 1",
		strings.Repeat("x", 100_000) + " 1", id[:39] + " 1", "%s%n%d 1", id + "0 1",
	} {
		f := r.replica()
		if got := f.ask("PSYNC " + ask); !strings.HasPrefix(got, "+FULLRESYNC ") {
			t.Errorf("PSYNC %.60s: %.60q", ask, got)
		}
		_ = f.Close()
	}
	f := r.replica()
	for ask, want := range map[string]string{
		"PSYNC " + id + " 1.5":                  "-ERR value is not an integer or out of range",
		"PSYNC " + id + " 99999999999999999999": "-ERR value is not an integer or out of range",
		"PSYNC " + id:                           "-ERR wrong number of arguments for 'psync' command",
		"PSYNC " + id + " 1 FAILOVER":           "-ERR PSYNC FAILOVER can't be sent to a master.",
		"REPLCONF listening-port":               "-ERR syntax error",
		"REPLCONF listening-port x":             "-ERR value is not an integer or out of range",
		"REPLCONF nosuch 1":                     "-ERR Unrecognized REPLCONF option: nosuch",
		"REPLCONF rdb-only 2":                   "-ERR value is out of range, value must between 0 and 1",
		"REPLCONF rdb-filter-only keys":         "-ERR Unsupported rdb-filter-only option: keys",
		"REPLCONF ip-address " + strings.Repeat("1", 300): "-ERR REPLCONF ip-address provided by replica " +
			"instance is too long: 300 bytes",
	} {
		if got := f.ask(ask); got != want {
			t.Errorf("%.60s: %q, want %q", ask, got, want)
		}
	}
	if got := f.ask("PSYNC ? -1"); got != "-ERR Filtered replica requires EOF capability" {
		t.Errorf("%q", got)
	}
	if got := c.do("PING"); got != "PONG" {
		t.Errorf("%q", got)
	}
}

// A replica that reads nothing is closed when it is further behind than it may be.
func TestReplicaThatDoesNotRead(t *testing.T) {
	r := start(t, disk+"\nrepl-backlog-size 16kb\nclient-output-buffer-limit replica 1mb 0 0")
	c := r.dial()
	f := r.replica()
	f.full(f.ask("PSYNC ? -1"))
	value := strings.Repeat("v", 100_000)
	for i := 0; r.master.Replicas() > 0; i++ {
		if i == 1000 {
			t.Fatal("it is still there after 100 MB")
		}
		c.do("SET k " + value)
	}
	if n := r.journal.Held(); n > 4<<20 {
		t.Errorf("%d bytes are held", n)
	}
}

// What waits for a replica is shown, and is no part of what maxmemory is compared with.
func TestMemoryOfReplicas(t *testing.T) {
	r := start(t, disk+"\nrepl-backlog-size 16kb\nhz 100")
	c := r.dial()
	f := r.replica()
	f.full(f.ask("PSYNC ? -1"))
	number := func(field string) int64 {
		n, err := strconv.ParseInt(c.info(field), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	value := strings.Repeat("v", 10_000)
	c.do("SET k " + value)
	before := number("used_memory")
	for range 400 {
		c.do("SET k " + value)
	}
	time.Sleep(50 * time.Millisecond) // of some looks at all sessions
	if n := number("mem_clients_slaves"); n < 3_000_000 || n > 5_000_000 {
		t.Errorf("%d bytes wait", n)
	}
	if n := number("used_memory") - before; n > 20_000 {
		t.Errorf("%d bytes more are used", n)
	}
	_ = f.Close()
	until(t, func() bool { return number("mem_clients_slaves") == 0 })
}

// A replica whose snapshot stands still holds nobody up: neither clients nor, when it is
// given up, those who share the snapshot.
func TestStalledSnapshot(t *testing.T) {
	r := start(t, "repl-diskless-sync-delay 1\nrepl-diskless-sync-max-replicas 2\nsave \"\"\nrepl-timeout 1\n"+
		"rdbcompression no")
	c := r.dial()
	value := strings.Repeat("v", 100_000)
	for i := range 80 {
		c.do(fmt.Sprintf("SET k%d %s", i, value))
	}
	stalled, reads := r.replica(introduced2), r.replica(introduced2)
	stalled.send("PSYNC ? -1")
	reads.send("PSYNC ? -1")
	done := make(chan int)
	go func() {
		_, _, snapshot := reads.full(reads.line())
		done <- len(snapshot)
	}()
	slowest := time.Duration(0)
	for {
		select {
		case n := <-done:
			if n < 100_000 || r.master.Replicas() != 1 {
				t.Errorf("%d bytes, %d replicas", n, r.master.Replicas())
			}
			if slowest > 500*time.Millisecond {
				t.Errorf("a PING took %v", slowest)
			}
			return
		default:
			begin := r.clock.Mono()
			c.do("PING")
			slowest = max(slowest, time.Duration(r.clock.Mono()-begin))
			time.Sleep(time.Millisecond)
		}
	}
}

// Writes are refused while there are too few replicas that have acknowledged lately.
func TestMinReplicas(t *testing.T) {
	r := start(t, disk+"\nmin-replicas-to-write 1\nmin-slaves-max-lag 1")
	c := r.dial()
	const refused = "NOREPLICAS Not enough good replicas to write."
	if got := c.do("SET x y"); got != refused {
		t.Errorf("%q", got)
	}
	f := r.replica()
	_, offset, _ := f.full(f.ask("PSYNC ? -1"))
	f.send(fmt.Sprintf("REPLCONF ACK %d", offset))
	until(t, func() bool { return c.do("SET x y") == "OK" })
	until(t, func() bool { return c.do("SET x y") == refused })
	if got := c.do("GET x"); got != "y" {
		t.Errorf("%q", got)
	}
	_ = c.do("CONFIG SET min-replicas-to-write 0")
	if got := c.do("SET x y"); got != "OK" {
		t.Errorf("%q", got)
	}
}

// The backlog is given up when there is no replica for long, and with it the name.
func TestBacklogTTL(t *testing.T) {
	r := start(t, disk+"\nrepl-backlog-ttl 1")
	c := r.dial()
	f := r.replica()
	id, _, _ := f.full(f.ask("PSYNC ? -1"))
	_ = f.Close()
	until(t, func() bool { return strings.Contains(c.do("INFO replication"), "repl_backlog_active:0") })
	if r.journal.Active() || r.master.History().ID == id {
		t.Error("the journal or the name is what it was")
	}
	_ = c.do("SET x y")
}

// A master that was started again knows its replicas, and tells them of what has expired
// meanwhile.
func TestMasterRestart(t *testing.T) {
	dir := t.TempDir()
	r := startIn(t, dir, disk, Config{})
	f := r.replica()
	id, _, _ := f.full(f.ask("PSYNC ? -1"))
	c := r.dial()
	c.do("DEBUG SET-ACTIVE-EXPIRE 0")
	c.do("SET x y PX 1")
	c.do("ZADD z 1 m")
	c.do("PEXPIRE z 1")
	c.do("SET stays y")
	time.Sleep(5 * time.Millisecond)
	c.do("SAVE")
	offset := r.journal.Appended()
	r.Close()

	r = startIn(t, dir, disk, Config{})
	f = r.replica(introduced2)
	h := r.master.History()
	if got := f.ask(fmt.Sprintf("PSYNC %s %d", id, offset+1)); got != "+CONTINUE "+h.ID || h.ID2 != id {
		t.Fatalf("%q, history %+v", got, h)
	}
	del := func(key string) string { return string(resp.AppendCommand(nil, "DEL", key)) }
	b := make([]byte, len(select0+del("x")+del("z")))
	if _, err := io.ReadFull(f.in, b); err != nil {
		t.Fatal(err)
	}
	if got := string(b); got != select0+del("x")+del("z") && got != select0+del("z")+del("x") {
		t.Errorf("%q", got)
	}
}

// WAIT asks replicas how far they are, and is answered when they say so.
func TestWait(t *testing.T) {
	r := start(t, disk)
	c := r.dial()
	f := r.replica()
	_, offset, _ := f.full(f.ask("PSYNC ? -1"))
	c.do("SET x y")
	f.stream(select0 + setXY)
	got := make(chan int64)
	go func() { got <- c.doInt("WAIT 1 0") }()
	f.stream(string(resp.AppendCommand(nil, "REPLCONF", "GETACK", "*")))
	f.send(fmt.Sprintf("REPLCONF ACK %d", offset+int64(len(select0+setXY))-1))
	select {
	case n := <-got:
		t.Fatalf("WAIT: %d, though a byte is missing", n)
	case <-time.After(50 * time.Millisecond):
	}
	f.send(fmt.Sprintf("REPLCONF ACK %d", offset+int64(len(select0+setXY))))
	if n := <-got; n != 1 {
		t.Errorf("WAIT: %d", n)
	}
	if n := c.doInt("WAIT 2 20"); n != 1 {
		t.Errorf("WAIT of two: %d", n)
	}
	if n := c.do("WAITAOF 1 0 0"); !strings.HasPrefix(n, "ERR WAITAOF cannot be used when numlocal is set") {
		t.Errorf("%s", n)
	}
}

func (c *conn) doInt(words string) int64 {
	c.t.Helper()
	reply, err := c.Do(strings.Fields(words)...)
	if err != nil {
		c.t.Fatalf("%s: %v", words, err)
	}
	return reply.Int
}

func until(t *testing.T, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it never was so")
}

// SHUTDOWN waits until the replica has everything, holds writes back meanwhile, and can be
// called off.
func TestShutdownWaitsForReplicas(t *testing.T) {
	r := start(t, disk)
	c, other := r.dial(), r.dial()
	f := r.replica()
	_, offset, _ := f.full(f.ask("PSYNC ? -1"))
	c.do("SET x y")
	said := make(chan string)
	go func() { said <- c.do("SHUTDOWN NOSAVE") }()
	until(t, func() bool { return r.leavesIn() > 0 })
	if got := other.do("SHUTDOWN ABORT"); got != "OK" {
		t.Errorf("%q", got)
	}
	if got := <-said; got != "ERR Errors trying to SHUTDOWN. Check logs." {
		t.Errorf("%q", got)
	}
	if got := other.do("SET x z"); got != "OK" {
		t.Errorf("%q", got)
	}
	ended := make(chan int)
	go func() { ended <- r.Wait() }()
	send := func(c *conn, words ...string) {
		if err := errors.Join(c.Send(words...), c.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	send(c, "SHUTDOWN", "NOSAVE")
	until(t, func() bool { return r.sessions.Pause.Mode(r.clock.Mono()) == session.PauseWrites })
	send(other, "SET", "x", "lost?")
	select {
	case <-ended:
		t.Fatal("it ended before the replica had everything")
	case <-time.After(50 * time.Millisecond):
	}
	f.send(fmt.Sprintf("REPLCONF ACK %d", offset+int64(len(select0+setXY)+len(setXY))))
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := r.journal.Appended(); got != offset+int64(len(select0+setXY)+len(setXY)) {
		t.Errorf("%d bytes were appended: a write got through", got-offset)
	}
}
