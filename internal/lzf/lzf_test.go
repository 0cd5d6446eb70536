package lzf_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/lzf"
)

// fromRedis are the compressed strings in replies of Redis 7.0 to DUMP.
var fromRedis = []struct{ stream, want string }{
	{"\x01aa\xe0'\x00\x01aa", strings.Repeat("a", 52)},
	{
		"\x06hello h\xe0\x02\x05\x04world\xa0\x05\x80\x17`\x11" +
			"\x1f, the quick brown fox jumps over\xe0\b\x1e\x03dog;\xa0@ F\x01lo",
		"hello hello hello world world hello world, " +
			"the quick brown fox jumps over the quick brown dog; hello hello",
	},
	{"\x01\x00\x00\xe0\xff\x00\xe0}\x00\x02xyz", strings.Repeat("\x00", 400) + "xyz"},
}

func TestDecompressRedis(t *testing.T) {
	for _, tt := range fromRedis {
		got, err := lzf.AppendDecompressed([]byte("kept"), []byte(tt.stream), len(tt.want))
		if err != nil || string(got) != "kept"+tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.stream, got, err, tt.want)
		}
	}
}

// Damage is an error, whatever was decoded before it, and leaves dst alone.
func TestDecompressDamaged(t *testing.T) {
	for _, tt := range []struct {
		stream string
		length int
		want   string
	}{
		{"", 1, "no stream of this size"},
		{"\x00a", -1, "no stream of this size"},
		{"\x01aa\xe0\xff\x00", 1 << 40, "no stream of this size"},
		{"\x00a\xe0\xff\x00", 441, "no stream of this size"}, // 5 bytes, 440 at most
		{"\x02aa", 3, "ends inside"},
		{"\x1f", 32, "ends inside"},
		{"\x00a\x20", 4, "ends inside"},
		{"\x00a\xe0", 10, "ends inside"},
		{"\x00a\xe0\x00", 10, "ends inside"},
		{"\x20\x00", 3, "before the start"}, // nothing to repeat yet
		{"\x00a\x20\x01", 4, "before the start"},
		{"\x00a\xff\xff\xff", 265, "before the start"},
		{"\x01ab", 1, "longer than"},
		{"\x00a\x20\x00", 3, "longer than"},
		{"\x00a", 2, "shorter than"},
		{"\x00a\x20\x00", 5, "shorter than"},
	} {
		dst := []byte("keep")
		got, err := lzf.AppendDecompressed(dst, []byte(tt.stream), tt.length)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q as %d bytes: %v, want %q", tt.stream, tt.length, err, tt.want)
		}
		if string(got) != "keep" {
			t.Errorf("%q as %d bytes: dst became %q", tt.stream, tt.length, got)
		}
	}
}

func TestDecompressNothing(t *testing.T) {
	if got, err := lzf.AppendDecompressed(nil, nil, 0); err != nil || len(got) != 0 {
		t.Errorf("got %q, %v", got, err)
	}
}

