// Package hashcmd is the hash family of commands: fields with values, which may expire one
// by one.
//
//	set.go     HSET HMSET HSETNX, and HINCRBY HINCRBYFLOAT
//	get.go     HGET HMGET HGETALL HKEYS HVALS HLEN HSTRLEN HEXISTS
//	del.go     HDEL HGETDEL
//	walk.go    HSCAN HRANDFIELD
//	expire.go  HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT HPERSIST
//	ttl.go     HTTL HPTTL HEXPIRETIME HPEXPIRETIME
//	ex.go      HGETEX HSETEX
//
// A field whose time has come is seen by no command but HLEN, which counts it as Redis
// does. Commands that change a hash remove such fields where they meet them, and journal
// that as HDEL before themselves (reap); the keyspace's sweep removes the others.
//
// Where Redis 8 and Valkey 9 differ about fields that expire, both are understood as long
// as that is one meaning, and the comment of the command says so. The error texts are
// Redis's.
package hashcmd

import (
	"strconv"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/value"
)

// Family is every command in this package; each file adds its own.
var Family = command.Family{Group: "hash"}

// Words of journalled commands.
var (
	wordHSet       = []byte("HSET")
	wordHSetEx     = []byte("HSETEX")
	wordHDel       = []byte("HDEL")
	wordPExpireAt  = []byte("PEXPIREAT")
	wordHPExpireAt = []byte("HPEXPIREAT")
	wordHPersist   = []byte("HPERSIST")
	wordFields     = []byte("FIELDS")
	wordPXAT       = []byte("PXAT")
	wordKeepTTL    = []byte("KEEPTTL")
	wordOne        = []byte("1")
)

// open finds the hash at argument 1 for reading.
func open(c *command.Ctx, h *value.Hash) (ok bool, err error) {
	cell, ok, err := c.DB.Open(c.Args[1], record.Hash)
	if ok {
		h.Open(cell, c.DB.FieldsNow())
	}
	return ok, err
}

// edit finds it to be changed. It ends with edited.
func edit(c *command.Ctx, h *value.Hash) (ok bool, err error) {
	cell, ok, err := c.DB.Edit(c.Args[1], record.Hash)
	if ok {
		h.Open(cell, c.DB.FieldsNow())
	}
	return ok, err
}

// create is edit of a hash that is made if it is not there.
func create(c *command.Ctx, h *value.Hash) error {
	cell, err := c.DB.Make(c.Args[1], record.Hash)
	if err == nil {
		h.Open(cell, c.DB.FieldsNow())
	}
	return err
}

// edited ends what changed a hash n times, besides removing fields whose time had come.
// Without a change of its own the command is not journalled.
func edited(c *command.Ctx, h *value.Hash, n, reaped int) {
	length := h.Len()
	c.DB.Edited(c.Args[1], &h.Cell, n+reaped)
	switch {
	case reaped == 0:
	case n == 0:
		c.JournalNothing()
	case length <= n && c.Journaling():
		keepExpiry(c)
	}
}

// keepExpiry journals when the key expires behind a command that may have found nothing in it
// but fields whose time had come: the HDEL of the last one removes the key where it is replayed.
func keepExpiry(c *command.Ctx) {
	if at, ok := c.DB.Expiry(c.Args[1]); ok && at != keyspace.NoTTL {
		c.Behind(c.DB.DB, wordPExpireAt, c.Args[1], strconv.AppendInt(nil, at, 10))
	}
}

// reap removes those of the fields, each step-th of what it is given, whose time has come.
func reap(c *command.Ctx, h *value.Hash, fields [][]byte, step int) (reaped int, err error) {
	if !h.Expires() {
		return 0, nil
	}
	for i := 0; i < len(fields); i += step {
		field := fields[i]
		if !h.IsDue(field) {
			continue
		}
		if _, err := h.Delete(field); err != nil {
			return reaped, err
		}
		reaped++
		if c.Journaling() {
			c.Before(c.DB.DB, wordHDel, c.Args[1], field)
		}
	}
	c.DB.CountFieldsExpired(reaped)
	return reaped, nil
}

// nulls replies that nothing is there, n times.
func nulls(c *command.Ctx, n int) {
	c.Out.Array(n)
	for range n {
		c.Out.Null()
	}
}
