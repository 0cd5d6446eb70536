package value

import (
	"github.com/spineldb/spinel/internal/ds/hashtable"
	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/ds/quicklist"
	"github.com/spineldb/spinel/internal/ds/ranktree"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/scoreindex"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/mem"
)

// # Copying
//
// The copy of a value has the same encoding and a value part of the same size, so its
// record is made at once, by StartCopy, and is never resized. Then a Copier fills in what
// the root names, or the bytes of a long string, some at a time. The original must not
// change meanwhile; that it is frozen does not matter.

// A Copier is how far a copy has come. The zero Copier has not begun.
type Copier struct {
	table hashtable.Clone
	index scoreindex.Clone
	flat  int // bytes of a value part that is no root
}

// StartCopy writes the value part of a record that is to be a copy of another: part has as
// many bytes as that one's. If it is no root, its bytes are arbitrary until they are copied.
func StartCopy(rec record.Record, part []byte) {
	if !rec.IsRooted() {
		return
	}
	clear(part[:epochSize])
	root := part[epochSize:]
	if rec.Encoding() == record.RootedEx {
		root = root[copy(root, rec.Bytes()[epochSize:][:ExpirySize]):]
	}
	switch rec.Type() {
	case record.List:
		q := quicklist.List{}
		q.Store(root)
	case record.Set, record.Hash:
		t := hashtable.New(rec.Type() == record.Hash)
		t.Store(root)
	case record.ZSet:
		tree, index := ranktree.New(0), scoreindex.Index{}
		storeZSet(root, &tree, &index)
	case record.Stream:
		s := stream.New()
		s.Store(root)
	}
}

func storeZSet(root []byte, tree *ranktree.Tree, index *scoreindex.Index) {
	tree.Store(root)
	index.Store(root[ranktree.Size:])
}

// Some copies more of a value, until the budget is used up (see leaf.CloneCost), and says
// whether that was the rest. It may be called again then. Without memory it returns
// mem.ErrExhausted: the copy is to be freed.
func (p *Copier) Some(src, dst *Cell, budget int) (done bool, err error) {
	from, to := src.Record(), dst.Record()
	if !from.IsRooted() {
		b := from.Bytes()
		p.flat += copy(to.Bytes()[p.flat:], b[p.flat:min(p.flat+budget, len(b))])
		return p.flat == len(b), nil
	}
	root, part, h := rootOf(from), rootOf(to), dst.Heap()
	switch from.Type() {
	case record.List:
		q, own := listRoot(root), listRoot(part)
		_, err = own.CloneSome(h, src.Arena, &q, budget)
		own.Store(part)
		done = own.Len() == q.Len()
	case record.Set, record.Hash:
		var t, own hashtable.Table
		t.Load(root)
		own.Load(part)
		_, done, err = own.CloneSome(&p.table, h, src.Arena, &t, budget)
		own.Store(part)
	case record.ZSet:
		done, err = p.zset(h, src.Arena, root, part, budget)
	case record.Stream:
		s, own := stream.Load(root), stream.Load(part)
		_, done, err = own.CloneSome(h, src.Arena, &s, budget)
		own.Store(part)
	}
	return done && err == nil, err
}

func (p *Copier) zset(h leaf.Heap, a *mem.Arena, root, part []byte, budget int) (done bool, err error) {
	tree, index := loadZSet(root)
	ownTree, ownIndex := loadZSet(part)
	budget, err = ownTree.CloneSome(h, a, &tree, budget)
	if err == nil && ownTree.Len() == tree.Len() {
		_, done, err = ownIndex.CloneSome(&p.index, h.Arena, a, &index, budget)
	}
	storeZSet(part, &ownTree, &ownIndex)
	return done, err
}
