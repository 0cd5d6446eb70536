package keycmd

import (
	"bytes"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errMoveCluster = &resp.Error{Code: "ERR", Text: "MOVE is not allowed in cluster mode"}
	errCopyCluster = &resp.Error{Code: "ERR", Text: "Copying to another database is not allowed in cluster mode"}
)

var _ = Family.Add(command.Spec{
	Name:    "COPY",
	Summary: "Copy a key",
	Since:   "6.2.0",
	Complexity: "O(N) worst case for collections, where N is the number of nested items. " +
		"O(1) for string values.",
	Syntax: "source:key destination:key@1 [DB=destination-db:integer] [REPLACE]",
	Arity:  -3,
	Flags:  command.Write | command.DenyOOM,
	ACL:    command.CatKeyspace,
	Keys:   twoKeys(command.RO|command.Access, command.OW|command.Update),
	Run:    copyKey,
})

// copyKey copies a key with its expiry. The two databases of a key share a stripe, so
// the locks of the two names suffice.
func copyKey(c *command.Ctx) error {
	from, to := c.Args[1], c.Args[2]
	db, replace := c.DB.DB, false
	for i := 3; i < len(c.Args); i++ {
		switch {
		case c.Args.Is(i, "REPLACE"):
			replace = true
		case c.Args.Is(i, "DB") && i+1 < len(c.Args):
			i++
			var err error
			if db, err = database(c, i); err != nil {
				return err
			}
		default:
			return resp.ErrSyntax
		}
	}
	switch {
	case c.DB.Cluster() && (c.DB.DB != 0 || db != 0):
		return errCopyCluster
	case db == c.DB.DB && bytes.Equal(from, to):
		return resp.ErrSameObject
	}
	if _, ok := c.DB.Read(from); !ok {
		c.Out.Int(0)
		return nil
	}
	if _, there := c.DB.PeekIn(db, to); there && !replace {
		c.Out.Int(0)
		return nil
	}
	g := transfer{from: from, to: to, db: db, replace: replace}
	return g.start(c)
}

var _ = Family.Add(command.Spec{
	Name:       "MOVE",
	Summary:    "Move a key to another database",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key db:integer",
	Arity:      3,
	Flags:      command.Write | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RW|command.Access|command.Update),
	Run:        move,
})

func move(c *command.Ctx) error {
	if c.DB.Cluster() {
		return errMoveCluster
	}
	key := c.Args[1]
	db, err := database(c, 2)
	if err != nil {
		return err
	}
	if db == c.DB.DB {
		return resp.ErrSameObject
	}
	access(c, key)
	if !c.DB.Exists(key) {
		c.Out.Int(0)
		return nil
	}
	if _, there := c.DB.PeekIn(db, key); there {
		c.Out.Int(0)
		return nil
	}
	done, err := c.DB.Move(key, db)
	if err != nil {
		return err
	}
	c.Out.OneIf(done)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "RENAME",
	Summary:    "Rename a key",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key newkey:key@1",
	Arity:      3,
	Flags:      command.Write,
	ACL:        command.CatKeyspace,
	Keys:       twoKeys(command.RW|command.Access|command.Delete, command.OW|command.Update),
	Run:        rename,
})

// rename gives a key another name. Its own name is as good as another: nothing is done,
// and nothing journalled, but the key must be there.
func rename(c *command.Ctx) error {
	from, to := c.Args[1], c.Args[2]
	access(c, from)
	if !c.DB.Exists(from) {
		return resp.ErrNoKey
	}
	if bytes.Equal(from, to) {
		c.Out.OK()
		return nil
	}
	g := transfer{from: from, to: to, db: c.DB.DB, move: true, replace: true}
	return g.start(c)
}

var _ = Family.Add(command.Spec{
	Name:       "RENAMENX",
	Summary:    "Rename a key, only if the new key does not exist",
	Since:      "1.0.0",
	Complexity: "O(1)",
	History: [][2]string{{"3.2.0",
		"The command no longer returns an error when source and destination names are the same."}},
	Syntax: "key newkey:key@1",
	Arity:  3,
	Flags:  command.Write | command.Fast,
	ACL:    command.CatKeyspace,
	Keys:   twoKeys(command.RW|command.Access|command.Delete, command.OW|command.Insert),
	Run:    renameNX,
})

func renameNX(c *command.Ctx) error {
	from, to := c.Args[1], c.Args[2]
	access(c, from)
	if !c.DB.Exists(from) {
		return resp.ErrNoKey
	}
	if c.DB.Exists(to) { // which it does if it is the same name
		c.Out.Int(0)
		return nil
	}
	g := transfer{from: from, to: to, db: c.DB.DB, move: true}
	return g.start(c)
}
