//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/testenv"
)

// A hostileRow is bytes that no client library sends, and all that comes back. A PING is
// sent behind them: a connection that is still understood answers it.
type hostileRow struct {
	send, want string
	oursOnly   string // why Redis does otherwise
}

// set is a command that must not be executed; hostile input stands before it.
const set = "*3\r\n$3\r\nSET\r\n$8\r\nexecuted\r\n$1\r\n1\r\n"

const (
	pong     = "+PONG\r\n"
	badCount = "-ERR Protocol error: invalid multibulk length\r\n"
	badBulk  = "-ERR Protocol error: invalid bulk length\r\n"
	http     = "" // closed without a word
	lenient  = "Redis does not look at the two bytes behind an argument"
	anyByte  = "Redis takes any byte behind a carriage return for the line feed"
	noNUL    = "Redis looks for the end of a line no further than the first NUL"
)

func unknown(name, args string) string {
	return "-ERR unknown command '" + name + "', with args beginning with: " + args + "\r\n"
}

var hostileRows = []hostileRow{
	// Counts.
	{"*-1\r\n", pong, ""},
	{"*0\r\n", pong, ""},
	{strings.Repeat("*0\r\n", 10_000), pong, ""},
	{"*2147483648\r\n" + set, badCount, ""},
	{"*9223372036854775808\r\n" + set, badCount, ""},
	{"*1e3\r\n" + set, badCount, ""},
	{"*+3\r\n" + set, badCount, ""},
	{"* 3\r\n" + set, badCount, ""},
	{"*03\r\n" + set, badCount, ""},
	{"*3\n" + set, badCount, ""},
	{"*\r\n" + set, badCount, ""},
	{"*3\r\r\n" + set, badCount, anyByte},
	{"*" + strings.Repeat("1", 1<<20), "-ERR Protocol error: too big mbulk count string\r\n", ""},

	// Lengths.
	{"*1\r\n$-1\r\n" + set, badBulk, ""},
	{"*1\r\n$-2\r\n" + set, badBulk, ""},
	{"*1\r\n$536870913\r\n" + set, badBulk, ""},
	{"*1\r\n$9223372036854775807\r\n" + set, badBulk, ""},
	{"*1\r\n$18446744073709551616\r\n" + set, badBulk, ""},
	{"*1\r\n$4x\r\n" + set, badBulk, ""},
	{"*1\r\n$04\r\n" + set, badBulk, ""},
	{"*1\r\n$\r\n" + set, badBulk, ""},
	{"*1\r\n$" + strings.Repeat("1", 1<<20), "-ERR Protocol error: too big bulk count string\r\n", ""},
	{"*1\r\n$4\r\nPINGxx" + set, "-ERR Protocol error: invalid CRLF in request\r\n", lenient},
	{"*1\r\n$4\r\nPING\n\n" + set, "-ERR Protocol error: invalid CRLF in request\r\n", lenient},

	// Types that only replies have.
	{"*3\r\n+SET\r\n" + set, "-ERR Protocol error: expected '$', got '+'\r\n", ""},
	{"*3\r\n:1\r\n" + set, "-ERR Protocol error: expected '$', got ':'\r\n", ""},
	{"*1\r\n*1\r\n" + set, "-ERR Protocol error: expected '$', got '*'\r\n", ""},
	{"*1\r\n%1\r\n" + set, "-ERR Protocol error: expected '$', got '%'\r\n", ""},
	{"+PING\r\n", unknown("+PING", "") + pong, ""},
	{"$4\r\nPING\r\n", unknown("$4", "") + pong + pong, ""},
	{"|1\r\n", unknown("|1", "") + pong, ""},

	// Inline commands.
	{"\r\n\r\n\n\n", pong, ""},
	{"   \r\n", pong, ""},
	{strings.Repeat("\r\n", 100_000), pong, ""},
	{"PING\n", pong + pong, ""},
	{"  PING   'a b'  \r\n", "$3\r\na b\r\n" + pong, ""},
	{`PING "\x00\xff\n"` + "\r\n", "$3\r\n\x00\xff\n\r\n" + pong, ""},
	{"PING \"a\r\n" + set, "-ERR Protocol error: unbalanced quotes in request\r\n", ""},
	{"PING 'a'b\r\n" + set, "-ERR Protocol error: unbalanced quotes in request\r\n", ""},
	{strings.Repeat("x", 1<<20), "-ERR Protocol error: too big inline request\r\n", ""},
	{"*0\r\nPING\r\n*1\r\n$4\r\nPING\r\n\r\nPING\r\n", strings.Repeat(pong, 4), ""},

	// Other protocols.
	{"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n" + set, http, ""},
	{"post / HTTP/1.1\r\n\r\n" + set, http, ""},
	{"Host: localhost\r\n" + set, http, ""},
	{"*1\r\n$5\r\nHost:\r\n" + set, http, ""},
	{"GET / HTTP/1.1\r\nHost: localhost:6379\r\n\r\n" + set, http, ""},
	{"SSH-2.0-OpenSSH_9.2\r\n", unknown("SSH-2.0-OpenSSH_9.2", "") + pong, ""},
	{"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
		unknown("PROXY", "'TCP4' '127.0.0.1' '127.0.0.1' '1' '2' ") + pong, ""},
	{"stats items\r\n", unknown("stats", "'items' ") + pong, ""},
	{"\x16\x03\x01\x00\x05hello\n", unknown("\x16\x03\x01", "") + pong, noNUL},

	// A reply is one line, whatever the argument.
	{"*2\r\n$4\r\na\r\nb\r\n$4\r\nc\r\nd\r\n", unknown("a  b", "'c  d' ") + pong, ""},
}

