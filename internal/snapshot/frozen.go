package snapshot

import (
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/value"
)

// frozenBytes is about how much of a frozen value is copied under one lock: some 10 us.
const frozenBytes = 16 << 10

// elements are copies of some elements of a frozen value.
type elements struct {
	list  []value.Element
	bytes []byte
}

func (p *elements) reset() {
	clear(p.list)
	p.list = p.list[:0]
	if cap(p.bytes) > bufferBytesKept {
		p.bytes = nil
	}
	p.bytes = p.bytes[:0]
}

// add copies an element. What was copied before stays where it is if bytes must grow.
func (p *elements) add(e value.Element) {
	e.Name, e.Value, e.Node = p.elem(e.Name), p.elem(e.Value), p.keep(e.Node)
	p.list = append(p.list, e)
}

func (p *elements) elem(e listpack.Elem) listpack.Elem {
	e.Bytes = p.keep(e.Bytes)
	return e
}

func (p *elements) keep(b []byte) []byte {
	if b == nil {
		return nil
	}
	n := len(p.bytes)
	p.bytes = append(p.bytes, b...)
	return p.bytes[n:len(p.bytes):len(p.bytes)]
}

// enough says whether the lock should be let go. Elements cost some time each, too.
func (p *elements) enough() bool { return len(p.bytes)+16*len(p.list) >= frozenBytes }

// flushFrozen writes what is encoded, and behind it a record whose value is read in pieces.
// Nobody else writes meanwhile.
func (e *encoder) flushFrozen(r *rawRecord, first, keys int) error {
	if e.delay.micros != 0 {
		e.delay.wait(1, e.stop)
	}
	f := r.frozen
	e.buf = e.form.begin(e.buf, r)
	o := e.out
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.selectDB(first)
	for more := true; more && err == nil; {
		e.parts.reset()
		more = f.leaves.Read(e.parts.add, e.parts.enough)
		e.buf = e.form.piece(e.buf, r, e.parts.list)
		if !more {
			e.buf = e.form.end(e.buf, r)
		}
		if len(e.buf) >= writeBytes || !more {
			err = o.put(e.buf)
			e.buf = e.buf[:0]
		}
		e.pace.yield()
	}
	e.parts.reset()
	o.db = r.db
	o.keys.Add(int64(keys + 1))
	return err
}
