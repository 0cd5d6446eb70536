package aof

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/vfs"
)

// outcomes of a damaged file: everything, refused, or everything up to some command, which
// only an end may leave.
func judged(t *testing.T, what string, got outcome, want []string, synced int) {
	t.Helper()
	switch {
	case got.err != nil:
	case !isPrefix(got.commands, want):
		right := same(got.commands, want)
		t.Errorf("%s: silently wrong: %d commands, %d of them right", what, len(got.commands), right)
	case len(got.commands) < synced:
		t.Errorf("%s: %d commands of %d that were synced", what, len(got.commands), synced)
	}
}

func same(a, b []string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// P15: any bit of an incremental file. What was synced is not lost, nothing is wrong.
func TestP15FlippedIncr(t *testing.T) {
	content, commands := sample(rand.New(rand.NewPCG(1, 1)), 700)
	for bit := range 8 * len(content) {
		flipped := bytes.Clone(content)
		flipped[bit/8] ^= 1 << (bit % 8)
		mem := vfs.NewMem("/data", "/data/aof")
		mem.Put("/data/aof/a.manifest", manifestOf("file a.7.incr.aof seq 7 type i"))
		mem.Put("/data/aof/a.7.incr.aof", flipped)
		got := loadDir(t, mem, nil)
		judged(t, fmt.Sprintf("bit %d of byte %d", bit%8, bit/8), got, commands, 0)
		if after, _ := mem.Get("/data/aof/a.7.incr.aof"); got.err != nil && !bytes.Equal(after, flipped) {
			t.Fatalf("bit %d of byte %d: refused, and cut", bit%8, bit/8)
		}
	}
}

// P15: any bit of a manifest, in each state that it goes through. It is refused, or it means
// the same.
func TestP15FlippedManifest(t *testing.T) {
	set := func(seq int64, v string) []byte {
		b := append(BeginBatch(nil), command("APPEND", "k", v)...)
		EndBatch(b, 0, seq, 0)
		return b
	}
	files := map[string][]byte{
		"a.1.base.aof": command("SET", "k", "1"), "a.2.base.aof": command("SET", "k", "12"),
		"a.1.incr.aof": set(1, "2"), "a.2.incr.aof": set(2, "3"), "a.3.incr.aof": set(3, "4"),
		"a": command("SET", "k", "0"),
	}
	first := func() *Manifest {
		m := &Manifest{}
		m.NewBase("a", false, 0)
		m.NewIncr("a")
		return m
	}
	second := first()
	second.NewIncr("a")
	third := second.Clone()
	third.NewBase("a", false, 1)
	fourth := third.Clone()
	fourth.NewIncr("a")
	noBase := &Manifest{}
	noBase.NewIncr("a")
	noBase.NewIncr("a")
	noBase.NewBase("a", false, 1)
	old := &Manifest{Base: &FileInfo{"a", 1, Base}, baseSeq: 1}
	old.NewIncr("a")
	old.NewIncr("a")
	older := old.Clone()
	older.NewBase("a", false, 1)
	for i, m := range []*Manifest{first(), second, third, fourth, noBase, old, older} {
		text := m.AppendText(nil)
		load := func(text []byte) outcome {
			mem := vfs.NewMem("/data", "/data/aof")
			for name, content := range files {
				mem.Put("/data/aof/"+name, content)
			}
			mem.Put("/data/aof/a.manifest", text)
			return loadDir(t, mem, nil)
		}
		want := load(text)
		if want.err != nil {
			t.Fatalf("state %d: %v\n%s", i, want.err, text)
		}
		for bit := range 8 * len(text) {
			flipped := bytes.Clone(text)
			flipped[bit/8] ^= 1 << (bit % 8)
			if got := load(flipped); got.err == nil && !slices.Equal(got.commands, want.commands) {
				t.Errorf("state %d, bit %d of byte %d: %q, want %q, of\n%s", i, bit%8, bit/8,
					got.commands, want.commands, flipped)
			}
		}
	}
	mem := vfs.NewMem("/data", "/data/aof")
	mem.Put("/data/aof/a.1.incr.aof", files["a.1.incr.aof"])
	if got := loadDir(t, mem, nil); got.err == nil {
		t.Error("without its manifest it was not missed")
	}
}

// P16: a length that grew leads past what follows, in our file and in Redis's. Nothing is cut.
func TestP16LengthGrew(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	ours, _ := sample(rng, 30_000)
	var theirs []byte
	for i := range 1000 {
		theirs = append(theirs, command("SET", fmt.Sprint("key:", i), "v")...)
	}
	for name, content := range map[string][]byte{"ours": ours, "Redis's": theirs} {
		for range 50 {
			from := rng.IntN(len(content) - 1000)
			at := bytes.Index(content[from:], []byte("\r\n$"))
			grown := slices.Insert(bytes.Clone(content), from+at+4, []byte("00000")...)
			if grown[from+at+3] == '0' {
				continue
			}
			mem := vfs.NewMem("/data", "/data/aof")
			mem.Put("/data/aof/a.manifest", manifestOf("file a.7.incr.aof seq 7 type i"))
			mem.Put("/data/aof/a.7.incr.aof", grown)
			got := loadDir(t, mem, nil)
			said := fmt.Sprint(got.err)
			if !strings.Contains(said, "byte ") || !strings.Contains(said, "redis-check-aof") {
				t.Errorf("%s, byte %d: %s", name, from+at+3, said)
			}
			if after, _ := mem.Get("/data/aof/a.7.incr.aof"); !bytes.Equal(after, grown) {
				t.Fatalf("%s, byte %d: cut", name, from+at+3)
			}
		}
	}
}

// P25: a block that belongs elsewhere: another file's, or another place's, or an older one.
func TestP25Misdirected(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	content, commands := sample(rng, 60_000)
	other := bytes.Clone(content)
	for range 300 {
		moved := bytes.Clone(content)
		const block = 4096
		to := rng.IntN(len(content)/block) * block
		from := rng.IntN(len(content)/block) * block
		if from == to {
			continue
		}
		copy(moved[to:to+block], other[from:from+block])
		mem := vfs.NewMem("/data", "/data/aof")
		mem.Put("/data/aof/a.manifest", manifestOf("file a.7.incr.aof seq 7 type i"))
		mem.Put("/data/aof/a.7.incr.aof", moved)
		got := loadDir(t, mem, nil)
		judged(t, fmt.Sprintf("block %d at %d", from, to), got, commands, 0)
	}
	mem := vfs.NewMem("/data", "/data/aof") // all of it is another file's
	mem.Put("/data/aof/a.manifest", manifestOf("file a.8.incr.aof seq 8 type i"))
	mem.Put("/data/aof/a.8.incr.aof", content)
	if got := loadDir(t, mem, nil); got.err == nil || len(got.commands) > 0 {
		t.Errorf("%d commands of another file, %v", len(got.commands), got.err)
	}
}
