package value

import (
	"bytes"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/ranktree"
)

// A ScoreRange is the scores between two, which belong to it unless they are out.
type ScoreRange struct {
	Min, Max       float64
	MinOut, MaxOut bool
}

func (r *ScoreRange) isBelow(score float64) bool {
	return score < r.Min || r.MinOut && score == r.Min
}

func (r *ScoreRange) isAbove(score float64) bool {
	return score > r.Max || r.MaxOut && score == r.Max
}

// A LexBound is one end of a range of members.
type LexBound struct {
	At    []byte
	Out   bool // At does not belong to the range
	First bool // before all members
	Last  bool // behind all members
}

// A LexRange is the members between two. It is meant for sorted sets with the same score
// everywhere. In others, what is in it is between Min with the lowest score and Max with
// the highest.
type LexRange struct {
	Min, Max LexBound
}

// isEmpty says whether no member can be in the range.
func (r *LexRange) isEmpty() bool {
	if r.Min.Last || r.Max.First {
		return true
	}
	if r.Min.First || r.Max.Last {
		return false
	}
	c := bytes.Compare(r.Min.At, r.Max.At)
	return c > 0 || c == 0 && (r.Min.Out || r.Max.Out)
}

// isBefore says whether members that compare so with At are before the lower bound.
func (b *LexBound) isBefore(cmp int) bool {
	return b.Last || !b.First && (cmp < 0 || cmp == 0 && b.Out)
}

// isBehind says whether members that compare so with At are behind the upper bound.
func (b *LexBound) isBehind(cmp int) bool {
	return b.First || !b.Last && (cmp > 0 || cmp == 0 && b.Out)
}

// Scores is the ranks of the members with scores in a range: from, up to and without to.
func (z *ZSet) Scores(r *ScoreRange) (from, to int) {
	if z.rooted {
		from, to = z.before(r.Min, r.MinOut), z.before(r.Max, !r.MaxOut)
		return from, max(from, to)
	}
	l := z.list()
	for at := listpack.HeaderSize; at < l.End(); {
		at += l.SizeAt(at)
		score := scoreAt(l, at)
		at += l.SizeAt(at)
		if r.isAbove(score) {
			break
		}
		if to++; r.isBelow(score) {
			from++
		}
	}
	return from, to
}

// before is how many members have a smaller score, or also that one.
func (z *ZSet) before(score float64, also bool) int {
	head := ranktree.ScoreHead(score)
	if also {
		head++
	}
	rank, _ := z.tree.Rank(z.Arena, ranktree.Joined(head, nil))
	return int(rank)
}

// Members is the ranks of the members in a range: from, up to and without to.
func (z *ZSet) Members(r *LexRange) (from, to int) {
	if r.isEmpty() {
		return 0, 0
	}
	if z.rooted {
		from, to = z.lower(&r.Min), z.upper(&r.Max)
		return from, max(from, to)
	}
	l, at := z.list(), listpack.HeaderSize
	for ; at < l.End() && r.Min.isBefore(compareAt(l, at, r.Min.At)); at = l.Skip(at, 2) {
		from++
	}
	for to = from; at < l.End() && !r.Max.isBehind(compareAt(l, at, r.Max.At)); at = l.Skip(at, 2) {
		to++
	}
	return from, to
}

// lower is how many members are before a lower bound.
func (z *ZSet) lower(b *LexBound) int {
	switch {
	case b.First:
		return 0
	case b.Last:
		return z.Len()
	}
	first := z.tree.At(z.Arena, 0)
	rank, found := z.tree.Rank(z.Arena, ranktree.ScoreKey(ranktree.ScoreOf(first.Key()), b.At))
	if found && b.Out {
		rank++
	}
	return int(rank)
}

// upper is how many members are not behind an upper bound.
func (z *ZSet) upper(b *LexBound) int {
	switch {
	case b.First:
		return 0
	case b.Last:
		return z.Len()
	}
	last := z.tree.Last(z.Arena)
	rank, found := z.tree.Rank(z.Arena, ranktree.ScoreKey(ranktree.ScoreOf(last.Key()), b.At))
	if found && !b.Out {
		rank++
	}
	return int(rank)
}

// A ZIter walks over a sorted set that does not change meanwhile.
type ZIter struct {
	list   listpack.List
	at     int // of the next member, 0 at the end
	rooted bool
	back   bool
	begun  bool
	cursor ranktree.Cursor
}

// Iter begins a walk with the member of a rank, towards greater ones, or smaller if back.
func (z *ZSet) Iter(rank int, back bool) (it ZIter) {
	it.rooted, it.back = z.rooted, back
	if z.rooted {
		it.cursor = z.tree.At(z.Arena, int64(rank))
		return it
	}
	it.list = z.list()
	if rank >= 0 && 2*rank < it.list.Len() {
		it.at = it.list.Seek(2 * rank)
	}
	return it
}

// Next is the next member and its score, if there is one.
func (it *ZIter) Next() (text []byte, v int64, score float64, ok bool) {
	if it.rooted {
		switch {
		case !it.begun:
			it.begun = true
			ok = it.cursor.Valid()
		case it.back:
			ok = it.cursor.Prev()
		default:
			ok = it.cursor.Next()
		}
		if !ok {
			return nil, 0, 0, false
		}
		key := it.cursor.Key()
		return memberOf(key), 0, ranktree.ScoreOf(key), true
	}
	if it.at == 0 {
		return nil, 0, 0, false
	}
	text, v = it.list.Value(it.at)
	behind := it.at + it.list.SizeAt(it.at)
	score = scoreAt(it.list, behind)
	if !it.back {
		it.at = it.list.Next(behind)
	} else if it.at = it.list.Prev(it.at); it.at != 0 {
		it.at = it.list.Prev(it.at)
	}
	return text, v, score, true
}
