// Package zsetcmd is the sorted set family of commands. What they do to a set is value.ZSet's;
// here are their arguments, replies and effects.
//
//	add.go     ZADD ZINCRBY ZREM
//	get.go     ZCARD ZSCORE ZMSCORE ZRANK ZREVRANK ZCOUNT ZLEXCOUNT
//	bounds.go  how the ends of ranges are written
//	range.go   ZRANGE and those that it has replaced, ZRANGESTORE
//	window.go  which ranks such a call is about; ZREMRANGEBYRANK and its kin
//	pop.go     ZPOPMIN ZPOPMAX ZMPOP, and those that wait
//	combine.go ZUNION ZINTER ZDIFF, what they store, ZINTERCARD
//	merge.go   how the elements of several sets become one list
//	random.go  ZRANDMEMBER
//	scan.go    ZSCAN
//
// Every range, whether by rank, score or name, becomes a range of ranks first, which costs
// O(log n) in a big set: so counting walks over nothing, and neither does an offset.
package zsetcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// Family is every command in this package; each file adds its own.
var Family = command.Family{Group: "sorted-set"}

// A pairs is a list of members, with their scores or without. With RESP3 each member is
// in an array with its score.
type pairs struct {
	out    *resp.Writer
	scores bool
	nested bool
}

// listMembers begins a list of n members.
func listMembers(out *resp.Writer, n int, scores bool) pairs {
	return listPairs(out, n, scores, scores && out.Resp3)
}

// listPairs is listMembers for those that say themselves when arrays are nested.
func listPairs(out *resp.Writer, n int, scores, nested bool) pairs {
	if scores && !nested {
		n *= 2
	}
	out.Array(n)
	return pairs{out, scores, nested}
}

func (p *pairs) add(text []byte, v int64, score float64) {
	if p.nested {
		p.out.Array(2)
	}
	p.out.Element(text, v)
	if p.scores {
		p.out.Double(score)
	}
}

// elementWriter is what writes an element of a big set.
func (p *pairs) elementWriter() command.ElementFunc {
	switch {
	case p.nested:
		return func(out *resp.Writer, member, _ []byte, score float64) {
			out.Array(2)
			out.Bulk(member)
			out.Double(score)
		}
	case p.scores:
		return func(out *resp.Writer, member, _ []byte, score float64) {
			out.Bulk(member)
			out.Double(score)
		}
	}
	return func(out *resp.Writer, member, _ []byte, _ float64) { out.Bulk(member) }
}

// next adds the next member of a walk.
func (p *pairs) next(it *value.ZIter) {
	text, v, score, _ := it.Next()
	p.add(text, v, score)
}

// open finds a sorted set for reading.
func open(c *command.Ctx, key []byte) (cell value.Cell, ok bool, err error) {
	return c.DB.Open(key, record.ZSet)
}

// edit finds a sorted set to change it.
func edit(c *command.Ctx, key []byte) (cell value.Cell, ok bool, err error) {
	return c.DB.Edit(key, record.ZSet)
}
