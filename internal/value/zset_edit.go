package value

import (
	"math"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
)

// A ZMode says under which conditions a score is put into a sorted set.
type ZMode uint8

// The conditions, ZADD's options.
const (
	ZNX   ZMode = 1 << iota // only new members
	ZXX                     // only members that are there
	ZGT                     // those that are there only if the score becomes greater,
	ZLT                     // or smaller
	ZIncr                   // what is put is added to the score
)

// A ZOutcome is what has become of a score that was put.
type ZOutcome uint8

// The outcomes.
const (
	ZRefused   ZOutcome = iota // by a condition
	ZSame                      // the member has that score already
	ZAdded                     // the member is new
	ZUpdated                   // it has another score now
	ZNotNumber                 // infinities of both signs would be added; nothing has changed
)

// decide says what becomes of the score of a member that is there.
func (m ZMode) decide(now, score float64) (next float64, out ZOutcome) {
	if m&ZNX != 0 {
		return now, ZRefused
	}
	if m&ZIncr != 0 {
		if score += now; math.IsNaN(score) {
			return now, ZNotNumber
		}
	}
	switch {
	case m&ZLT != 0 && score >= now, m&ZGT != 0 && score <= now:
		return now, ZRefused
	case score == now:
		return now, ZSame
	}
	return score + 0, ZUpdated
}

// Put gives a member a score, which is not NaN, and returns the one it has then. If there
// is no memory the set stays as it was.
func (z *ZSet) Put(member []byte, score float64, mode ZMode) (now float64, out ZOutcome, err error) {
	score += 0 // -0 is 0
	if z.rooted {
		return z.putRooted(member, score, mode)
	}
	l, e := z.list(), listpack.Text(member)
	if at := l.Find(e, l.First(), 1); at != 0 {
		now = scoreAt(l, at+l.SizeAt(at))
		next, out := mode.decide(now, score)
		if out == ZUpdated {
			err = z.movePacked(at, e, member, next)
		}
		return next, out, err
	}
	if mode&ZXX != 0 {
		return 0, ZRefused, nil
	}
	if !z.hasRoom(l, member) {
		if err := z.grow(); err != nil {
			return 0, ZRefused, err
		}
		return z.putRooted(member, score, mode)
	}
	return score, ZAdded, z.insertPacked(e, member, score)
}

// hasRoom says whether a listpack may have one more member.
func (z *ZSet) hasRoom(l listpack.List, member []byte) bool {
	return int64(l.Len()/2) < z.Limits.ZSetEntries.Load() &&
		int64(len(member)) <= z.Limits.ZSetValue.Load() &&
		len(l)+len(member) < listpack.SizeMax
}

// place is the position in a listpack where a member with a score belongs.
func place(l listpack.List, score float64, member []byte) int {
	if last := l.Last(); last != 0 { // things often come in order
		if s := scoreAt(l, last); s < score || s == score && compareAt(l, l.Prev(last), member) < 0 {
			return l.End()
		}
	}
	at := listpack.HeaderSize
	for at < l.End() {
		behind := at + l.SizeAt(at)
		if s := scoreAt(l, behind); s > score || s == score && compareAt(l, at, member) > 0 {
			break
		}
		at = behind + l.SizeAt(behind)
	}
	return at
}

func (z *ZSet) insertPacked(e listpack.Elem, member []byte, score float64) error {
	var buf [numtext.MaxFloatLen]byte
	s, l := scoreElem(score, &buf), z.list()
	b, err := z.Resize(record.Packed, len(l)+e.Size()+s.Size())
	if err != nil {
		return err
	}
	at := place(listpack.In(b), score, member)
	listpack.Insert(b, at, s)
	listpack.Insert(b, at, e)
	return nil
}

// movePacked gives the member at a position another score.
func (z *ZSet) movePacked(at int, e listpack.Elem, member []byte, score float64) error {
	var buf [numtext.MaxFloatLen]byte
	s, l := scoreElem(score, &buf), z.list()
	size := l.SizeAt(at)
	size += l.SizeAt(at + size)
	size = len(l) - size + e.Size() + s.Size()
	b, err := l, error(nil)
	if size > len(l) {
		if b, err = z.Resize(record.Packed, size); err != nil {
			return err
		}
	}
	listpack.Delete(b, at, 2)
	at = place(listpack.In(b), score, member)
	listpack.Insert(b, at, s)
	listpack.Insert(b, at, e)
	if size < len(l) {
		z.trim(size)
	}
	return nil
}

