package check

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/vfs"
)

// run starts a program on a file system, and returns what it said.
func run(
	fs vfs.FS, start func(*Program, []string) int, answer string, args ...string,
) (out string, code int) {
	var b bytes.Buffer
	p := &Program{Name: "check", Version: "1.2.3", FS: fs, Clock: clock.NewManual(1_700_000_000_000),
		Stdin: strings.NewReader(answer), Stdout: &b, Stderr: &b}
	code = start(p, args)
	return b.String(), code
}

func command(words ...string) []byte { return resp.AppendCommand(nil, words...) }

func join(commands ...[]byte) []byte { return bytes.Join(commands, nil) }

// batch is commands at an offset of file 1, with their sum.
func batch(offset int, commands ...[]byte) []byte {
	b := append(aof.BeginBatch(nil), join(commands...)...)
	aof.EndBatch(b, 0, 1, int64(offset))
	return b
}

// snapshot is an RDB with a key that expires and one that has.
func snapshot() []byte {
	b := rdb.AppendHeader(nil, rdb.VersionLowest)
	b = rdb.AppendAux(b, "redis-ver", "7.2.4")
	b = rdb.AppendSelectDB(b, 0)
	b = rdb.AppendExpire(b, 1)
	var e rdb.StringEncoder
	b = rdb.AppendString(rdb.AppendKey(b, rdb.TypeString, []byte("old"), &e), []byte("v"), &e)
	b = rdb.AppendString(rdb.AppendKey(b, rdb.TypeString, []byte("k"), &e), []byte("value"), &e)
	return rdb.AppendEOF(b, hash.CRC64(0, b))
}

const multi = "file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\n"

// What is said of files, with which exit code, and what becomes of them: the words are
// those that scripts, and Redis's own tests, look for.
func TestAOF(t *testing.T) {
	set, world := command("SET", "foo", "hello"), command("SET", "bar", "world")
	one := map[string][]byte{"a.aof": join(set, world)}
	torn := map[string][]byte{"a.aof": join(set, world[:10])}
	at := func(time string) []byte { return []byte("#TS:" + time + "\r\n") }
	times := map[string][]byte{"a.aof": join(at("70"), set, at("71"), world, at("72"))}
	behind := map[string][]byte{"a.aof": join(set, []byte("!!!\r\n"), world, set)}
	first := batch(0, set)
	batches := join(first, batch(len(first), world), batch(2*len(first), set, set))
	ours := map[string][]byte{"a.1.incr.aof": batches}
	flipped := map[string][]byte{"a.1.incr.aof": bytes.Clone(batches)}
	flipped["a.1.incr.aof"][len(first)+50] ^= 1
	parts := func(base ...[]byte) map[string][]byte {
		return map[string][]byte{"a.manifest": []byte(multi), "a.1.base.aof": join(base...), "a.1.incr.aof": set}
	}
	badBase := parts(set, command("MULTI"), world)
	for _, tt := range []struct {
		args  string
		files map[string][]byte
		input string
		want  string // words, with * between them
		code  int
		left  []byte // of the file a.aof, or a.copy if there is one
	}{
		{"a.aof", one, "", "Start checking Old-Style AOF*AOF analyzed: filename=a.aof, size=66, ok_up_to=66, ok_up_to_line=15, diff=0*AOF a.aof is valid", 0, one["a.aof"]},
		{"a.aof", torn, "", "unexpected end*ok_up_to=33, ok_up_to_line=8, diff=10*AOF a.aof is not valid. Use the --fix option", 1, torn["a.aof"]},
		{"--fix a.aof", torn, "y\n", "This will shrink the AOF a.aof from 43 bytes, with 10 bytes, to 33 bytes*Successfully truncated AOF a.aof", 0, set},
		{"--fix a.aof", torn, "n\n", "Continue? [y/N]: Aborting...", 1, torn["a.aof"]},
		{"--fix a.aof", behind, "y\n", "Failed to truncate AOF a.aof because there is more behind", 1, behind["a.aof"]},
		{"a.aof", behind, "", "AOF a.aof format error*there is more behind the damage. Use --salvage", 1, behind["a.aof"]},
		{"--salvage a.copy a.aof", behind, "", "Salvaged 3 commands of AOF a.aof into a.copy; 5 bytes at 1 places make no sense", 0, join(set, world, set)},
		{"--salvage a.copy a.aof", torn, "", "Salvaged 1 commands of AOF a.aof into a.copy; 10 bytes", 0, set},
		{"a.1.incr.aof", ours, "", "AOF a.1.incr.aof is valid", 0, nil},
		{"a.1.incr.aof", flipped, "", "the sum of a batch does not hold*Use --salvage", 1, nil},
		{"--salvage a.copy a.1.incr.aof", flipped, "", "Salvaged 3 commands", 0, join(set, set, set)},
		{"--truncate-to-timestamp 71 a.aof", times, "", "Successfully truncated AOF a.aof to timestamp 71", 0, times["a.aof"][:len(times["a.aof"])-8]},
		{"--truncate-to-timestamp 70 a.aof", times, "", "Successfully truncated AOF a.aof to timestamp 70", 0, times["a.aof"][:8+33]},
		{"--truncate-to-timestamp 72 a.aof", times, "", "Truncate nothing in AOF a.aof to timestamp 72*is valid", 0, times["a.aof"]},
		{"--truncate-to-timestamp 69 a.aof", times, "", "AOF a.aof has nothing before timestamp 69, aborting...", 1, times["a.aof"]},
		{"--truncate-to-timestamp x a.aof", times, "", "Invalid timestamp, aborting...", 1, times["a.aof"]},
		{"a.manifest", parts(set, world), "", "Start checking Multi Part AOF*" +
			"Start to check BASE AOF (RESP format).*BASE AOF a.1.base.aof is valid*Start to check INCR files.*INCR AOF a.1.incr.aof is valid*All AOF files and manifest are valid", 0, nil},
		{"a.manifest", parts(snapshot(), set), "", "Start to check BASE AOF (RDB format).*" +
			"RDB preamble is OK, proceeding with AOF tail...*BASE AOF a.1.base.aof is valid*All AOF files and manifest are valid", 0, nil},
		{"a.manifest", badBase, "", "Reached EOF before reading EXEC for MULTI*AOF a.1.base.aof is not valid", 1, nil},
		{"--fix a.manifest", badBase, "y", "Failed to truncate AOF a.1.base.aof because it is not the last file", 1, nil},
		{"a.manifest", map[string][]byte{"a.manifest": []byte(multi)}, "", "Cannot open file", 1, nil},
		{"a.manifest", map[string][]byte{"a.manifest": []byte("file a seq 1 type x\n")}, "", "Unknown AOF file type", 1, nil},
		{"a.aof", map[string][]byte{"a.aof": nil}, "", "AOF a.aof is empty", 0, nil},
		{"a.aof", nil, "", "Cannot open file a.aof", 1, nil},
		{"", nil, "", "Usage: check [--fix|--truncate-to-timestamp $timestamp", 1, nil},
		{"-v", nil, "", "check 1.2.3", 0, nil},
	} {
		mem := vfs.NewMem(".")
		for name, content := range tt.files {
			mem.Put(name, content)
		}
		out, code := run(mem, (*Program).AOF, tt.input, strings.Fields(tt.args)...)
		if code != tt.code || !hasInOrder(out, tt.want) {
			t.Errorf("check-aof %s: code %d, want %d and %q in\n%s", tt.args, code, tt.code, tt.want, out)
		}
		left, _ := mem.Get("a.aof")
		if copied, ok := mem.Get("a.copy"); ok {
			left = copied
		}
		if tt.left != nil && !bytes.Equal(left, tt.left) {
			t.Errorf("check-aof %s leaves %q, want %q", tt.args, left, tt.left)
		}
	}
}

