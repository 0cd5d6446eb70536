//go:build linux

package e2e

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// debian is the path of a program of Debian's package redis-tools.
func debian(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath("/usr/bin/" + name)
	if err != nil {
		t.Skip("Debian's package redis-tools is not installed: ", err)
	}
	return path
}

// TestDebianClient shows that Redis's own client cannot tell the server from Redis.
func TestDebianClient(t *testing.T) {
	cli := debian(t, "redis-cli")
	p := start(t, t.TempDir(), "--save", "")
	for _, tt := range []struct {
		args  string
		stdin string
		want  string
	}{
		{"ping", "", "PONG\n"},
		{"set greeting hello", "", "OK\n"},
		{"get greeting", "", "hello\n"},
		{"get missing", "", "\n"},
		{"incr counter", "", "1\n"},
		{"--csv mget greeting missing counter", "", "\"hello\",NULL,\"1\"\n"},
		{"--json mget greeting missing counter", "", "[\"hello\",null,\"1\"]\n"},
		{"-3 --no-raw getex missing", "", "(nil)\n"},
		{"-x set raw", "line 1\nline 2\r\n\x00\xff", "OK\n"},
		{"get raw", "", "line 1\nline 2\r\n\x00\xff\n"},
		{"-n 3 set elsewhere 1", "", "OK\n"},
		{"exists elsewhere", "", "0\n"},
		{"-r 3 incr counter", "", "2\n3\n4\n"},
		{"", "set a 1\nincr a\nget a\nget 'no such key'\n", "OK\n2\n2\n\n"},
		{"", "multi\nincr a\nincr a\nexec\n", "OK\nQUEUED\nQUEUED\n3\n4\n"},
		{"incr", "", "ERR wrong number of arguments for 'incr' command\n\n"},
		{"incr greeting", "", "ERR value is not an integer or out of range\n\n"},
		{"--no-such-thing", "", "Unrecognized option or bad number of args for: '--no-such-thing'\n"},
		{"--scan --pattern gree*", "", "greeting\n"},
		{"--pipe", "SET piped 1\r\n*2\r\n$4\r\nINCR\r\n$5\r\npiped\r\n", "All data transferred. Waiting for the " +
			"last reply...\nLast reply received from server.\nerrors: 0, replies: 2\n"},
		{"get piped", "", "2\n"},
		{"shutdown nosave", "", ""},
	} {
		cmd := exec.Command(cli, append([]string{"-p", strconv.Itoa(p.port)}, strings.Fields(tt.args)...)...)
		cmd.Stdin = strings.NewReader(tt.stdin)
		out, _ := cmd.CombinedOutput() // an error reply makes the exit code 1
		if string(out) != tt.want {
			t.Errorf("redis-cli %s <<< %q\n got %q\nwant %q", tt.args, tt.stdin, out, tt.want)
		}
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d after SHUTDOWN:\n%s", code, p.out)
	}
}

// TestDebianBenchmark shows that Redis's own load generator runs to its end and counts
// what it sent, alone and pipelined, with threads and with random keys.
func TestDebianBenchmark(t *testing.T) {
	benchmark := debian(t, "redis-benchmark")
	p := start(t, t.TempDir(), "--save", "")
	c := p.dial()
	for _, tt := range []struct {
		args  string
		tests int // lines that say how many requests a second
	}{
		{"-t ping,set,get,incr,mset -n 1000 -q", 6}, // ping is two: inline and not
		{"-t set,get -n 2000 -P 16 -c 10 -r 100 -d 200 -q", 2},
		{"-t set,get -n 2000 --threads 2 -q", 2},
		{"-n 1000 -q GETSET k:__rand_int__ v", 1},
	} {
		c.want("OK", "FLUSHALL")
		c.want("OK", "CONFIG", "RESETSTAT")
		var out, words bytes.Buffer
		cmd := exec.Command(benchmark, append([]string{"-p", strconv.Itoa(p.port)}, strings.Fields(tt.args)...)...)
		cmd.Stdout, cmd.Stderr = &out, &words
		if err := cmd.Run(); err != nil {
			t.Errorf("redis-benchmark %s: %v\n%s%s", tt.args, err, &out, &words)
			continue
		}
		if got := strings.Count(out.String(), "requests per second"); got != tt.tests || words.Len() > 0 {
			t.Errorf("redis-benchmark %s: %d results, want %d\n%s%s", tt.args, got, tt.tests, &out, &words)
		}
		if c.do("DBSIZE").Int == 0 || c.info("total_error_replies") != "0" {
			t.Errorf("redis-benchmark %s: %v keys, %s errors", tt.args, c.do("DBSIZE").Int,
				c.info("total_error_replies"))
		}
	}
}
