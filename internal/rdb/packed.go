package rdb

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/spineldb/spinel/internal/ds/intset"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/numtext"
)

// What a node of a quicklist is.
const (
	quicklistPlain  = 1
	quicklistPacked = 2
)

// packed checks bytes that are a row of elements, and makes a piece of them. An empty
// one is none.
func (v *Pieces) packed(p *Piece) (ok bool, err error) {
	b, what := v.strings[0], v.layout.shapes[secElement][0].what
	p.Packed = b
	switch v.layout.content {
	case contentQuicklist:
		what = "node"
		p.Kind = PieceNode
		p.Count, err = checkListpack(b)
	case contentListpack:
		p.Kind = PieceListpack
		p.Count, err = v.checkCollection(b)
	case contentListpackExpire:
		p.Kind = PieceListpackEx
		p.Count, err = v.checkExpiring(b)
		if err == errUnsorted { // then it isn't what we would take over
			v.unpacking.content, v.unpacking.b, v.unpacking.at = contentListpackExpire, b, listpack.In(b).First()
			return false, nil
		}
	case contentIntset:
		p.Kind = PieceIntset
		p.Count, err = checkIntset(b)
	default:
		err = v.openOld(b)
		p.Count = 0 // they come one by one
	}
	if err != nil {
		return false, corruptAt(v.from, what, v.layout.packedFault(err))
	}
	return p.Count > 0, nil
}

// checkListpack returns the number of entries of a listpack that is sound.
func checkListpack(b []byte) (int, error) {
	if err := listpack.Validate(b, true, nil); err != nil {
		return 0, err
	}
	return listpack.In(b).Len(), nil
}

// checkCollection checks the listpack of a set, hash or sorted set, and returns how many
// elements it has.
func (v *Pieces) checkCollection(b []byte) (int, error) {
	n, err := checkListpack(b)
	if err != nil {
		return 0, err
	}
	stride := 2
	if v.layout.object == ObjectSet {
		stride = 1
	}
	if n%stride != 0 {
		return 0, errOdd
	}
	l := listpack.In(b)
	if v.layout.object == ObjectZSet {
		if err := checkScores(l); err != nil {
			return 0, err
		}
	}
	if v.hasDuplicates(l, stride) {
		return 0, errPackedTwice
	}
	return n / stride, nil
}

// checkScores checks that scores are numbers, and that members are in the order of
// their scores and, where these are equal, of their bytes.
func checkScores(l listpack.List) error {
	var lastBuf, buf [numtext.MaxIntLen]byte
	var last []byte
	lastScore := 0.0
	for at := l.First(); at != 0; {
		member, next := l.Read(at)
		e, after := l.Read(next)
		score, ok := float64(e.Int), e.IsInt
		if !ok {
			if score, ok = numtext.ParseFloat(e.Bytes); !ok {
				return errScore
			}
		}
		text := member.Text(&buf)
		if at != l.First() && (score < lastScore || score == lastScore && bytes.Compare(last, text) > 0) {
			return errUnsorted
		}
		if lastScore, last = score, text; member.IsInt {
			lastBuf = buf
			last = lastBuf[:len(text)]
		}
		at = after
	}
	return nil
}

// checkExpiring checks the listpack of a hash whose fields may expire. errUnsorted means
// that nothing is wrong but the order of the times.
func (v *Pieces) checkExpiring(b []byte) (int, error) {
	n, err := checkListpack(b)
	if err != nil {
		return 0, err
	}
	if n%3 != 0 {
		return 0, errOdd
	}
	l := listpack.In(b)
	sorted := true
	last := int64(0)
	for at := l.First(); at != 0; {
		_, at = l.Read(at)
		_, at = l.Read(at)
		var e listpack.Elem
		e, at = l.Read(at)
		ms, ok := e.Integer()
		if !ok || ms < 0 {
			return 0, errExpiry
		}
		if ms == 0 {
			ms = 1<<63 - 1
		}
		sorted = sorted && last <= ms
		last = ms
	}
	switch {
	case v.hasDuplicates(l, 3):
		return 0, errPackedTwice
	case !sorted:
		return n / 3, errUnsorted
	}
	return n / 3, nil
}

// checkIntset returns the number of elements of an intset that is sound.
func checkIntset(b []byte) (int, error) {
	if err := intset.Validate(b, true); err != nil {
		return 0, err
	}
	return intset.In(b).Len(), nil
}

// A member is an element of a listpack, to be sorted.
type member struct {
	hash uint64
	at   int
}

// hasDuplicates says whether an element comes twice among those at every stride-th
// place. It sorts them by hash: many of the same hash, which an enemy can make, cost no
// more than that.
func (v *Pieces) hasDuplicates(l listpack.List, stride int) bool {
	var buf, other [numtext.MaxIntLen]byte
	v.members = v.members[:0]
	for at := l.First(); at != 0; {
		v.members = append(v.members, member{hash.XXH3(l.Get(at).Text(&buf)), at})
		for i := 0; i < stride && at != 0; i++ {
			at = l.Next(at)
		}
	}
	slices.SortFunc(v.members, func(a, b member) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		return bytes.Compare(l.Get(a.at).Text(&buf), l.Get(b.at).Text(&other))
	})
	for i := 1; i < len(v.members); i++ {
		a, b := v.members[i-1], v.members[i]
		if a.hash == b.hash && bytes.Equal(l.Get(a.at).Text(&buf), l.Get(b.at).Text(&other)) {
			return true
		}
	}
	return false
}