// What doesn't shrink by four bytes is refused, and dst is returned as it was.
func TestIncompressible(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 20000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	var c lzf.Compressor
	for _, src := range [][]byte{
		nil, []byte("a"), []byte("aaaa"), []byte("aaaaaaa"), []byte("abcdefgh"), noise,
	} {
		if got, ok := c.AppendCompressed([]byte("keep"), src); ok || string(got) != "keep" {
			t.Errorf("%d bytes: %q, %v", len(src), got, ok)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	var c lzf.Compressor
	var numbers []byte
	for i := range 5000 {
		numbers = strconv.AppendInt(append(numbers, ','), int64(i), 10)
	}
	for _, tt := range []struct {
		src   []byte
		bound int // bytes that the stream may have
	}{
		{bytes.Repeat([]byte("a"), 12), 8},
		{bytes.Repeat([]byte("a"), 1<<20), 1<<20/80 + 10},
		{bytes.Repeat([]byte("abcdefg"), 2000), 14000/80 + 20},
		{numbers, len(numbers) * 2 / 3},
		{[]byte(fromRedis[1].want), len(fromRedis[1].stream) + 4},
		{[]byte(fromRedis[2].want), len(fromRedis[2].stream) + 4},
	} {
		stream, ok := c.AppendCompressed(nil, tt.src)
		if !ok || len(stream) > tt.bound {
			t.Errorf("%.20q...: %d bytes became %d, %v, want at most %d", tt.src, len(tt.src),
				len(stream), ok, tt.bound)
			continue
		}
		got, err := lzf.AppendDecompressed(nil, stream, len(tt.src))
		if err != nil || !bytes.Equal(got, tt.src) {
			t.Errorf("%.20q...: does not come back: %v", tt.src, err)
		}
	}
}

// The same string gives the same stream, whatever was compressed before it.
func TestDeterministic(t *testing.T) {
	var used, fresh lzf.Compressor
	src := []byte(strings.Repeat("to be or not to be ", 30))
	for i := range 50 {
		used.AppendCompressed(nil, []byte(strings.Repeat("not to be "+strconv.Itoa(i), 40)))
	}
	a, _ := used.AppendCompressed(nil, src)
	b, _ := fresh.AppendCompressed(nil, src)
	if !bytes.Equal(a, b) {
		t.Errorf("a used compressor gives %q, a fresh one %q", a, b)
	}
}

func TestNoAllocation(t *testing.T) {
	var c lzf.Compressor
	src := []byte(strings.Repeat("to be or not to be ", 30))
	dst := make([]byte, 0, len(src))
	back := make([]byte, 0, len(src))
	n := testing.AllocsPerRun(100, func() {
		stream, ok := c.AppendCompressed(dst, src)
		if !ok {
			t.Fatal("does not compress")
		}
		if _, err := lzf.AppendDecompressed(back, stream, len(src)); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("aaaaaaaaaaaaaaaabaaaaaaaaaaaaaaa"), uint16(3))
	f.Add([]byte("hello hello hello world"), uint16(1000))
	var c lzf.Compressor
	f.Fuzz(func(t *testing.T, piece []byte, repeat uint16) {
		src := bytes.Repeat(piece, 1+int(repeat)%1000) // so that distances reach past the window
		if len(src) > 1<<20 {
			src = src[:1<<20]
		}
		stream, ok := c.AppendCompressed(nil, src)
		if !ok {
			return
		}
		if len(stream) > len(src)-4 {
			t.Fatalf("%d bytes became %d", len(src), len(stream))
		}
		got, err := lzf.AppendDecompressed(nil, stream, len(src))
		if err != nil || !bytes.Equal(got, src) {
			t.Fatalf("does not come back: %v", err)
		}
	})
}

// FuzzDecompress compares with a decoder that writes one byte at a time, and
// checks that damage never costs more memory than was asked for.
func FuzzDecompress(f *testing.F) {
	for _, tt := range fromRedis {
		f.Add([]byte(tt.stream), len(tt.want))
	}
	f.Fuzz(func(t *testing.T, stream []byte, length int) {
		want, ok := slowDecompress(stream)
		got, err := lzf.AppendDecompressed(nil, stream, length)
		if cap(got) > 88*len(stream)+1024 {
			t.Fatalf("%d bytes made it allocate %d", len(stream), cap(got))
		}
		if ok = ok && len(want) == length; ok != (err == nil) || ok && !bytes.Equal(got, want) {
			t.Fatalf("as %d bytes: got %q, %v, want %q, %v", length, got, err, want, ok)
		}
		if got, err := lzf.AppendDecompressed(nil, stream, len(want)); err == nil && !bytes.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func slowDecompress(in []byte) (out []byte, ok bool) {
	for i := 0; i < len(in); {
		control := int(in[i])
		i++
		if control < 32 {
			if i+control+1 > len(in) {
				return out, false
			}
			out = append(out, in[i:i+control+1]...)
			i += control + 1
			continue
		}
		n := control / 32
		if n == 7 && i < len(in) {
			n += int(in[i])
			i++
		} else if n == 7 {
			return out, false
		}
		if i >= len(in) {
			return out, false
		}
		back := control%32*256 + int(in[i]) + 1
		i++
		for range n + 2 {
			if back > len(out) {
				return out, false
			}
			out = append(out, out[len(out)-back])
		}
	}
	return out, true
}

// benchmarkInputs are a text of words, a JSON-like record, and noise.
func benchmarkInputs() map[string][]byte {
	rng := rand.New(rand.NewPCG(5, 6))
	words := strings.Fields("key value shard journal snapshot replica the of a and to hash slot stream lists")
	var text, record []byte
	for len(text) < 64<<10 {
		text = append(append(text, words[rng.IntN(len(words))]...), ' ')
	}
	for len(record) < 1<<10 {
		record = append(record, `{"id":`...)
		record = strconv.AppendUint(record, uint64(rng.Uint32()), 10)
		record = append(record, `,"name":"user","active":true},`...)
	}
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	return map[string][]byte{"text64KiB": text, "json1KiB": record, "noise64KiB": noise}
}

func BenchmarkCompress(b *testing.B) {
	var c lzf.Compressor
	for name, src := range benchmarkInputs() {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, len(src))
			b.SetBytes(int64(len(src)))
			size := len(src)
			for b.Loop() {
				if stream, ok := c.AppendCompressed(dst, src); ok {
					size = len(stream)
				}
			}
			b.ReportMetric(float64(size)/float64(len(src)), "ratio")
		})
	}
}

func BenchmarkDecompress(b *testing.B) {
	var c lzf.Compressor
	for name, src := range benchmarkInputs() {
		stream, ok := c.AppendCompressed(nil, src)
		if !ok {
			continue
		}
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, len(src))
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if _, err := lzf.AppendDecompressed(dst, stream, len(src)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
