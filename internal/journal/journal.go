// Package journal is the one ordered stream of effects of a server.
//
// An effect is a command as Redis would propagate it: with absolute times, without
// chance, in a database. Writers append before they unlock the keys they changed, so
// for any key the order of the journal is the order in which things happened. Several
// effects of one command or transaction are appended together and stay together.
//
// Its readers (the append-only file, replicas) are called in order, under the
// journal's lock, which is the last lock of all: they copy what they want and return.
// Without a reader the journal costs a branch.
package journal

import (
	"sync"
	"sync/atomic"
)

// An Effect is one command in one database.
type Effect struct {
	DB   int
	Args [][]byte
}

// A Reader takes a group of effects that belong together. It must copy the arguments.
type Reader func(group []Effect)

// A Journal is a server's. It is safe for concurrent use.
type Journal struct {
	active  atomic.Bool
	mu      sync.Mutex
	readers []Reader
	groups  uint64
}

// Active says whether there is a reader.
func (j *Journal) Active() bool { return j.active.Load() }

// Attach adds a reader, which gets every group from now on.
func (j *Journal) Attach(r Reader) {
	j.mu.Lock()
	j.readers = append(j.readers, r)
	j.active.Store(true)
	j.mu.Unlock()
}

// Append gives a group to every reader.
func (j *Journal) Append(group []Effect) {
	if len(group) == 0 || !j.active.Load() {
		return
	}
	j.mu.Lock()
	j.groups++
	for _, r := range j.readers {
		r(group)
	}
	j.mu.Unlock()
}

// Position is the number of groups appended.
func (j *Journal) Position() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.groups
}
