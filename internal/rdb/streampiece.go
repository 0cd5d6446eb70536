package rdb

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/spineldb/spinel/internal/ds/listpack"
)

func streamID(b []byte) StreamID {
	return StreamID{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

// streamNode checks a node of a stream: its ID, which is above those before, and that
// it has a listpack, which is no more than a listpack.
func (v *Pieces) streamNode(p *Piece) (bool, error) {
	if len(v.strings[0]) != 16 {
		return false, corruptAt(v.from, "node ID", fmt.Errorf("%w, not %d", errNodeID, len(v.strings[0])))
	}
	id := streamID(v.strings[0])
	if v.nodes && !v.node.Less(id) {
		return false, corruptAt(v.from, "node ID", errUnsorted)
	}
	v.node, v.nodes = id, true
	if err := listpack.Validate(v.strings[1], true, nil); err != nil {
		return false, corruptAt(v.from, "node", v.layout.packedFault(err))
	}
	if len(v.strings[1]) == listpack.EmptySize {
		return false, corruptAt(v.from, "node", fault("Empty listpack inside stream", errEmptyNode))
	}
	l := listpack.In(v.strings[1])
	p.Kind, p.ID, p.Packed, p.Count = PieceStreamNode, id, l, l.Len()
	return true, nil
}

// streamPiece makes a piece of what follows a stream's nodes.
func (v *Pieces) streamPiece(s section, p *Piece) (bool, error) {
	switch s {
	case secMeta:
		p.Kind = PieceStream
		v.streamMeta(&p.Stream)
	case secGroup:
		v.pending, v.owned, v.owners = v.pending[:0], v.owned[:0], 0
		n := &v.numbers
		p.Kind = PieceGroup
		p.Group = StreamGroup{Name: v.strings[0], Last: StreamID{n[0], n[1]}}
		if p.Group.EntriesRead, p.Group.Pending = EntriesReadUnknown, n[2]; v.layout.level >= 2 {
			p.Group.EntriesRead, p.Group.Pending = int64(n[2]), n[3]
		}
	case secPending:
		if last := len(v.pending) - 1; last >= 0 && !v.pending[last].Less(v.id) {
			return false, corruptAt(v.from, "pending entry", errUnsorted)
		}
		v.pending, v.owned = append(v.pending, v.id), append(v.owned, false)
		p.Kind, p.Pending = PiecePending, StreamPending{v.id, int64(v.numbers[0]), v.numbers[1]}
	case secConsumer:
		n := &v.numbers
		p.Kind = PieceConsumer
		p.Consumer = StreamConsumer{Name: v.strings[0], SeenMS: int64(n[0]), ActiveMS: int64(n[0]), Pending: n[1]}
		if v.layout.level >= 3 {
			p.Consumer.ActiveMS, p.Consumer.Pending = int64(n[1]), n[2]
		}
	case secOwned, secNack:
		if p.Kind = PieceOwned; s == secNack {
			p.Kind = PieceNack
		}
		if p.ID = v.id; !v.own(v.id) {
			return false, v.notOwned(s)
		}
	case secProducer:
		p.Kind, p.Field = PieceProducer, v.strings[0]
	case secProduced:
		p.Kind, p.Field, p.ID = PieceProduced, v.strings[0], StreamID{v.numbers[0], v.numbers[1]}
	default: // numbers that were taken note of
		return false, v.groupEnd(s)
	}
	return true, v.groupEnd(s)
}

func (v *Pieces) streamMeta(m *StreamMeta) {
	n := &v.numbers
	*m = StreamMeta{Length: n[0], Last: StreamID{n[1], n[2]}, Groups: n[3], Old: true}
	if v.layout.level >= 2 {
		m.First, m.MaxDeleted = StreamID{n[3], n[4]}, StreamID{n[5], n[6]}
		m.Added, m.Groups, m.Old = n[7], n[8], false
	}
}

// own notes that a pending entry has an owner. It says whether it is one, and had none.
func (v *Pieces) own(id StreamID) bool {
	i, ok := v.findPending(id)
	if !ok || v.owned[i] {
		return false
	}
	v.owned[i] = true
	v.owners++
	return true
}

func (v *Pieces) findPending(id StreamID) (int, bool) {
	return slices.BinarySearchFunc(v.pending, id, func(a, b StreamID) int {
		switch {
		case a == b:
			return 0
		case a.Less(b):
			return -1
		}
		return 1
	})
}

func (v *Pieces) notOwned(s section) error {
	text, err := "Consumer entry not found in group global PEL", errNotPending
	if _, ok := v.findPending(v.id); ok {
		text, err = "Stream consumer PEL entry already has a consumer assigned", errTwoOwners
	}
	return corruptAt(v.from, v.layout.shapes[s][0].what, fault(text, err))
}

// groupEnd checks at the end of a group, which may be that of section s, that each of
// its pending entries has an owner.
func (v *Pieces) groupEnd(s section) error {
	if s < secGroup || s > secNack || v.at.section >= secPending && v.at.section <= secNack {
		return nil
	}
	if v.owners != len(v.pending) {
		err := fmt.Errorf("%w: %d of %d", errNoOwner, len(v.pending)-v.owners, len(v.pending))
		return corruptAt(v.c.offset(), "end of group", fault("Stream CG PEL entry without consumer", err))
	}
	return nil
}
