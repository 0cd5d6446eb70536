package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/spineldb/spinel/internal/invariant"
	"github.com/spineldb/spinel/internal/resp"
)

func effect(db int, words ...string) Effect {
	e := Effect{DB: db}
	for _, w := range words {
		e.Args = append(e.Args, []byte(w))
	}
	return e
}

// read takes everything that is there for a cursor.
func read(j *Journal, c *Cursor) (b []byte) {
	end := j.Appended()
	for _, piece := range c.Pending(nil, end) {
		b = append(b, piece...)
	}
	c.Advance(end)
	return b
}

func TestEncoding(t *testing.T) {
	var j Journal
	j.Append([]Effect{effect(0, "SET", "lost", "nobody reads")})
	c := j.NewCursor()
	defer c.Close()
	j.Append([]Effect{effect(0, "SET", "k", strings.Repeat("v", 100))})
	j.Append([]Effect{effect(0, "DEL", "k"), effect(12, "PING")})
	want := "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n" +
		"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\n" + strings.Repeat("v", 100) + "\r\n" +
		"*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n" +
		"*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n*1\r\n$4\r\nPING\r\n"
	if got := read(&j, c); string(got) != want {
		t.Errorf("%q", got)
	}
	j.SelectAgain()
	j.Append([]Effect{effect(12, "PING")})
	if got := read(&j, c); string(got) != "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n*1\r\n$4\r\nPING\r\n" {
		t.Errorf("%q", got)
	}
	j.AppendBytes([]byte("*1\r\n$4\r\nPING\r\n"), -1)
	if got := read(&j, c); string(got) != "*1\r\n$4\r\nPING\r\n" {
		t.Errorf("%q", got)
	}
}

// Several writers and readers: every reader gets the same bytes, in whole groups, of each
// writer in order, and behind the last one nothing is held but a chunk.
func TestWritersAndReaders(t *testing.T) {
	var j Journal
	const writers, groups = 4, 3000
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	streams := make([][]byte, 3)
	for i := range streams {
		c := j.NewCursor()
		reading.Add(1)
		go func() {
			defer reading.Done()
			defer c.Close()
			for last := false; ; {
				streams[i] = append(streams[i], read(&j, c)...)
				if last {
					return
				}
				select {
				case <-done:
					last = true
				default:
				}
			}
		}()
	}
	for w := range writers {
		writing.Add(1)
		go func() {
			defer writing.Done()
			rng := rand.New(rand.NewPCG(1, uint64(w)))
			for g := range groups {
				value := strings.Repeat("v", rng.IntN(300))
				if rng.IntN(500) == 0 {
					value = strings.Repeat("v", chunkSize+rng.IntN(chunkSize))
				}
				set := effect(w, "SET", fmt.Sprint(w), fmt.Sprint(g), value)
				j.Append([]Effect{effect(w, "MULTI"), set, effect(w, "EXEC")})
			}
		}()
	}
	writing.Wait()
	close(done)
	reading.Wait()
	for i := range streams {
		if !bytes.Equal(streams[i], streams[0]) {
			t.Fatalf("reader %d has other bytes than the first", i)
		}
	}
	next := [writers]int{}
	for _, group := range strings.SplitAfter(string(streams[0]), "*1\r\n$4\r\nEXEC\r\n") {
		if group == "" {
			continue
		}
		_, rest, ok := strings.Cut(group, "*1\r\n$5\r\nMULTI\r\n*4\r\n$3\r\nSET\r\n$1\r\n")
		var w, size, g int
		if _, err := fmt.Sscanf(rest, "%d\r\n$%d\r\n%d\r\n", &w, &size, &g); err != nil || !ok || g != next[w] {
			t.Fatalf("%.100q: %v", group, err)
		}
		next[w]++
	}
	if next != [writers]int{groups, groups, groups, groups} {
		t.Errorf("groups of each writer: %v", next)
	}
	if n := j.Held(); n != 0 {
		t.Errorf("%d bytes are held without a reader", n)
	}
}