// wholly is a size of pieces that makes one of every row.
const wholly = 1 << 20

// TestHostileBytes sends each row at once and in pieces, and wants the same of all; and, if
// Debian's Redis is there, the same of that.
func TestHostileBytes(t *testing.T) {
	ours := start(t, t.TempDir(), "--save", "")
	redis := theirs(t)
	for _, row := range hostileRows {
		if got := talk(t, ours.addr(), row.send, wholly); got != row.want {
			t.Errorf("%.60q: got %.200q, want %q", row.send, got, row.want)
		}
		for _, size := range []int{1, 7, 1000} {
			if len(row.send)/size > 200 || row.want == http {
				continue // what is answered before that is noticed depends on the pieces
			}
			if got := talk(t, ours.addr(), row.send, size); got != row.want {
				t.Errorf("%.60q in pieces of %d: got %.200q, want %q", row.send, size, got, row.want)
			}
		}
		if redis == nil || row.oursOnly != "" {
			continue
		}
		if got := talk(t, redis.addr(), row.send, wholly); got != row.want {
			t.Errorf("%.60q: Redis answers %.200q, and the table says %q", row.send, got, row.want)
		}
	}
	c := ours.dial()
	c.want("0", "EXISTS", "executed")
	eventually(t, "the hostile connections are gone", startTimeout, func() bool {
		return c.info("connected_clients") == "1"
	})
}

// theirs is Debian's Redis, or nil.
func theirs(t *testing.T) *process {
	t.Helper()
	const path = "/usr/bin/redis-server"
	if _, err := os.Stat(path); err != nil {
		t.Log("Debian's package redis-server is not installed: the table is compared with ours only")
		return nil
	}
	p := launchProgram(t, t.TempDir(), []string{path}, "--save", "")
	if !p.waitReady() {
		t.Fatalf("Debian's Redis does not start:\n%s", p.out)
	}
	return p
}

// talk sends bytes, size at a time, with PING and QUIT behind them, and returns all that
// comes until the server closes, without QUIT's reply.
func talk(t *testing.T, addr, send string, size int) string {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		t.Fatal(err)
	}
	go func() { // the server may close before it has everything: errors are no news
		all := []byte(send + "PING\r\nQUIT\r\n")
		for piece := range slices.Chunk(all, size) {
			if _, err := nc.Write(piece); err != nil {
				return
			}
		}
	}()
	got, err := io.ReadAll(nc)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("%.60q: %v after %q", send, err, got)
	}
	return strings.TrimSuffix(string(got), "+OK\r\n")
}

