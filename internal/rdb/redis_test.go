package rdb

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/original"
)

// versionRedis7 is what Redis 7.0 writes, and the newest that it reads.
const versionRedis7 = 10

// TestFileOfRedis reads a file that redis-server 7.0.15 wrote, kept here so that
// the test doesn't need one.
func TestFileOfRedis(t *testing.T) {
	data, err := os.ReadFile("testdata/redis-7.0.15.rdb")
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(t, data, Options{Size: int64(len(data))})
	if err != nil {
		t.Fatal(err)
	}
	expires := plainEntry("ttl", "x")
	expires.expire = 4102444800123
	other := plainEntry("other", "12")
	other.db = 3
	wantSameEntries(t, got, []entry{
		plainEntry("hello", "world"), plainEntry("1", "-128"), plainEntry("i8", "127"),
		plainEntry("i16", "-32768"), plainEntry("i16p", "128"), plainEntry("i32", "2147483647"),
		plainEntry("-2147483648", "-2147483648"), plainEntry("big", "2147483648"), plainEntry("007", "-0"),
		plainEntry("lzf", strings.Repeat("a", 52)), plainEntry("twenty", strings.Repeat("a", 20)),
		plainEntry("random", "abcdefghijklmnopqrstuvwxyz"), plainEntry("empty", ""),
		plainEntry("long", strings.Repeat("ab", 50)), expires, other,
	})
}

func wantSameEntries(t *testing.T, got, want []entry) {
	t.Helper()
	order := func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.db, b.db), strings.Compare(a.key, b.key))
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if len(got) != len(want) {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("key %d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

// A redisServer is an original to compare with.
type redisServer struct {
	t      *testing.T
	server *original.Server
}

// startRedis starts a redis-server in dir, which loads dump.rdb if that is there.
func startRedis(t *testing.T, dir string) *redisServer {
	t.Helper()
	for _, program := range []string{"redis-cli", "redis-check-rdb"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("no " + program + " to compare with")
		}
	}
	return &redisServer{t, original.Start(t, "redis-server", "", original.Options{Dir: dir})}
}

// do sends commands, one a line, through redis-cli and returns what it prints, but for the
// times of replies that were slow.
func (s *redisServer) do(commands string, options ...string) string {
	s.t.Helper()
	cmd := exec.Command("redis-cli", append([]string{"-s", s.server.Socket()}, options...)...)
	cmd.Stdin = strings.NewReader(commands)
	out, err := cmd.Output()
	if err != nil {
		return err.Error()
	}
	return slowReply.ReplaceAllString(string(out), "")
}

var slowReply = regexp.MustCompile(`(?m)^\([0-9]+\.[0-9]+s\)\n`)

// quote is a string as redis-cli reads and prints it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if short, ok := quoted[s[i]]; ok {
			b.WriteString(short)
		} else if s[i] < ' ' || s[i] > '~' {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	b.WriteByte('"')
	return b.String()
}

var quoted = map[byte]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\a': `\a`, '\b': `\b`}

// randomEntries are keys and values of every form: any bytes, numbers around
// the limits of each size, text that compresses, some with an expiry, in two
// databases.
func randomEntries(seed uint64, n int) []entry {
	rng := rand.New(rand.NewPCG(seed, 0))
	text := func() string {
		size := rng.IntN(1 << rng.IntN(13))
		switch rng.IntN(4) {
		case 0:
			return fmt.Sprint(int64(rng.Uint64()) >> rng.IntN(64))
		case 1:
			return strings.Repeat(fmt.Sprint(rng.IntN(1000), " "), size/4)
		case 2:
			return fmt.Sprintf("%0*d", 1+rng.IntN(30), rng.IntN(1000))
		default:
			b := make([]byte, size)
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			return string(b)
		}
	}
	var all []entry
	for i := range n {
		x := plainEntry(text(), text())
		if rng.IntN(2) == 0 {
			x.key = fmt.Sprint("key:", i) // a short text alone would often repeat
		}
		if rng.IntN(3) == 0 {
			x.expire = 4102444800000 + int64(rng.Uint32())
		}
		x.db = i / (n/2 + 1) * 9
		if !slices.ContainsFunc(all, func(y entry) bool { return x.db == y.db && x.key == y.key }) {
			all = append(all, x)
		}
	}
	return all
}

