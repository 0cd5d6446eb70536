package dump

import (
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/value"
)

// TypeOf is the type of the key that holds an object; false for what no key can.
func TypeOf(t rdb.ObjectType) (record.Type, bool) {
	switch t {
	case rdb.ObjectList:
		return record.List, true
	case rdb.ObjectSet:
		return record.Set, true
	case rdb.ObjectZSet:
		return record.ZSet, true
	case rdb.ObjectHash:
		return record.Hash, true
	case rdb.ObjectStream:
		return record.Stream, true
	}
	return record.String, false
}

// A Builder makes one value of its pieces. The zero Builder is ready for the next value.
type Builder struct {
	stream streamBuilder
}

// Add takes the next piece of a value that is being made in a cell, empty at first. It
// returns mem.ErrExhausted, or an error that says what is wrong with the piece.
func (b *Builder) Add(c *value.Cell, p *rdb.Piece) error {
	switch p.Kind {
	case rdb.PieceListpack:
		return value.Load(c, record.Packed, p.Packed)
	case rdb.PieceListpackEx:
		return value.Load(c, record.PackedEx, p.Packed)
	case rdb.PieceIntset:
		return value.Load(c, record.Intset, p.Packed)
	case rdb.PieceNode:
		_, err := value.Add(c, &value.Element{Node: p.Packed})
		return err
	case rdb.PieceElement:
		e := value.Element{
			Name: listpack.Text(p.Field), Value: listpack.Text(p.Value), Score: p.Score, Expiry: p.ExpireMS,
		}
		isNew, err := value.Add(c, &e)
		if err == nil && !isNew {
			err = rdb.ErrDuplicate
		}
		return err
	}
	return b.stream.add(c, p)
}