// TestSentAndClosed shows that what a client sent before it closed its half of the
// connection is executed and answered: nc does so, and whoever does not wait for replies.
func TestSentAndClosed(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "")
	c := p.dial()
	for i := range 200 {
		nc, err := net.Dial("tcp", p.addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(nc, "INCR sent\r\nINCR sent\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(nc)
		if want := fmt.Sprintf(":%d\r\n:%d\r\n", 2*i+1, 2*i+2); err != nil || string(got) != want {
			t.Fatalf("client %d: got %q (%v), want %q", i, got, err, want)
		}
		_ = nc.Close()
	}
	c.want("400", "GET", "sent")
}

// TestPausedInPieces shows that what arrives while clients are paused, however it is cut, is
// executed afterwards: whole, once and in order.
func TestPausedInPieces(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "")
	c := p.dial()
	const clients, commands = 8, 300
	for _, size := range []int{3, 17, 100, 5000} {
		var stream, want strings.Builder
		for i := range commands {
			arg := itoa(i) + strings.Repeat("x", i%40)
			fmt.Fprintf(&stream, "*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", len(arg), arg)
			fmt.Fprintf(&want, "$%d\r\n%s\r\n", len(arg), arg)
		}
		c.want("OK", "CLIENT", "PAUSE", "200", "ALL")
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				if got := talk(t, p.addr(), stream.String(), size); got != want.String()+pong {
					t.Errorf("pieces of %d: %d bytes came, and they are not the %d that were wanted",
						size, len(got), want.Len()+len(pong))
				}
			})
		}
		all.Wait()
	}
}

// TestUnauthenticatedLimits shows how little is read from who has not said the password.
func TestUnauthenticatedLimits(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "", "--requirepass", "secret")
	const noauth = "-NOAUTH Authentication required.\r\n"
	for _, tt := range [][2]string{
		{"*11\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n"},
		{"*2\r\n$4\r\nPING\r\n$16385\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n"},
		{set, noauth + noauth},
		{"*2\r\n$4\r\nAUTH\r\n$5\r\nwrong\r\n" + set,
			"-WRONGPASS invalid username-password pair or user is disabled.\r\n" + noauth + noauth},
		{"AUTH secret\r\nEXISTS executed\r\n", "+OK\r\n:0\r\n" + pong},
	} {
		if got := talk(t, p.addr(), tt[0], wholly); got != tt[1] {
			t.Errorf("%q: got %q, want %q", tt[0], got, tt[1])
		}
	}
}

// TestManyArguments shows that a command may have as many as a client likes to send.
func TestManyArguments(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "")
	c := p.dial()
	const n = 5000
	fill(c, n)
	names := []string{"MGET"}
	for i := range 2 * n {
		names = append(names, "key:"+itoa(i))
	}
	values := c.do(names...).Elems
	if len(values) != 2*n {
		t.Fatalf("MGET of %d keys has %d values", 2*n, len(values))
	}
	for i, v := range values {
		if want := i >= n; v.IsNull() != want || !want && !strings.HasSuffix(v.Text, itoa(i)) {
			t.Fatalf("key:%d is %q", i, v.Text)
		}
	}
	names[0] = "DEL"
	c.want(itoa(n), names...)
	c.want("0", "DBSIZE")

	began := time.Now() // what each costs does not grow with their number
	for i := range 200_000 {
		names = append(names, itoa(i))
	}
	c.want("0", names...)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("DEL of %d keys takes %v", len(names), took)
	}
}

