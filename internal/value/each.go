package value

import (
	"github.com/spineldb/spinel/internal/ds/intset"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
)

// Each calls fn for every element of a list, set, sorted set or hash, whatever its
// encoding: those of a list in order, of a sorted set by score, of the others in any
// order. Nodes of a list are taken apart. fn must not change the value, nor keep the Element,
// which is used again; the bytes that it shows stay.
func Each(c *Cell, fn func(e *Element)) {
	rec := c.Record()
	t := rec.Type()
	if !rec.IsRooted() {
		EachInPart(t, rec.Encoding(), rec.Bytes(), fn)
		return
	}
	var one Element
	for _, ref := range Leaves(c, nil) {
		EachInLeaf(t, c.Arena, ref, func(e Element) {
			if one = e; t == record.List {
				EachInNode(&one, fn)
			} else {
				fn(&one)
			}
		})
	}
}

// EachInPart is Each of the value part of a value that is not rooted.
func EachInPart(t record.Type, enc record.Encoding, part []byte, fn func(e *Element)) {
	switch {
	case t == record.Set && enc == record.Intset:
		s, e := intset.In(part), Element{Expiry: -1}
		for i := range s.Len() {
			e.Name = listpack.Int(s.At(i))
			fn(&e)
		}
	case enc == record.PackedEx:
		eachPacked(listpack.In(part[ExpirySize:]), t, true, fn)
	default:
		eachPacked(listpack.In(part), t, false, fn)
	}
}

// EachInNode takes a node of a list apart, which is given as an Element.
func EachInNode(e *Element, fn func(e *Element)) {
	if e.IsPlain {
		fn(&Element{Name: listpack.Elem{Bytes: e.Node}, Expiry: -1})
		return
	}
	eachPacked(listpack.In(e.Node), record.List, false, fn)
}

func eachPacked(l listpack.List, t record.Type, expiring bool, fn func(e *Element)) {
	var e Element
	for at := l.First(); at != 0; at = l.Next(at) {
		e = Element{Name: l.Get(at), Expiry: -1}
		switch t {
		case record.Hash:
			at = l.Next(at)
			e.Value = l.Get(at)
			if expiring {
				at = l.Next(at)
				if ms, _ := l.Get(at).Integer(); ms != 0 {
					e.Expiry = ms
				}
			}
		case record.ZSet:
			at = l.Next(at)
			e.Score = PackedScore(l.Get(at))
		}
		fn(&e)
	}
}

// PackedScore is a score as a listpack holds it: an integer, or text.
func PackedScore(e listpack.Elem) float64 {
	if e.IsInt {
		return float64(e.Int)
	}
	score, _ := numtext.ParseFloat(e.Bytes)
	return score
}
