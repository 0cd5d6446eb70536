package snapshot_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/command/bitcmd"
	"github.com/spineldb/spinel/internal/command/conncmd"
	"github.com/spineldb/spinel/internal/command/debugcmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/vfs"
)

// A saved is a DB with all commands, and what saves it.
type saved struct {
	*cmdtest.DB
	*snapshot.Saver
	t   testing.TB
	far string // when keys expire that do
}

// The first is past when commands are replayed, the second is not.
var (
	soon = fmt.Sprint(int64(cmdtest.Start) + 1_000_000)
	late = "99999999999999"
)

func newSaved(t testing.TB) *saved {
	t.Helper()
	db := cmdtest.New(t, families(nil, nil)...)
	set := config.NewSchema(debugcmd.Options, snapshot.Options).NewSet()
	if err := set.Load(config.Source{Lines: []byte("enable-debug-command yes")}); err != nil {
		t.Fatal(err)
	}
	table, err := command.NewTable(nil, families(db.Keyspace, set)...)
	if err != nil {
		t.Fatal(err)
	}
	db.Shared.Table = table
	// It keeps a small value small for long, so that both forms have many elements.
	limits := db.Keyspace.Limits()
	limits.HashEntries.Store(200)
	limits.ZSetEntries.Store(200)
	limits.SetEntries.Store(200)
	s := &saved{DB: db, t: t, far: soon}
	s.Saver, err = snapshot.New(snapshot.Config{
		Keyspace: db.Keyspace, Options: set, FS: vfs.NewMem("/data"), Clock: db.Clock, WorkDir: "/data",
		RedisVersion: "7.2.4", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func families(ks *keyspace.Keyspace, set *config.Set) [][]*command.Spec {
	bulk := func() int64 { return 512 << 20 }
	return all.Families(all.Deps{
		Bit: bitcmd.Deps{MaxBulk: bulk}, String: stringcmd.Deps{MaxBulk: bulk},
		Conn:  conncmd.Deps{Databases: 16},
		Debug: debugcmd.Deps{Keyspace: ks, Options: set},
	})
}

// commands writes all data as commands, and says what they were at the cut. Meanwhile is called
// again and again.
func (s *saved) commands(meanwhile func()) (file []byte, want cmdtest.Contents) {
	s.t.Helper()
	w := &meanwhileWriter{meanwhile: meanwhile}
	err := s.WriteTo(w, snapshot.Output{Commands: true, Cut: func(*rdb.Info) {
		want = cmdtest.ContentsOf(s.Keyspace)
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	return w.Bytes(), want.WithoutDead()
}

type meanwhileWriter struct {
	bytes.Buffer
	meanwhile func()
}

func (w *meanwhileWriter) Write(p []byte) (int, error) {
	if w.meanwhile != nil {
		w.meanwhile()
	}
	return w.Buffer.Write(p)
}

// replay has an empty DB execute commands, some bytes at a time, whose clock is hours ahead.
func replay(t testing.TB, file []byte, step int) *saved {
	t.Helper()
	s := newSaved(t)
	s.Clock.Advance(9 * time.Hour)
	s.Shared.Unreplayed = func(_ *session.Session, _ *command.Spec, args command.Args, err error) {
		t.Errorf("%.200q: %v", args, err)
	}
	r := s.Shared.NewReplayer()
	defer r.Close()
	for len(file) > 0 && !t.Failed() {
		n := min(step, len(file))
		r.Run(file[:n])
		file = file[n:]
	}
	if r.Midway() {
		t.Error("the commands end in the middle of one")
	}
	return s
}

// fill makes keys of every type in every encoding, in several databases. Nothing of it is
// random.
func (s *saved) fill(expiring bool) {
	texts := []string{"", "a", "-1", "007", "12345678901", "\x00\r\n\xff", strings.Repeat("x", 300)}
	for db := range 3 {
		s.Do("SELECT", fmt.Sprint(db*5)).Want("OK")
		for i, text := range texts {
			s.Do("SET", fmt.Sprint("string", i), text)
			s.Do("SET", "k"+text, "v", "PXAT", s.far)
		}
		s.Do("SET", "long", strings.Repeat("long ", 100_000), "PXAT", s.far)
		s.Do("SET", strings.Repeat("long key", 10_000), "12")
		for _, n := range []int{1, 63, 64, 65, 150, 1000} {
			for i := range n {
				text := texts[i%len(texts)] + fmt.Sprint(i)
				s.Do("RPUSH", fmt.Sprint("list", n), text, text[1:])
				s.Do("SADD", fmt.Sprint("set", n), text)
				s.Do("SADD", fmt.Sprint("ints", n), fmt.Sprint(i*i*i))
				s.Do("ZADD", fmt.Sprint("zset", n), []string{"-inf", "-0.0", "0.1", "1e300", "7"}[i%5], text)
				s.Do("HSET", fmt.Sprint("hash", n), text, texts[(i+3)%len(texts)])
				if !expiring {
					continue
				}
				s.Do("HSET", fmt.Sprint("expiring", n), text, texts[(i+3)%len(texts)])
				if i%3 == 0 {
					s.Do("HPEXPIREAT", fmt.Sprint("expiring", n), s.far, "FIELDS", "1", text)
				}
			}
			s.Do("PEXPIREAT", fmt.Sprint("zset", n), s.far)
			s.Do("PEXPIREAT", fmt.Sprint("hash", n), s.far)
		}
		s.Do("RPUSH", "plain", "a", strings.Repeat("b", 20_000), "c", strings.Repeat("d", 200_000), "")
	}
	s.Do("SELECT", "0").Want("OK")
}

// fillStreams makes streams with groups that have much that is pending.
func (s *saved) fillStreams() {
	for _, n := range []int{1, 100, 3000} {
		key := fmt.Sprint("stream", n)
		for i := range n {
			s.Do("XADD", key, fmt.Sprintf("%d-%d", i/3+1, i%3+1), "field", fmt.Sprint(i), "", "\x00\xff")
		}
		for g := range 3 {
			group := fmt.Sprint("group", g)
			s.Do("XGROUP", "CREATE", key, group, fmt.Sprint(g), "ENTRIESREAD", fmt.Sprint(g-1)).Want("OK")
			s.Do("XGROUP", "CREATECONSUMER", key, group, "idle").Want("1")
			for c := range 5 * g {
				s.Clock.Advance(time.Millisecond)
				s.Do("XREADGROUP", "GROUP", group, fmt.Sprint("c", c), "COUNT", "80", "STREAMS", key, ">")
			}
			s.Do("XCLAIM", key, group, "c1", "0", "1-1", "2-1", "3-1", "4-2", "RETRYCOUNT", "9")
		}
		s.Do("XDEL", key, "2-1", "5-2", fmt.Sprint(n))
	}
	s.Do("XGROUP", "CREATE", "empty", "group", "$", "MKSTREAM").Want("OK")
	s.Do("XADD", "trimmed", "5-5", "a", "b").Want("5-5")
	s.Do("XTRIM", "trimmed", "MAXLEN", "0").Want("1")
	s.Do("XADD", "deleted", "5-5", "a", "b").Want("5-5")
	s.Do("XADD", "deleted", "5-6", "a", "b").Want("5-6")
	s.Do("XDEL", "deleted", "5-6").Want("1")
	s.Do("PEXPIREAT", "deleted", s.far).Want("1")
}

// TestCommands writes every type and encoding as commands, which make the same data again,
// whatever the clock says.
func TestCommands(t *testing.T) {
	s := newSaved(t)
	s.fill(true)
	s.fillStreams()
	file, want := s.commands(nil)
	for _, step := range []int{len(file), 1 << 16, 999} {
		if diff := replay(t, file, step).Contents().Diff(want); diff != "" {
			t.Fatal(diff)
		}
	}
}

// Commands are written in the form that Redis has, no more than 64 elements in each.
func TestCommandsForm(t *testing.T) {
	for _, tt := range []struct{ calls, want string }{
		{"SET k v", "SELECT 0, SET k v"},
		{"SET k 12; PEXPIREAT k 9999999999999", "SELECT 0, SET k 12, PEXPIREAT k 9999999999999"},
		{"RPUSH k a 1 b", "SELECT 0, RPUSH k a 1 b"},
		{"SADD k 3 1 2", "SELECT 0, SADD k 1 2 3"},
		{"ZADD k 2 b 1.5 a inf c", "SELECT 0, ZADD k 1.5 a 2 b inf c"},
		{"HSET k f v g w", "SELECT 0, HMSET k f v g w"},
		{"HSET k f v g w; HPEXPIREAT k 9999999999999 FIELDS 1 g",
			"SELECT 0, HMSET k g w f v, HPEXPIREAT k 9999999999999 FIELDS 1 g"},
		{"SELECT 7; SET k v", "SELECT 7, SET k v"},
		{"XADD k 1-1 f v; XADD k 2-2 f w; XDEL k 1-1",
			"SELECT 0, XADD k 2-2 f w, XSETID k 2-2 ENTRIESADDED 2 MAXDELETEDID 1-1"},
		{"XGROUP CREATE k g 5-5 MKSTREAM; XSETID k 7-7",
			"SELECT 0, XADD k MAXLEN 0 0-1 x y, XSETID k 7-7 ENTRIESADDED 0 MAXDELETEDID 0-0, " +
				"XGROUP CREATE k g 5-5 ENTRIESREAD -1"},
		{"XADD k 1-1 f v; XADD k 2-2 f w; XGROUP CREATE k g 0; XREADGROUP GROUP g c STREAMS k >",
			"SELECT 0, XADD k 1-1 f v, XADD k 2-2 f w, XSETID k 2-2 ENTRIESADDED 2 MAXDELETEDID 0-0, " +
				"XGROUP CREATE k g 2-2 ENTRIESREAD 2, XGROUP CREATECONSUMER k g c, " +
				"XCLAIM k g c 0 1-1 2-2 TIME 1700000000000 RETRYCOUNT 1 JUSTID FORCE"},
	} {
		s := newSaved(t)
		for _, call := range strings.Split(tt.calls, "; ") {
			s.Do(strings.Fields(call)...)
		}
		file, _ := s.commands(nil)
		var lines []string
		for _, args := range parseCommands(t, file) {
			lines = append(lines, strings.Join(args, " "))
		}
		if got := strings.Join(lines, ", "); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.calls, got, tt.want)
		}
	}
	s := newSaved(t)
	s.fill(true)
	s.fillStreams()
	file, _ := s.commands(nil)
	for _, args := range parseCommands(t, file) {
		if len(args) > 2+2*64 {
			t.Errorf("%.100q has %d arguments", args, len(args))
		}
	}
}

func parseCommands(t testing.TB, file []byte) (all [][]string) {
	t.Helper()
	var parser resp.Parser
	for len(file) > 0 {
		args, n, err := parser.Parse(file, nil, &resp.Limits{Bulk: 1 << 30})
		if err != nil || n == 0 {
			t.Fatalf("%.100q: %v", file, err)
		}
		command := make([]string, len(args))
		for i := range args {
			command[i] = string(args[i])
		}
		all, file = append(all, command), file[n:]
	}
	return all
}

// What is written is as it was at the cut, though everything changes while it is written.
func TestCommandsAreOfTheCut(t *testing.T) {
	for seed := range uint64(3) {
		s := newSaved(t)
		s.fill(true)
		s.fillStreams()
		rng := rand.New(rand.NewPCG(seed, 3))
		g := cmdtest.Generator{Rand: rng}
		random := func(n int) {
			for range n {
				s.Call(g.Fill(cmdtest.Templates[rng.IntN(len(cmdtest.Templates))])...)
			}
		}
		random(2000)
		file, want := s.commands(func() {
			random(20)
			n := []int{1, 63, 64, 65, 150, 1000}[rng.IntN(6)]
			s.Call("SELECT", fmt.Sprint(5*rng.IntN(3)))
			s.Call("LTRIM", fmt.Sprint("list", n), "1", "-3")
			s.Call("SPOP", fmt.Sprint("set", n), "9")
			s.Call("ZPOPMIN", fmt.Sprint("zset", n), "9")
			s.Call("DEL", fmt.Sprint("hash", n))
			s.Call("HDEL", fmt.Sprint("expiring", n), "0", "a1", "-12")
			s.Call("XTRIM", "stream3000", "MAXLEN", "20")
			s.Call("XAUTOCLAIM", "stream3000", "group1", "thief", "0", "0", "COUNT", "20")
			s.Call("XGROUP", "DESTROY", "stream3000", "group2")
			s.Call("SET", "long", "short")
		})
		if diff := replay(t, file, 1<<17).Contents().Diff(want); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		if s.Contents().Diff(want) == "" {
			t.Fatal("nothing has changed meanwhile")
		}
	}
}

// redis-server 7.0 loads the commands as the base of its append-only file, and has the same
// data.
func TestRedisLoadsCommands(t *testing.T) {
	s := newSaved(t)
	s.far = late
	s.fill(false)
	s.fillStreams()
	for _, key := range []string{"stream100", "stream3000"} { // see WithoutDead
		s.Do("XACK", key, "group1", "2-1", "5-2")
		s.Do("XACK", key, "group2", "2-1", "5-2")
	}
	file, _ := s.commands(nil)
	dir := t.TempDir()
	folder := filepath.Join(dir, "appendonlydir")
	for name, data := range map[string][]byte{
		"appendonly.aof.1.base.aof": file,
		"appendonly.aof.manifest":   []byte("file appendonly.aof.1.base.aof seq 1 type b\n"),
	} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	redis := original.Redis(t, original.Options{Dir: dir, AppendOnly: true})
	if got, want := redis.Do("DEBUG", "DIGEST"), s.Do("DEBUG", "DIGEST").Raw(); got != want {
		t.Errorf("the digest is %q, want %q", got, want)
	}
	for _, call := range [][]string{
		{"XINFO", "STREAM", "empty"}, {"XINFO", "STREAM", "deleted"}, {"XINFO", "STREAM", "stream3000"},
		{"XINFO", "GROUPS", "stream3000"}, {"XPENDING", "stream3000", "group2"},
		{"XPENDING", "stream100", "group1"}, {"XPENDING", "stream100", "group2", "-", "+", "5", "c1"},
	} {
		got, want := redis.Do(call...), s.Do(call...).Raw()
		if call[0] == "XINFO" && call[1] == "STREAM" { // how many blocks there are is not data
			got, want = withoutBlocks(got), withoutBlocks(want)
		}
		if call[0] == "XPENDING" && len(call) > 3 {
			got, want = got[:20], want[:20] // behind it is how long ago
		}
		if got != want {
			t.Errorf("%q:\n got %q\nwant %q", call, got, want)
		}
	}
}

func withoutBlocks(reply string) string {
	before, rest, _ := strings.Cut(reply, "radix-tree-keys")
	_, behind, _ := strings.Cut(rest, "last-generated-id")
	return before + behind
}

// BenchmarkWriteTo writes small keys, and fields of one big hash.
func BenchmarkWriteTo(b *testing.B) {
	for _, form := range []string{"commands", "file"} {
		for _, what := range []string{"keys", "fields"} {
			b.Run(form+"/"+what, func(b *testing.B) {
				s := newSaved(b)
				const n = 100_000
				for i := range n {
					if what == "keys" {
						s.Call("SET", fmt.Sprintf("key:%012d", i), strings.Repeat("v", 64))
					} else {
						s.Call("HSET", "hash", fmt.Sprintf("field:%010d", i), strings.Repeat("v", 64))
					}
				}
				var written counter
				for b.Loop() {
					if err := s.WriteTo(&written, snapshot.Output{Commands: form == "commands"}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
				b.ReportMetric(float64(written)/float64(b.N)/n, "bytes/element")
			})
		}
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
