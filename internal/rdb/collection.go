package rdb

import (
	"encoding/binary"
	"math"

	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/invariant"
)

// Behind AppendKey comes the value, which may be written in pieces:
//
//	TypeString                     AppendString
//	TypeSetIntset, TypeHashListpack,
//	  TypeZSetListpack             AppendString of the packed bytes
//	SetListpackType                AppendSetListpack
//	TypeHashListpackEx             AppendFirstExpiry, AppendString
//	TypeQuicklist2                 AppendLen of the nodes, then of each AppendNode or AppendPlainNode
//	TypeSet                        AppendLen, then of each AppendString
//	TypeHash                       AppendLen, then of each AppendString twice
//	TypeZSet2                      AppendLen, then of each AppendScored
//	TypeHashMeta                   AppendFirstExpiry, AppendLen, then of each AppendExpiring
//	StreamType                     AppendLen of the nodes, of each AppendStreamNode;
//	                               AppendStream, then of each group AppendGroup, of each pending
//	                               entry AppendPending; AppendLen of the consumers, of each
//	                               AppendConsumer, of each entry that it owns AppendOwned

// SetListpackType is the type of a set that is a listpack: one that v has.
func (v Version) SetListpackType() Type {
	if v < VersionWritten {
		return TypeSet
	}
	return TypeSetListpack
}

// StreamType is the type of a stream: the newest that we write and v has.
func (v Version) StreamType() Type {
	if v < VersionWritten {
		return TypeStream2
	}
	return TypeStream3
}

// AppendSetListpack appends a set that is a listpack, as a value of SetListpackType.
func AppendSetListpack(dst []byte, v Version, packed []byte, e *StringEncoder) []byte {
	if v.SetListpackType() == TypeSetListpack {
		return AppendString(dst, packed, e)
	}
	l := listpack.In(packed)
	dst = AppendLen(dst, uint64(l.Len()))
	for at := l.First(); at != 0; at = l.Next(at) {
		if elem := l.Get(at); elem.IsInt {
			dst = AppendInt(dst, elem.Int)
		} else {
			dst = AppendString(dst, elem.Bytes, e)
		}
	}
	return dst
}

// AppendNode appends elements of a list that are a listpack.
func AppendNode(dst, packed []byte, e *StringEncoder) []byte {
	return AppendString(append(dst, quicklistPacked), packed, e)
}

// AppendPlainNode appends an element of a list that is too large for a listpack, so not an
// empty one, which nobody would read.
func AppendPlainNode(dst, elem []byte, e *StringEncoder) []byte {
	invariant.Check(len(elem) > 0, "rdb: an empty element as a node by itself")
	return AppendString(append(dst, quicklistPlain), elem, e)
}

// AppendScored appends a member of a sorted set. They may come in any order.
func AppendScored(dst, member []byte, score float64, e *StringEncoder) []byte {
	invariant.Check(score == score, "rdb: a score isn't a number")
	return binary.LittleEndian.AppendUint64(AppendString(dst, member, e), math.Float64bits(score))
}

// AppendFirstExpiry appends when the first of a hash's fields expires.
func AppendFirstExpiry(dst []byte, ms int64) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(ms))
}

// AppendExpiring appends a hash's field, which expires at expireMS unless that is None.
// first is what AppendFirstExpiry got; no field expires before it.
func AppendExpiring(dst, field, val []byte, expireMS, first int64, e *StringEncoder) []byte {
	after := uint64(0)
	if expireMS != None {
		invariant.Check(expireMS >= first, "rdb: a field expires at %d, the first one at %d", expireMS, first)
		after = uint64(expireMS-first) + 1
	}
	return AppendString(AppendString(AppendLen(dst, after), field, e), val, e)
}

// AppendStreamNode appends a node of a stream. They come in the order of their IDs.
func AppendStreamNode(dst []byte, id StreamID, packed []byte, e *StringEncoder) []byte {
	return AppendString(appendID(append(dst, 16), id), packed, e)
}

func appendID(dst []byte, id StreamID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, id.MS), id.Seq)
}

func appendIDLens(dst []byte, id StreamID) []byte {
	return AppendLen(AppendLen(dst, id.MS), id.Seq)
}

// AppendStream appends what a stream knows besides its entries. Its groups come next.
func AppendStream(dst []byte, m *StreamMeta) []byte {
	dst = appendIDLens(AppendLen(dst, m.Length), m.Last)
	dst = appendIDLens(appendIDLens(dst, m.First), m.MaxDeleted)
	return AppendLen(AppendLen(dst, m.Added), m.Groups)
}

// AppendGroup appends a group. Its pending entries come next, then its consumers.
func AppendGroup(dst []byte, g *StreamGroup, e *StringEncoder) []byte {
	dst = appendIDLens(AppendString(dst, g.Name, e), g.Last)
	return AppendLen(AppendLen(dst, uint64(g.EntriesRead)), g.Pending)
}

// AppendPending appends a pending entry. They come in the order of their IDs.
func AppendPending(dst []byte, p *StreamPending) []byte {
	dst = binary.LittleEndian.AppendUint64(appendID(dst, p.ID), uint64(p.DeliveredMS))
	return AppendLen(dst, p.Deliveries)
}

// AppendConsumer appends a consumer of a group of a stream of type t. The entries that
// it owns come next.
func AppendConsumer(dst []byte, t Type, c *StreamConsumer, e *StringEncoder) []byte {
	dst = binary.LittleEndian.AppendUint64(AppendString(dst, c.Name, e), uint64(c.SeenMS))
	if t == TypeStream3 {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(c.ActiveMS))
	}
	return AppendLen(dst, c.Pending)
}

// AppendOwned appends the ID of an entry that the consumer owns.
func AppendOwned(dst []byte, id StreamID) []byte { return appendID(dst, id) }
