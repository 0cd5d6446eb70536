package vfs

import (
	"maps"
	"path/filepath"
	"slices"
	"sync"
)

// # Images of a crash
//
// A power failure leaves of what was not synced anything between all and nothing. Nothing
// is promised about the order either: a later write may be on the disk, and an earlier
// one not, but for what they have in one sector; a new name may be there, and not the
// file's content. What a program must not rely on, a Record tries.

// A Record is what was done to a Mem, in order.
type Record struct {
	start map[string]*memFile // durable when it began
	data  map[*memFile][]byte // what was in them
	dirs  map[string]bool
	mu    sync.Mutex
	ops   []op
}

type opKind uint8

const (
	opCreate opKind = iota
	opRename
	opRemove
	opMkdir
	opSyncDir
	opWrite
	opTruncate
	opSync
	opLoseSync // a sync that failed
)

// An op is one call. Files are meant by identity: they may have been renamed since.
type op struct {
	kind opKind
	name string
	to   string
	file *memFile
	at   int // where a write begins; the new size
	data []byte
}

func (r *Record) add(o op) {
	if r != nil {
		r.mu.Lock()
		r.ops = append(r.ops, o)
		r.mu.Unlock()
	}
}

// Record begins a record. What is not durable at this moment counts as if it were.
func (m *Mem) Record() *Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.names {
		f.synced = slices.Clone(f.data)
	}
	m.disk = maps.Clone(m.names)
	r := &Record{start: maps.Clone(m.names), data: map[*memFile][]byte{}, dirs: maps.Clone(m.dirs)}
	for _, f := range m.names {
		r.data[f] = f.synced
	}
	m.ops = r
	return r
}

// Len is the number of calls so far.
func (r *Record) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ops)
}

// sector is what a disk writes whole.
const sector = 512

// Crash returns what a power failure behind the first n calls could have left. What is
// left of each unsynced call, choose decides: it returns a number below its argument, and
// may draw it. A choose that returns 0 always loses all, one that returns the greatest
// number keeps all.
func (r *Record) Crash(n int, choose func(below int) int) *Mem {
	p := r.Replay()
	for range n {
		p.Step()
	}
	return p.Image(choose)
}

// A Replay goes through a record call by call: many images of each moment cost no more than
// what they hold.
type Replay struct {
	disk crash
	left []op
}

// Replay goes back to the beginning of a record, and to its end as it is now.
func (r *Record) Replay() *Replay {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := crash{names: maps.Clone(r.start), files: map[*memFile]*image{}, dirs: maps.Clone(r.dirs)}
	for f, data := range r.data {
		c.files[f] = &image{data: data}
	}
	return &Replay{c, r.ops}
}

// Step makes the next call, and says whether there was one.
func (p *Replay) Step() bool {
	if len(p.left) == 0 {
		return false
	}
	p.disk.do(p.left[0])
	p.left = p.left[1:]
	return true
}

// Image returns what a power failure at this moment could have left, as Crash does.
func (p *Replay) Image(choose func(below int) int) *Mem { return p.disk.image(choose) }

// A crash is the state of a disk, and what is on its way there.
type crash struct {
	names   map[string]*memFile
	dirs    map[string]bool
	pending []op // on names
	files   map[*memFile]*image
}

// An image is a file's content on the disk, and what is on its way there.
type image struct {
	data    []byte
	stages  []stage // once a sync has failed
	pending []op
	// cached is what programs see then: what was lost goes to the disk after all with the next
	// write to its sector.
	cached []byte
}

// A stage is what was written up to a sync. One that failed has brought some of it to the
// disk, and nobody knows what; no later one does anything about that.
type stage struct {
	ops    []op
	isLost bool
}

// write notes a call that changes the content.
func (f *image) write(o op) {
	if f.cached != nil {
		f.cached = changed(f.cached, o)
		if o.kind == opWrite {
			from := o.at / sector * sector
			to := (o.at + len(o.data) + sector - 1) / sector * sector
			o.at, o.data = from, f.cached[from:min(to, len(f.cached))]
		}
	}
	f.pending = append(f.pending, o)
}

