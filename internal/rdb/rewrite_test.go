package rdb

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/ds/intset"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/hash"
)

// A rewriter writes again what it reads: every form of ours, from every form of theirs.
type rewriter struct {
	t       testing.TB
	version Version
	unpack  bool // write packed sets, hashes and sorted sets element by element
	e       StringEncoder
	out     []byte
}

// clonePiece makes p outlive the next one.
func clonePiece(p *Piece) Piece {
	c := *p
	c.Packed, c.Field, c.Value = bytes.Clone(p.Packed), bytes.Clone(p.Field), bytes.Clone(p.Value)
	c.Group.Name, c.Consumer.Name = bytes.Clone(p.Group.Name), bytes.Clone(p.Consumer.Name)
	return c
}

// rewrite reads a file and writes its keys again. Those are gone that have no elements,
// or that no type of ours can represent.
func (w *rewriter) rewrite(data []byte) []byte {
	w.t.Helper()
	r := NewReader(bytes.NewReader(data), Options{Accept: acceptAll, BufferBytes: 4096})
	w.out = AppendHeader(nil, w.version)
	var rec Record
	for {
		err := r.Next(&rec)
		if err == io.EOF {
			return AppendEOF(w.out, hash.CRC64(0, w.out))
		}
		if err != nil {
			w.t.Fatal(err)
		}
		switch {
		case rec.Kind == KindSelectDB:
			w.out = AppendSelectDB(w.out, rec.DB)
		case rec.Kind != KindKey:
		case rec.Type == TypeString:
			w.expire(&rec)
			w.out = AppendString(AppendKey(w.out, TypeString, rec.Key, &w.e), rec.Value, &w.e)
		default:
			var pieces []Piece
			var p Piece
			ok := true
			for ok {
				if ok, err = r.NextPiece(&p); ok {
					pieces = append(pieces, clonePiece(&p))
				}
			}
			if err != nil && err != ErrEmpty {
				w.t.Fatal(err)
			}
			if err == ErrEmpty || rec.Type == typeModule2 || slices.ContainsFunc(pieces, isNack) {
				continue
			}
			w.expire(&rec)
			t, val := w.value(r.Object().Type, pieces)
			w.out = append(AppendKey(w.out, t, rec.Key, &w.e), val...)
		}
	}
}

func isNack(p Piece) bool { return p.Kind == PieceNack }

// isKept says whether rewrite writes an object again.
func isKept(o object) bool {
	return !o.empty && o.kind != ObjectModule && !slices.Contains(o.forms, PieceNack)
}

func (w *rewriter) expire(rec *Record) {
	if rec.ExpireMS != None {
		w.out = AppendExpire(w.out, rec.ExpireMS)
	}
}

// value encodes a value of given pieces.
func (w *rewriter) value(o ObjectType, pieces []Piece) (Type, []byte) {
	packed := pieces[0].Packed
	if !w.unpack && len(pieces) == 1 {
		switch pieces[0].Kind {
		case PieceIntset:
			return TypeSetIntset, AppendString(nil, packed, &w.e)
		case PieceListpack:
			switch o {
			case ObjectSet:
				return w.version.SetListpackType(), AppendSetListpack(nil, w.version, packed, &w.e)
			case ObjectHash:
				return TypeHashListpack, AppendString(nil, packed, &w.e)
			}
			return TypeZSetListpack, AppendString(nil, packed, &w.e)
		case PieceListpackEx:
			first := AppendFirstExpiry(nil, firstExpiry(unpacked(o, pieces)))
			return TypeHashListpackEx, AppendString(first, packed, &w.e)
		}
	}
	if o == ObjectStream {
		return w.version.StreamType(), w.stream(pieces)
	}
	if o == ObjectList {
		return TypeQuicklist2, w.list(pieces)
	}
	pieces = unpacked(o, pieces)
	out := AppendLen(nil, uint64(len(pieces)))
	switch first := firstExpiry(pieces); {
	case o == ObjectSet:
		for _, p := range pieces {
			out = AppendString(out, p.Field, &w.e)
		}
		return TypeSet, out
	case o == ObjectZSet:
		for _, p := range pieces {
			out = AppendScored(out, p.Field, p.Score, &w.e)
		}
		return TypeZSet2, out
	case first != None:
		out = AppendLen(AppendFirstExpiry(nil, first), uint64(len(pieces)))
		for _, p := range pieces {
			out = AppendExpiring(out, p.Field, p.Value, p.ExpireMS, first, &w.e)
		}
		return TypeHashMeta, out
	}
	for _, p := range pieces {
		out = AppendString(AppendString(out, p.Field, &w.e), p.Value, &w.e)
	}
	return TypeHash, out
}

