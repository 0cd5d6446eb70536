// Package dump turns values other than strings into their RDB form, and back: for
// snapshots, for DUMP and RESTORE, and wherever a value leaves the process.
//
// A small value is one string in a file, its value part. A rooted one is its elements:
//
//	Writer.AppendHead     how many come
//	Writer.AppendElement  of each, in the order of the leaves
//	Writer.AppendRest     of a stream, what is not entries
//
// so that a snapshot can write a value of any size in pieces, from leaves that it has
// frozen; the rest of a stream comes as elements then, too. A Builder takes the pieces that
// package rdb decodes and makes a value of them.
package dump

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/value"
)

// A Writer writes values in the form of a version of the format. It keeps memory between
// two strings, so each goroutine has its own.
type Writer struct {
	Version rdb.Version
	Strings rdb.StringEncoder

	name, text [numtext.MaxIntLen]byte
}

// Type is the type by which a file names a value of a type and encoding.
func (w *Writer) Type(t record.Type, e record.Encoding) rdb.Type {
	switch t {
	case record.List:
		return rdb.TypeQuicklist2
	case record.Set:
		switch e {
		case record.Intset:
			return rdb.TypeSetIntset
		case record.Packed:
			return w.Version.SetListpackType()
		}
		return rdb.TypeSet
	case record.ZSet:
		if e == record.Packed {
			return rdb.TypeZSetListpack
		}
		return rdb.TypeZSet2
	case record.Hash:
		switch e {
		case record.Packed:
			return rdb.TypeHashListpack
		case record.PackedEx:
			return rdb.TypeHashListpackEx
		case record.RootedEx:
			return rdb.TypeHashMeta
		}
		return rdb.TypeHash
	case record.Stream:
		return w.Version.StreamType()
	}
	return rdb.TypeString
}

// AppendPart appends a small value, given its value part.
func (w *Writer) AppendPart(dst []byte, t record.Type, e record.Encoding, part []byte) []byte {
	switch {
	case t == record.List:
		return rdb.AppendNode(rdb.AppendLen(dst, 1), part, &w.Strings)
	case t == record.Set && e == record.Packed:
		return rdb.AppendSetListpack(dst, w.Version, part, &w.Strings)
	case e == record.PackedEx:
		dst = rdb.AppendFirstExpiry(dst, int64(binary.LittleEndian.Uint64(part)))
		return rdb.AppendString(dst, part[value.ExpirySize:], &w.Strings)
	}
	return rdb.AppendString(dst, part, &w.Strings)
}

// A Head is what stands before the elements of a rooted value.
type Head struct {
	Type     record.Type
	Encoding record.Encoding
	Count    int   // elements; of a list or stream, leaves
	First    int64 // when the first field expires, -1 for never
}

// HeadOf is the head of a rooted value that has so many leaves.
func HeadOf(c *value.Cell, leaves int) Head {
	h := Head{Type: c.Type(), Encoding: c.Encoding(), Count: leaves, First: value.FieldExpiry(c.Record())}
	if h.Type != record.List && h.Type != record.Stream {
		h.Count = value.Len(c)
	}
	return h
}

// AppendHead appends what stands before the elements.
func (w *Writer) AppendHead(dst []byte, h *Head) []byte {
	if h.Encoding == record.RootedEx {
		dst = rdb.AppendFirstExpiry(dst, h.First)
	}
	return rdb.AppendLen(dst, uint64(h.Count))
}

// AppendElement appends one element.
func (w *Writer) AppendElement(dst []byte, h *Head, e *value.Element) []byte {
	switch h.Type {
	case record.List:
		if e.IsPlain {
			return rdb.AppendPlainNode(dst, e.Node, &w.Strings)
		}
		return rdb.AppendNode(dst, e.Node, &w.Strings)
	case record.Set:
		return w.appendElem(dst, e.Name)
	case record.ZSet:
		return rdb.AppendScored(dst, e.Name.Text(&w.name), e.Score, &w.Strings)
	case record.Stream:
		return w.appendStreamPart(dst, e)
	}
	if h.Encoding == record.RootedEx {
		return rdb.AppendExpiring(dst, e.Name.Text(&w.name), e.Value.Text(&w.text), e.Expiry, h.First, &w.Strings)
	}
	return w.appendElem(w.appendElem(dst, e.Name), e.Value)
}

func (w *Writer) appendElem(dst []byte, e listpack.Elem) []byte {
	if e.IsInt {
		return rdb.AppendInt(dst, e.Int)
	}
	return rdb.AppendString(dst, e.Bytes, &w.Strings)
}

// Append appends a whole value. For one of many elements that takes long.
func (w *Writer) Append(dst []byte, c *value.Cell) []byte {
	rec := c.Record()
	if !rec.IsRooted() {
		return w.AppendPart(dst, rec.Type(), rec.Encoding(), rec.Bytes())
	}
	leaves := value.Leaves(c, nil)
	h := HeadOf(c, len(leaves))
	dst = w.AppendHead(dst, &h)
	for _, ref := range leaves {
		dst = w.AppendLeaf(dst, &h, c.Arena, ref)
	}
	return w.AppendRest(dst, c)
}

// AppendLeaf appends the elements of a leaf.
func (w *Writer) AppendLeaf(dst []byte, h *Head, a *mem.Arena, ref mem.Ref) []byte {
	value.EachInLeaf(h.Type, a, ref, func(e value.Element) {
		dst = w.AppendElement(dst, h, &e)
	})
	return dst
}