// What is kept can be read from any position in it, and no more is kept than a chunk more.
func TestKeep(t *testing.T) {
	var j Journal
	j.Keep(1 << 20)
	var all []byte
	for i := range 30_000 {
		e := effect(0, "SET", fmt.Sprint("key:", i), strings.Repeat("v", 100))
		if i == 0 {
			all = resp.AppendCommand(all, "SELECT", "0")
		}
		all = resp.AppendCommand(all, e.Args...)
		j.Append([]Effect{e})
	}
	if n := j.Appended() - j.First(); n < 1<<20 || n > 1<<20+chunkSize {
		t.Errorf("%d bytes are kept", n)
	}
	for _, at := range []int64{j.First(), j.Appended() - 1<<20, j.Appended() - 1, j.Appended()} {
		c, ok := j.NewCursorAt(at)
		if !ok {
			t.Fatalf("nothing is there from %d on", at)
		}
		if !bytes.Equal(read(&j, c), all[at:]) {
			t.Errorf("other bytes are there from %d on", at)
		}
		c.Close()
	}
	for _, at := range []int64{-1, 0, j.First() - 1, j.Appended() + 1} {
		if _, ok := j.NewCursorAt(at); ok {
			t.Errorf("a cursor at %d, though there are only %d to %d", at, j.First(), j.Appended())
		}
	}
	j.Keep(0)
	if j.Active() || j.Held() != 0 {
		t.Errorf("active: %v, %d bytes", j.Active(), j.Held())
	}
}

// A reader that stands still holds what it has not read, and lets it go when it ends.
func TestSlowReader(t *testing.T) {
	var j Journal
	slow, fast := j.NewCursor(), j.NewCursor()
	value := strings.Repeat("v", 1000)
	for range 5000 {
		j.Append([]Effect{effect(0, "SET", "k", value)})
		fast.Advance(j.Appended())
	}
	if n := j.Held(); n < 5_000_000 {
		t.Errorf("%d bytes are held", n)
	}
	if n := len(read(&j, slow)); int64(n) != j.Appended() {
		t.Errorf("%d bytes were read", n)
	}
	if n := j.Held(); n > 2*chunkSize {
		t.Errorf("%d bytes are held when all is read", n)
	}
	slow.Close()
	fast.Close()
}

// The memory of a large command is given back when it was read, also by the only reader.
func TestLargeCommand(t *testing.T) {
	var j Journal
	c := j.NewCursor()
	var want []byte
	for _, size := range []int{10, lastBytesMax, 10, 10, 2 * lastBytesMax, 0} {
		e := effect(0, "SET", "k", strings.Repeat("v", size))
		j.Append([]Effect{e})
		want = resp.AppendCommand(want[:0], e.Args...)
		if got := read(&j, c); !bytes.HasSuffix(got, want) {
			t.Fatalf("%d bytes: %.100q", size, got)
		}
		if n := j.Held(); n > lastBytesMax {
			t.Errorf("%d bytes: %d are held", size, n)
		}
		if first, next := j.First(), j.Appended(); first != next {
			t.Errorf("%d bytes: from %d to %d", size, first, next)
		}
	}
}

func TestStartAt(t *testing.T) {
	var j Journal
	c := j.NewCursor()
	j.Append([]Effect{effect(0, "PING")})
	if j.StartAt(1000) || len(read(&j, c)) == 0 {
		t.Error("the stream was moved under a reader")
	}
	c.Close()
	if !j.StartAt(1000) {
		t.Error("nobody reads, and it was not moved")
	}
	c = j.NewCursor()
	j.AppendBytes([]byte("*1\r\n$4\r\nPING\r\n"), -1)
	if got := read(&j, c); string(got) != "*1\r\n$4\r\nPING\r\n" || c.At() != 1000+int64(len(got)) {
		t.Errorf("%q up to %d", got, c.At())
	}
	c.Close()
}

func TestAppendAllocatesNothing(t *testing.T) {
	if invariant.Enabled {
		t.Skip("invariants allocate")
	}
	var j Journal
	c := j.NewCursor()
	defer c.Close()
	group := []Effect{effect(3, "SET", "key:000000001", strings.Repeat("v", 64))}
	if n := testing.AllocsPerRun(1000, func() {
		j.Append(group)
		c.Advance(j.Appended())
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	var j Journal
	c := j.NewCursor()
	defer c.Close()
	group := []Effect{effect(0, "SET", "key:000000001", strings.Repeat("v", 64))}
	for b.Loop() {
		j.Append(group)
		if j.Appended()-c.At() > 1<<16 {
			c.Advance(j.Appended())
		}
	}
}
