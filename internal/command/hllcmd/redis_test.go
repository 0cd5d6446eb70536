package hllcmd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/journal"
)

// TestAgainstRedis sends random commands to a redis-server 7.0 and to us. The replies
// must be the same bytes, and in the end Redis's append-only file must hold what we
// journalled.
func TestAgainstRedis(t *testing.T) {
	r := startRedis(t)
	db := newDB(t)
	var written bytes.Buffer
	db.Shared.Journal.Attach(func(group []journal.Effect) {
		for _, e := range group {
			args := make([]string, len(e.Args))
			for i := range e.Args {
				args[i] = string(e.Args[i])
			}
			written.WriteString(request(args...))
		}
	})
	rng := rand.New(rand.NewPCG(9, 4))
	db.Keyspace.Limits().HLLSparse.Store(1000)
	r.do(t, "CONFIG", "SET", "hll-sparse-max-bytes", "1000")
	for range 5000 {
		args := randomCommand(rng)
		got, want := string(db.Raw([]byte(request(args...)))), r.do(t, args...)
		if got != want {
			t.Fatalf("%.200q:\n got %.200q\nwant %.200q", args, got, want)
		}
	}
	appended := r.appended(t)
	for i := range min(len(appended), written.Len()) {
		if appended[i] != written.Bytes()[i] {
			at := max(0, i-50)
			t.Fatalf("effects:\n got %.200q\nwant %.200q", written.Bytes()[at:], appended[at:])
		}
	}
	if len(appended) != written.Len() {
		t.Errorf("%d bytes of effects, want %d", written.Len(), len(appended))
	}
}

var alternatives = [][]string{{"PFDEBUG", "TODENSE", "bad"}, {"PFMERGE", "bad", "a"},
	{"PFMERGE", "bad", "b"},
	{"PFCOUNT", "a", "bad"}}

// randomCommand writes into the bytes of one key, but adds nothing to it: Redis notices
// damage then only if it comes before the register, and we also some that comes behind.
func randomCommand(rng *rand.Rand) []string {
	pick := func(line string) string {
		words := strings.Split(line, " ")
		return words[rng.IntN(len(words))]
	}
	key := func() string { return pick("a b c d e f") }
	elements := func() (args []string) {
		many := []int{3, 3, 3, 200}[rng.IntN(4)]
		for range rng.IntN(many) {
			args = append(args, strings.Repeat("x", rng.IntN(20))+strconv.Itoa(rng.IntN(3000)))
		}
		return args
	}
	switch rng.IntN(12) {
	case 0:
		return []string{pick("DEL DEL TYPE PFSELFTEST"), key()}
	case 1:
		return []string{"PFDEBUG", pick("DECODE ENCODING TODENSE GETREG nope"), key()}
	case 2:
		return []string{"PFMERGE", key(), key(), key(), key()}[:2+rng.IntN(4)]
	case 3:
		args := []string{"PFCOUNT", key(), key(), key(), "bad"}
		return args[:2+rng.IntN(4)]
	case 4:
		damage := strings.Repeat(string([]byte{byte(rng.Uint32())}), rng.IntN(3))
		return []string{"SETRANGE", "bad", strconv.Itoa(14 + rng.IntN(20)), damage}
	case 5:
		return []string{pick("PFCOUNT PFMERGE GET STRLEN"), "bad"}
	case 6:
		return alternatives[rng.IntN(len(alternatives))]
	case 7:
		if rng.IntN(4) == 0 {
			return []string{"DEL", "bad"}
		}
		return []string{"GET", key()}
	case 8:
		return []string{"PFCOUNT", key()}
	default:
		return append([]string{"PFADD", key()}, elements()...)
	}
}

func request(args ...string) string {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	return string(b)
}

// A redisServer is a redis-server 7.0 with an append-only file.
type redisServer struct {
	dir  string
	conn net.Conn
	in   *bufio.Reader
}

func startRedis(t *testing.T) *redisServer {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server is installed to compare with")
	}
	version, err := exec.CommandContext(t.Context(), program, "--version").Output()
	if err != nil || !strings.Contains(string(version), "v=7.0.") {
		t.Skipf("the installed redis-server is not a 7.0: %s", version)
	}
	r := &redisServer{dir: t.TempDir()}
	socket := filepath.Join(r.dir, "s")
	server := exec.CommandContext(t.Context(), program, "--port", "0", "--unixsocket", socket, "--save", "",
		"--dir", r.dir, "--appendonly", "yes", "--appendfsync", "no")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = server.Wait() // it was killed, and says so
	})
	for range 500 {
		if r.conn, err = net.Dial("unix", socket); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.conn.Close() })
	r.in = bufio.NewReader(r.conn)
	return r
}

// do sends a command and returns the bytes of its reply.
func (r *redisServer) do(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := io.WriteString(r.conn, request(args...)); err != nil {
		t.Fatal(err)
	}
	var reply bytes.Buffer
	if err := copyReply(&reply, r.in); err != nil {
		t.Fatal(err)
	}
	return reply.String()
}

func copyReply(to *bytes.Buffer, in *bufio.Reader) error {
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	to.WriteString(line)
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch {
	case line[0] == '$' && n >= 0:
		_, err = io.CopyN(to, in, int64(n)+2)
	case line[0] == '*':
		for range n {
			if err := copyReply(to, in); err != nil {
				return err
			}
		}
	}
	return err
}

// appended is what the append-only file holds behind its first SELECT.
func (r *redisServer) appended(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, "appendonlydir", "appendonly.aof.1.incr.aof"))
	if err != nil {
		t.Fatal(err)
	}
	_, data, found := bytes.Cut(data, []byte("SELECT\r\n$1\r\n0\r\n"))
	if !found {
		t.Fatalf("the append-only file begins with %.100q", data)
	}
	return data
}
