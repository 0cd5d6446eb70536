package benchmark

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/resp"
)

// A recorder is a server that answers every command with the same reply and keeps what it
// was sent.
type recorder struct {
	listener net.Listener
	reply    func(args []string) string // "": close the connection

	mu          sync.Mutex
	commands    []string
	connections int
}

// record starts a recorder. What reply leaves out, as with nil, is answered as by a server
// without options.
func record(t *testing.T, network, address string, reply func(args []string) string) *recorder {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{listener: listener, reply: reply}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wait.Wait()
	})
	return r
}

func (r *recorder) port() string {
	_, port, _ := net.SplitHostPort(r.listener.Addr().String())
	return port
}

func (r *recorder) serve(conn net.Conn) {
	defer conn.Close()
	r.mu.Lock()
	r.connections++
	r.mu.Unlock()
	p := resp.Parser{Split: func(line []byte) ([][]byte, error) { return bytes.Fields(line), nil }}
	limits := resp.Limits{Bulk: 1 << 20}
	var pending []byte
	buffer := make([]byte, 1000) // commands are cut, too
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		pending = append(pending, buffer[:n]...)
		var out strings.Builder
		for {
			raw, used, err := p.Parse(pending, nil, &limits)
			if err != nil || used == 0 {
				break
			}
			var args []string
			for _, arg := range raw {
				args = append(args, string(arg))
			}
			pending = pending[used:]
			reply := r.answer(args)
			if reply == "" {
				return
			}
			out.WriteString(reply)
		}
		if _, err := conn.Write([]byte(out.String())); err != nil {
			return
		}
	}
}

func (r *recorder) answer(args []string) string {
	r.mu.Lock()
	r.commands = append(r.commands, strings.Join(args, " "))
	r.mu.Unlock()
	reply := "+OK\r\n"
	if args[0] == "CONFIG" {
		reply = "*2\r\n$4\r\nname\r\n$2\r\n60\r\n"
	}
	if r.reply != nil {
		if special := r.reply(args); special != "default" {
			return special
		}
	}
	return reply
}

// take returns what came since the last take.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	commands := r.commands
	r.commands = nil
	return commands
}

// accepted is how many connections there were, once there are as many as expected: those
// that sent nothing may be closed before they are accepted.
func (r *recorder) accepted(expected int) int {
	for range 1000 {
		r.mu.Lock()
		n := r.connections
		r.mu.Unlock()
		if n >= expected {
			return n
		}
		time.Sleep(time.Millisecond)
	}
	return -1
}

// drivers are all that there are here.
var drivers = map[string]driver{"system": systemDriver, "goroutines": driveGoroutines}

// ours runs this package against a server.
func ours(drive driver, r *recorder, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	if r.listener.Addr().Network() == "tcp" {
		args = slices.Concat([]string{"-p", r.port()}, args)
	}
	p := Program{Name: "redis-benchmark", drive: drive}
	code = p.Main(args, strings.NewReader("from stdin"), &out, &errs)
	return out.String(), errs.String(), code
}

