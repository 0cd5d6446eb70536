package value

import (
	"errors"
	"math"
	"slices"

	"github.com/spineldb/spinel/internal/ds/hashtable"
	"github.com/spineldb/spinel/internal/ds/intset"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/numtext"
)

// resize changes encoding and length of a small set's part, of which the first bytes stay.
func (s *Set) resize(e record.Encoding, n int) error {
	if s.loose {
		s.part = slices.Grow(s.part, max(0, n-len(s.part)))[:n]
		s.enc = e
		return nil
	}
	b, err := s.Resize(e, n)
	if err != nil {
		return err
	}
	s.part, s.enc = b, e
	return nil
}

// cut makes the part shorter. Where there is no memory for a smaller block it stays in the
// one that it has.
func (s *Set) cut(n int) {
	if s.resize(s.enc, n) != nil {
		s.part = s.Record().Resize(s.enc, n)
	}
}

// Expect prepares a set for n members that are about to be added, first being the first of
// them: an empty one begins in the encoding that Redis chooses, another gets a table at once
// if they are more than a small one may have.
func (s *Set) Expect(first []byte, n int) error {
	if s.enc == record.Rooted {
		return nil
	}
	fitsIntset, fitsList := int64(n) <= s.Limits.SetIntset.Load(), int64(n) <= s.Limits.SetEntries.Load()
	if s.Len() == 0 {
		if _, ok := numtext.ParseInt(first); ok && fitsIntset {
			return s.clear(record.Intset)
		}
		if fitsList {
			return s.clear(record.Packed)
		}
		return s.toTable()
	}
	if s.enc == record.Intset && !fitsIntset || s.enc == record.Packed && !fitsList {
		return s.toTable()
	}
	return nil
}

// clear makes a small set an empty one of an encoding.
func (s *Set) clear(e record.Encoding) error {
	if s.enc == e && s.Len() == 0 {
		return nil
	}
	n := listpack.EmptySize
	if e == record.Intset {
		n = intset.HeaderSize
	}
	if err := s.resize(e, n); err != nil {
		return err
	}
	if e == record.Intset {
		intset.AppendEmpty(s.part[:0])
	} else {
		listpack.AppendEmpty(s.part[:0])
	}
	return nil
}

// Add adds a member, which must not be a view of this set, and says whether it is new. If
// there is no memory the set is as it was.
func (s *Set) Add(text []byte) (added bool, err error) {
	switch s.enc {
	case record.Rooted:
		return s.addToTable(text)
	case record.Packed:
		return s.addToList(text)
	}
	if v, ok := numtext.ParseInt(text); ok {
		return s.addInt(v)
	}
	if err := s.leaveIntset(len(text)); err != nil {
		return false, err
	}
	return s.Add(text)
}

// AddMember is Add for what came out of another set.
func (s *Set) AddMember(text []byte, v int64) (added bool, err error) {
	if text == nil && s.enc == record.Intset {
		return s.addInt(v)
	}
	return s.Add(s.textOf(text, v))
}

// insideMax is the size in bytes up to which it costs little to find out only while adding
// that a member is there already.
const insideMax = 128

func (s *Set) addToTable(text []byte) (bool, error) {
	hash := s.Hash(text)
	if (s.epoch != 0 || len(text) > insideMax) && s.table.Has(s.Arena, hash, text) {
		return false, nil
	}
	env := hashtable.Env{Heap: s.heap(), Hash: s.Hash}
	return s.table.Set(&env, hash, text, nil, hashtable.NoExpiry)
}

func (s *Set) addToList(text []byte) (bool, error) {
	l, e := s.list(), listpack.Text(text)
	if l.Find(e, l.First(), 0) != 0 {
		return false, nil
	}
	size := len(l) + e.Size()
	if int64(l.Len()) >= s.Limits.SetEntries.Load() || int64(len(text)) > s.Limits.SetValue.Load() ||
		size > listpack.SizeMax {
		if err := s.toTable(); err != nil {
			return false, err
		}
		return s.addToTable(text)
	}
	if err := s.resize(record.Packed, size); err != nil {
		return false, err
	}
	listpack.Append(s.part, e)
	return true, nil
}

