package debugcmd

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
)

// A digest is a signature of data that Redis computes alike, so that two servers of
// either kind can be compared:
//
//	add    d = d xor SHA1(x)           in any order
//	mix    d = SHA1(d xor SHA1(x))     in this order
//
//	value  mix the type's number; mix the text; add "!!expire!!" if it expires
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

// typeString is the number of strings in Redis.
const typeString = 0

var expires = []byte("!!expire!!")

// mixValue mixes what a key holds.
func (d *digest) mixValue(v keyspace.Value) error {
	switch v.Type() {
	case record.String:
		s, err := v.Str()
		if err != nil {
			return err
		}
		var buf [20]byte
		d.mixNumber(typeString)
		d.mix(s.Bytes(&buf))
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