// TestRequests shows that exactly -n requests arrive, over as many connections as there
// should be, whatever the batches and threads.
func TestRequests(t *testing.T) {
	for name, drive := range drivers {
		for _, tt := range []struct {
			args        string
			set         int // how many SETs there are
			preamble    []string
			connections int // that are not the first
		}{
			{"-n 100 -c 1", 100, nil, 1},
			{"-n 100 -c 7", 100, nil, 7},
			{"-n 3 -c 10", 3, nil, 10},
			{"-n 1000 -c 7 -P 16", 1000, nil, 7},
			{"-n 1000 -c 7 -P 16 --threads 3", 1000, nil, 7},
			{"-n 20 -c 2 --threads 5", 20, nil, 2},
			{"-n 10 -c 1 -k 0", 10, nil, 10},
			{"-n 10 -c 1 -k 0 -P 4 -r 5 -d 5000", 10, nil, 3},
			{"-n 50 -c 1 -P 50 -d 100000", 50, nil, 1}, // more than a socket takes at once
			{"-n 5 -c 1 -a pw --dbnum 3 -3 --user me --enable-tracking", 5,
				[]string{"AUTH me pw", "CLIENT TRACKING on", "SELECT 3", "HELLO 3"}, 1},
			{"-n 2 -c 1 -k 0 -a pw", 2, []string{"AUTH pw", "AUTH pw"}, 2},
		} {
			t.Run(name+" "+tt.args, func(t *testing.T) {
				r := record(t, "tcp", "127.0.0.1:0", nil)
				args := append(strings.Fields(tt.args), "-t", "set", "-q")
				stdout, stderr, code := ours(drive, r, args...)
				warned := stderr != ""
				if code != 0 || !strings.Contains(stdout, "SET: ") || warned != strings.Contains(tt.args, "-k 0") {
					t.Fatalf("%d, %q, %q", code, stdout, stderr)
				}
				var rest []string
				set := 0
				for _, command := range r.take() {
					if strings.HasPrefix(command, "SET key:") {
						set++
					} else if !strings.HasPrefix(command, "CONFIG") {
						rest = append(rest, command)
					}
				}
				if len(tt.preamble) > 0 { // the first connection logs in as well
					tt.preamble = append([]string{tt.preamble[0]}, tt.preamble...)
				}
				n := r.accepted(tt.connections + 1)
				if set != tt.set || !slices.Equal(rest, tt.preamble) || n != tt.connections+1 {
					t.Errorf("%d SETs over %d connections, and %q", set, n-1, rest)
				}
			})
		}
	}
}

// TestUnixSocket shows the other kind of address.
func TestUnixSocket(t *testing.T) {
	for name, drive := range drivers {
		path := filepath.Join(t.TempDir(), "s")
		r := record(t, "unix", path, nil)
		stdout, stderr, code := ours(drive, r, "-s", path, "-n", "10", "-c", "3", "--csv", "-x", "lpush", "l")
		rows := strings.Split(stdout, "\n")
		if code != 0 || stderr != "" || len(rows) != 3 || rows[0]+"\n" != csvHeader ||
			!strings.HasPrefix(rows[1], `"lpush l","`) {
			t.Errorf("%s: %d, %q, %q", name, code, stdout, stderr)
		}
		if n := strings.Count(strings.Join(r.take(), "\n"), "lpush l from stdin"); n != 10 {
			t.Errorf("%s: %d commands", name, n)
		}
	}
}

// TestRunFails shows what ends a run, and that it ends it: also with other threads that
// wait for replies, which never come.
func TestRunFails(t *testing.T) {
	answer := func(command, reply string) func([]string) string {
		return func(args []string) string {
			if strings.Join(args, " ") == command {
				return reply
			}
			return "default"
		}
	}
	for name, drive := range drivers {
		var once sync.Once
		for _, tt := range []struct {
			args   string
			reply  func([]string) string
			stderr string
		}{
			{"get k", answer("get k", "-ERR no\r\n"), "Error from server: ERR no\n"},
			{"get k", answer("get k", ""), "Error: Server closed the connection\n"},
			{"get k", answer("get k", "+a\r\n+b\r\n+c\r\n"), "Error: Protocol error, more replies than requests\n"},
			{"get k", answer("get k", "?\r\n"), "Error: Protocol error, got \"?\" as reply type byte\n"},
			{"-a x get k", answer("AUTH x", "-WRONGPASS no\r\n"), "Node HOST replied with error:\nWRONGPASS no\n"},
			{"-a x get k", answer("AUTH x", ""), "Error: Server closed the connection\n"},
			{"get k", answer("CONFIG GET save", "-NOAUTH a\r\n"), "Node HOST replied with error:\nNOAUTH a\n"},
			{"--dbnum 9 get k", answer("SELECT 9", "-ERR DB\r\n"), "Error from server: ERR DB\n"},
			{"--enable-tracking get k", answer("CLIENT TRACKING on", "-ERR no\r\n"), "Error from server: ERR no\n"},
			{"--threads 3 get k", func(args []string) (reply string) {
				reply = "default"
				if args[0] == "get" {
					reply = "|1\r\n" // and no more
					once.Do(func() { reply = "-ERR once\r\n" })
				}
				return reply
			}, "Error from server: ERR once\n"},
		} {
			r := record(t, "tcp", "127.0.0.1:0", tt.reply)
			_, stderr, code := ours(drive, r, strings.Fields("-q -n 30 -c 3 "+tt.args)...)
			want := strings.ReplaceAll(tt.stderr, "HOST", "127.0.0.1:"+r.port())
			if code != 1 || stderr != want {
				t.Errorf("%s, %s: %d, %q; want %q", name, tt.args, code, stderr, want)
			}
		}
	}
}