// intsetMax is the most numbers that an intset may have whatever set-max-intset-entries is.
const intsetMax = 1 << 30 / 8

func (s *Set) intsetLimit() int64 { return min(s.Limits.SetIntset.Load(), intsetMax) }

func (s *Set) addInt(v int64) (bool, error) {
	n := s.ints()
	i, found := n.Find(v)
	if found {
		return false, nil
	}
	if int64(n.Len()) >= s.intsetLimit() {
		if err := s.toTable(); err != nil {
			return false, err
		}
		return s.addToTable(s.textOf(nil, v))
	}
	if err := s.resize(record.Intset, n.SizeAfter(v)); err != nil {
		return false, err
	}
	intset.InsertAt(s.part, i, v)
	return true, nil
}

// leaveIntset makes an intset what can hold a text of so many bytes.
func (s *Set) leaveIntset(size int) error {
	n, longest := s.ints(), 0
	if n.Len() > 0 {
		longest = max(numtext.IntLen(n.Min()), numtext.IntLen(n.Max()))
	}
	if int64(n.Len()) >= s.Limits.SetEntries.Load() || int64(max(size, longest)) > s.Limits.SetValue.Load() ||
		listpack.EmptySize+n.Len()*listpack.IntSize(math.MaxInt64)+size > listpack.SizeMax {
		return s.toTable()
	}
	list := listpack.AppendHeader(nil)
	for i := range n.Len() {
		list = listpack.AppendElem(list, listpack.Int(n.At(i)))
	}
	list = listpack.Finish(list, 0, n.Len())
	if err := s.resize(record.Packed, len(list)); err != nil {
		return err
	}
	copy(s.part, list)
	return nil
}

// toTable makes a small set a big one.
func (s *Set) toTable() (err error) {
	t := hashtable.New(false)
	env := hashtable.Env{Heap: leaf.Heap{Arena: s.Arena}, Hash: s.Hash}
	var m Member // and not textOf, whose bytes may be what is about to be added
	s.Each(func(text []byte, v int64) bool {
		m.Set(text, v)
		text = m.Text()
		_, err = t.Set(&env, s.Hash(text), text, nil, hashtable.NoExpiry)
		return err == nil
	})
	if err == nil && !s.loose {
		_, err = s.MakeRoot(record.Rooted, hashtable.Size)
	}
	if err != nil {
		t.FreeSome(env.Heap, math.MaxInt)
		return err
	}
	s.enc, s.part, s.table = record.Rooted, nil, t
	s.Store()
	return nil
}

// Remove removes a member and says whether it was there. It may be a view of this set.
func (s *Set) Remove(text []byte) (removed bool, err error) {
	switch s.enc {
	case record.Packed:
		l := s.list()
		at := l.Find(listpack.Text(text), l.First(), 0)
		if at == 0 {
			return false, nil
		}
		s.cut(listpack.Delete(s.part, at, 1))
		return true, nil
	case record.Intset:
		v, ok := numtext.ParseInt(text)
		if !ok {
			return false, nil
		}
		return s.removeInt(v), nil
	}
	return s.table.Delete(s.heap(), s.Hash(text), text)
}

// RemoveMember is Remove for what came out of a set, even this one.
func (s *Set) RemoveMember(text []byte, v int64) (removed bool, err error) {
	if text == nil && s.enc == record.Intset {
		return s.removeInt(v), nil
	}
	return s.Remove(s.textOf(text, v))
}

func (s *Set) removeInt(v int64) bool {
	i, found := s.ints().Find(v)
	if found {
		s.cut(intset.DeleteAt(s.part, i))
	}
	return found
}