// TestBigArgument sends the largest value both ways, and wants the memory back when it is
// gone.
func TestBigArgument(t *testing.T) {
	size := testenv.Number(t, "SPINEL_BIG_MB", 64) << 20
	p := start(t, t.TempDir(), "--save", "")
	c := p.dial()
	c.want("OK", "SET", "small", "1")
	before := rss(t, p.cmd.Process.Pid)
	nc, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	block := bytes.Repeat([]byte("0123456789abcdeF"), 4096) // no power of ten divides it
	for round := range 2 {
		sendBig(t, nc, size, block)
		expect(t, nc, []byte("+OK\r\n"))
		if _, err := io.WriteString(nc, "*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n"); err != nil {
			t.Fatal(err)
		}
		expect(t, nc, []byte("$"+itoa(size)+"\r\n"))
		for range size / len(block) {
			expect(t, nc, block)
		}
		expect(t, nc, []byte("\r\n"))
		if held := rss(t, p.cmd.Process.Pid); held < before+int64(size) {
			t.Fatalf("round %d: %d MB are stored in %d MB", round, size>>20, (held-before)>>20)
		}
	}
	c.want(itoa(size), "STRLEN", "big")
	c.want("OK", "FLUSHALL")
	var after int64
	defer func() { t.Logf("%d MB: resident %d MB before, %d MB after", size>>20, before>>20, after>>20) }()
	eventually(t, "the memory goes back", startTimeout, func() bool {
		after = rss(t, p.cmd.Process.Pid)
		return after <= before+64<<20
	})

	// One byte too many is refused before it is sent.
	c.want("OK", "CONFIG", "SET", "proto-max-bulk-len", itoa(size))
	tooBig := "*2\r\n$4\r\nPING\r\n$" + itoa(size+1) + "\r\n"
	if got := talk(t, p.addr(), tooBig, wholly); got != badBulk {
		t.Errorf("an argument of %d bytes: got %q", size+1, got)
	}
}

// sendBig sets the key big to that many bytes, which block repeats.
func sendBig(t *testing.T, nc net.Conn, size int, block []byte) {
	t.Helper()
	if err := nc.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(nc, "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$"+itoa(size)+"\r\n"); err != nil {
		t.Fatal(err)
	}
	for range size / len(block) {
		if _, err := nc.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(nc, "\r\n"); err != nil {
		t.Fatal(err)
	}
}

// expect reads as many bytes as are wanted and compares them.
func expect(t *testing.T, r io.Reader, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil {
		t.Fatalf("%v after %d of %d bytes, %.60q", err, n, len(want), got[:n])
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got %.60q, want %.60q", got, want)
	}
}

// TestHalfCommands leaves commands unfinished on many connections, then breaks them off.
func TestHalfCommands(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "")
	c := p.dial()
	before := rss(t, p.cmd.Process.Pid)
	halves := []string{"*", "*3\r\n", "*3\r\n$3\r\nSET\r\n$8\r\nexecuted\r\n$1000000\r\nabc", "SET execu",
		"*3\r\n$3\r\nSET\r\n$8\r\nexecuted\r\n$1\r\n1\r", "*1000000\r\n$1\r\nx\r\n", "MULTI\r\nSET executed 1\r\n",
		"*2\r\n$4\r\nPING\r\n$400000000\r\n"}
	for round := range 2 {
		var open []*net.TCPConn
		for i := range 50 * len(halves) {
			nc, err := net.Dial("tcp", p.addr())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(nc, halves[i%len(halves)]); err != nil {
				t.Fatal(err)
			}
			open = append(open, nc.(*net.TCPConn))
		}
		eventually(t, "all are connected", startTimeout, func() bool {
			return c.info("connected_clients") == itoa(len(open)+1)
		})
		held := rss(t, p.cmd.Process.Pid)
		t.Logf("round %d: %d half commands hold %d KB", round, len(open), (held-before)>>10)
		if held > before+64<<20 {
			t.Errorf("%d half commands hold %d MB", len(open), (held-before)>>20)
		}
		for _, nc := range open {
			_ = nc.SetLinger(0) // so that closing is a reset
			_ = nc.Close()
		}
		eventually(t, "all are gone", startTimeout, func() bool { return c.info("connected_clients") == "1" })
	}
	c.want("0", "EXISTS", "executed")
	p.stop()
}
