package servercmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var flushTips = []string{"request_policy:all_shards", "response_policy:all_succeeded"}

var flushHistory = [][2]string{
	{"4.0.0", "Added the `ASYNC` flushing mode modifier."},
	{"6.2.0", "Added the `SYNC` flushing mode modifier."},
}

const flushSyntax = "[async=(ASYNC{since 4.0.0}|SYNC{since 6.2.0})]"

var _ = Family.Add(command.Spec{
	Name:       "FLUSHALL",
	Summary:    "Remove all keys from all databases",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the total number of keys in all databases",
	History:    flushHistory,
	Tips:       flushTips,
	Syntax:     flushSyntax,
	Arity:      -1,
	Flags:      command.Write | command.Exclusive,
	ACL:        command.CatKeyspace | command.CatDangerous,
}, Deps.flushAll)

// flushAll replaces all arenas, which takes microseconds however much they hold, so it
// makes no difference whether that is wanted now or in the background: the memory goes
// back to the system right after. The client hears of it when no restart would bring the
// keys back.
func (d Deps) flushAll(c *command.Ctx) error {
	if _, err := d.flushesLater(c.Args); err != nil {
		return err
	}
	removed, release, err := d.Keyspace.FlushAll()
	if err != nil {
		return err
	}
	d.Background(release)
	for db := range d.Keyspace.Databases() {
		c.DB.WakeAll(db)
	}
	c.After(func() { d.Flushed(c) })
	d.flushed(c, removed)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "FLUSHDB",
	Summary:    "Remove all keys from the current database",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the number of keys in the selected database",
	History:    flushHistory,
	Tips:       flushTips,
	Syntax:     flushSyntax,
	Arity:      -1,
	Flags:      command.Write | command.Exclusive,
	ACL:        command.CatKeyspace | command.CatDangerous,
}, Deps.flushDB)

// flushDB empties one database. The arenas belong to all of them, so its keys have to be
// freed one by one, unless it is the only one that has any: then the arenas go.
func (d Deps) flushDB(c *command.Ctx) error {
	later, err := d.flushesLater(c.Args)
	if err != nil {
		return err
	}
	if d.Keyspace.Snapshot() == nil && d.isOnlyDB(c) {
		removed, release, err := d.Keyspace.FlushAll()
		if err != nil {
			return err
		}
		d.Background(release)
		d.flushed(c, removed)
		return nil
	}
	removed := d.Keyspace.FlushDB(c.DB.DB)
	if !later {
		c.DB.FreeDetached()
	}
	d.flushed(c, removed)
	return nil
}

// isOnlyDB says whether no other database has a key, and this one enough to make new
// arenas worth their cost.
func (d Deps) isOnlyDB(c *command.Ctx) bool {
	const worthwhile = 1000 // 64 arenas cost as much as freeing some hundred keys
	for db, info := range c.DB.Info() {
		if db == c.DB.DB && info.Keys < worthwhile || db != c.DB.DB && info.Keys > 0 {
			return false
		}
	}
	return true
}

// flushesLater says whether the memory may be freed in the background.
func (d Deps) flushesLater(args command.Args) (bool, error) {
	switch {
	case len(args) == 1:
		return d.LazyFlush(), nil
	case len(args) == 2 && args.Is(1, "SYNC"):
		return false, nil
	case len(args) == 2 && args.Is(1, "ASYNC"):
		return true, nil
	default:
		return false, resp.ErrSyntax
	}
}

// flushed ends a flush. It is journalled even if nothing was there to remove: a replica
// may have what we have not.
func (d Deps) flushed(c *command.Ctx, removed int64) {
	c.DB.WakeAll(c.DB.DB)
	c.DB.MarkDirty(int(removed))
	c.JournalAs(c.Args...)
	c.Out.OK()
}
