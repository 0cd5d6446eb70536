package cli

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/clock"
)

// manyKeys is data for the modes that go through all keys.
func manyKeys(t *testing.T, port string) {
	t.Helper()
	fixture(t, port)
	conn, err := client.Dial("tcp", "127.0.0.1:"+port, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range 200 {
		conn.Send("SET", fmt.Sprintf("many:%d \n\"", i), strings.Repeat("v", i))
	}
	for range 200 {
		if reply, err := conn.Receive(); err != nil || reply.IsError() {
			t.Fatalf("%+v, %v", reply, err)
		}
	}
	for _, command := range []string{
		"ACL SETUSER scans on >p ~s* +ping +select +scan +dbsize +type +strlen +memory",
		"ACL SETUSER none on >p +select", "CONFIG SET maxmemory-policy noeviction",
	} {
		if reply, err := conn.Do(strings.Fields(command)...); err != nil || reply.IsError() {
			t.Fatalf("%s: %+v, %v", command, reply, err)
		}
	}
}

// sortLines makes outcomes comparable where the order of types is by chance.
func sortLines(o outcome) outcome {
	lines := strings.Split(o.stdout, "\n")
	slices.Sort(lines)
	o.stdout = strings.Join(lines, "\n")
	return o
}

// TestModesAgainstRedisCLI runs both clients' modes that go through the keys.
func TestModesAgainstRedisCLI(t *testing.T) {
	cli, port := installed(t), startRedis(t)
	manyKeys(t, port)
	for _, line := range []string{
		"--scan", "--scan --no-raw", "--scan --csv", "--scan --json", "--scan --pattern many:1*",
		"--scan -i 0.001",
		"--scan --pattern nothing", "--scan get k", "--scan -n 1", "--scan -n 99",
		"--scan --quoted-pattern many:\\x31*",
		"--bigkeys", "--bigkeys --pattern s*", "--bigkeys -n 1", "--bigkeys --memkeys --scan", "--bigkeys -3",
		"--memkeys", "--memkeys-samples 0", "--memkeys --pattern many:*", "--hotkeys",
		"--user none --pass p --scan", "--user none --pass p --bigkeys", "--user none --pass p --hotkeys",
		"--user scans --pass p --bigkeys", "--user scans --pass p --bigkeys --pattern s",
		"--user none --pass bad --memkeys", "--user none --pass p --stat",
		"-p 1 --scan", "-p 1 --latency", "-p 1 --pipe",
	} {
		args := append([]string{"-p", port, "--no-auth-warning"}, strings.Fields(line)...)
		compare(t, args, sortLines(ours(args, "")), sortLines(theirs(t, cli, args, "")))
	}
}

func TestHotKeysAgainstRedisCLI(t *testing.T) {
	cli, port := installed(t), startRedis(t)
	manyKeys(t, port)
	conn, err := client.Dial("tcp", "127.0.0.1:"+port, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, command := range []string{"CONFIG SET lfu-log-factor 0", "CONFIG SET maxmemory-policy allkeys-lfu"} {
		if reply, err := conn.Do(strings.Fields(command)...); err != nil || reply.IsError() {
			t.Fatalf("%s: %+v, %v", command, reply, err)
		}
	}
	for i := range 40 {
		for range i {
			if _, err := conn.Do("GET", fmt.Sprintf("many:%d \n\"", i*3)); err != nil {
				t.Fatal(err)
			}
		}
	}
	args := []string{"-p", port, "--hotkeys"}
	compare(t, args, ours(args, ""), theirs(t, cli, args, ""))
}

func TestPipeAgainstRedisCLI(t *testing.T) {
	cli, port := installed(t), startRedis(t)
	for _, input := range []string{
		"", "PING", "PING\r\n", "SET a 1\nGET a\n\nINCR a\n", "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
		"FOO\nSET\nLPUSH a b\nPING\n", strings.Repeat("SET k v\r\nLRANGE k 0 1\r\n", 2000),
	} {
		args := []string{"-p", port, "--pipe"}
		compare(t, input[:min(len(input), 40)], ours(args, input), theirs(t, cli, args, input))
	}
}

// swallow is a server that reads until the client has sent its ECHO and then says one thing.
func swallow(t *testing.T, text string, hangUp bool) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no network here: ", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		nc, err := listener.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		var all []byte
		room := make([]byte, 1024)
		for {
			n, err := nc.Read(room)
			if all = append(all, room[:n]...); err != nil {
				return
			}
			if bytes.Contains(all, []byte("ECHO")) && bytes.Count(all, []byte("\r\n")) == 7 {
				_, _ = nc.Write([]byte(text))
				if hangUp {
					return
				}
			}
		}
	}()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// TestPipeEnds shows what ends a transfer that does not get its last reply.
func TestPipeEnds(t *testing.T) {
	quiet := swallow(t, "+OK\r\n-ERR no\x1b\r\n", false)
	const sent = "All data transferred. Waiting for the last reply...\n"
	got := ours([]string{"-p", quiet, "--pipe", "--pipe-timeout", "1"}, "PING\r\n")
	want := outcome{sent + "errors: 2, replies: 2\n", "ERR no\\x1b\nNo replies for 1 seconds: exiting.\n", 1}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	closing := swallow(t, "+OK\r\n", true)
	got = ours([]string{"-p", closing, "--pipe"}, "PING\r\n")
	if got != (outcome{sent, "Error: Server closed the connection\n", 1}) {
		t.Errorf("%+v", got)
	}
}

// A limited writer is a reader that goes away after so many bytes.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errors.New("nobody reads")
	}
	return l.Buffer.Write(p)
}

