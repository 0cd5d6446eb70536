package debugcmd

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/value"
)

// A digest is a signature of data that Redis computes alike, so that two servers of
// either kind can be compared:
//
//	add    d = d xor SHA1(x)           in any order
//	mix    d = SHA1(d xor SHA1(x))     in this order
//
//	value  mix the type's number, the elements; add "!!expire!!" if it expires
//	list   mix each element; a stream's: the ID as "ms.seq", fields and values
//	set    add each member; a hash's, a sorted set's: the digest of both parts, mixed
//	key    mix the key, then its value, from zero
//	data   of each database that has keys: mix its number, add all its keys
//
// Numbers are four bytes, the highest first.
type digest [sha1.Size]byte

func (d *digest) add(x []byte) {
	for i, b := range sha1.Sum(x) {
		d[i] ^= b
	}
}

func (d *digest) mix(x []byte) {
	d.add(x)
	*d = sha1.Sum(d[:])
}

func (d *digest) mixNumber(n uint32) {
	d.mix(binary.BigEndian.AppendUint32(nil, n))
}

// typeNumbers are the numbers of the types in Redis.
var typeNumbers = [...]uint32{
	record.String: 0, record.List: 1, record.Set: 2, record.ZSet: 3, record.Hash: 4, record.Stream: 6,
}

var expires = []byte("!!expire!!")

// mixValue mixes what a key holds. The elements of sets, sorted sets and hashes are added
// to each other, since their order is nobody's.
func (d *digest) mixValue(v keyspace.Value) error {
	d.mixNumber(typeNumbers[v.Type()])
	cell := v.Cell()
	var buf [20]byte
	switch v.Type() {
	case record.String:
		s, err := v.Str()
		if err != nil {
			return err
		}
		d.mix(s.Bytes(&buf))
	case record.List:
		value.Each(&cell, func(e *value.Element) { d.mix(e.Name.Text(&buf)) })
	case record.Set:
		value.Each(&cell, func(e *value.Element) { d.add(e.Name.Text(&buf)) })
	case record.Hash:
		value.Each(&cell, func(e *value.Element) {
			var one digest
			one.mix(e.Name.Text(&buf))
			one.mix(e.Value.Text(&buf))
			d.add(one[:])
		})
	case record.ZSet:
		value.Each(&cell, func(e *value.Element) {
			var one digest
			one.mix(e.Name.Text(&buf))
			one.mix(numtext.AppendFloat17(nil, e.Score))
			d.add(one[:])
		})
	case record.Stream:
		s := value.StreamIn(&cell)
		last := stream.ID{Ms: math.MaxUint64, Seq: math.MaxUint64}
		for it := s.S.Range(cell.Arena, stream.ID{}, last, false); it.Next(); {
			id := it.ID()
			d.mix(fmt.Appendf(nil, "%d.%d", id.Ms, id.Seq))
			for field, val, ok := it.NextPair(); ok; field, val, ok = it.NextPair() {
				d.mix(field.Text(&buf))
				d.mix(val.Text(&buf))
			}
		}
	default:
		return errNoDigest
	}
	if v.HasExpiry() {
		d.add(expires)
	}
	return nil
}

func (d *digest) text() string { return hex.EncodeToString(d[:]) }

func (d Deps) digest(c *command.Ctx) (err error) {
	var total digest
	c.Engine.Exclusive(func() {
		for db := range d.Keyspace.Databases() {
			if c.DB.Size(db) == 0 {
				continue
			}
			total.mixNumber(uint32(db))
			c.DB.Each(db, func(key []byte, v keyspace.Value) bool {
				var one digest
				one.mix(key)
				err = one.mixValue(v)
				total.add(one[:])
				return err == nil
			})
		}
	})
	if err == nil {
		c.Out.Simple(total.text())
	}
	return err
}

func (d Deps) digestValue(c *command.Ctx) (err error) {
	keys := c.Args[2:]
	c.Out.Array(len(keys))
	c.Engine.Exclusive(func() {
		for _, key := range keys {
			var one digest
			if v, ok := c.DB.Peek(key); ok && err == nil {
				err = one.mixValue(v)
			}
			c.Out.Simple(one.text())
		}
	})
	return err
}