// TestWithoutConfig shows that a server without CONFIG is measured all the same.
func TestWithoutConfig(t *testing.T) {
	for _, reply := range []string{"-ERR unknown command\r\n", "*0\r\n", "+OK\r\n", ""} {
		r := record(t, "tcp", "127.0.0.1:0", func(args []string) string {
			if args[0] == "CONFIG" {
				return reply
			}
			return "default"
		})
		stdout, stderr, code := ours(systemDriver, r, "-n", "3", "-c", "1", "-t", "get")
		if code != 0 || stderr != "WARNING: Could not fetch server CONFIG\n" ||
			!strings.Contains(stdout, "\n  3 requests completed in ") ||
			strings.Contains(stdout, "host configuration") {
			t.Errorf("%q: %d, %q, %q", reply, code, stdout, stderr)
		}
	}
}

// TestUnreachable shows the words for servers that are not there.
func TestUnreachable(t *testing.T) {
	r := record(t, "tcp", "127.0.0.1:0", nil)
	r.listener.Close()
	_, stderr, code := ours(systemDriver, r)
	want := "Could not connect to Redis at 127.0.0.1:" + r.port() + ": Connection refused\n"
	if code != 1 || stderr != want {
		t.Errorf("%d, %q; want %q", code, stderr, want)
	}
	var errs bytes.Buffer
	Program{}.Main([]string{"-s", "/nonexistent/socket"}, nil, &bytes.Buffer{}, &errs)
	want = "Could not connect to Redis at /nonexistent/socket: No such file or directory\n"
	if errs.String() != want {
		t.Errorf("%q; want %q", &errs, want)
	}
}

// TestIdle shows that idle connections send nothing, and that one which the server does
// not want ends the program.
func TestIdle(t *testing.T) {
	for name, drive := range drivers {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		first := record(t, "tcp", "127.0.0.1:0", nil) // only for its answers
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			first.serve(conn) // until it is closed
			var open []net.Conn
			for range 3 {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				open = append(open, conn)
			}
			_, _ = open[2].Write([]byte("-ERR max number of clients reached\r\n"))
			for _, conn := range open {
				_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				if n, _ := conn.Read(make([]byte, 10)); n > 0 {
					t.Errorf("%s: an idle connection sent %d bytes", name, n)
				}
				conn.Close()
			}
		}()
		stdout, stderr, code := ours(drive, &recorder{listener: listener}, "-I", "-c", "3")
		if code != 1 || stderr != "Error from server: ERR max number of clients reached\n" ||
			!strings.HasPrefix(stdout, "Creating 3 idle connections and waiting forever (Ctrl+C when done)\n") {
			t.Errorf("%s: %d, %q, %q", name, code, stdout, stderr)
		}
		listener.Close()
	}
}

