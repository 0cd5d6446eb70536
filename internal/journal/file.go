package journal

import (
	"slices"

	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// # What the file has
//
// The append-only file has what replicas have, but for two things. What keeps a replica's
// link alive (PING, REPLCONF GETACK) is not for it. And what a writable replica changes by
// itself is for it alone. Both are edits of the stream, kept until the file has passed them:
//
//	stream   ...SET...PING...SET.......SET...
//	edits             skip     insert DEL
//	file     ...SET......SET...DEL...SET...
//
// How far the file has come is a mark. Marks count the bytes of the stream and those that
// were inserted, so they only grow, also when the stream goes on at another position.

// An edit is a difference between the stream and the file, at a mark.
type edit struct {
	mark   int64
	bytes  int64  // how many marks it takes up
	insert []byte // nil to leave out what is in the stream
}

// Tail is the mark behind everything that was appended.
func (j *Journal) Tail() int64 { return j.tail.Load() }

// AppendLink appends a command, encoded, that is for replicas and not for the file.
func (j *Journal) AppendLink(b []byte) {
	if len(b) == 0 || !j.active.Load() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.streams() {
		return
	}
	if j.file != nil {
		j.edits = append(j.edits, edit{mark: j.tail.Load(), bytes: int64(len(b))})
	}
	j.writeBytes(b)
}

// AppendLocal gives a group to the file alone.
func (j *Journal) AppendLocal(group []Effect) {
	if len(group) == 0 || !j.active.Load() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return
	}
	var b []byte
	selected := j.selected
	for i := range group {
		e := &group[i]
		if e.DB+1 != selected {
			selected = e.DB + 1
			b = appendSelect(b, e.DB)
		}
		b = resp.AppendCommand(b, e.Args...)
	}
	if j.selected != selected && j.selected > 0 {
		b = appendSelect(b, j.selected-1) // in which the stream goes on
	}
	j.insert(b)
}

// insert gives bytes to the file alone.
func (j *Journal) insert(b []byte) {
	j.edits = append(j.edits, edit{mark: j.tail.Load(), bytes: int64(len(b)), insert: b})
	j.inserted += int64(len(b))
	j.tail.Store(j.appended.Load() + j.inserted)
}

// Cut is the mark and the position of now. What the file gets from here on begins with a
// SELECT, so that it may be read by itself.
func (j *Journal) Cut() (mark, position int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	mark, position = j.tail.Load(), j.appended.Load()
	if j.file != nil && j.selected > 0 {
		j.insert(appendSelect(nil, j.selected-1))
	}
	return mark, position
}

func appendSelect(b []byte, db int) []byte {
	var digits [numtext.MaxIntLen]byte
	return resp.AppendCommand(b, wordSelect, numtext.AppendInt(digits[:0], int64(db)))
}

// A FileCursor is where the file's writer stands. There is one at a time.
type FileCursor struct {
	Cursor
	mark int64
}

// NewFileCursor begins to read what the file shall have behind everything that was appended.
// For the file it begins with a SELECT.
func (j *Journal) NewFileCursor() *FileCursor {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		panic("journal: there is a file already")
	}
	j.file = &FileCursor{Cursor{j, j.appended.Load()}, j.tail.Load()}
	j.enter(&j.file.Cursor)
	if j.selected > 0 {
		j.insert(appendSelect(nil, j.selected-1))
	}
	return j.file
}

// Mark is how far the file has come.
func (c *FileCursor) Mark() int64 { return c.mark }

// Pending appends what the file shall have next, up to a mark that Tail has returned. The
// pieces are valid until Advance or Close.
func (c *FileCursor) Pending(dst [][]byte, end int64) [][]byte {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	at, mark := c.at, c.mark
	for i := range j.edits {
		e := &j.edits[i]
		if e.mark >= end {
			break
		}
		n := e.mark - mark
		dst = j.pieces(dst, at, at+n)
		at, mark = at+n, e.mark+e.bytes
		if e.insert != nil {
			dst = append(dst, e.insert)
		} else {
			at += e.bytes
		}
	}
	return j.pieces(dst, at, at+end-mark)
}

// Advance says that the file has everything before a mark.
func (c *FileCursor) Advance(to int64) {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	inserted, n := int64(0), 0
	for ; n < len(j.edits) && j.edits[n].mark < to; n++ {
		inserted += int64(len(j.edits[n].insert))
	}
	j.edits = slices.Delete(j.edits, 0, n)
	c.at += to - c.mark - inserted
	c.mark = to
	if len(j.chunks) > 0 {
		j.release()
	}
}

// Close ends the reading.
func (c *FileCursor) Close() {
	c.j.mu.Lock()
	c.j.file, c.j.edits = nil, nil
	c.j.mu.Unlock()
	c.Cursor.Close()
}