// lose is a sync that fails.
func (f *image) lose() {
	if f.cached == nil {
		f.cached = made(f.data, f.pending)
	}
	f.stages = append(f.stages, stage{f.pending, true})
	f.pending = nil
}

// sync makes durable what is pending.
func (f *image) sync() {
	if len(f.stages) > 0 {
		f.stages = append(f.stages, stage{f.pending, false})
	} else {
		f.data = made(f.data, f.pending)
	}
	f.pending = nil
}

func (c *crash) file(f *memFile) *image {
	if c.files[f] == nil {
		c.files[f] = &image{}
	}
	return c.files[f]
}

func (c *crash) do(o op) {
	switch o.kind {
	case opMkdir:
		c.dirs[o.name] = true
	case opCreate, opRename, opRemove:
		c.pending = append(c.pending, o)
	case opSyncDir:
		kept := c.pending[:0]
		for _, p := range c.pending {
			if filepath.Dir(p.name) == o.name {
				apply(c.names, p)
			} else {
				kept = append(kept, p)
			}
		}
		c.pending = kept
	case opWrite, opTruncate:
		c.file(o.file).write(o)
	case opSync:
		c.file(o.file).sync()
	case opLoseSync:
		c.file(o.file).lose()
	}
}

// apply does what a call did to names. The file is what counts: it gets its new name even
// if its old one never came to the disk.
func apply(names map[string]*memFile, o op) {
	switch o.kind {
	case opCreate:
		names[o.name] = o.file
	case opRename:
		if names[o.name] == o.file {
			delete(names, o.name)
		}
		names[o.to] = o.file
	case opRemove:
		delete(names, o.name)
	}
}

// made is what some calls make of a content.
func made(data []byte, ops []op) []byte {
	for _, o := range ops {
		data = changed(data, o)
	}
	return data
}

func changed(data []byte, o op) []byte {
	if o.kind == opTruncate {
		return resized(slices.Clone(data), o.at)
	}
	data = resized(slices.Clone(data), max(len(data), o.at+len(o.data)))
	copy(data[o.at:], o.data)
	return data
}

func (c *crash) image(choose func(int) int) *Mem {
	names := maps.Clone(c.names)
	for _, o := range c.pending {
		if choose(2) == 1 {
			apply(names, o)
		}
	}
	m := NewMem()
	m.dirs = maps.Clone(c.dirs)
	for _, name := range slices.Sorted(maps.Keys(names)) { // in an order, for choose
		m.Put(name, c.file(names[name]).left(choose))
	}
	return m
}

// left is what may be left of a file.
func (f *image) left(choose func(int) int) []byte {
	data := f.data
	for _, s := range f.stages {
		if s.isLost {
			data = mixed(data, s.ops, sector, choose) // what is written behind it begins in a sector
		} else {
			data = made(data, s.ops)
		}
	}
	return mixed(data, f.pending, 1, choose)
}

// mixed is what unsynced calls may leave of a content. They make a row of moments, and each
// sector goes to the disk as a whole, as it was at any one of them. The last one may be made
// in part, in units of some bytes.
func mixed(data []byte, ops []op, unit int, choose func(int) int) []byte {
	const (
		lost     = iota
		inOrder  // all sectors as they were at one moment
		cut      // and the last call was only made in part
		anyOrder // each sector as it was at another one
		ways
	)
	moments := [][]byte{data}
	for _, o := range ops {
		moments = append(moments, changed(moments[len(moments)-1], o))
	}
	at := choose(len(moments))
	switch way := choose(ways); {
	case way == lost || at == 0:
		return data
	case way == inOrder:
		return moments[at]
	case way == cut:
		after, before := moments[at], len(moments[at-1])
		n := min(before, len(after)) + choose(max(len(after)-before, 0)+1)
		return after[:min((n+unit-1)/unit*unit, len(after))]
	}
	sectors := make([]byte, len(moments[at])) // zeros, where one is of an earlier moment
	for i := 0; i < len(sectors); i += sector {
		if as := moments[choose(len(moments))]; i < len(as) {
			copy(sectors[i:min(i+sector, len(sectors))], as[i:])
		}
	}
	return sectors
}
