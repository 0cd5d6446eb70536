package value

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/scoreindex"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/numtext"
)

// A ZSet is a sorted set in its cell. Members with the same score are in the order of their
// bytes. The score -0 is 0, and no score is NaN.
//
// A small one is a listpack of member and score in that order, as Redis has it. A big one
// has two structures:
//
//	+------------------+--------------------+
//	| ranktree         | scoreindex         |     keys of the tree: score and member as one
//	+------------------+--------------------+     the index: 32 bits of the member's hash -> score
//
// The index has no members, so a score that it gives is a guess until the tree is found to
// have that score with that member. What has to look there anyway, because it takes the key
// out or wants its rank, gets the answer with it: so nothing is looked up twice.
//
// A member that comes out of a ZSet is a text that is not nil, or else an integer. The text
// is valid until the set changes.
type ZSet struct {
	*Cell
	rooted bool
	tree   ranktree.Tree
	index  scoreindex.Index
}

// zsetRoot is the size of the root.
const zsetRoot = ranktree.Size + scoreindex.Size

// ZSetOf is the sorted set that a cell holds.
func ZSetOf(c *Cell) (z ZSet) {
	z.Cell = c
	if z.rooted = c.Encoding() == record.Rooted; z.rooted {
		z.tree, z.index = loadZSet(c.Root())
	}
	return z
}

func loadZSet(root []byte) (tree ranktree.Tree, index scoreindex.Index) {
	tree = ranktree.Load(root)
	index.Load(root[ranktree.Size:])
	return tree, index
}

// store keeps a changed root.
func (z *ZSet) store() {
	storeZSet(z.Root(), &z.tree, &z.index)
}

// list is the listpack of a small one.
func (z *ZSet) list() listpack.List { return listpack.In(z.Bytes()) }

// IsBig says whether it is no listpack.
func (z *ZSet) IsBig() bool { return z.rooted }

// Len is the number of members.
func (z *ZSet) Len() int {
	if z.rooted {
		return int(z.tree.Len())
	}
	return z.list().Len() / 2
}

// hash is what the index knows of a member.
func (z *ZSet) hash(member []byte) uint32 { return uint32(z.Hash(member)) }

// Score is the score of a member, if it is there.
func (z *ZSet) Score(member []byte) (score float64, ok bool) {
	if !z.rooted {
		l := z.list()
		at := l.Find(listpack.Text(member), l.First(), 1)
		if at == 0 {
			return 0, false
		}
		return scoreAt(l, at+l.SizeAt(at)), true
	}
	guesses := z.index.Find(z.Arena, z.hash(member))
	for score, ok = guesses.Next(); ok; score, ok = guesses.Next() {
		if _, found := z.tree.Find(z.Arena, ranktree.ScoreKey(score, member)); found {
			return score, true
		}
	}
	return 0, false
}

// Rank is how many members are before a member, and its score, if it is there.
func (z *ZSet) Rank(member []byte) (rank int, score float64, ok bool) {
	if !z.rooted {
		l := z.list()
		at := l.Find(listpack.Text(member), l.First(), 1)
		if at == 0 {
			return 0, 0, false
		}
		return l.Count(l.First(), at) / 2, scoreAt(l, at+l.SizeAt(at)), true
	}
	guesses := z.index.Find(z.Arena, z.hash(member))
	for score, ok = guesses.Next(); ok; score, ok = guesses.Next() {
		if rank, found := z.tree.Rank(z.Arena, ranktree.ScoreKey(score, member)); found {
			return int(rank), score, true
		}
	}
	return 0, 0, false
}

// scoreAt is the score at a position of a listpack.
func scoreAt(l listpack.List, at int) float64 {
	text, v := l.Value(at)
	if text == nil {
		return float64(v)
	}
	score, _ := numtext.ParseFloat(text)
	return score + 0 // -0 is 0
}

// scoreElem is a score as a listpack has it. Its text is written to buf.
func scoreElem(score float64, buf *[numtext.MaxFloatLen]byte) listpack.Elem {
	if v, ok := numtext.IntegralFloat(score); ok {
		return listpack.Int(v)
	}
	return listpack.Text(numtext.AppendFloat(buf[:0], score))
}

// compareAt compares the member at a position with another.
func compareAt(l listpack.List, at int, member []byte) int {
	text, v := l.Value(at)
	if text == nil {
		var buf [numtext.MaxIntLen]byte
		return bytes.Compare(numtext.AppendInt(buf[:0], v), member)
	}
	return bytes.Compare(text, member)
}

// grow makes a listpack the two structures.
func (z *ZSet) grow() error {
	tree, index, err := z.plant(z.list())
	if err != nil {
		return err
	}
	if _, err := z.MakeRoot(record.Rooted, zsetRoot); err != nil {
		fell(leaf.Heap{Arena: z.Arena}, &tree, &index)
		return err
	}
	z.rooted, z.tree, z.index = true, tree, index
	z.store()
	return nil
}

// plant makes the two structures of a listpack's elements.
func (z *ZSet) plant(l listpack.List) (tree ranktree.Tree, index scoreindex.Index, err error) {
	h := leaf.Heap{Arena: z.Arena}
	tree = ranktree.New(0)
	var digits [numtext.MaxIntLen]byte
	for at := l.First(); at != 0 && err == nil; {
		text, v := l.Value(at)
		if text == nil {
			text = numtext.AppendInt(digits[:0], v)
		}
		at = l.Next(at)
		score := scoreAt(l, at)
		at = l.Next(at)
		var added bool
		if added, err = tree.Insert(h, ranktree.ScoreKey(score, text), nil); added {
			err = index.Insert(z.Arena, z.hash(text), score)
		}
	}
	if err != nil {
		fell(h, &tree, &index)
	}
	return tree, index, err
}