// TestLatency shows what is taken for the latency of a request: from the write of its
// batch to the read that has its reply.
func TestLatency(t *testing.T) {
	o := defaults()
	o.pipeline, o.requests = 4, 6
	l := newLoad(&o, &scenario{inline: "PING\r\n"}, nil, 0)
	s := newStream(l, &l.tallies[0])
	if batch := s.next(1000_000); string(batch) != strings.Repeat("PING\r\n", 4) {
		t.Fatalf("first batch %q", batch)
	}
	for _, step := range []struct {
		text     string
		at       int64
		complete bool
	}{
		{"+PO", 1500_000, false},
		{"NG\r\n", 2000_000, false},
		{"+PONG\r\n+PONG\r\n+PONG\r\n", 3000_000, true},
		{">0\r\n", 9000_000, false},
	} {
		if complete, err := s.received([]byte(step.text), step.at); complete != step.complete || err != nil {
			t.Errorf("%q: %v, %v", step.text, complete, err)
		}
	}
	if batch := s.next(5000_000); string(batch) != strings.Repeat("PING\r\n", 2) {
		t.Errorf("the last batch: %q", batch)
	}
	finished, micros := l.sums()
	h := s.tally.histogram
	if finished != 4 || micros != 1000+3*2000 || h.Min() != 1000 || h.Max() < 2000 || h.TotalCount() != 4 {
		t.Errorf("%d finished in %d microseconds, from %d to %d", finished, micros, h.Min(), h.Max())
	}
	if batch := s.next(6000_000); batch != nil {
		t.Errorf("after the last batch: %q", batch)
	}
}

// TestRoundAllocs shows that a round of a connection allocates nothing.
func TestRoundAllocs(t *testing.T) {
	o := defaults()
	o.pipeline, o.random, o.keyspace, o.requests = 16, true, 1000, 1<<40
	o.tests = "set"
	chosen, _ := selected(&o)
	l := newLoad(&o, &chosen[0], nil, 0)
	s := newStream(l, &l.tallies[0])
	reply := bytes.Repeat([]byte("+OK\r\n"), 16)
	n := testing.AllocsPerRun(1000, func() {
		s.next(1)
		if complete, err := s.received(reply, 2000); !complete || err != nil {
			t.Fatal(complete, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// normal is what was sent without what differs between two runs: random numbers, and the
// bytes of -d, which are what the lists get.
func normal(commands []string) string {
	text := regexp.MustCompile(`\d{12}`).ReplaceAllString(strings.Join(commands, "\n"), "NUMBER")
	if data := regexp.MustCompile(`LPUSH mylist (\S+)`).FindStringSubmatch(text); data != nil {
		text = strings.ReplaceAll(text, data[1], "DATA")
	}
	return text
}

// TestAgainstRedisBenchmark runs the original and this package against recorders and
// compares what they send, in which order.
func TestAgainstRedisBenchmark(t *testing.T) {
	path, err := exec.LookPath("redis-benchmark")
	if err != nil {
		t.Skip("redis-benchmark is not installed, so there is nothing to compare with")
	}
	version, err := exec.Command(path, "--version").Output()
	if err != nil || !strings.HasPrefix(string(version), "redis-benchmark 7.0.") {
		t.Skipf("redis-benchmark is %q, %v, and not 7.0", version, err)
	}
	const all = "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange,mset"
	for _, line := range []string{
		"-n 2 -c 1 -d 7 -q -t " + all,
		"-n 2 -c 1 -d 7 -r 50 --csv -t " + all,
		"-n 4 -c 1 -P 2 -d 7 -t LRANGE_500,ping_inline",
		"-n 1 -c 1 -q -a pw --user me --dbnum 2 -3 --enable-tracking get k",
		"-n 1 -c 1 -q -r 9 -u redis://pw@HOST/4 set a__rand_int__b__rand_int__",
		"-n 1 -c 1 -q -x set k",
		"-n 3 -c 1 -k 0 -q -t get",
	} {
		var sent [2]string
		for i := range sent {
			r := record(t, "tcp", "127.0.0.1:0", nil)
			args := strings.Fields(strings.ReplaceAll(line, "HOST", "127.0.0.1:"+r.port()))
			if i == 0 {
				if _, stderr, code := ours(systemDriver, r, args...); code != 0 {
					t.Errorf("%s: %d, %q", line, code, stderr)
				}
			} else {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				cmd := exec.CommandContext(ctx, path, slices.Concat([]string{"-p", r.port()}, args)...)
				cmd.Stdin = strings.NewReader("from stdin")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", line, err, out)
				}
				cancel()
			}
			sent[i] = normal(r.take())
		}
		if sent[0] != sent[1] {
			t.Errorf("%s:\n%s\nredis-benchmark:\n%s", line, sent[0], sent[1])
		}
	}
}
