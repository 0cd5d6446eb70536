package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/testenv"
	"github.com/spineldb/spinel/internal/vfs"
)

// A file whose bit has flipped is refused, or what is loaded is what it was. There is one
// exception, which nobody can help who appends to a file: the last batch. Behind it nothing
// says that it was ever finished, so where the flip makes its head lead past the end of the
// file it looks like one that a power failure has cut. Then it is cut off, with a line in the
// log, and the data are those before it: it alone, whole, and only if the flip is in it.

// fileBytes is how long the files are about whose bits this is.
const fileBytes = 64 << 10

// flips are the bits to try of a file, the first and the last bytes always.
func flips(t *testing.T, rng *rand.Rand, size int) (bits []int) {
	t.Helper()
	if os.Getenv("SPINEL_FLIPS") == "all" {
		for bit := range 8 * size {
			bits = append(bits, bit)
		}
		return bits
	}
	n := testenv.Number(t, "SPINEL_FLIPS", 300)
	for range n {
		switch rng.IntN(4) {
		case 0:
			bits = append(bits, rng.IntN(min(8*64, 8*size)))
		case 1:
			bits = append(bits, 8*size-1-rng.IntN(min(8*1024, 8*size)))
		default:
			bits = append(bits, rng.IntN(8*size))
		}
	}
	return bits
}

// A folder is the files of a server that has ended.
type folder struct {
	files map[string][]byte
	whole print // the contents
	short print // without the last batch
	last  int   // where that begins
}

// image is a disk with the files, one of them with another content.
func (f *folder) image(name string, content []byte) *vfs.Mem {
	mem := vfs.NewMem(dataDir, aofDir)
	for n, b := range f.files {
		if n == name {
			b = content
		}
		mem.Put(n, b)
	}
	return mem
}

const aofDir = dataDir + "/appendonlydir"

// contents is what a server finds on a disk.
func (l *reader) contents(disk vfs.FS, tailMax int64) (print, error) {
	s, err := newServer(l.house, disk, nil)
	if err != nil {
		return 0, err
	}
	defer s.stop()
	if _, err := s.load(0, tailMax); err != nil {
		return 0, err
	}
	return l.print(), nil
}

// newFolder has a server write an append-only file of a base and about as much behind it.
func newFolder(h *house, l *reader) (*folder, error) {
	r, err := newRun(h, plan{policy: "always", seed: 1, writes: 1 << 20, size: 2000},
		"rdbcompression", "no")
	if err != nil {
		return nil, err
	}
	r.fill(3*fileBytes, 8)
	_, _ = r.keeper.Rewrite(false)
	r.settle()
	r.fill(fileBytes/2, 1)
	if err := r.end(); err != nil {
		return nil, err
	}
	f := &folder{files: map[string][]byte{}}
	for _, name := range r.mem.Names() {
		f.files[name], _ = r.mem.Get(name)
	}
	incr := f.name(".incr.aof")
	f.last = bytes.LastIndex(f.files[incr], []byte("#CK:"))
	if f.whole, err = l.contents(f.image("", nil), 0); err != nil {
		return nil, err
	}
	if f.short, err = l.contents(f.image(incr, f.files[incr][:f.last]), 0); err != nil {
		return nil, err
	}
	if f.whole != printOf(r.state[len(r.state)-1]) || f.short == f.whole {
		return nil, fmt.Errorf("the files do not hold what was written")
	}
	return f, nil
}

// fill writes until the incremental file has so many bytes, some writes at a time.
func (r *run) fill(least, some int) {
	for size := 0; size < least; {
		for range some {
			r.turn(r.clients[0], r.words(r.clients[0]))
		}
		r.settle()
		for _, name := range r.mem.Names() {
			if b, _ := r.mem.Get(name); strings.HasSuffix(name, ".incr.aof") {
				size = len(b)
			}
		}
	}
}

// name is the last file whose name ends so.
func (f *folder) name(suffix string) (name string) {
	for n := range f.files {
		if strings.HasSuffix(n, suffix) && n > name {
			name = n
		}
	}
	return name
}

