package setcmd_test

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
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// TestAgainstRedis sends random commands to a redis-server and to us. Replies without an
// order are compared as such; what chance decides is compared by its length, and then the
// other side is told to do the same. SPINEL_STEPS says how many commands, and SPINEL_PEER is
// another program to compare with, such as a valkey-server, which knows sets as listpacks.
func TestAgainstRedis(t *testing.T) {
	steps := 4000
	if n, err := strconv.Atoi(os.Getenv("SPINEL_STEPS")); err == nil {
		steps = n
	}
	// Where an intset may have less than a listpack, the order of a table's members decides.
	for _, limits := range [][3]int64{{512, 128, 64}, {5, 4, 4}, {6, 2, 10}, {0, 0, 0}} {
		p := startPair(t, limits)
		rng := rand.New(rand.NewPCG(uint64(limits[0]), uint64(steps)))
		for i := range steps / 4 {
			p.step(randomCommand(rng))
			if i%10 == 0 && (p.listpacks || limits[1] == 128) {
				p.encodings()
			}
			if t.Failed() {
				t.Fatalf("limits %v, command %d", limits, i)
			}
		}
		for _, key := range keys {
			p.step([]string{"SMEMBERS", key})
		}
	}
}

var keys = []string{"a", "b", "c", "d", "str", "none"}

// randomCommand is a command of the family about few keys and members, with mistakes.
func randomCommand(rng *rand.Rand) []string {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	key := func() string { return pick("a", "b", "c", "d", "a", "b", "c", "d", "str", "none") }
	member := func() string {
		switch rng.IntN(6) {
		case 0:
			return pick("", "01", "-0", "+1", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
				strings.Repeat("x", 64), strings.Repeat("x", 65), "65536", "-40000")
		case 1, 2:
			return pick("u", "v", "w", "x", "y", "z")
		}
		return strconv.Itoa(rng.IntN(12))
	}
	number := func() string {
		return pick("0", "1", "2", "3", "5", "100", "-1", "x", "", "1.0", "9223372036854775807",
			"9223372036854775808", "-9223372036854775808")
	}
	many := func(of func() string, args ...string) []string {
		for range 1 + rng.IntN(6) {
			args = append(args, of())
		}
		return args
	}
	var args []string
	switch rng.IntN(18) {
	case 0, 1, 2:
		args = many(member, "SADD", key())
	case 3, 4:
		args = many(member, "SREM", key())
	case 5:
		args = []string{pick("SISMEMBER", "sismember"), key(), member()}
	case 6:
		args = many(member, "SMISMEMBER", key())
	case 7:
		args = []string{pick("SCARD", "SMEMBERS"), key()}
	case 8:
		args = []string{"SMOVE", key(), key(), member()}
	case 9:
		args = []string{"SPOP", key(), number()}
		args = args[:2+rng.IntN(2)]
	case 10:
		args = []string{"SRANDMEMBER", key(), pick("0", "1", "2", "3", "100", "-1", "-7", "x", "",
			"9223372036854775807", "-9223372036854775808")}
		args = args[:2+rng.IntN(2)]
	case 11, 12:
		args = many(key, pick("SINTER", "SUNION", "SDIFF"))
	case 13, 14, 15:
		args = many(key, pick("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"), pick("a", "b", "c", "d", "d", "str"))
	case 16:
		args = many(key, "SINTERCARD", pick("1", "2", "3", "2", number()))
		if rng.IntN(2) == 0 {
			args = append(args, pick("LIMIT", "limit", "WHAT"), number())
		}
	case 17:
		args = []string{"SSCAN", key(), pick("0", "0", "0", "x", "-"), "COUNT", "1000"}
		if rng.IntN(2) == 0 {
			args = append(args, pick("COUNT", "MATCH", "match", "WHAT"), pick("1000", "*", "1*", "0", "x"))
		}
	}
	if rng.IntN(60) == 0 && args[0] != "SSCAN" {
		args = args[:1+rng.IntN(len(args))]
	}
	if rng.IntN(60) == 0 {
		args = append(args, "more")
	}
	return args
}

