package servercmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var _ = Family.Add(command.Spec{
	Name:       "SWAPDB",
	Summary:    "Swaps two Redis databases",
	Since:      "4.0.0",
	Complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
	Syntax:     "index1:integer index2:integer",
	Arity:      3,
	Flags:      command.Write | command.Fast | command.Exclusive,
	ACL:        command.CatKeyspace | command.CatDangerous,
}, Deps.swapDB)

var (
	errFirstDB  = &resp.Error{Code: "ERR", Text: "invalid first DB index"}
	errSecondDB = &resp.Error{Code: "ERR", Text: "invalid second DB index"}
)

func (d Deps) swapDB(c *command.Ctx) error {
	a, err := c.Args.IntIn(1, math.MinInt32, math.MaxInt32)
	if err != nil {
		return errFirstDB
	}
	b, err := c.Args.IntIn(2, math.MinInt32, math.MaxInt32)
	if err != nil {
		return errSecondDB
	}
	if n := int64(d.Keyspace.Databases()); a < 0 || a >= n || b < 0 || b >= n {
		return resp.ErrDBIndex
	}
	if a != b {
		d.Keyspace.SwapDB(int(a), int(b))
		c.DB.WakeAll(int(a))
		c.DB.WakeAll(int(b))
	}
	c.DB.MarkDirty(1)
	c.Out.OK()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "DBSIZE",
	Summary:    "Return the number of keys in the selected database",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Tips:       []string{"request_policy:all_shards", "response_policy:agg_sum"},
	Arity:      1,
	Flags:      command.ReadOnly | command.Fast | command.WholeDB,
	ACL:        command.CatKeyspace,
}, Deps.dbSize)

func (d Deps) dbSize(c *command.Ctx) error {
	c.Out.Int(c.DB.Size(c.DB.DB))
	return nil
}