// fell frees both structures.
func fell(h leaf.Heap, tree *ranktree.Tree, index *scoreindex.Index) {
	const leaves = 1 << 20
	for !index.FreeSome(h.Arena, leaves) || !tree.FreeSome(h, leaves) {
		continue
	}
}

var _ = describe(record.ZSet, kind{
	words: map[record.Encoding]string{record.Packed: "listpack", record.Rooted: "skiplist"},
	count: func(rec record.Record) int {
		if !rec.IsRooted() {
			return listpack.In(rec.Bytes()).Len() / 2
		}
		tree := ranktree.Load(rootOf(rec))
		return int(tree.Len())
	},
	freeSome: func(h leaf.Heap, root []byte, leaves int) bool {
		tree, index := loadZSet(root)
		done := index.FreeSome(h.Arena, leaves) && tree.FreeSome(h, leaves)
		storeZSet(root, &tree, &index)
		return done
	},
	leaves: func(a *mem.Arena, root []byte, dst []mem.Ref) []mem.Ref {
		tree := ranktree.Load(root)
		return tree.AppendLeaves(a, dst)
	},
	seek: func(a *mem.Arena, root []byte, rank int) (mem.Ref, int, int) {
		tree := ranktree.Load(root)
		return tree.LeafAt(a, int64(rank))
	},
	each: func(a *mem.Arena, ref mem.Ref, fn func(Element)) {
		ranktree.EachInLeaf(a, ref, func(key, _ []byte) bool {
			fn(Element{Name: listpack.Elem{Bytes: memberOf(key)}, Score: ranktree.ScoreOf(key), Expiry: -1})
			return true
		})
	},
	texts: func(a *mem.Arena, ref mem.Ref, back bool, fn TextFunc) {
		each := ranktree.EachInLeaf
		if back {
			each = ranktree.EachInLeafBackward
		}
		each(a, ref, func(key, _ []byte) bool {
			fn(memberOf(key), nil, ranktree.ScoreOf(key), -1)
			return true
		})
	},
	thaw: ranktree.Thaw,
	load: loadPackedZSet,
	add: func(c *Cell, e *Element) (bool, error) {
		z, member := ZSetOf(c), e.Name.Bytes
		if e.Name.IsInt {
			member = e.Name.AppendTo(nil)
		}
		_, out, err := z.Put(member, e.Score, ZNX)
		return out == ZAdded, err
	},
	memory: func(c *Cell, samples int) int {
		z := ZSetOf(c)
		return int(z.tree.MemoryBytes(c.Arena, samples) + z.index.MemoryBytes(c.Arena, samples))
	},
	check: func(c *Cell) error {
		z := ZSetOf(c)
		if z.rooted {
			return z.checkRooted()
		}
		return z.checkPacked()
	},
})

// memberOf is the member in a key of the tree.
func memberOf(key []byte) []byte { return key[scoreSize:] }

// scoreSize is the number of bytes of a key before the member.
const scoreSize = 8

// loadPackedZSet makes an empty sorted set one of a listpack. As in Redis, only the number
// of its elements decides what it becomes, and not their length.
func loadPackedZSet(c *Cell, _ record.Encoding, packed []byte) error {
	z, l := ZSetOf(c), listpack.In(packed)
	if int64(l.Len()/2) <= c.Limits.ZSetEntries.Load() {
		b, err := c.Resize(record.Packed, len(l))
		if err == nil {
			copy(b, l)
		}
		return err
	}
	tree, index, err := z.plant(l)
	if err != nil {
		return err
	}
	if _, err := c.MakeRoot(record.Rooted, zsetRoot); err != nil {
		fell(leaf.Heap{Arena: c.Arena}, &tree, &index)
		return err
	}
	z.tree, z.index = tree, index
	z.store()
	return nil
}

var (
	errZSetPairs  = errors.New("value: a sorted set's listpack has an odd number of elements")
	errZSetOrder  = errors.New("value: a sorted set's listpack is not in order")
	errZSetCounts = errors.New("value: the tree and the index of a sorted set have different sizes")
)

func (z *ZSet) checkPacked() error {
	if err := listpack.Validate(z.Bytes(), true, nil); err != nil {
		return err
	}
	l := z.list()
	if l.Len()%2 != 0 {
		return errZSetPairs
	}
	last, begun := 0.0, false
	var before, member []byte
	for it := z.Iter(0, false); ; begun = true {
		text, v, score, ok := it.Next()
		if !ok {
			return nil
		}
		if member = append(member[:0], text...); text == nil {
			member = numtext.AppendInt(member, v)
		}
		if begun && (score < last || score == last && bytes.Compare(before, member) >= 0) || score != score {
			return errZSetOrder
		}
		before, last = append(before[:0], member...), score
	}
}

func (z *ZSet) checkRooted() error {
	if err := z.tree.Check(z.Arena); err != nil {
		return err
	}
	if err := z.index.Check(z.Arena); err != nil {
		return err
	}
	if int(z.tree.Len()) != z.index.Len() {
		return errZSetCounts
	}
	for it := z.Iter(0, false); ; {
		member, _, score, ok := it.Next()
		if !ok {
			return nil
		}
		if known, ok := z.Score(member); !ok || known != score {
			return fmt.Errorf("value: member %q has the score %v, and %v (%v) in the index", member, score, known, ok)
		}
	}
}
