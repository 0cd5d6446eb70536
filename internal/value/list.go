package value

import (
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/quicklist"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
)

// A List is a list in its cell: a listpack as long as one node of a quicklist would do,
// else a quicklist. It becomes a listpack again when it is a node of half that size.
type List struct {
	*Cell
	q      quicklist.List
	rooted bool
	opts   quicklist.Options
}

// ListIn is the list that a cell holds.
func ListIn(c *Cell) List {
	l := List{Cell: c, rooted: c.Encoding() == record.Rooted}
	l.opts = quicklist.Options{
		Fill: int(c.Limits.ListSize.Load()), Depth: int(c.Limits.ListCompress.Load()),
		PackedThreshold: int(c.Limits.PlainFrom.Load()), Scratch: c.forLists(),
	}
	if l.rooted {
		l.q.Load(c.Root())
	}
	return l
}

// store keeps a changed root.
func (l *List) store() { l.q.Store(l.Root()) }

// packed is the listpack of a small list.
func (l *List) packed() listpack.List { return listpack.In(l.Bytes()) }

// Len is the number of elements.
func (l *List) Len() int {
	if l.rooted {
		return l.q.Len()
	}
	return l.packed().Len()
}

// nodeBytesMax is the most bytes of a listpack whose elements are counted.
const nodeBytesMax = 8 << 10

// limits is how much a listpack may have.
func (l *List) limits() (bytes, elements int) {
	if fill := l.opts.Fill; fill < 0 {
		return 2 << 10 << min(-fill, 5), 1 << 30
	}
	return nodeBytesMax, max(l.opts.Fill, 1)
}

// elementOverhead is what Redis reckons for an element when it asks whether it fits.
const elementOverhead = 8

// fits says whether n more elements of so many bytes may come to the listpack.
func (l *List) fits(p listpack.List, n, size int) bool {
	bytes, elements := l.limits()
	if plain := l.opts.PackedThreshold; plain > 0 && size >= plain {
		return false
	}
	return len(p)+size+n*elementOverhead <= bytes && p.Len()+n <= elements
}

// grow makes a small list a quicklist.
func (l *List) grow() error {
	old := append([]byte(nil), l.Bytes()...)
	var q quicklist.List
	if listpack.List(old).Len() > 0 {
		var err error
		if q, err = quicklist.FromListpack(leaf.Heap{Arena: l.Arena}, &l.opts, old); err != nil {
			return err
		}
	}
	if _, err := l.MakeRoot(record.Rooted, quicklist.Size); err != nil {
		for !q.FreeSome(leaf.Heap{Arena: l.Arena}, 1) {
		}
		return err
	}
	l.q, l.rooted = q, true
	l.store()
	return nil
}

// shrink makes a quicklist a listpack again if it has become small.
func (l *List) shrink() {
	if !l.rooted || l.q.Nodes() != 1 {
		return
	}
	p, ok := l.q.Single(l.Arena)
	bytes, elements := l.limits()
	if !ok || 2*len(p) > bytes || 2*l.q.Len() > elements {
		return
	}
	old := append([]byte(nil), p...)
	h := l.Heap()
	b, err := l.Resize(record.Packed, len(old))
	if err != nil {
		return // it can stay what it is
	}
	copy(b, old)
	l.rooted = false
	for !l.q.FreeSome(h, 1) {
	}
}

// Push puts elements before the first, one before the other, or behind the last.
func (l *List) Push(elems [][]byte, front bool) error {
	if !l.rooted {
		p, size := l.packed(), 0
		for _, e := range elems {
			size += listpack.EntrySize(e)
		}
		if l.fits(p, len(elems), size) {
			b, err := l.Resize(record.Packed, len(p)+size)
			switch {
			case err != nil:
				return err
			case front:
				listpack.PrependAll(b, elems)
			default:
				listpack.AppendAll(b, elems)
			}
			return nil
		}
		if err := l.grow(); err != nil {
			return err
		}
	}
	h := l.Heap()
	defer l.store()
	for _, e := range elems {
		if err := l.pushNode(h, e, front); err != nil {
			return err
		}
	}
	return nil
}

func (l *List) pushNode(h leaf.Heap, elem []byte, front bool) error {
	if front {
		return l.q.PushHead(h, &l.opts, elem)
	}
	return l.q.PushTail(h, &l.opts, elem)
}

