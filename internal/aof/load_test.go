package aof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/vfs"
)

// A player is a Replayer that notes the commands, and refuses those called "bad".
type player struct {
	t        *testing.T
	commands []string
	db       string
	inMulti  bool
}

func (p *player) Run(data []byte) error {
	s := NewScanner(bytes.NewReader(data), 0, 0, int64(len(data)))
	for {
		err := s.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			p.t.Errorf("given what makes no sense: %v", err)
			return err
		}
		name := strings.ToUpper(string(s.Args[0]))
		if len(s.Args) > 1 && name != "SELECT" {
			name = "" // of a command that stands for itself
		}
		switch name {
		case "SELECT":
			p.db = string(bytes.Join(s.Args[1:], nil))
		case "MULTI":
			p.inMulti = true
		case "EXEC", "DISCARD":
			p.inMulti = false
		case "BAD":
			return errors.New("Unknown command 'bad'")
		default:
			words := string(bytes.Join(s.Args, []byte(" ")))
			if p.db != "0" {
				words = p.db + ": " + words
			}
			p.commands = append(p.commands, words)
		}
	}
}

func (p *player) Wait() error { return nil }
func (p *player) Close() {
	if p.inMulti {
		p.t.Error("a transaction was begun that does not end")
	}
}

// An outcome is what came of a Load.
type outcome struct {
	Loaded
	commands []string
	err      error
	log      string
}

// loadDir loads what is in /data/aof of a file system. A base in RDB form is the mark, a
// length of one digit, and as many letters, each a command.
func loadDir(t *testing.T, fs vfs.FS, change func(*LoadConfig)) outcome {
	t.Helper()
	var log strings.Builder
	p := &player{t: t}
	c := LoadConfig{
		Dir: &Dir{fs, "/data/aof", "a"}, DataDir: "/data", Clock: clock.NewManual(0), Truncated: true,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: onlyMessage})),
		Base: func(r io.Reader, size int64, path string) (int64, error) {
			content, err := io.ReadAll(r)
			if err != nil {
				return 0, err
			}
			end := len(rdbMark) + 1 + int(content[len(rdbMark)]-'0')
			for _, c := range content[len(rdbMark)+1 : end] {
				p.commands = append(p.commands, string(c))
			}
			return int64(end), nil
		},
		NewReplayer: func() Replayer { return p },
	}
	if change != nil {
		change(&c)
	}
	loaded, err := Load(c)
	return outcome{loaded, p.commands, err, log.String()}
}

func onlyMessage(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.MessageKey {
		return a
	}
	return slog.Attr{}
}

func manifestOf(lines ...string) []byte {
	return []byte(strings.Join(lines, "\n") + "\n")
}

const (
	base1 = "file a.1.base.rdb seq 1 type b"
	incr1 = "file a.1.incr.aof seq 1 type i"
	incr2 = "file a.2.incr.aof seq 2 type i"
)

func join(commands ...[]byte) []byte { return bytes.Join(commands, nil) }

