// Package journal is the one ordered stream of effects of a server.
//
// An effect is a command as Redis would propagate it: with absolute times, without
// chance, in a database. Writers append before they unlock the keys they changed, so
// for any key the order of the journal is the order in which things happened. Several
// effects of one command or transaction are appended together and stay together.
//
//	writers --Append--> +-------+-------+-------+   chunks of bytes, in order
//	                    | kept  |    not read   |
//	                    +-------+-------+-------+
//	                            ^   ^           ^
//	                        cursors of readers  Appended
//
// The stream is bytes: effects as commands of the protocol, with SELECT in front of those
// of another database. They are encoded once, and every reader reads the same ones, from
// where its cursor stands, without a copy. A position is a number of bytes.
//
// Without a cursor, and without bytes to keep, the journal costs a branch.
//
// # Invariants
//
//  1. Bytes before Appended do not change.
//  2. A chunk stays while a cursor is before its end, or Keep wants bytes of it.
//  3. Appended is behind a whole group: who reads up to it never sees half of one.
//  4. The journal's lock is the last of all: nobody is called under it but hooks of tests.
package journal

import (
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// An Effect is one command in one database.
type Effect struct {
	DB   int
	Args [][]byte
}

// A Reader takes a group of effects that belong together. It must copy the arguments.
type Reader func(group []Effect)

// A Journal is a server's. Its zero value has no readers. It is safe for concurrent use.
type Journal struct {
	active   atomic.Bool
	appended atomic.Int64
	tail     atomic.Int64 // appended plus inserted

	mu      sync.Mutex
	readers []Reader
	groups  uint64

	chunks   []*chunk // in order; the last is being filled
	spare    *chunk
	cursors  []*Cursor
	keep     int64
	held     int64 // bytes of all chunks
	selected int   // database of the last effect, plus 1; 0 if the next needs a SELECT

	file     *FileCursor
	edits    []edit // of what the file's cursor has not passed
	inserted int64  // by how much marks are ahead of positions
}

// Active says whether there is a reader, or anything is kept for one.
func (j *Journal) Active() bool { return j.active.Load() }

// Attach adds a function that is called with every group from now on, under the lock.
func (j *Journal) Attach(r Reader) {
	j.mu.Lock()
	j.readers = append(j.readers, r)
	j.activate()
	j.mu.Unlock()
}

// activate notes whether anybody wants effects. A stream that was not written for a while
// begins with a SELECT.
func (j *Journal) activate() {
	if !j.streams() {
		j.selected = 0
		j.dropChunks()
	}
	j.active.Store(len(j.readers) > 0 || j.streams())
}

func (j *Journal) streams() bool { return len(j.cursors) > 0 || j.keep > 0 }

// Append gives a group to every reader.
func (j *Journal) Append(group []Effect) {
	if len(group) == 0 || !j.active.Load() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.groups++
	for _, r := range j.readers {
		r(group)
	}
	if !j.streams() {
		return
	}
	for i := range group {
		e := &group[i]
		if e.DB+1 != j.selected {
			j.selected = e.DB + 1
			var digits [numtext.MaxIntLen]byte
			j.writeCommand([][]byte{wordSelect, numtext.AppendInt(digits[:0], int64(e.DB))})
		}
		j.writeCommand(e.Args)
	}
	j.publish()
}

var wordSelect = []byte("SELECT")

func (j *Journal) writeCommand(args [][]byte) {
	j.write(resp.CommandSize(args), func(b []byte) []byte { return resp.AppendCommand(b, args...) })
}

// AppendBytes appends commands that are encoded already, as a replica does with those of
// its master. They must be whole. db is the database that is selected behind them, -1 if
// that is not known.
func (j *Journal) AppendBytes(b []byte, db int) {
	if len(b) == 0 || !j.active.Load() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.streams() {
		return
	}
	j.selected = db + 1
	j.writeBytes(b)
}

func (j *Journal) writeBytes(b []byte) {
	j.write(len(b), func(dst []byte) []byte { return append(dst, b...) })
	j.publish()
}

// SelectAgain makes the next effect come with a SELECT, for a reader that begins there.
func (j *Journal) SelectAgain() {
	j.mu.Lock()
	j.selected = 0
	j.mu.Unlock()
}

// Selected is the database that is selected behind the last effect, -1 if the next comes with
// a SELECT.
func (j *Journal) Selected() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.selected - 1
}

// Select says which database is selected where the stream goes on: that of a replica does so in
// the middle of its master's.
func (j *Journal) Select(db int) {
	j.mu.Lock()
	j.selected = db + 1
	j.mu.Unlock()
}

// Position is the number of groups appended.
func (j *Journal) Position() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.groups
}

// Appended is the position behind the last group.
func (j *Journal) Appended() int64 { return j.appended.Load() }