// PushOne is Push of one element.
func (l *List) PushOne(elem []byte, front bool) error {
	if e := listpack.Text(elem); !l.rooted && !l.fits(l.packed(), 1, e.Size()) {
		if err := l.grow(); err != nil {
			return err
		}
	}
	if l.rooted {
		err := l.pushNode(l.Heap(), elem, front)
		l.store()
		return err
	}
	p, e := l.packed(), listpack.Text(elem)
	b, err := l.Resize(record.Packed, len(p)+e.Size())
	switch {
	case err != nil:
		return err
	case front:
		listpack.Prepend(b, e)
	default:
		listpack.Append(b, e)
	}
	return nil
}

// End is the first element, or the last. There is one.
func (l *List) End(front bool) listpack.Elem {
	switch {
	case l.rooted && front:
		return l.q.First(l.Arena)
	case l.rooted:
		return l.q.Last(l.Arena)
	case front:
		return l.packed().Get(l.packed().First())
	}
	return l.packed().Get(l.packed().Last())
}

// Pop removes the first element, or the last. There is one.
func (l *List) Pop(front bool) error {
	if !l.rooted {
		p := l.packed()
		at := p.Last()
		if front {
			at = p.First()
		}
		return l.cut(listpack.Delete(l.Bytes(), at, 1))
	}
	var err error
	if front {
		err = l.q.PopHead(l.Heap(), &l.opts)
	} else {
		err = l.q.PopTail(l.Heap(), &l.opts)
	}
	l.store()
	l.shrink()
	return err
}

// cut gives back what a listpack does not need any more.
func (l *List) cut(size int) error {
	_, err := l.Resize(record.Packed, size)
	return err
}

// At is the element at i, which there is.
func (l *List) At(i int) listpack.Elem {
	if l.rooted {
		return l.q.Index(l.Arena, i, l.opts.Scratch)
	}
	p := l.packed()
	return p.Get(p.Seek(i))
}

// Set replaces the element at i, which there is.
func (l *List) Set(i int, elem []byte) error {
	if !l.rooted {
		p, e := l.packed(), listpack.Text(elem)
		at := p.Seek(i)
		old := p.SizeAt(at)
		if more := e.Size() - old; more <= 0 || l.fits(p, 0, more) && l.fits(p, 0, e.Size()-old) {
			if more > 0 {
				b, err := l.Resize(record.Packed, len(p)+more)
				if err != nil {
					return err
				}
				listpack.Replace(b, at, e)
				return nil
			}
			return l.cut(listpack.Replace(l.Bytes(), at, e))
		}
		if err := l.grow(); err != nil {
			return err
		}
	}
	err := l.q.Set(l.Heap(), &l.opts, i, elem)
	l.store()
	return err
}

// InsertAt puts an element before the one at i, or behind the last if there is none.
func (l *List) InsertAt(i int, elem []byte) error {
	if !l.rooted {
		p, e := l.packed(), listpack.Text(elem)
		if l.fits(p, 1, e.Size()) {
			at := p.End()
			if i < p.Len() {
				at = p.Seek(i)
			}
			b, err := l.Resize(record.Packed, len(p)+e.Size())
			if err == nil {
				listpack.Insert(b, at, e)
			}
			return err
		}
		if err := l.grow(); err != nil {
			return err
		}
	}
	err := l.q.InsertAt(l.Heap(), &l.opts, i, elem)
	l.store()
	return err
}

// DeleteRange removes n elements from i on, which there are.
func (l *List) DeleteRange(i, n int) error {
	if n == 0 {
		return nil
	}
	if !l.rooted {
		return l.cut(listpack.Delete(l.Bytes(), l.packed().Seek(i), n))
	}
	err := l.q.DeleteRange(l.Heap(), &l.opts, i, n)
	l.store()
	l.shrink()
	return err
}

// Remove removes elements that equal elem: the first count from the head, or from the
// tail; all if count is 0. It returns how many.
func (l *List) Remove(elem []byte, count int, fromTail bool) (removed int, err error) {
	if l.rooted {
		removed, err = l.q.Remove(l.Heap(), &l.opts, elem, count, fromTail)
		l.store()
		l.shrink()
		return removed, err
	}
	p := l.packed()
	size, e := len(p), listpack.Text(elem)
	if count == 0 {
		count = p.Len()
	}
	skip := 0
	if fromTail {
		found := 0
		for at := p.Find(e, p.First(), 0); at != 0; at = nextFound(p, e, at) {
			found++
		}
		skip = max(found-count, 0)
	}
	for at := p.Find(e, p.First(), 0); at != 0 && removed < count; {
		if skip > 0 {
			skip--
			at = nextFound(p, e, at)
			continue
		}
		size = listpack.Delete(l.Bytes()[:size], at, 1)
		removed++
		p = listpack.In(l.Bytes())
		if at >= p.End() {
			break
		}
		at = p.Find(e, at, 0)
	}
	return removed, l.cut(size)
}