// Pop removes n random members, fewer than there are, each choice being equally likely, and
// calls fn for each before it goes. Draw returns random numbers. If there is no memory for
// a removal, which can be only if IsFrozen, it ends with fewer.
func (s *Set) Pop(n int, draw func() uint64, fn func(text []byte, v int64)) (popped int) {
	switch s.enc {
	case record.Packed:
		s.popFromList(n, draw, fn)
		return n
	case record.Intset:
		s.popFromIntset(n, draw, fn)
		return n
	}
	h := s.heap()
	var copied []byte
	for ; popped < n; popped++ {
		e, _ := s.table.Random(s.Arena, draw)
		text := e.Field()
		if s.epoch == 0 {
			fn(text, 0)
			_, _ = s.table.Delete(h, s.Hash(text), text)
			continue
		}
		copied = append(copied[:0], text...)
		if _, err := s.table.Delete(h, s.Hash(copied), copied); err != nil {
			break
		}
		fn(copied, 0)
	}
	return popped
}

// popFromList goes through the elements once and moves those that stay to the front.
func (s *Set) popFromList(n int, draw func() uint64, fn func(text []byte, v int64)) {
	l, to := s.list(), listpack.HeaderSize
	left, stay := l.Len(), l.Len()-n
	for at := l.First(); left > 0; left-- {
		size := l.SizeAt(at)
		if draw()%uint64(left) < uint64(n) {
			fn(l.Value(at))
			n--
		} else {
			to += copy(l[to:], l[at:at+size])
		}
		at += size
	}
	listpack.Build(s.part[:to+1], stay, s.part[listpack.HeaderSize:to])
	s.cut(to + 1)
}

func (s *Set) popFromIntset(n int, draw func() uint64, fn func(text []byte, v int64)) {
	ints, to := s.ints(), 0
	total := ints.Len()
	width := (len(s.part) - intset.HeaderSize) / total
	at := func(i int) []byte { return s.part[intset.HeaderSize+i*width:][:width] }
	for i := range total {
		if draw()%uint64(total-i) < uint64(n) {
			fn(nil, ints.At(i))
			n--
		} else {
			copy(at(to), at(i))
			to++
		}
	}
	s.cut(intset.DeleteRange(s.part, to, total))
}

// --- loose sets ---

// LooseSet makes an empty set that is no key's value. Its table, if it gets one, is in the
// arena of a cell; while it is small it is in room, and on the heap when that is too small.
// In the end MoveTo makes it the value of a key of that arena, or Free its memory.
func LooseSet(c *Cell, e record.Encoding, room []byte) Set {
	s := Set{Cell: *c, enc: e, loose: true}
	if e == record.Intset {
		s.part = intset.AppendEmpty(room[:0])
	} else {
		s.part = listpack.AppendEmpty(room[:0])
	}
	return s
}

// MoveTo makes a loose set the value of a key that has just been made, and is empty. If
// there is no memory the set is as it was.
func (s *Set) MoveTo(c *Cell) error {
	if s.enc == record.Rooted {
		root, err := c.MakeRoot(record.Rooted, hashtable.Size)
		if err == nil {
			s.table.Store(root)
		}
		return err
	}
	b, err := c.Resize(s.enc, len(s.part))
	if err == nil {
		copy(b, s.part)
	}
	return err
}

// Become gives a big set the members of a loose one in the place of its own. If there is no
// memory nothing has changed.
func (s *Set) Become(loose *Set) error {
	old, h := s.table, s.heap()
	if loose.enc == record.Rooted {
		s.table = loose.table
		s.SetEpoch(0) // nobody knows the new leaves
		s.Store()
	} else {
		if err := s.resize(loose.enc, len(loose.part)); err != nil {
			return err
		}
		copy(s.part, loose.part)
	}
	s.epoch = 0
	old.FreeSome(h, math.MaxInt)
	return nil
}

// Free frees what a loose set has.
func (s *Set) Free() {
	if s.enc == record.Rooted {
		s.table.FreeSome(s.heap(), math.MaxInt)
	}
}

