package value

import (
	"math/bits"

	"github.com/spineldb/spinel/internal/ds/hashtable"
	"github.com/spineldb/spinel/internal/ds/intset"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
)

// A Set is a set in its cell, or a loose one, which is no key's value yet (see LooseSet).
//
// A member that comes out of a set is a text that is not nil, or else an integer. The
// text is valid until the set changes.
//
// The Cell is within the Set and not beside it, so that a command can have many of them in
// an array of its own.
type Set struct {
	Cell
	enc    record.Encoding
	loose  bool
	epoch  uint16
	part   []byte // of a small one
	table  hashtable.Table
	digits *[numtext.MaxIntLen]byte // see textOf
}

// SetOf is the set that a cell holds.
func SetOf(c Cell) Set {
	rec := c.Record()
	s := Set{Cell: c, enc: rec.Encoding()}
	if s.part = rec.Bytes(); s.enc == record.Rooted {
		s.epoch = epochOf(rec)
		s.table.Load(s.part[epochSize:])
		s.part = nil
	}
	return s
}

// Store keeps what was changed. The root of a big set stays in the Set until then.
func (s *Set) Store() {
	if s.enc == record.Rooted && !s.loose {
		s.table.Store(s.Root())
	}
}

// Encoding is how the set is kept.
func (s *Set) Encoding() record.Encoding { return s.enc }

// IsFrozen says whether a snapshot may be reading the set. Only then can the removal of a
// member need memory.
func (s *Set) IsFrozen() bool { return s.epoch != 0 }

// IsSame says whether two sets are the value of one key.
func (s *Set) IsSame(other *Set) bool { return s.ref == other.ref && s.Arena == other.Arena }

func (s *Set) heap() leaf.Heap { return leaf.Heap{Arena: s.Arena, Epoch: s.epoch} }

func (s *Set) list() listpack.List { return listpack.List(s.part) }
func (s *Set) ints() intset.Set    { return intset.Set(s.part) }

// Len is the number of members.
func (s *Set) Len() int {
	switch s.enc {
	case record.Packed:
		return s.list().Len()
	case record.Intset:
		return s.ints().Len()
	}
	return s.table.Len()
}

// textOf is a member as text. Its buffer is made once for a Set: it is given to the
// function that hashes, of which the compiler does not know that it keeps nothing.
func (s *Set) textOf(text []byte, v int64) []byte {
	if text != nil {
		return text
	}
	if s.digits == nil {
		s.digits = new([numtext.MaxIntLen]byte)
	}
	return numtext.AppendInt(s.digits[:0], v)
}

// Has says whether there is a member.
func (s *Set) Has(text []byte) bool {
	switch s.enc {
	case record.Packed:
		l := s.list()
		return l.Find(listpack.Text(text), l.First(), 0) != 0
	case record.Intset:
		v, ok := numtext.ParseInt(text)
		return ok && s.ints().Contains(v)
	}
	return s.table.Has(s.Arena, s.Hash(text), text)
}

// HasMember is Has for what came out of another set.
func (s *Set) HasMember(m *Member) bool {
	switch s.enc {
	case record.Packed:
		l := s.list()
		if v, ok := m.Integer(); ok {
			return l.Find(listpack.Int(v), l.First(), 0) != 0
		}
		return l.Find(listpack.Elem{Bytes: m.text}, l.First(), 0) != 0
	case record.Intset:
		v, ok := m.Integer()
		return ok && s.ints().Contains(v)
	}
	text := m.Text()
	if !m.hashed {
		m.hash, m.hashed = s.Hash(text), true
	}
	return s.table.Has(s.Arena, m.hash, text)
}

// A Member is a member of one set that is looked for in others. It is read as a number,
// written as text and hashed once, and only if one of the sets needs that.
type Member struct {
	text   []byte // nil if it is not needed yet
	v      int64
	kind   memberKind
	hashed bool
	hash   uint64
	digits *[numtext.MaxIntLen]byte
}

type memberKind uint8

const (
	unknown memberKind = iota
	isInteger
	isText
)

// Set makes m another member.
func (m *Member) Set(text []byte, v int64) {
	m.text, m.v, m.hashed = text, v, false
	m.kind = unknown
	if text == nil {
		m.kind = isInteger
	}
}

// Text is the member as text.
func (m *Member) Text() []byte {
	if m.text == nil {
		if m.digits == nil {
			m.digits = new([numtext.MaxIntLen]byte)
		}
		m.text = numtext.AppendInt(m.digits[:0], m.v)
	}
	return m.text
}

// Integer is the member as an integer, if it is one.
func (m *Member) Integer() (int64, bool) {
	if m.kind == unknown {
		m.kind = isText
		if v, ok := numtext.ParseInt(m.text); ok {
			m.v, m.kind = v, isInteger
		}
	}
	return m.v, m.kind == isInteger
}

// Each calls fn for every member until it returns false. The set must not change meanwhile.
func (s *Set) Each(fn func(text []byte, v int64) bool) {
	switch s.enc {
	case record.Packed:
		l := s.list()
		for at := l.First(); at != 0; at = l.Next(at) {
			if text, v := l.Value(at); !fn(text, v) {
				return
			}
		}
	case record.Intset:
		n := s.ints()
		for i := range n.Len() {
			if !fn(nil, n.At(i)) {
				return
			}
		}
	default:
		s.table.Each(s.Arena, func(e hashtable.Entry) bool { return fn(e.Field(), 0) })
	}
}

// Scan calls fn for some members, and returns the cursor for the next call, 0 at the end.
// A small set comes at once. A member that is there from the first call, with cursor 0, to
// the last comes at least once.
//
// A table's cursor is a position whose low bits are zero: turned around it is a small
// number, which clients can take that have no 64 bits for it.
func (s *Set) Scan(cursor uint64, fn func(text []byte, v int64)) (next uint64) {
	if s.enc != record.Rooted {
		s.Each(func(text []byte, v int64) bool {
			fn(text, v)
			return true
		})
		return 0
	}
	return bits.Reverse64(s.table.Scan(s.Arena, bits.Reverse64(cursor), func(e hashtable.Entry) {
		fn(e.Field(), 0)
	}))
}

// Random is a member of a set that has some, each being equally likely. Draw returns random
// numbers.
func (s *Set) Random(draw func() uint64) (text []byte, v int64) {
	switch s.enc {
	case record.Packed:
		l := s.list()
		return l.Value(l.Seek(int(draw() % uint64(l.Len()))))
	case record.Intset:
		n := s.ints()
		return nil, n.At(int(draw() % uint64(n.Len())))
	}
	e, _ := s.table.Random(s.Arena, draw)
	return e.Field(), 0
}
