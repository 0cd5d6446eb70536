package journal

import (
	"slices"

	"github.com/spineldb/spinel/internal/mem"
)

// chunkSize is the number of bytes of a chunk. A command that has more gets one of its own.
const chunkSize = 256 << 10

// lastBytesMax is the size of the largest chunk that is filled again when all of it was read:
// one command of half a gigabyte would take that memory for ever.
const lastBytesMax = 4 << 20

// A chunk is a piece of the stream.
type chunk struct {
	start  int64 // position of the first byte
	b      []byte
	mapped bool // off the Go heap
}

func (c *chunk) end() int64 { return c.start + int64(len(c.b)) }

// newChunk makes a chunk for n bytes. Without memory off the heap it is on it: what was
// done must be told.
func (j *Journal) newChunk(n int) *chunk {
	if c := j.spare; c != nil && cap(c.b) >= n {
		j.spare = nil
		return c
	}
	size := max(n, chunkSize)
	if b, err := mem.Map(size); err == nil {
		return &chunk{b: b[:0], mapped: true}
	}
	return &chunk{b: make([]byte, 0, size)}
}

// write appends n bytes to the last chunk, or to a new one. They are not published.
func (j *Journal) write(n int, fill func([]byte) []byte) {
	var last *chunk
	if len(j.chunks) > 0 {
		last = j.chunks[len(j.chunks)-1]
	}
	if last == nil || cap(last.b)-len(last.b) < n {
		at := j.appended.Load()
		if last != nil {
			at = last.end()
		}
		last = j.newChunk(n)
		last.start = at
		j.chunks = append(j.chunks, last)
		j.held += int64(cap(last.b))
	}
	last.b = fill(last.b)
}

// publish lets readers see what was written.
func (j *Journal) publish() {
	end := j.chunks[len(j.chunks)-1].end()
	j.appended.Store(end)
	j.tail.Store(end + j.inserted)
	j.release()
}

// release frees chunks that nobody needs.
func (j *Journal) release() {
	need := j.appended.Load() - j.keep
	for _, c := range j.cursors {
		need = min(need, c.at)
	}
	n := 0
	for n < len(j.chunks)-1 && j.chunks[n].end() <= need {
		n++
	}
	for _, c := range j.chunks[:n] {
		j.drop(c)
	}
	j.chunks = slices.Delete(j.chunks, 0, n)
	// The last one is used again from its beginning if all of it was read: a file that keeps
	// up never leaves one chunk.
	if len(j.chunks) == 1 && j.chunks[0].end() <= need {
		last := j.chunks[0]
		if cap(last.b) > lastBytesMax {
			j.drop(last)
			j.chunks[0], j.chunks = nil, j.chunks[:0]
			return
		}
		last.start, last.b = last.end(), last.b[:0]
	}
}

func (j *Journal) drop(c *chunk) {
	j.held -= int64(cap(c.b))
	switch {
	case j.spare == nil && cap(c.b) == chunkSize:
		c.b = c.b[:0]
		j.spare = c
	case c.mapped:
		mem.Unmap(c.b)
	}
}

func (j *Journal) dropChunks() {
	for _, c := range j.chunks {
		j.drop(c)
	}
	j.chunks = nil
	if s := j.spare; s != nil && s.mapped {
		mem.Unmap(s.b)
	}
	j.spare = nil
}

// Held is the number of bytes of memory that the stream takes.
func (j *Journal) Held() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.held
}

// Keep makes the journal keep the last n bytes for readers that will come. 0 ends that.
func (j *Journal) Keep(n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.keep = n
	j.activate()
	if j.streams() {
		j.release()
	}
}

// First is the earliest position from which there are still bytes.
func (j *Journal) First() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first()
}

func (j *Journal) first() int64 {
	if len(j.chunks) == 0 {
		return j.appended.Load()
	}
	return j.chunks[0].start
}

// Backlog is what readers may still begin with, besides the file's: what Keep asks for, and
// what is there for the slowest of them.
func (j *Journal) Backlog() (first, next int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next = j.appended.Load()
	first = next - j.keep
	for _, c := range j.cursors {
		if j.file == nil || c != &j.file.Cursor {
			first = min(first, c.at)
		}
	}
	return max(first, j.first()), next
}

// StartAt gives the next byte a position, and forgets what is kept of the stream: a
// replica's goes on where its master's does. While somebody reads it, nothing happens and
// it returns false; the file may go on if it has everything.
func (j *Journal) StartAt(position int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := j.file
	if len(j.cursors) > 1 || len(j.cursors) == 1 && (f == nil || f.mark != j.tail.Load()) {
		return false
	}
	j.dropChunks()
	j.selected = 0
	j.appended.Store(position)
	j.inserted = j.tail.Load() - position
	if f != nil {
		f.at = position
	}
	return true
}

// A Cursor is where a reader stands. Its methods are for one goroutine at a time.
type Cursor struct {
	j  *Journal
	at int64
}

// NewCursor begins to read behind everything that was appended.
func (j *Journal) NewCursor() *Cursor {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.addCursor(j.appended.Load())
}

// NewCursorAt begins to read at a position, if what is behind it is still there.
func (j *Journal) NewCursorAt(position int64) (c *Cursor, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if position < j.first() || position > j.appended.Load() {
		return nil, false
	}
	return j.addCursor(position), true
}

func (j *Journal) addCursor(at int64) *Cursor {
	c := &Cursor{j, at}
	j.enter(c)
	return c
}

func (j *Journal) enter(c *Cursor) {
	j.cursors = append(j.cursors, c)
	j.active.Store(true)
}

// At is the position of the next byte to be read.
func (c *Cursor) At() int64 { return c.at }

// Pending appends pieces of the stream from the cursor's position on to dst, up to end,
// which is a position that Appended has returned. They are valid until Advance or Close.
func (c *Cursor) Pending(dst [][]byte, end int64) [][]byte {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return c.j.pieces(dst, c.at, end)
}

// pieces appends the stream's bytes between two positions to dst, as they lie in chunks.
func (j *Journal) pieces(dst [][]byte, at, end int64) [][]byte {
	i, _ := slices.BinarySearchFunc(j.chunks, at, func(k *chunk, at int64) int {
		if k.end() <= at {
			return -1
		}
		return 1
	})
	for ; i < len(j.chunks) && at < end; i++ {
		k := j.chunks[i]
		piece := k.b[at-k.start : min(end, k.end())-k.start]
		dst = append(dst, piece)
		at += int64(len(piece))
	}
	return dst
}

// Advance says that the reader is done with everything before a position.
func (c *Cursor) Advance(to int64) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	c.at = to
	if len(c.j.chunks) > 0 {
		c.j.release()
	}
}

// Close ends the reading.
func (c *Cursor) Close() {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := slices.Index(j.cursors, c); i >= 0 {
		j.cursors = slices.Delete(j.cursors, i, i+1)
	}
	j.activate()
	if len(j.chunks) > 0 {
		j.release()
	}
}
