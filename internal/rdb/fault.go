package rdb

import (
	"errors"
	"fmt"
)

// A faultError is a damage that Redis's log has words for.
type faultError struct {
	text   string // those
	err    error  // what it is
	packed bool   // it is within a string all of which is there
}

func (f *faultError) Error() string {
	if f.packed {
		return "integrity check failed: " + f.err.Error()
	}
	return f.err.Error()
}

func (f *faultError) Unwrap() error { return f.err }

func fault(text string, err error) error { return &faultError{text: text, err: err} }

// LogText is the error as Redis logs it, and in brackets as we say it: for those who look
// in a log for what Redis writes there.
func (e *CorruptError) LogText() string {
	text, err := "Bad data format", e.Err
	if f, ok := errors.AsType[*faultError](e.Err); ok {
		text, err = f.text, f.err
	}
	return fmt.Sprintf("Internal error in RDB reading offset %d -> %s (%s: %v)", e.Offset, text, e.What, err)
}

// packedFault is the error of a packed value or node that is not sound.
func (l *layout) packedFault(err error) error {
	return &faultError{l.packedName() + " integrity check failed", err, true}
}

// packedName is Redis's name for what is packed in values of this layout, or "".
func (l *layout) packedName() string {
	switch l.content {
	case contentZiplist:
		if l.first == secElement {
			return "List ziplist"
		}
		return "Ziplist"
	case contentQuicklist:
		return "Listpack"
	case contentZiplistPairs:
		return "Hash ziplist"
	case contentZiplistScored:
		return "Zset ziplist"
	case contentZipmap:
		return "Zipmap"
	case contentIntset:
		return "Intset"
	case contentStream:
		return "Stream listpack"
	case contentListpack, contentListpackExpire:
		switch l.object {
		case ObjectSet:
			return "Set listpack"
		case ObjectZSet:
			return "Zset listpack"
		}
		return "Hash listpack"
	}
	return ""
}

// duplicate is the error of an element or the like that was there already.
func (l *layout) duplicate(kind PieceKind, err error) error {
	switch {
	case kind == PieceConsumer:
		return fault("Duplicate stream consumer detected", err)
	case kind == PieceGroup:
		return fault("Duplicated consumer group name", err)
	case l.packedName() != "":
		return l.packedFault(err)
	case l.object == ObjectSet:
		return fault("Duplicate set members detected", err)
	case l.object == ObjectZSet:
		return fault("Duplicate zset fields detected", err)
	}
	return fault("Duplicate hash fields detected", err)
}

// Blame is the error of a piece that whoever builds the value has refused: where in the
// input it stands, and what is wrong with it. No piece comes after it.
func (v *Pieces) Blame(p *Piece, err error) error {
	what := "element"
	switch p.Kind {
	case PieceNode, PieceStreamNode:
		what, err = "node", v.layout.packedFault(err)
	case PieceListpack, PieceListpackEx, PieceIntset:
		what, err = v.layout.shapes[secElement][0].what, v.layout.packedFault(err)
	case PieceStream:
		what = "figures of stream"
	case PieceGroup:
		what = "group"
	case PiecePending, PieceOwned, PieceNack:
		what = "pending entry"
	case PieceConsumer:
		what = "consumer"
	}
	if errors.Is(err, ErrDuplicate) {
		err = v.layout.duplicate(p.Kind, err)
	}
	v.fail(corruptAt(v.from, what, err))
	return v.err
}