// ToIntset makes a loose set whose members are all integers an intset, unless they are too
// many.
func (s *Set) ToIntset() {
	if s.enc == record.Intset || int64(s.Len()) > s.intsetLimit() {
		return
	}
	b := intset.AppendEmpty(make([]byte, 0, intset.HeaderSize+8*s.Len()))
	s.Each(func(text []byte, v int64) bool {
		if text != nil {
			v, _ = numtext.ParseInt(text)
		}
		i, _ := intset.In(b).Find(v)
		b = b[:intset.In(b).SizeAfter(v)]
		intset.InsertAt(b, i, v)
		return true
	})
	s.Free()
	s.enc, s.part = record.Intset, b
}

// --- what is done with values of all types alike ---

var _ = describe(record.Set, kind{
	words: map[record.Encoding]string{
		// A client of Redis 7.0 knows no set that is a listpack.
		record.Packed: "hashtable", record.Intset: "intset", record.Rooted: "hashtable",
	},
	count: func(rec record.Record) int {
		switch b := rec.Bytes(); rec.Encoding() {
		case record.Packed:
			return listpack.In(b).Len()
		case record.Intset:
			return intset.In(b).Len()
		default:
			var t hashtable.Table
			t.Load(b[epochSize:])
			return t.Len()
		}
	},
	freeSome: func(h leaf.Heap, root []byte, leaves int) bool {
		var t hashtable.Table
		t.Load(root)
		done := t.FreeSome(h, leaves)
		t.Store(root)
		return done
	},
	leaves: func(a *mem.Arena, root []byte, dst []mem.Ref) []mem.Ref {
		var t hashtable.Table
		t.Load(root)
		return t.AppendLeaves(a, dst)
	},
	each: func(a *mem.Arena, ref mem.Ref, fn func(Element)) {
		hashtable.EachInLeaf(a, ref, func(e hashtable.Entry) bool {
			fn(Element{Name: listpack.Elem{Bytes: e.Field()}, Expiry: -1})
			return true
		})
	},
	texts: eachEntry,
	thaw:  hashtable.Thaw,
	load:  loadSet,
	add:   addToSet,
	memory: func(c *Cell, samples int) int {
		s := SetOf(*c)
		return int(s.table.MemoryBytes(c.Arena, samples))
	},
	check: checkSet,
})

// loadSet obeys the limits of entries alone, as Redis does.
func loadSet(c *Cell, e record.Encoding, packed []byte) error {
	b, err := c.Resize(e, len(packed))
	if err != nil {
		return err
	}
	copy(b, packed)
	s := SetOf(*c)
	limit := s.Limits.SetEntries.Load()
	if e == record.Intset {
		limit = s.intsetLimit()
	}
	if int64(s.Len()) > limit {
		err = s.toTable()
		*c = s.Cell
	}
	return err
}

// addToSet begins with an intset, if it can, whatever the number of elements will be.
func addToSet(c *Cell, e *Element) (added bool, err error) {
	s := SetOf(*c)
	text, v := e.Name.Bytes, e.Name.Int
	if e.Name.IsInt {
		text = nil
	} else if text == nil {
		text = []byte{}
	}
	if s.enc == record.Packed && s.Len() == 0 {
		if _, ok := e.Name.Integer(); ok && s.intsetLimit() > 0 {
			err = s.clear(record.Intset)
		}
	}
	if err == nil {
		added, err = s.AddMember(text, v)
	}
	s.Store()
	*c = s.Cell
	return added, err
}

var errTwice = errors.New("value: a set has a member twice")

func checkSet(c *Cell) error {
	s := SetOf(*c)
	switch s.enc {
	case record.Intset:
		return intset.Validate(s.part, true)
	case record.Rooted:
		return s.table.Check(c.Arena, c.Hash)
	}
	l := s.list()
	return listpack.Validate(s.part, true, func(e listpack.Elem) error {
		at := l.Find(e, l.First(), 0)
		if next := l.Next(at); next != 0 && l.Find(e, next, 0) != 0 {
			return errTwice
		}
		return nil
	})
}
