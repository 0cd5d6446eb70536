package zsetcmd

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/value"
)

// An operation is what several sets are combined with.
type operation uint8

const (
	union operation = iota
	intersection
	difference
)

// An aggregate is what becomes of several scores of a member.
type aggregate uint8

const (
	sum aggregate = iota
	least
	most
)

func (a aggregate) of(x, y float64) float64 {
	switch {
	case a == sum:
		if s := x + y; !math.IsNaN(s) {
			return s
		}
		return 0 // of infinities of both signs
	case a == least && y < x, a == most && y > x:
		return y
	}
	return x
}

// A source is one of the sets: a sorted set, a set, whose members count as if they had the
// score 1, or nothing.
type source struct {
	cell   value.Cell
	z      value.ZSet
	s      value.Set
	isSet  bool
	size   int
	weight float64
}

// each calls fn for the members, until it returns false.
func (s *source) each(fn func(text []byte, v int64, score float64) bool) {
	switch {
	case s.size == 0:
	case s.isSet:
		s.s.Each(func(text []byte, v int64) bool { return fn(text, v, 1) })
	default:
		it := s.z.Iter(0, false)
		for {
			text, v, score, ok := it.Next()
			if !ok || !fn(text, v, score) {
				return
			}
		}
	}
}

func (s *source) score(member []byte) (score float64, ok bool) {
	switch {
	case s.size == 0:
		return 0, false
	case s.isSet:
		return 1, s.s.Has(member)
	}
	return s.z.Score(member)
}

// weigh is a score times the source's weight. Nothing of something infinite is 0.
func (s *source) weigh(score float64) float64 {
	if score *= s.weight; math.IsNaN(score) {
		return 0
	}
	return score
}

// An entry is an element of the result. The member's bytes are those of a source, which
// stay where they are until the command ends.
type entry struct {
	member []byte
	score  float64
}

// A combination is a call.
type combination struct {
	op        operation
	aggregate aggregate
	sources   []source
	scores    bool // are to be shown
	limit     int  // of the number that is counted to

	digits []byte // of members that are integers
}

// open finds the keys.
func (m *combination) open(c *command.Ctx, keys [][]byte) (err error) {
	m.sources = make([]source, len(keys))
	for i, key := range keys {
		s := &m.sources[i]
		s.weight = 1
		if v, ok := c.DB.Peek(key); ok && v.Type() == record.Set {
			s.isSet = true
		}
		typ := record.ZSet
		if s.isSet {
			typ = record.Set
		}
		var ok bool
		if s.cell, ok, err = c.DB.Open(key, typ); err != nil {
			return err
		}
		switch {
		case !ok:
		case s.isSet:
			s.s = value.SetOf(s.cell)
			s.size = s.s.Len()
		default:
			s.z = value.ZSetOf(&s.cell)
			s.size = s.z.Len()
		}
	}
	return nil
}

// text is a member as text that stays.
func (m *combination) text(text []byte, v int64) []byte {
	if text != nil {
		return text
	}
	from := len(m.digits)
	if cap(m.digits)-from < numtext.MaxIntLen {
		m.digits, from = make([]byte, 0, digitsRoom), 0
	}
	m.digits = numtext.AppendInt(m.digits, v)
	return m.digits[from:len(m.digits):len(m.digits)]
}

// digitsRoom is the size in bytes of a piece of memory for integers as text.
const digitsRoom = 4 << 10

// run is the result, in the order of a sorted set.
func (m *combination) run() (result []entry) {
	collect := func(e *entry) bool {
		e.score += 0 // -0 is 0
		result = append(result, *e)
		return true
	}
	switch m.op {
	case union:
		result = m.unite()
	case intersection:
		m.intersect(collect)
	case difference:
		m.subtract(collect)
	}
	if !slices.IsSortedFunc(result, compareEntries) {
		slices.SortFunc(result, compareEntries)
	}
	return result
}

func compareEntries(a, b entry) int {
	if c := cmp.Compare(a.score, b.score); c != 0 {
		return c
	}
	return bytes.Compare(a.member, b.member)
}

// bySize puts the smallest source first. The order is seen in how sums are rounded.
func (m *combination) bySize() {
	slices.SortStableFunc(m.sources, func(a, b source) int { return cmp.Compare(a.size, b.size) })
	for i := range m.sources { // they have moved
		s := &m.sources[i]
		s.z.Cell = &s.cell
	}
}

// intersect calls fn for what is in all sources, until it returns false.
func (m *combination) intersect(fn func(e *entry) bool) {
	m.bySize()
	first, others := &m.sources[0], m.sources[1:]
	first.each(func(text []byte, v int64, score float64) bool {
		before := len(m.digits)
		e := entry{m.text(text, v), first.weigh(score)}
		for i := range others {
			other, ok := others[i].score(e.member)
			if !ok {
				if text == nil && before < len(m.digits) {
					m.digits = m.digits[:before] // nobody keeps it
				}
				return true
			}
			e.score = m.aggregate.of(e.score, other*others[i].weight)
		}
		return fn(&e)
	})
}

// subtract calls fn for what is in the first source only.
func (m *combination) subtract(fn func(e *entry) bool) {
	first, others := &m.sources[0], m.sources[1:]
	first.each(func(text []byte, v int64, score float64) bool {
		e := entry{m.text(text, v), score}
		for i := range others {
			if _, ok := others[i].score(e.member); ok {
				return true
			}
		}
		return fn(&e)
	})
}

// A slot of a union's table is where in the result a member is, plus 1.
type slot struct {
	hash, at uint32
}

// unite is all that is in any source, in any order.
func (m *combination) unite() (result []entry) {
	m.bySize()
	total := 0
	for i := range m.sources {
		total += m.sources[i].size
	}
	if total == 0 {
		return nil
	}
	result = make([]entry, 0, m.sources[len(m.sources)-1].size)
	table := make([]slot, 1<<tableBits(total))
	mask := uint32(len(table) - 1)
	for i := range m.sources {
		s := &m.sources[i]
		s.each(func(text []byte, v int64, score float64) bool {
			member, score := m.text(text, v), s.weigh(score)
			hash := uint32(s.cell.Hash(member))
			at := hash & mask
			for ; table[at].at != 0; at = (at + 1) & mask {
				if table[at].hash != hash {
					continue
				}
				if e := &result[table[at].at-1]; bytes.Equal(e.member, member) {
					e.score = m.aggregate.of(e.score, score) + 0
					return true
				}
			}
			result = append(result, entry{member, score + 0})
			table[at] = slot{hash, uint32(len(result))}
			return true
		})
	}
	return result
}

// tableBits is the logarithm of the size of a table for so many entries, which is to be at most
// two thirds full.
func tableBits(n int) int {
	b := 3
	for 2<<b < 3*n {
		b++
	}
	return b
}