// What is loaded of which files, in which order, and what is said about it.
func TestLoad(t *testing.T) {
	set, incr := command("SET", "a", "1"), command("INCR", "a")
	multi, exec := command("MULTI"), command("exec")
	second := command("SELECT", "1")
	for _, tt := range []struct {
		name  string
		files map[string][]byte
		want  string // the commands, or the error
		log   string
	}{
		{"nothing", nil, "", ""},
		{"no manifest, and a file that was never written to", map[string][]byte{"a.1.incr.aof": nil}, "", ""},
		{"no manifest", map[string][]byte{"a.1.incr.aof": set},
			"error: The AOF manifest file /data/aof/a.manifest is missing, but there is a.1.incr.aof", ""},
		{"all", map[string][]byte{
			"a.manifest":   manifestOf(base1, incr1, incr2),
			"a.1.base.rdb": []byte("REDIS2xy"), "a.1.incr.aof": join(second, set), "a.2.incr.aof": incr,
		}, "x|y|1: SET a 1|INCR a", "DB loaded from base file a.1.base.rdb"},
		{"commands behind an RDB", map[string][]byte{
			"a.manifest":   manifestOf("file a.1.base.aof seq 1 type b"),
			"a.1.base.aof": append([]byte("REDIS1x"), set...),
		}, "x|SET a 1", "Reading the remaining AOF tail"},
		{"a base of commands", map[string][]byte{
			"a.manifest":   manifestOf("file a.1.base.aof seq 1 type b", incr1),
			"a.1.base.aof": set, "a.1.incr.aof": nil,
		}, "SET a 1", "DB loaded from append only file"},
		{"a torn base, the last file", map[string][]byte{
			"a.manifest": manifestOf("file a.1.base.aof seq 1 type b"), "a.1.base.aof": join(set, incr[:5]),
		}, "SET a 1", "Truncating the AOF a.1.base.aof at offset 27"},
		{"a torn base, not the last file", map[string][]byte{
			"a.manifest":   manifestOf("file a.1.base.aof seq 1 type b", incr1),
			"a.1.base.aof": join(set, incr[:5]), "a.1.incr.aof": nil,
		}, "error: byte 27: the truncated file is not the last file", ""},
		{"a file is missing", map[string][]byte{"a.manifest": manifestOf(incr1, incr2), "a.1.incr.aof": set},
			"error: Unable to obtain the AOF file a.2.incr.aof length. stat: No such file or directory", ""},
		{"a transaction", map[string][]byte{"a.manifest": manifestOf(incr1), "a.1.incr.aof": join(multi, set, exec, incr)},
			"SET a 1|INCR a", ""},
		{"a transaction without end", map[string][]byte{
			"a.manifest": manifestOf(incr1), "a.1.incr.aof": join(incr, multi, set),
		}, "INCR a", "Revert incomplete MULTI/EXEC transaction from AOF file a.1.incr.aof"},
		{"a transaction that is torn", map[string][]byte{
			"a.manifest": manifestOf(incr1), "a.1.incr.aof": join(incr, multi, set, exec[:3]),
		}, "INCR a", "Truncating the AOF a.1.incr.aof at offset 21"},
		{"an unknown command", map[string][]byte{"a.manifest": manifestOf(incr1), "a.1.incr.aof": join(set, command("bad"), set)},
			"error: Unknown command 'bad' reading the append only file /data/aof/a.1.incr.aof", ""},
		{"no command", map[string][]byte{"a.manifest": manifestOf(incr1), "a.1.incr.aof": join(set, []byte("!!!"), set)},
			"error: Bad file format reading the append only file /data/aof/a.1.incr.aof: byte 27", ""},
		{"Redis's file is torn, and not the last", map[string][]byte{
			"a.manifest": manifestOf(incr1, incr2), "a.1.incr.aof": join(set, incr[:5]), "a.2.incr.aof": set,
		}, "error: a.2.incr.aof goes on behind it", ""},
	} {
		mem := vfs.NewMem("/data", "/data/aof")
		for name, content := range tt.files {
			mem.Put("/data/aof/"+name, content)
		}
		got := loadDir(t, mem, nil)
		if want, isErr := strings.CutPrefix(tt.want, "error: "); isErr {
			if got.err == nil || !strings.Contains(got.err.Error(), want) {
				t.Errorf("%s: %v, want %q", tt.name, got.err, want)
			}
			for name, content := range tt.files {
				if after, _ := mem.Get("/data/aof/" + name); !bytes.Equal(after, content) {
					t.Errorf("%s: %s was changed", tt.name, name)
				}
			}
			continue
		}
		if got.err != nil || strings.Join(got.commands, "|") != tt.want || !strings.Contains(got.log, tt.log) {
			t.Errorf("%s: %q, %v, want %q; log:\n%s", tt.name, got.commands, got.err, tt.want, got.log)
		}
		if got.Found != (tt.files["a.manifest"] != nil) {
			t.Errorf("%s: found %v", tt.name, got.Found)
		}
		if again := loadDir(t, mem, func(c *LoadConfig) { c.Truncated = false }); again.err != nil {
			t.Errorf("%s: a second time: %v", tt.name, again.err)
		}
	}
}