// flip loads the files with one flipped bit, and says what is wrong with what came of it.
func (f *folder) flip(l *reader, name string, bit int, tailMax int64) (what string, err error) {
	flipped := bytes.Clone(f.files[name])
	flipped[bit/8] ^= 1 << (bit % 8)
	mem := f.image(name, flipped)
	got, err := l.contents(mem, tailMax)
	mayCut := strings.HasSuffix(name, ".incr.aof") && bit/8 >= f.last
	switch {
	case err != nil:
		if after, _ := mem.Get(name); !bytes.Equal(after, flipped) {
			return "", fmt.Errorf("bit %d of byte %d of %s: refused, and changed", bit%8, bit/8, name)
		}
		return "refused", nil
	case got == f.whole:
		return "harmless", nil
	case got == f.short && mayCut:
		return "torn", nil
	}
	return "", fmt.Errorf("bit %d of byte %d of %d of %s: silently different", bit%8, bit/8,
		len(flipped), name)
}

// Any bit of an append-only file: base, incremental file and manifest.
func TestFlippedBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(testenv.Number(t, "SPINEL_SEED", 1)), 5))
	l := newReader(t)
	f, err := newFolder(newHouse(t), l)
	if err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{".base.rdb", ".incr.aof", ".manifest"} {
		name, counts := f.name(suffix), map[string]int{}
		for i, bit := range flips(t, rng, len(f.files[name])) {
			if i > 0 && i%progress == 0 {
				t.Logf("%s: %d bits: %v", filepath.Base(name), i, counts)
			}
			what, err := f.flip(l, name, bit, 0)
			if err != nil {
				t.Fatal(err)
			}
			counts[what]++
		}
		t.Logf("%s of %d bytes, the last batch %d: %v", filepath.Base(name), len(f.files[name]),
			len(f.files[f.name(".incr.aof")])-f.last, counts)
		if counts["refused"] == 0 {
			t.Errorf("no flip in %s was found", name)
		}
	}
}

// everyType makes values of all types, small ones and such as grow: # is the number of a key, %
// a text, and @ a number that grows.
var everyType = []string{
	"SET s@ %", "SET n@ @", "SET e@ % PXAT 4000000000000", "APPEND a# %",
	"RPUSH l# % @", "RPUSH m@ 1 % 3", "HSET h# % % @ 1", "HSET g@ a %", "HPEXPIREAT g@ 4000000000000 FIELDS 1 a",
	"SADD t# % x", "SADD i# @ 70000", "SADD i@ 1 2 3", "ZADD z# @.5 %", "ZADD y@ 1 a 2 b",
	"XADD x# @-1 f % g @", "XGROUP CREATE x# group 0", "XREADGROUP GROUP group me COUNT 1 STREAMS x# >",
	"PFADD p# %", "SETBIT b@ 900 1", "GEOADD o# 13.36 38.11 %",
}

// Any bit of a snapshot file with all types.
func TestFlippedSnapshot(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(testenv.Number(t, "SPINEL_SEED", 1)), 6))
	h := newHouse(t)
	file := vfs.NewMem(dataDir)
	s, err := newServer(h, file, nil, "rdbcompression", "yes")
	if err != nil {
		t.Fatal(err)
	}
	c := h.NewClient()
	for i, size := 0, 0; size < fileBytes; i++ {
		for _, line := range everyType {
			v := strings.Repeat(fmt.Sprintf("%016x", rng.Uint64()), 1+rng.IntN(9))
			fill := strings.NewReplacer("#", fmt.Sprint(i/40), "%", v, "@", fmt.Sprint(i+1))
			words := strings.Fields(fill.Replace(line))
			if reply := c.Call(words...); strings.HasPrefix(reply, "-") && !strings.HasPrefix(reply, "-BUSYGROUP") {
				t.Fatalf("%s: %s", line, reply)
			}
		}
		if i%40 != 39 {
			continue
		}
		if err := s.saver.Save(nil); err != nil {
			t.Fatal(err)
		}
		content, _ := file.Get(s.saver.Path())
		size = len(content)
	}
	c.Close()
	want := h.print()
	path := s.saver.Path()
	content, _ := file.Get(path)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for i, bit := range flips(t, rng, len(content)) {
		if i > 0 && i%progress == 0 {
			t.Logf("%d bits: %v", i, counts)
		}
		content[bit/8] ^= 1 << (bit % 8)
		file.Put(path, content)
		content[bit/8] ^= 1 << (bit % 8)
		h.empty()
		_, err := s.saver.Load(snapshot.LoadOptions{KeepExpired: true})
		switch {
		case err != nil:
			counts["refused"]++
		case h.print() == want:
			counts["harmless"]++
		default:
			t.Fatalf("bit %d of byte %d of %d: silently different", bit%8, bit/8, len(content))
		}
	}
	t.Logf("%d bytes: %v", len(content), counts)
	if counts["refused"] == 0 {
		t.Error("no flip was found")
	}
}
