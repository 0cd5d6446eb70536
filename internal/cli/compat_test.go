package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/original"
)

// An outcome is what a run of a client shows to the world.
type outcome struct {
	stdout, stderr string
	code           int
}

func noEnv(string) string { return "" }

// ours runs this package as redis-cli 7.0.15.
func ours(args []string, stdin string) outcome {
	var stdout, stderr bytes.Buffer
	p := Program{Name: "redis-cli", Version: "7.0.15"}
	code := p.Main(args, strings.NewReader(stdin), &stdout, &stderr, noEnv)
	return outcome{stdout.String(), stderr.String(), code}
}

// theirs runs the redis-cli that is installed.
func theirs(t *testing.T, path string, args []string, stdin string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Env = []string{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("redis-cli %q: %v", args, errors.Join(err, ctx.Err()))
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// installed finds redis-cli 7.0, whose output these tests know.
func installed(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Skip("redis-cli is not installed, so there is nothing to compare with")
	}
	version, err := exec.Command(path, "--version").Output()
	if err != nil || !strings.HasPrefix(string(version), "redis-cli 7.0.") {
		t.Skipf("redis-cli is %q, %v, and not 7.0", version, err)
	}
	return path
}

// startRedis runs a server without data and returns its port.
func startRedis(t *testing.T) (port string) {
	t.Helper()
	return original.Redis(t, original.Options{}).Port()
}

// fixture is the data that the commands below find.
func fixture(t *testing.T, port string) {
	t.Helper()
	conn, err := client.Dial("tcp", "127.0.0.1:"+port, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, command := range []string{
		"FLUSHALL", "SET s text", "RPUSH l a b c", "HSET h f v", "SADD set m", "ZADD z 1.5 a 2 b",
		"XADD x 1-1 f v", "SET n 5",
	} {
		if reply, err := conn.Do(strings.Fields(command)...); err != nil || reply.IsError() {
			t.Fatalf("%s: %+v, %v", command, reply, err)
		}
	}
}

func compare(t *testing.T, what any, got, want outcome) {
	t.Helper()
	if got != want {
		t.Errorf("%q:\n got %q %q %d\nwant %q %q %d", what,
			got.stdout, got.stderr, got.code, want.stdout, want.stderr, want.code)
	}
}

// TestCommandsAgainstRedisCLI runs both clients against a Redis server.
func TestCommandsAgainstRedisCLI(t *testing.T) {
	cli, port := installed(t), startRedis(t)
	modes := [][]string{{}, {"--no-raw"}, {"--json"}, {"-3", "--no-raw"}}
	for _, line := range []string{
		"PING", "GET s", "GET none", "SET s new", "INCR n", "RPOP l", "LRANGE l 0 -1", "LRANGE none 0 -1",
		"HGETALL h", "HGETALL none", "SMEMBERS set", "ZRANGE z 0 -1 WITHSCORES", "ZSCORE z a",
		"XRANGE x - +", "XINFO STREAM x", "LPUSH s v", "NOSUCH a b", "GET", "INFO nosuch", "CONFIG GET port",
		"COMMAND INFO get", "COMMAND DOCS get", "EVAL return{1,{2,{'a'}},false} 0", "SELECT 99", "TYPE l",
		"DEBUG PROTOCOL string", "DEBUG PROTOCOL integer", "DEBUG PROTOCOL double", "DEBUG PROTOCOL null",
		"DEBUG PROTOCOL array", "DEBUG PROTOCOL set", "DEBUG PROTOCOL map", "DEBUG PROTOCOL verbatim",
		"DEBUG PROTOCOL true", "DEBUG PROTOCOL false", "help get", "help @string", "help config set",
	} {
		for _, mode := range modes {
			args := slices.Concat([]string{"-p", port}, mode, strings.Fields(line))
			fixture(t, port)
			want := theirs(t, cli, args, "")
			fixture(t, port)
			compare(t, args, ours(args, ""), want)
		}
	}
}

// TestOptionsAgainstRedisCLI does the same for options, and for input of which
// only one mode matters.
func TestOptionsAgainstRedisCLI(t *testing.T) {
	cli, port := installed(t), startRedis(t)
	for _, tt := range []struct {
		args  []string
		stdin string
	}{
		{[]string{"-r", "3", "INCR", "n"}, ""},
		{[]string{"-r", "0", "INCR", "n"}, ""},
		{[]string{"-r", "2", "-i", "0.01", "-D", "|", "PING"}, ""},
		{[]string{"-n", "3", "DBSIZE"}, ""},
		{[]string{"-n", "99", "DBSIZE"}, ""},
		{[]string{"-d", ",", "LRANGE", "l", "0", "-1"}, ""},
		{[]string{"-x", "SET", "s"}, "value\n"},
		{[]string{"-X", "T", "SET", "T", "v"}, "key"},
		{[]string{"-X", "T", "SET", "k", "v"}, "key"},
		{[]string{"-x", "-X", "T", "SET", "k"}, ""},
		{[]string{"-2", "-3", "PING"}, ""},
		{[]string{"-2", "--json", "HGETALL", "h"}, ""},
		{[]string{"-e", "NOSUCH"}, ""},
		{[]string{"-e", "-r", "2", "NOSUCH"}, ""},
		{[]string{"--quoted-input", "SET", `"a\x00b"`, "v"}, ""},
		{[]string{"--quoted-input", "SET", `"a`, "v"}, ""},
		{[]string{"-a", "secret", "PING"}, ""},
		{[]string{"-a", "secret", "-n", "3", "--no-auth-warning", "DBSIZE"}, ""},
		{[]string{"--user", "u", "--pass", "p", "PING"}, ""},
		{[]string{"-u", "redis://u:p%20q@127.0.0.1:" + port + "/2", "PING"}, ""},
		{[]string{"-u", "http://x", "PING"}, ""},
		{[]string{"--askpass", "PING"}, "secret\n"},
		{[]string{"-p", "1", "PING"}, ""},
		{[]string{"-s", "/nonexistent/socket", "PING"}, ""},
		{[]string{"--bogus"}, ""},
		{[]string{"-r"}, ""},
		{[]string{"--show-pushes"}, ""},
		{[]string{"--version"}, ""},
		{[]string{"--no-raw", "SUBSCRIBE"}, ""},
		{[]string{"--no-raw", "MONITOR", "x"}, ""},
		{[]string{"-3", "--no-raw", "--show-pushes", "yes"},
			"CLIENT TRACKING ON\nGET s\nSET s 2\nPING\nFLUSHALL\nPING\n"},
		{nil, "ping\n\n3 incr n\n0 ping\n-1 ping\n99999999999999999999 ping\n3\nquit\nping\n"},
		{[]string{"--no-raw"}, "set a \"x\\x41\\n\"\nget a\n\"unbalanced\nfoo \"bar\"baz\nEXIT\nping"},
		{nil, "multi\nset a 1\nget s\nexec\nmulti\nselect 2\ndiscard\ndbsize\n"},
		{nil, ":set hints\n:set nothing\n:what\n:\nrestart\nclear\nconnect 127.0.0.1 1\nping\n"},
		{nil, "subscribe\nhello 3\nhgetall h\nconfig get port\nreset\nhgetall h"},
		{[]string{"--no-raw", "-n", "2"}, "set a 1\ndbsize\nselect 0\nget a"},
		{[]string{"-p", "1"}, "ping\nping\n"},
	} {
		args := slices.Concat([]string{"-p", port}, tt.args)
		fixture(t, port)
		want := theirs(t, cli, args, tt.stdin)
		fixture(t, port)
		got := ours(args, tt.stdin)
		if strings.Contains(tt.stdin, "hello") { // its reply holds the number of the client
			got.stdout, want.stdout = withoutID(got.stdout), withoutID(want.stdout)
		}
		compare(t, []any{tt.args, tt.stdin}, got, want)
	}
}

func withoutID(s string) string {
	before, after, _ := strings.Cut(s, "\nid ")
	_, after, _ = strings.Cut(after, "\n")
	return before + after
}

// TestShutdownAgainstRedisCLI shows that the server's going away is the answer to
// SHUTDOWN.
func TestShutdownAgainstRedisCLI(t *testing.T) {
	cli := installed(t)
	for _, args := range [][]string{{"SHUTDOWN", "NOSAVE"}, {"SHUTDOWN", "BOGUS"}} {
		want := theirs(t, cli, append([]string{"-p", startRedis(t)}, args...), "")
		compare(t, args, ours(append([]string{"-p", startRedis(t)}, args...), ""), want)
	}
}

// answerWith is a server that answers everything but HELLO with the same bytes,
// and hangs up then if told to. It returns its port.
func answerWith(t *testing.T, answer string, hangUp bool) (port string) {
	t.Helper()
	return serve(t, func(args []string) (string, bool) {
		if strings.EqualFold(args[0], "hello") {
			return "%1\r\n+server\r\n+redis\r\n", false
		}
		return answer, hangUp
	})
}

// serve is a server that answers as the function says. It returns its port.
func serve(t *testing.T, answer func(args []string) (text string, hangUp bool)) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no network here: ", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				r := client.NewReader(nc, client.Limits{})
				for {
					command, err := r.Read()
					if err != nil {
						return
					}
					var args []string
					for _, arg := range command.Elems {
						args = append(args, arg.Text)
					}
					text, hangUp := answer(args)
					if _, err := io.WriteString(nc, text); err != nil || hangUp {
						return
					}
				}
			}()
		}
	}()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// TestRepliesAgainstRedisCLI feeds both clients every type of reply, in shapes