func hasInOrder(text, words string) bool {
	for word := range strings.SplitSeq(words, "*") {
		_, rest, found := strings.Cut(text, word)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

// Back to a time in a file of ours: a batch goes whole.
func TestBackToBatch(t *testing.T) {
	first := batch(0, []byte("#TS:70\r\n"), command("SET", "a", "1"))
	mem := vfs.NewMem(".")
	mem.Put("a.1.incr.aof", join(first, batch(len(first), []byte("#TS:75\r\n"), command("SET", "a", "2"))))
	if out, code := run(mem, (*Program).AOF, "", "--truncate-to-timestamp", "72", "a.1.incr.aof"); code != 0 {
		t.Fatal(out)
	}
	if left, _ := mem.Get("a.1.incr.aof"); !bytes.Equal(left, first) {
		t.Errorf("%q is left", left)
	}
	if out, code := run(mem, (*Program).AOF, "", "a.1.incr.aof"); code != 0 {
		t.Error(out)
	}
}

func TestRDB(t *testing.T) {
	sound := snapshot()
	flipped := bytes.Clone(sound)
	flipped[len(flipped)-12] ^= 1
	for _, tt := range []struct {
		args    string
		content []byte
		want    string
		code    int
	}{
		{"d.rdb", sound, "[offset 0] Checking RDB file d.rdb*AUX FIELD redis-ver = '7.2.4'*" +
			"Selecting DB ID 0*Checksum OK*RDB looks OK!*[info] 2 keys read*[info] 1 expires*[info] 1 already expired", 0},
		{"d.rdb", flipped, "--- RDB ERROR DETECTED ---*[offset*checksum*[info] 2 keys read", 1},
		{"d.rdb", sound[:len(sound)-14], "--- RDB ERROR DETECTED ---*Unexpected EOF", 1},
		{"d.rdb", []byte("nothing of the kind"), "--- RDB ERROR DETECTED ---*[offset 0]", 1},
		{"d.rdb", nil, "Cannot open file d.rdb", 1},
		{"", nil, "Usage: check <rdb-file-name>", 1},
		{"--version", nil, "check 1.2.3", 0},
	} {
		mem := vfs.NewMem(".")
		if tt.content != nil {
			mem.Put("d.rdb", tt.content)
		}
		out, code := run(mem, (*Program).RDB, "", strings.Fields(tt.args)...)
		if code != tt.code || !hasInOrder(out, tt.want) {
			t.Errorf("check-rdb %s: code %d, want %d and %q in\n%s", tt.args, code, tt.code, tt.want, out)
		}
	}
}

// Any bytes at all: an answer comes, and what was salvaged is sound.
func FuzzAOF(f *testing.F) {
	set := command("SET", "a", "1")
	first := batch(0, set)
	f.Add(join(first, batch(len(first), set)))
	f.Add(join(set, []byte("!\r\n"), command("MULTI"), set, command("EXEC"), set[:7]))
	f.Add(join(snapshot(), set))
	f.Fuzz(func(t *testing.T, content []byte) {
		mem := vfs.NewMem(".")
		mem.Put("a.1.incr.aof", content)
		if _, code := run(mem, (*Program).AOF, "", "a.1.incr.aof"); code != 0 {
			out, code := run(mem, (*Program).AOF, "", "--salvage", "b.aof", "a.1.incr.aof")
			if code != 0 {
				return // an RDB that is not sound
			}
			if again, code := run(mem, (*Program).AOF, "", "b.aof"); code != 0 {
				t.Errorf("%s\n%s", out, again)
			}
		}
		if after, _ := mem.Get("a.1.incr.aof"); !bytes.Equal(after, content) {
			t.Error("the file was changed")
		}
	})
}