// What is torn is refused unless it may be cut.
func TestLoadTruncatedNo(t *testing.T) {
	mem := vfs.NewMem("/data", "/data/aof")
	content := join(command("SET", "a", "1"), command("SET", "b", "2")[:9])
	mem.Put("/data/aof/a.manifest", manifestOf(incr1))
	mem.Put("/data/aof/a.1.incr.aof", content)
	got := loadDir(t, mem, func(c *LoadConfig) { c.Truncated = false })
	const want = "Unexpected end of file reading the append only file"
	if got.err == nil || !strings.Contains(got.err.Error(), want) {
		t.Error(got.err)
	}
	if after, _ := mem.Get("/data/aof/a.1.incr.aof"); !bytes.Equal(after, content) {
		t.Error("the file was changed")
	}
}

// A damaged end is cut if it is short enough.
func TestLoadCorruptTail(t *testing.T) {
	damage := []byte("!!!" + strings.Repeat("x", 17))
	set := command("SET", "a", "1")
	for _, tt := range []struct {
		allow     int64
		truncated bool
		ok        bool
	}{{0, true, false}, {19, true, false}, {20, true, true}, {20, false, false}} {
		mem := vfs.NewMem("/data", "/data/aof")
		mem.Put("/data/aof/a.manifest", manifestOf(incr1))
		mem.Put("/data/aof/a.1.incr.aof", join(set, damage))
		got := loadDir(t, mem, func(c *LoadConfig) { c.Truncated, c.CorruptTailMax = tt.truncated, tt.allow })
		if (got.err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt, got.err)
		}
		if after, _ := mem.Get("/data/aof/a.1.incr.aof"); tt.ok != bytes.Equal(after, set) {
			t.Errorf("%+v: %q is left", tt, after)
		}
	}
}

// Big and small commands, batches and none: all come out, in order.
func TestLoadSizes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var content []byte
	var want []string
	for len(content) < 4<<20 {
		var cmds [][]byte
		for range 1 + rng.IntN(40) {
			n := rng.IntN(200)
			if rng.IntN(100) == 0 {
				n = rng.IntN(3 * chunkSize)
			}
			words := []string{"SET", fmt.Sprint(len(want)), strings.Repeat("v", n)}
			want = append(want, strings.Join(words, " "))
			cmds = append(cmds, command(words...))
		}
		if rng.IntN(3) == 0 {
			cmds = append(append([][]byte{command("MULTI")}, cmds...), command("EXEC"))
		}
		if rng.IntN(2) == 0 {
			content = append(content, batch(int64(len(content)), 0, cmds...)...)
		} else {
			content = append(content, join(cmds...)...)
		}
	}
	mem := vfs.NewMem("/data", "/data/aof")
	mem.Put("/data/aof/a.manifest", manifestOf("file a.7.incr.aof seq 7 type i"))
	mem.Put("/data/aof/a.7.incr.aof", content)
	read := int64(0)
	got := loadDir(t, mem, func(c *LoadConfig) { c.Progress = func(n, total int64) { read = n } })
	if got.err != nil || strings.Join(got.commands, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d of %d commands, %v", len(got.commands), len(want), got.err)
	}
	if read != int64(len(content)) || got.Bytes != read {
		t.Errorf("progress %d, bytes %d of %d", read, got.Bytes, len(content))
	}
}