// measured runs a mode with a clock that only sleeping and the server move.
func measured(t *testing.T, left int, answer func(*clock.Manual) string, args ...string) string {
	t.Helper()
	now := clock.NewManual(0)
	port := serve(t, func([]string) (string, bool) { return answer(now), false })
	out := limited{left: left}
	var stderr bytes.Buffer
	p := Program{Clock: now, Sleep: now.Advance}
	p.Main(append([]string{"-p", port}, args...), strings.NewReader(""), &out, &stderr, noEnv)
	if stderr.Len() > 0 {
		t.Errorf("%q: %s", args, &stderr)
	}
	return out.String()
}

// TestLatency: a PING takes 3 ms, then 5, then 3 and so on, and 10 pass between two.
func TestLatency(t *testing.T) {
	for _, tt := range []struct {
		args string
		left int
		want string
	}{
		{"--latency -i 0.1", 1000, "3 5 4.00 8\n"},
		{"--latency --csv -i 0.1", 1000, "3,5,4.00,8\n"},
		{"--latency --json -i 0.1", 1000, "{\"min\": 3, \"max\": 5, \"avg\": 4.00, \"count\": 8}\n"},
		{"--latency --no-raw", 100,
			eraseLine + "min: 3, max: 3, avg: 3.00 (1 samples)" + eraseLine + "min: 3, max: 5, avg: 4.00 (2 samples)"},
		{"--latency-history --csv -i 0.02", 75,
			"3,3,3.00,1\n3,5,4.00,2\n3,5,3.67,3\n -- 0.03 seconds range\n5,5,5.00,1\n"},
	} {
		calls := 0
		got := measured(t, tt.left, func(now *clock.Manual) string {
			calls++
			now.Advance(time.Duration(5-calls%2*2) * time.Millisecond)
			return "+PONG\r\n"
		}, strings.Fields(tt.args)...)
		if got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.args, got, tt.want)
		}
	}
}

func TestStat(t *testing.T) {
	calls := int64(0)
	got := measured(t, 500, func(*clock.Manual) string {
		calls++
		text := fmt.Sprintf("# Clients\r\nconnected_clients:2\r\nblocked_clients:1\r\nused_memory:%d\r\n"+
			"loading:0\r\nrdb_bgsave_in_progress:%d\r\naof_rewrite_in_progress:%d\r\n"+
			"total_connections_received:7\r\ntotal_commands_processed:%d\r\n"+
			"db0:keys=%d,expires=1,avg_ttl=0\r\ndb12:keys=5,expires=0\r\ndbx:keys=3\r\n",
			int64(600)<<(10*calls-10), calls&1, calls>>1&1, calls*calls, calls)
		return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
	}, "--stat")
	want := statHead +
		"6          600B     2       1       1 (+0)              7           SAVE\n" +
		"7          600.00K  2       1       4 (+3)              7           AOF\n" +
		"8          600.00M  2       1       9 (+5)              7           SAVE+AOF\n" +
		"9          600.00G  2       1       16 (+7)             7           \n"
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, row := range []int{statHeadRows} {
		calls = 0
		got := measured(t, 5000, func(*clock.Manual) string { calls++; return "$0\r\n\r\n" }, "--stat")
		lines := strings.SplitAfter(got, "\n")
		if head := lines[row+2] + lines[row+3]; head != statHead {
			t.Errorf("behind %d rows there is %q", row, head)
		}
	}
}

func TestIntrinsicLatency(t *testing.T) {
	got := ours([]string{"--intrinsic-latency", "0.01"}, "")
	if got.code != 0 || !strings.Contains(got.stdout, " total runs (avg latency: ") ||
		!strings.Contains(got.stdout, "Max latency so far: ") || got.stderr != "" {
		t.Errorf("%+v", got)
	}
}

// TestScanOptions: what the server is asked for.
func TestScanOptions(t *testing.T) {
	var asked []string
	port := serve(t, func(args []string) (string, bool) {
		asked = append(asked, strings.Join(args, " "))
		return "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n", false
	})
	got := ours(strings.Fields("-p "+port+" -4 -t 5 --scan --pattern x* --count 7 --type zset"), "")
	if got != (outcome{"a\n", "", 0}) || !slices.Equal(asked, []string{"SCAN 0 MATCH x* COUNT 7 TYPE zset"}) {
		t.Errorf("%+v after %q", got, asked)
	}
	for _, reply := range []string{"+OK\r\n", "*1\r\n+x\r\n", "*0\r\n"} {
		port := serve(t, func([]string) (string, bool) { return reply, false })
		if got := ours([]string{"-p", port, "--scan"}, ""); got.code != 1 || got.stdout != "" || got.stderr == "" {
			t.Errorf("%q: %+v", reply, got)
		}
	}
}