func nextFound(p listpack.List, e listpack.Elem, at int) int {
	if at = p.Next(at); at == 0 {
		return 0
	}
	return p.Find(e, at, 0)
}

// A ListIter walks over a list that does not change meanwhile.
type ListIter struct {
	q    quicklist.Iter
	p    listpack.List
	at   int
	back bool
}

// Iter begins a walk with the element at i, towards the tail, or the head if back.
func (l *List) Iter(i int, back bool) (it ListIter) {
	if l.rooted {
		it.q = l.q.Iter(l.Arena, i, back, l.opts.Scratch)
		return it
	}
	it.p, it.back = l.packed(), back
	if i >= 0 && i < it.p.Len() {
		it.at = it.p.Seek(i)
	}
	return it
}

// Next is the next element, if there is one. It is valid until Next is called again.
func (it *ListIter) Next() (e listpack.Elem, ok bool) {
	if it.p == nil {
		return it.q.Next()
	}
	if it.at == 0 {
		return e, false
	}
	e = it.p.Get(it.at)
	if it.back {
		it.at = it.p.Prev(it.at)
	} else {
		it.at = it.p.Next(it.at)
	}
	return e, true
}

// Each calls fn for n elements from i on, which there are: a text that is not nil, or an
// integer.
func (l *List) Each(i, n int, fn func(text []byte, v int64)) {
	if l.rooted {
		it := l.q.Iter(l.Arena, i, false, l.forLists()) // not from opts: that would put l on the heap
		it.Each(n, fn)
		return
	}
	p := l.packed()
	at := p.Seek(i)
	for range n {
		fn(p.Value(at))
		at = p.Next(at)
	}
}

func listRoot(root []byte) (q quicklist.List) {
	q.Load(root)
	return q
}

var _ = describe(record.List, kind{
	// A client of Redis 7.0 expects this of every list.
	words: map[record.Encoding]string{record.Packed: "quicklist", record.Rooted: "quicklist"},
	count: func(rec record.Record) int {
		if rec.Encoding() == record.Packed {
			return listpack.In(rec.Bytes()).Len()
		}
		q := listRoot(rootOf(rec))
		return q.Len()
	},
	freeSome: func(h leaf.Heap, root []byte, leaves int) bool {
		q := listRoot(root)
		done := q.FreeSome(h, leaves)
		q.Store(root)
		return done
	},
	leaves: func(a *mem.Arena, root []byte, dst []mem.Ref) []mem.Ref {
		q := listRoot(root)
		return q.AppendLeaves(a, dst)
	},
	seek: func(a *mem.Arena, root []byte, rank int) (mem.Ref, int, int) {
		q := listRoot(root)
		return q.LeafAt(a, rank)
	},
	each: func(a *mem.Arena, ref mem.Ref, fn func(Element)) {
		var s *quicklist.Scratch
		if _, _, packed := quicklist.LeafPacked(a, ref); packed {
			s = &quicklist.Scratch{}
		}
		b, plain := quicklist.LeafBytes(a, ref, s)
		fn(Element{Node: b, IsPlain: plain})
	},
	thaw: func(h leaf.Heap, ref mem.Ref) { h.Thaw(ref) },
	load: func(c *Cell, _ record.Encoding, packed []byte) error {
		_, err := addListNode(c, packed, false)
		return err
	},
	add: func(c *Cell, e *Element) (bool, error) {
		if e.Node != nil {
			return addListNode(c, e.Node, e.IsPlain)
		}
		var buf [20]byte
		l := ListIn(c)
		return true, l.PushOne(e.Name.Text(&buf), false)
	},
	memory: func(c *Cell, samples int) int {
		q := listRoot(c.Root())
		return int(q.MemoryBytes(c.Arena, samples))
	},
	check: func(c *Cell) error {
		if c.Encoding() == record.Packed {
			return listpack.Validate(c.Bytes(), true, nil)
		}
		q := listRoot(c.Root())
		return q.Check(c.Arena)
	},
})

// addListNode puts a node behind a list that is being made: a copy of a valid listpack, or
// if plain an element. Nodes keep the size that they come with.
func addListNode(c *Cell, node []byte, plain bool) (bool, error) {
	l := ListIn(c)
	if !l.rooted {
		p := l.packed()
		bytes, elements := l.limits()
		if in := listpack.List(node); !plain && p.Len() == 0 && len(in) <= bytes && in.Len() <= elements {
			b, err := l.Resize(record.Packed, len(in))
			copy(b, in)
			return true, err
		}
		if err := l.grow(); err != nil {
			return false, err
		}
	}
	err := l.q.AppendNode(l.Heap(), &l.opts, plain, node)
	l.store()
	return true, err
}
