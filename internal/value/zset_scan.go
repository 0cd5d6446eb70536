package value

import (
	"slices"

	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/ds/scoreindex"
)

// What a call of Scan may cost.
const (
	// zscanSteps is how many members a call looks at to find those that it wants, and
	// zscanStepsEach how many more for each of these. A step takes some ten nanoseconds.
	zscanSteps     = 16384
	zscanStepsEach = 16

	// zscanParts is into how many calls a scan falls at most where each is a walk.
	zscanParts = 128

	// zscanMany is the part of all members from which on a walk over all is faster than
	// looking for each.
	zscanMany = 32
)

// Scan calls fn for count members or more, if there are so many, and returns the cursor for
// the next call, 0 at the end. A small sorted set comes at once. A member that is there from
// the first call, with cursor 0, to the last comes at least once, whatever its score becomes.
//
// The cursor is a place in the index, where members are by their hashes. What the index has
// there is a score: the member is looked for among those in the tree that have the same. If
// these are so many that thousands were looked at in vain, the call takes a larger part
// of the set, since it has become a walk anyway: thus a set with one score for all its
// members is scanned in 128 walks, and another one in calls of microseconds.
func (z *ZSet) Scan(cursor uint64, count int64, fn func(text []byte, v int64, score float64)) (next uint64) {
	if !z.rooted {
		for it := z.Iter(0, false); ; {
			text, v, score, ok := it.Next()
			if !ok {
				return 0
			}
			fn(text, v, score)
		}
	}
	if cursor >= scoreindex.End {
		return 0
	}
	size := int64(z.Len())
	if count < size/zscanMany {
		s := z.scan(cursor, count)
		if found, ok := s.gather(zscanSteps + zscanStepsEach*count); ok {
			for _, m := range found {
				fn(m.text, 0, m.score)
			}
			return s.to % scoreindex.End
		}
	}
	s := z.scan(cursor, max(count, size/zscanParts+1))
	s.walk(fn)
	return s.to % scoreindex.End
}

// A zscan is a part of the index.
type zscan struct {
	*ZSet
	from, to uint64
	scores   []float64 // of the members there
}

// scan is the part from a cursor on that has so many members.
func (z *ZSet) scan(from uint64, count int64) zscan {
	s := zscan{ZSet: z, from: from}
	s.to = z.index.Scan(z.Arena, from, int(count), func(score float64) { s.scores = append(s.scores, score) })
	slices.Sort(s.scores)
	return s
}

// has says whether a member is in the part.
func (s *zscan) has(member []byte) bool {
	at := scoreindex.Place(s.hash(member))
	return at >= s.from && at < s.to
}

type scored struct {
	text  []byte
	score float64
}

// gather finds the members of the part, each among those with its score. It gives up after so
// many steps.
func (s *zscan) gather(steps int64) (found []scored, ok bool) {
	found = make([]scored, 0, len(s.scores))
	for i := 0; i < len(s.scores); {
		score := s.scores[i]
		c := s.tree.Seek(s.Arena, ranktree.ScoreKey(score, nil))
		for ; i < len(s.scores) && s.scores[i] == score; steps-- {
			if steps == 0 || !c.Valid() {
				return nil, false
			}
			if member := memberOf(c.Key()); s.has(member) {
				found = append(found, scored{member, score})
				i++
			}
			c.Next()
		}
	}
	return found, true
}

// walk finds the members of the part among those whose scores are between the least and the
// greatest of the part.
func (s *zscan) walk(fn func(text []byte, v int64, score float64)) {
	if len(s.scores) == 0 {
		return
	}
	last := s.scores[len(s.scores)-1]
	c := s.tree.Seek(s.Arena, ranktree.ScoreKey(s.scores[0], nil))
	for more := c.Valid(); more; more = c.Next() {
		key := c.Key()
		score := ranktree.ScoreOf(key)
		if score > last {
			return
		}
		if member := memberOf(key); s.has(member) {
			fn(member, 0, score)
		}
	}
}