// firstExpiry is the first time at which one of the fields expires, or None.
func firstExpiry(pieces []Piece) int64 {
	first := int64(None)
	for _, p := range pieces {
		if p.ExpireMS != None && (first == None || p.ExpireMS < first) {
			first = p.ExpireMS
		}
	}
	return first
}

// unpacked makes elements of the pieces of a set, hash or sorted set.
func unpacked(o ObjectType, pieces []Piece) (all []Piece) {
	for _, p := range pieces {
		switch p.Kind {
		case PieceElement:
			if o != ObjectHash {
				p.ExpireMS = None
			}
			all = append(all, p)
		case PieceIntset:
			for i := range intset.In(p.Packed).Len() {
				all = append(all, Piece{Field: listpack.Int(intset.In(p.Packed).At(i)).AppendTo(nil), ExpireMS: None})
			}
		case PieceListpack, PieceListpackEx:
			l := listpack.In(p.Packed)
			read := func(at int) (listpack.Elem, int) { return l.Read(at) }
			for at := l.First(); at != 0; {
				x := Piece{ExpireMS: None}
				var e listpack.Elem
				e, at = read(at)
				x.Field = e.AppendTo(nil)
				if o == ObjectZSet {
					e, at = read(at)
					c := Pieces{c: cursor{p: append([]byte{byte(e.Len())}, e.AppendTo(nil)...)}}
					if err := c.readScore(&field{"score", atomScoreText}); err != nil {
						panic(err)
					}
					x.Score = c.score
				} else if o == ObjectHash {
					e, at = read(at)
					x.Value = e.AppendTo(nil)
				}
				if p.Kind == PieceListpackEx {
					e, at = read(at)
					if e.Int != 0 {
						x.ExpireMS = e.Int
					}
				}
				all = append(all, x)
			}
		}
	}
	return all
}

func (w *rewriter) list(pieces []Piece) []byte {
	out := AppendLen(nil, uint64(len(pieces)))
	for _, p := range pieces {
		switch {
		case p.Kind == PieceNode:
			out = AppendNode(out, p.Packed, &w.e)
		case len(p.Field) == 0: // which is never a node by itself
			out = AppendNode(out, []byte(rawLP("")), &w.e)
		default:
			out = AppendPlainNode(out, p.Field, &w.e)
		}
	}
	return out
}

// stream writes what a version before 26 has of a stream.
func (w *rewriter) stream(pieces []Piece) []byte {
	t := w.version.StreamType()
	nodes := slices.IndexFunc(pieces, func(p Piece) bool { return p.Kind != PieceStreamNode })
	out := AppendLen(nil, uint64(nodes))
	consumers := 0
	for i, p := range pieces {
		if p.Kind == PieceConsumer {
			if consumers == 0 {
				for _, p := range pieces[i:] {
					if p.Kind == PieceGroup {
						break
					}
					if p.Kind == PieceConsumer {
						consumers++
					}
				}
				out = AppendLen(out, uint64(consumers))
			}
			out = AppendConsumer(out, t, &p.Consumer, &w.e)
		} else if end := i + 1; p.Kind == PieceGroup || p.Kind == PiecePending {
			consumers = 0
			if p.Kind == PieceGroup {
				out = AppendGroup(out, &p.Group, &w.e)
			} else {
				out = AppendPending(out, &p.Pending)
			}
			if end == len(pieces) || pieces[end].Kind == PieceGroup || pieces[end].Kind == PieceProducer {
				out = AppendLen(out, 0) // no consumers
			}
		}
		switch p.Kind {
		case PieceStreamNode:
			out = AppendStreamNode(out, p.ID, p.Packed, &w.e)
		case PieceStream:
			out = AppendStream(out, &p.Stream)
		case PieceOwned:
			out = AppendOwned(out, p.ID)
		}
	}
	return out
}
