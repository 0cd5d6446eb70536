package bitcmd_test

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
	rng := rand.New(rand.NewPCG(8, 3))
	for range 8000 {
		args := randomCommand(rng)
		got, want := string(db.Raw([]byte(request(args...)))), r.do(t, args...)
		if got != want {
			t.Fatalf("%q:\n got %.200q\nwant %.200q", args, got, want)
		}
	}
	appended := r.appended(t)
	for i := range min(len(appended), written.Len()) {
		if appended[i] != written.Bytes()[i] {
			t.Fatalf("effects:\n got %.200q\nwant %.200q", written.Bytes()[max(0, i-50):], appended[max(0, i-50):])
		}
	}
	if len(appended) != written.Len() {
		t.Errorf("%d bytes of effects, want %d", written.Len(), len(appended))
	}
}

// randomCommand leaves OVERFLOW FAIL out where it decides whether anything is journalled.
func randomCommand(rng *rand.Rand) []string {
	pick := func(line string) string {
		words := strings.Split(line, " ")
		return words[rng.IntN(len(words))]
	}
	key := func() string { return pick("a b c d e missing") }
	number := func() string {
		return pick("0 1 -1 2 3 -3 7 10 -10 17 100 -100 9223372036854775807 -9223372036854775808 x 1.5 ")
	}
	offset := func() string { return pick("0 1 2 3 7 8 9 31 63 64 65 100 199 1000 -1 x 4294967296 #1 #3 #x") }
	kind := func() string {
		return pick("u i") + pick("1 2 3 4 5 7 8 9 13 15 16 31 32 33 48 62 63 63 64 65 0 x")
	}
	value := func() string {
		return pick("0 1 -1 7 8 -8 127 128 -128 -129 255 256 65535 4611686018427387904 -4611686018427387904 " +
			"9223372036854775807 -9223372036854775808 x " + strconv.FormatInt(int64(rng.Uint64()), 10))
	}
	field := func(writes bool) (args []string) {
		for range rng.IntN(6) {
			switch n := rng.IntN(8); {
			case n < 3 || !writes && n < 7:
				args = append(args, pick("GET get"), kind(), offset())
			case n == 7:
				args = append(args, "OVERFLOW", pick("WRAP SAT sat SAT SAT nonsense"))
			default:
				args = append(args, pick("SET INCRBY incrby"), kind(), offset(), value())
			}
		}
		return args
	}
	switch rng.IntN(12) {
	case 0:
		return []string{"SET", key(), pick("0 12 -9223372036854775808 hello " + strings.Repeat("\xff", 40) + " " +
			strings.Repeat("\x00", 50) + "\x10")}
	case 1:
		return []string{pick("GET STRLEN DEL TYPE"), key()}
	case 2:
		return []string{"SETBIT", key(), offset(), pick("0 1 1 2 x")}
	case 3:
		return []string{"GETBIT", key(), offset()}
	case 4, 5:
		args := []string{"BITCOUNT", key(), number(), number(), pick("BIT BYTE bit x"), "more"}
		return args[:pick("2 3 4 4 5 5 5 6")[0]-'0']
	case 6, 7:
		args := []string{"BITPOS", key(), pick("0 1 1 0 2 x"), number(), number(), pick("BIT BYTE byte x"), "more"}
		return args[:pick("3 4 5 5 6 6 6 7")[0]-'0']
	case 8:
		args := []string{"BITOP", pick("AND or XOR NOT NAND"), key(), key(), key(), key(), key()}
		return args[:4+rng.IntN(4)]
	case 9:
		return append([]string{"BITFIELD_RO", key()}, field(rng.IntN(4) == 0)...)
	default:
		return append([]string{"BITFIELD", key()}, field(true)...)
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