// trim gives back what a listpack does not need any more. If there is no memory for a
// smaller block, it stays in the one that it has.
func (z *ZSet) trim(size int) {
	if _, err := z.Resize(record.Packed, size); err != nil {
		z.Record().Resize(record.Packed, size)
	}
}

func (z *ZSet) putRooted(member []byte, score float64, mode ZMode) (now float64, out ZOutcome, err error) {
	hash, h := z.hash(member), z.Heap()
	guesses := z.index.Find(z.Arena, hash)
	for now, ok := guesses.Next(); ok; now, ok = guesses.Next() {
		next, out := mode.decide(now, score)
		if out != ZUpdated {
			if _, found := z.tree.Find(z.Arena, ranktree.ScoreKey(now, member)); found {
				return next, out, nil
			}
			continue
		}
		moved, err := z.move(h, member, now, next)
		if err != nil {
			return now, ZRefused, err
		}
		if moved {
			z.index.Replace(z.Arena, hash, now, next)
			z.store()
			return next, out, nil
		}
	}
	if mode&ZXX != 0 {
		return 0, ZRefused, nil
	}
	key := ranktree.ScoreKey(score, member)
	if _, err := z.tree.Insert(h, key, nil); err != nil {
		return 0, ZRefused, err
	}
	if err := z.index.Insert(z.Arena, hash, score); err != nil {
		_, _ = z.tree.Delete(h, key) // its leaf is ours, so that needs no memory
		z.store()
		return 0, ZRefused, err
	}
	z.store()
	return score, ZAdded, nil
}

// move takes a member from one score to another, if it has the one. The new key comes
// first: then, whatever fails, there is a way back that needs no memory.
func (z *ZSet) move(h leaf.Heap, member []byte, from, to float64) (moved bool, err error) {
	added, err := z.tree.Insert(h, ranktree.ScoreKey(to, member), nil)
	if err != nil || !added {
		return false, err
	}
	moved, err = z.tree.Delete(h, ranktree.ScoreKey(from, member))
	if !moved {
		_, _ = z.tree.Delete(h, ranktree.ScoreKey(to, member))
		z.store()
	}
	return moved, err
}

// Delete removes a member and says whether it was there.
func (z *ZSet) Delete(member []byte) (bool, error) {
	if !z.rooted {
		l := z.list()
		at := l.Find(listpack.Text(member), l.First(), 1)
		if at != 0 {
			z.trim(listpack.Delete(z.Bytes(), at, 2))
		}
		return at != 0, nil
	}
	hash, h := z.hash(member), z.Heap()
	guesses := z.index.Find(z.Arena, hash)
	for score, ok := guesses.Next(); ok; score, ok = guesses.Next() {
		gone, err := z.tree.Delete(h, ranktree.ScoreKey(score, member))
		if err != nil {
			return false, err
		}
		if gone {
			z.index.Delete(z.Arena, hash, score)
			z.store()
			return true, nil
		}
	}
	return false, nil
}

// DeleteRange removes the members of ranks from up to to, which there are, and calls fn, if
// it is not nil, for each before it goes. It returns how many went: fewer only if there is
// no memory to copy what a snapshot is reading.
func (z *ZSet) DeleteRange(from, to int, fn func(text []byte, v int64, score float64)) (gone int, err error) {
	if from >= to {
		return 0, nil
	}
	if z.rooted {
		n, err := z.tree.DeleteRange(z.Heap(), int64(from), int64(to), func(key, _ []byte) {
			member, score := memberOf(key), ranktree.ScoreOf(key)
			if fn != nil {
				fn(member, 0, score)
			}
			z.index.Delete(z.Arena, z.hash(member), score)
		})
		z.store()
		return int(n), err
	}
	if fn != nil {
		it := z.Iter(from, false)
		for range to - from {
			text, v, score, _ := it.Next()
			fn(text, v, score)
		}
	}
	z.trim(listpack.Delete(z.Bytes(), z.list().Seek(2*from), 2*(to-from)))
	return to - from, nil
}