// that no server would send in an afternoon.
func TestRepliesAgainstRedisCLI(t *testing.T) {
	cli := installed(t)
	for _, answer := range []string{
		"+\r\n", "-ERR bad\r\n", ":-9223372036854775808\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "_\r\n",
		"$5\r\na\nb\x1b\xff\r\n", "*0\r\n", "%0\r\n", "~0\r\n", "#t\r\n", "#f\r\n",
		",1.50\r\n", ",-inf\r\n", "=15\r\ntxt:Some string\r\n",
		"*3\r\n*2\r\n$1\r\na\r\n:1\r\n*0\r\n*1\r\n*1\r\n*2\r\n+x\r\n$-1\r\n",
		"*11\r\n" + strings.Repeat("*2\r\n:1\r\n:2\r\n", 11),
		"%2\r\n+a\r\n%2\r\n+b\r\n:1\r\n+c\r\n%0\r\n*2\r\n:1\r\n:2\r\n~2\r\n:1\r\n#t\r\n",
		"*1\r\n%1\r\n+k\r\n*2\r\n+a\r\n*2\r\n+b\r\n+c\r\n", "~2\r\n+a\r\n~1\r\n:1\r\n",
		"*3\r\n%1\r\n+k\r\n*1\r\n:1\r\n%1\r\n+k\r\n*1\r\n*2\r\n:1\r\n:2\r\n%1\r\n+k\r\n=6\r\ntxt:a\n\r\n",
		"*2\r\n-ERR a\r\n:1\r\n", "*1\r\n>1\r\n:1\r\n", ">2\r\n+m\r\n$2\r\na\x1b\r\n+OK\r\n",
		"%4\r\n_\r\n:1\r\n#t\r\n:1\r\n,1.5\r\n:1\r\n=5\r\ntxt:a\r\n:1\r\n",
	} {
		port := answerWith(t, answer, false)
		for _, mode := range []string{"--raw", "--no-raw", "--csv", "--json", "--quoted-json"} {
			args := []string{"-p", port, mode, "X"}
			compare(t, append(args, answer), ours(args, ""), theirs(t, cli, args, ""))
		}
	}
}

// TestBrokenRepliesAgainstRedisCLI feeds both clients what is no reply.
func TestBrokenRepliesAgainstRedisCLI(t *testing.T) {
	cli := installed(t)
	for _, answer := range []string{
		":1x\r\n", ":+5\r\n", ":\r\n", ":9223372036854775808\r\n", ",abc\r\n", "#x\r\n", "_x\r\n", "(12a\r\n",
		"=2\r\nab\r\n", "$-5\r\n", "*99999999999\r\n", "HTTP/1.1 400\r\n", "\x1b[1m\r\n",
		"", "$10\r\nabc", "+a\n", "*2\r\n:1\r\n",
	} {
		args := []string{"-p", answerWith(t, answer, true), "X"}
		compare(t, append(args, answer), ours(args, ""), theirs(t, cli, args, ""))
	}
}