// The loading can be given up.
func TestLoadStop(t *testing.T) {
	mem := vfs.NewMem("/data", "/data/aof")
	mem.Put("/data/aof/a.manifest", manifestOf(incr1))
	mem.Put("/data/aof/a.1.incr.aof", command("SET", "a", "1"))
	stop := make(chan struct{})
	close(stop)
	if got := loadDir(t, mem, func(c *LoadConfig) { c.Stop = stop }); !errors.Is(got.err, ErrStopped) {
		t.Error(got.err)
	}
}

// The single file of older versions becomes the base.
func TestLoadLegacy(t *testing.T) {
	old, other := command("SET", "old", "1"), command("SET", "other", "1")
	named := manifestOf("file a seq 1 type b")
	for _, tt := range []struct {
		name           string
		file, manifest []byte
		inDir          []byte
		want           string
		moved          bool
	}{
		{"commands", old, nil, nil, "SET old 1", true},
		{"with an RDB", append([]byte("REDIS2xy"), old...), nil, nil, "x|y|SET old 1", true},
		{"interrupted", old, named, nil, "SET old 1", true},
		{"both", old, named, other, "SET other 1", false},
		{"torn", append(bytes.Clone(old), old[:7]...), nil, nil, "SET old 1", true},
		{"the folder has data", old, manifestOf("file a.1.base.aof seq 1 type b"), other, "SET other 1", false},
	} {
		dirs := []string{"/data"}
		if tt.manifest != nil || tt.inDir != nil {
			dirs = append(dirs, "/data/aof")
		}
		mem := vfs.NewMem(dirs...)
		mem.Put("/data/a", tt.file)
		if tt.manifest != nil {
			mem.Put("/data/aof/a.manifest", tt.manifest)
		}
		if tt.inDir != nil {
			mem.Put("/data/aof/a", tt.inDir)
			mem.Put("/data/aof/a.1.base.aof", tt.inDir)
		}
		got := loadDir(t, mem, nil)
		if got.err != nil || strings.Join(got.commands, "|") != tt.want {
			t.Errorf("%s: %q, %v", tt.name, got.commands, got.err)
			continue
		}
		if _, there := mem.Get("/data/a"); there == tt.moved || (got.Legacy == "/data/a") != tt.moved {
			t.Errorf("%s: legacy %q; in dir %v", tt.name, got.Legacy, there)
		}
		if m, _ := mem.Get("/data/aof/a.manifest"); tt.moved && !bytes.Equal(m, named) {
			t.Errorf("%s: manifest %q", tt.name, m)
		}
		if again := loadDir(t, mem, nil); strings.Join(again.commands, "|") != tt.want {
			t.Errorf("%s: a second time %q, %v", tt.name, again.commands, again.err)
		}
	}
}

// Whatever a power failure leaves of an upgrade, at any moment: nothing is lost.
func TestLegacyPowerFailure(t *testing.T) {
	content := command("SET", "old", "1")
	mem := vfs.NewMem("/data")
	mem.Put("/data/a", content)
	record := mem.Record()
	loadDir(t, mem, nil)
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range record.Len() + 1 {
		for range 50 {
			image := record.Crash(n, rng.IntN)
			if got := loadDir(t, image, nil); got.err != nil || strings.Join(got.commands, "|") != "SET old 1" {
				t.Fatalf("after %d calls: %q, %v; files %v", n, got.commands, got.err, image.Names())
			}
		}
	}
}

// Whatever call fails while an old file is moved: the next start has it all.
func TestLegacyFaults(t *testing.T) {
	content := command("SET", "old", "1")
	for n := 1; ; n++ {
		mem := vfs.NewMem("/data")
		mem.Put("/data/a", content)
		faults := &vfs.Faults{FS: mem, At: n, Err: errors.New("no")}
		got := loadDir(t, faults, nil)
		if len(faults.Calls()) < n {
			break
		}
		if again := loadDir(t, mem, nil); again.err != nil || strings.Join(again.commands, "|") != "SET old 1" {
			t.Errorf("call %d failed (%v); then: %q, %v", n, got.err, again.commands, again.err)
		}
	}
}

