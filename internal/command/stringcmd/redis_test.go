package stringcmd_test

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
	r.do(t, "DEBUG", "SET-ACTIVE-EXPIRE", "0") // so that keys go when they are looked at
	db := newDB(t)
	var written []string
	db.Shared.Journal.Attach(func(group []journal.Effect) {
		for _, e := range group {
			written = append(written, journalLine(e.Args))
		}
	})
	rng := rand.New(rand.NewPCG(7, 2))
	for range 6000 {
		args := randomCommand(rng)
		got, want := string(db.Raw([]byte(request(args...)))), r.do(t, args...)
		if got != want {
			t.Fatalf("%q:\n got %.200q\nwant %.200q", args, got, want)
		}
	}
	compareJournals(t, written, r.appended(t))
}

func compareJournals(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("effect %d is missing: %s", i, want[i])
		case i >= len(want):
			t.Fatalf("effect %d is too much: %s", i, got[i])
		case got[i] != want[i]:
			t.Fatalf("effect %d:\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

// randomCommand is a command of the string group. Times are either long past or far
// away, on both servers' clocks.
func randomCommand(rng *rand.Rand) []string {
	pick := func(line string) string {
		words := strings.Split(line, " ")
		return words[rng.IntN(len(words))]
	}
	key := func() string { return pick("a b c d e") }
	value := func() string {
		return pick("0 1 -1 9223372036854775807 -9223372036854775808 3.5 1e3 inf x hello hellohellohello " +
			"007 12 ohmytext mynewtext  " + strings.Repeat("long", 30))
	}
	number := func() string {
		return pick("0 1 -1 2 3 -3 7 100 -100 9223372036854775807 -9223372036854775808 9223372036854775808 x 1.5 ")
	}
	expiry := func() string {
		return pick("EXAT EX ex") + " 9223372036854776|" + pick("EXAT PXAT EX PX px") + " " +
			pick("-1 0 x 9223372036854775807 9223372036854775808")
	}
	at := func() string { return pick("EXAT PXAT exat") + " " + pick("1 1000 4102444800 9223372036854775") }
	var line string
	switch rng.IntN(20) {
	case 0, 1:
		args := []string{pick("SET set"), key(), value()}
		for range rng.IntN(4) {
			option := pick("NX XX GET get KEEPTTL nonsense PERSIST EX at at at expiry")
			switch option {
			case "at":
				option = at()
			case "expiry":
				option = alternative(rng, expiry())
			}
			args = append(args, strings.Split(option, " ")...)
		}
		return args
	case 2:
		line = pick("GET STRLEN GETDEL PEXPIRETIME PEXPIRETIME") + " " + key()
	case 3:
		line = pick("INCR DECR") + " " + key()
	case 4, 5:
		line = pick("INCRBY DECRBY INCRBYFLOAT") + " " + key() + " " + pick(number()+" "+value())
	case 6:
		return []string{pick("APPEND SETNX GETSET"), key(), value()}
	case 7, 8:
		line = pick("GETRANGE SUBSTR") + " " + key() + " " + number() + " " + number()
	case 9:
		offset := pick("0 1 5 40 -1 536870912 9223372036854775807 x")
		return []string{"SETRANGE", key(), offset, value()}
	case 10:
		line = pick("MSET MSETNX") + " " + key() + " " + pick("1 v") + " " + pick("f g h") + " " + pick("2 w")
	case 11:
		line = alternative(rng, "MSET a|MSET a 1 b|MGET a b c d e f g|MSETNX i 1 i 2|MSETNX|SET|GET a b|GETEX")
	case 12:
		return []string{"GETEX", key(), pick("PERSIST NX KEEPTTL"), pick("EX GET PERSIST")}
	case 13, 14:
		line = "GETEX " + key() + " " + alternative(rng, "PERSIST|"+at()+"|"+at()+"|"+expiry())
	case 15:
		line = pick("SETEX PSETEX") + " " + key() + " " + pick("0 -1 x 9223372036854775807") + " v"
	default:
		line = "LCS " + key() + " " + key() + alternative(rng, "| LEN| IDX| IDX WITHMATCHLEN|"+
			" IDX MINMATCHLEN 2| IDX LEN| MINMATCHLEN| IDX MINMATCHLEN x| WHAT")
	}
	return strings.Split(line, " ")
}

func alternative(rng *rand.Rand, line string) string {
	all := strings.Split(line, "|")
	return all[rng.IntN(len(all))]
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
		"--dir", r.dir, "--appendonly", "yes", "--appendfsync", "no", "--enable-debug-command", "yes")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = server.Wait() // it was killed, and says so
	})
	for range 200 {
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

// appended is what the append-only file holds.
func (r *redisServer) appended(t *testing.T) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, "appendonlydir", "appendonly.aof.1.incr.aof"))
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(bytes.NewReader(data))
	for {
		n, err := readCount(in, '*')
		if err == io.EOF {
			return lines
		}
		args := make([][]byte, n)
		for i := 0; i < n && err == nil; i++ {
			var size int
			size, err = readCount(in, '$')
			args[i] = make([]byte, size+2)
			if err == nil {
				_, err = io.ReadFull(in, args[i])
			}
			args[i] = args[i][:size]
		}
		if err != nil {
			t.Fatal(err)
		}
		if string(args[0]) != "SELECT" {
			lines = append(lines, journalLine(args))
		}
	}
}

func readCount(in *bufio.Reader, kind byte) (int, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("%q does not begin with %q", line, kind)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

func journalLine(args [][]byte) string { return fmt.Sprintf("%q", args) }