// step sends a command to both sides and compares.
func (p *pair) step(args []string) {
	p.t.Helper()
	want := p.ask(args...)
	got := string(p.ours.Raw([]byte(request(args...))))
	if got == want {
		return
	}
	isList := got[0] == '*' && want[0] == '*'
	switch args[0] {
	case "SMEMBERS", "SINTER", "SUNION", "SDIFF", "SSCAN":
		if isList && slices.Equal(sorted(got), sorted(want)) {
			return
		}
	case "SPOP":
		ours, theirs := sorted(got), sorted(want)
		if got[0] == want[0] && len(ours) == len(theirs) && got[0] != '-' {
			p.same(args[1], ours, theirs)
			return
		}
	case "SRANDMEMBER":
		if got[0] == want[0] && len(sorted(got)) == len(sorted(want)) && got[0] != '-' {
			return
		}
	}
	p.t.Errorf("%q:\n got %.300q\nwant %.300q", args, got, want)
}

// same makes our set what theirs is after both have popped what chance chose: what they have
// popped goes, and what we have comes back.
func (p *pair) same(key string, ours, theirs []string) {
	p.t.Helper()
	for _, m := range ours {
		if !slices.Contains(theirs, m) {
			p.ours.Do("SADD", key, m)
			p.ask("SREM", key, m)
			p.ours.Do("SREM", key, m)
		}
	}
	for _, m := range theirs {
		if !slices.Contains(ours, m) {
			p.ask("SREM", key, m)
			p.ours.Do("SREM", key, m)
		}
	}
	if p.listpacks {
		return
	}
	// What is left of a table is a listpack with us and may be an intset in 7.0.
	left := append([]string{"SADD", key}, sorted(p.ask("SMEMBERS", key))...)
	if len(left) > 2 {
		for _, call := range [][]string{{"DEL", key}, left} {
			p.ours.Do(call...)
			p.ask(call...)
		}
	}
}

// encodings compares how both sides keep the sets. We say what Redis 7.0 does, which has
// tables where 7.2 has listpacks.
func (p *pair) encodings() {
	p.t.Helper()
	for _, key := range keys {
		got := string(p.ours.Raw([]byte(request("OBJECT", "ENCODING", key))))
		want := p.ask("OBJECT", "ENCODING", key)
		if key == "str" || got == want {
			continue
		}
		if p.listpacks && want == "$8\r\nlistpack\r\n" && got == "$9\r\nhashtable\r\n" {
			continue
		}
		p.t.Errorf("encoding of %s: got %q, want %q", key, got, want)
	}
}

// sorted is the strings of a reply, sorted.
func sorted(reply string) (all []string) {
	in := bufio.NewReader(strings.NewReader(reply))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		if n, _ := strconv.Atoi(strings.TrimSpace(line[1:])); line[0] == '$' && n >= 0 {
			b := make([]byte, n+2)
			_, _ = io.ReadFull(in, b)
			all = append(all, string(b[:n]))
		}
	}
	slices.Sort(all)
	return all
}

func request(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

// A pair is us and an original, on a socket in its own folder.
type pair struct {
	t         *testing.T
	ours      *cmdtest.DB
	conn      net.Conn
	in        *bufio.Reader
	listpacks bool // the original keeps small sets as listpacks
}

func startPair(t *testing.T, limits [3]int64) *pair {
	t.Helper()
	program := []string{"redis-server"}
	p := &pair{t: t}
	if peer := strings.Fields(os.Getenv("SPINEL_PEER")); len(peer) > 0 {
		program, p.listpacks = peer, true
	}
	if _, err := exec.LookPath(program[0]); err != nil {
		t.Skip("there is no redis-server to compare with")
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	args := append(program[1:], "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir,
		"--set-max-intset-entries", fmt.Sprint(limits[0]))
	if p.listpacks {
		args = append(args, "--set-max-listpack-entries", fmt.Sprint(limits[1]),
			"--set-max-listpack-value", fmt.Sprint(limits[2]))
	}
	server := exec.CommandContext(t.Context(), program[0], args...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait() // it was killed, and says so
	})
	var err error
	for range 500 {
		if p.conn, err = net.Dial("unix", socket); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Skip("the redis-server does not answer")
	}
	t.Cleanup(func() { _ = p.conn.Close() })
	p.in = bufio.NewReader(p.conn)
	p.ours = newDB(t)
	l := p.ours.Keyspace.Limits()
	l.SetIntset.Store(limits[0])
	l.SetEntries.Store(limits[1])
	l.SetValue.Store(limits[2])
	for _, call := range [][]string{{"SET", "str", "v"}} {
		p.ask(call...)
		p.ours.Do(call...)
	}
	return p
}

// ask sends a command to the original and returns the bytes of its reply.
func (p *pair) ask(args ...string) string {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, request(args...)); err != nil {
		p.t.Fatal(err)
	}
	var reply bytes.Buffer
	if err := copyReply(&reply, p.in); err != nil {
		p.t.Fatalf("%q: %v", args, err)
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