// TestRedisReadsOurs gives files of ours to redis-check-rdb and to a
// redis-server, which must find in them what was put there.
func TestRedisReadsOurs(t *testing.T) {
	entries := randomEntries(1, 600)
	for i, form := range stringForms {
		entries = append(entries, entry{9, fmt.Sprint("form:", i), form.s, None, None, None})
	}
	for i := range entries {
		// Redis keeps these only under a policy that uses them, but must read them.
		if i%5 == 0 {
			entries[i].idle = int64(i) * 1000
		} else if i%5 == 1 {
			entries[i].freq = int16(i % 256)
		}
	}
	for _, compress := range []bool{true, false} {
		dir := t.TempDir()
		path := filepath.Join(dir, "dump.rdb")
		if err := os.WriteFile(path, file(versionRedis7, compress, entries), 0o600); err != nil {
			t.Fatal(err)
		}
		redis := startRedis(t, dir)
		out, err := exec.Command("redis-check-rdb", path).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("Checksum OK")) ||
			!bytes.Contains(out, fmt.Appendf(nil, "[info] %d keys read", len(entries))) {
			t.Errorf("redis-check-rdb: %v\n%s", err, out)
		}
		var ask, want strings.Builder
		for _, x := range entries {
			fmt.Fprintf(&ask, "SELECT %d\nGET %s\nPEXPIRETIME %s\n", x.db, quote(x.key), quote(x.key))
			fmt.Fprintf(&want, "OK\n%s\n(integer) %d\n", quote(x.value), x.expire)
		}
		got, wanted := strings.Split(redis.do(ask.String(), "--no-raw"), "\n"), strings.Split(want.String(), "\n")
		for i := range wanted {
			if i >= len(got) || got[i] != wanted[i] {
				t.Fatalf("compress=%v, key %+v: line %d of %d isn't %s", compress, entries[i/3], i, len(got), wanted[i])
			}
		}
	}
}

// TestWeReadRedis reads what a redis-server saved of random keys, and the
// payloads that it gives for DUMP, and it takes ours for RESTORE.
func TestWeReadRedis(t *testing.T) {
	entries := randomEntries(2, 600)
	redis := startRedis(t, t.TempDir())
	var fill strings.Builder
	for _, x := range entries {
		fmt.Fprintf(&fill, "SELECT %d\nSET %s %s\n", x.db, quote(x.key), quote(x.value))
		if x.expire != None {
			fmt.Fprintf(&fill, "PEXPIREAT %s %d\n", quote(x.key), x.expire)
		}
	}
	redis.do(fill.String())
	if got := redis.do("SAVE\n"); got != "OK\n" {
		t.Fatal(got)
	}
	data, err := os.ReadFile(filepath.Join(redis.server.Dir, "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(t, data, Options{Size: int64(len(data))})
	if err != nil {
		t.Fatal(err)
	}
	wantSameEntries(t, got, slices.Clone(entries))

	e := &StringEncoder{Compress: true}
	var ask, want strings.Builder
	for _, x := range entries {
		payload := AppendString([]byte{byte(TypeString)}, []byte(x.value), e)
		payload = AppendDumpFooterOf(payload, 0, versionRedis7)
		fmt.Fprintf(&ask, "RESTORE copy 0 %s REPLACE\nGET copy\n", quote(string(payload)))
		fmt.Fprintf(&want, "OK\n%s\n", quote(x.value))
	}
	if got := redis.do(ask.String(), "--no-raw"); got != want.String() {
		t.Error("not every payload of ours is restored")
	}

	ask.Reset()
	for _, x := range entries {
		fmt.Fprintf(&ask, "SELECT %d\nDUMP %s\n", x.db, quote(x.key))
	}
	var d Decoder
	var rec Record
	replies := strings.Split(redis.do(ask.String(), "--no-raw"), "\n")
	for i, x := range entries {
		payload, err := strconv.Unquote(replies[2*i+1])
		if err != nil {
			t.Fatalf("%s: %v", replies[2*i+1], err)
		}
		dump, err := ParseDump([]byte(payload))
		if err == nil {
			err = d.DecodeDump(dump, &rec)
		}
		if err != nil || string(rec.Value) != x.value {
			t.Fatalf("%q: %q, %v", payload, rec.Value, err)
		}
	}
}