// Any bytes at all: what is executed is what a plain reading of the file gives, one command
// after the other. What is refused is left as it is, and what was loaded is so again.
func FuzzLoad(f *testing.F) {
	set := command("SET", "a", "1")
	multi := join(command("MULTI"), set, set, command("exec"))
	first := batch(0, 0, set)
	f.Add(join(first, batch(int64(len(first)), 0, multi), set))
	f.Add(join(multi, set, []byte("#TS:1\r\n*01\r\n$4\r\nPING\r\n"), multi[:40]))
	f.Add(join(set, []byte("!"), set))
	f.Fuzz(func(t *testing.T, content []byte) {
		if bytes.Contains(bytes.ToUpper(content), []byte("BAD\r")) {
			return
		}
		mem := vfs.NewMem("/data", "/data/aof")
		mem.Put("/data/aof/a.manifest", manifestOf("file a.7.incr.aof seq 7 type i"))
		mem.Put("/data/aof/a.7.incr.aof", content)
		got := loadDir(t, mem, nil)
		if got.err != nil {
			if after, _ := mem.Get("/data/aof/a.7.incr.aof"); !bytes.Equal(after, content) {
				t.Errorf("refused and changed: %v", got.err)
			}
			return
		}
		if want := plainly(t, content); strings.Join(got.commands, "\n") != strings.Join(want, "\n") {
			t.Errorf("%q, want %q", got.commands, want)
		}
		again := loadDir(t, mem, func(c *LoadConfig) { c.Truncated = false })
		if again.err != nil || strings.Join(again.commands, "\n") != strings.Join(got.commands, "\n") {
			t.Errorf("a second time: %q, %v; want %q", again.commands, again.err, got.commands)
		}
	})
}

// plainly executes the commands of a file up to where it makes no sense.
func plainly(t *testing.T, content []byte) []string {
	p := &player{t: t, db: "0"}
	var held [][]byte
	isOpen := false
	s := NewScanner(bytes.NewReader(content), 7, 0, int64(len(content)))
	for s.Next() == nil {
		single := ""
		if len(s.Args) == 1 {
			single = strings.ToUpper(string(s.Args[0]))
		}
		var words []string
		for _, a := range s.Args {
			words = append(words, string(a))
		}
		held = append(held, command(words...))
		if isOpen = isOpen && single != "EXEC" && single != "DISCARD" || single == "MULTI"; isOpen {
			continue
		}
		for _, c := range held {
			if err := p.Run(c); err != nil {
				t.Fatal(err)
			}
		}
		held = held[:0]
	}
	return p.commands
}

// nobody executes nothing.
type nobody struct{}

func (nobody) Run([]byte) error { return nil }
func (nobody) Wait() error      { return nil }
func (nobody) Close()           {}

// BenchmarkLoad is what reading and verifying costs for each command, in batches and not.
func BenchmarkLoad(b *testing.B) {
	for _, perBatch := range []int{0, 16} {
		b.Run(fmt.Sprint(perBatch), func(b *testing.B) {
			set := command("SET", "key:000000000000", strings.Repeat("v", 64))
			var content []byte
			for n := 0; n < b.N; n += max(perBatch, 1) {
				if perBatch == 0 {
					content = append(content, set...)
				} else {
					content = append(content, batch(int64(len(content)), 0, bytes.Repeat(set, perBatch))...)
				}
			}
			mem := vfs.NewMem("/data", "/data/aof")
			mem.Put("/data/aof/a.manifest", manifestOf("file a.7.incr.aof seq 7 type i"))
			mem.Put("/data/aof/a.7.incr.aof", content)
			c := LoadConfig{Dir: &Dir{FS: mem, Path: "/data/aof", Prefix: "a"}, DataDir: "/data",
				Clock: clock.NewManual(0), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
				NewReplayer: func() Replayer { return nobody{} }}
			b.ResetTimer()
			if _, err := Load(c); err != nil {
				b.Fatal(err)
			}
		})
	}
}
