package keycmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
)

var _ = Family.Add(command.Spec{
	Name:    "KEYS",
	Summary: "Find all keys matching the given pattern",
	Since:   "1.0.0",
	Complexity: "O(N) with N being the number of keys in the database, under the assumption that the key " +
		"names in the database and the given pattern have limited length.",
	Tips:   []string{"request_policy:all_shards", "nondeterministic_output_order"},
	Syntax: "pattern:pattern",
	Arity:  2,
	Flags:  command.ReadOnly | command.WholeDB,
	ACL:    command.CatKeyspace | command.CatDangerous,
	Run:    keys,
})

// keys writes the names of one moment straight into the reply.
func keys(c *command.Ctx) error {
	pattern, n := command.PatternOf(c.Args[1]), 0
	list := c.Out.ArrayLater()
	c.DB.Each(c.DB.DB, func(key []byte, _ keyspace.Value) bool {
		if pattern.Matches(key) {
			c.Out.Bulk(key)
			n++
		}
		return !c.Full()
	})
	c.Out.End(list, n)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:    "SCAN",
	Summary: "Incrementally iterate the keys space",
	Since:   "2.8.0",
	Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the " +
		"cursor to return back to 0. N is the number of elements inside the collection.",
	History: [][2]string{{"6.0.0", "Added the `TYPE` subcommand."}},
	Tips:    []string{"nondeterministic_output", "request_policy:special"},
	Syntax:  "cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] [TYPE=type:string{since 6.0.0}]",
	Arity:   -2,
	Flags:   command.ReadOnly | command.WholeDB,
	ACL:     command.CatKeyspace,
	Run:     scan,
})

const (
	// scanPiece bounds the keys looked at under one lock, some 50 us.
	scanPiece = 1000

	// scanEmpty is how many empty buckets SCAN passes over for each key that it may look
	// at. It is Redis's figure.
	scanEmpty = 10

	// scanAtLeast is the least number of buckets, so that a small database comes in one
	// reply, as in Redis, although its keys are spread over all stripes.
	scanAtLeast = 2 * keyspace.Stripes

	// scanRoom is the size in bytes of a page of names that needs no memory of its own.
	scanRoom = 1 << 10
)

// scan replies with some keys and the cursor for the next call.
func scan(c *command.Ctx) error {
	cursor, err := c.Args.Cursor(1)
	if err != nil {
		return err
	}
	typed, typ := false, record.Type(0)
	asked, err := c.Args.Scan(2, func(rest command.Args) int {
		if len(rest) < 2 || !rest.Is(0, "TYPE") {
			return 0
		}
		typed, typ = true, typeNamed(rest[1])
		return 2
	})
	if err != nil {
		return err
	}
	var room [scanRoom]byte
	page, seen := command.PageIn(room[:]), int64(0)
	for left := scanBudget(asked.Count); ; {
		piece := min(asked.Count-seen, left, scanPiece)
		cursor = c.DB.Scan(c.DB.DB, cursor, int(piece), func(key []byte, v keyspace.Value) {
			seen++
			if (!typed || v.Type() == typ) && asked.Match.Matches(key) {
				page = page.Add(key)
			}
		})
		left -= piece
		if cursor == 0 || seen >= asked.Count || left <= 0 {
			break
		}
	}
	page.Reply(c.Out, cursor)
	return nil
}

// scanBudget is the number of buckets and keys to look at for a count.
func scanBudget(count int64) int64 {
	if count > math.MaxInt64/scanEmpty {
		return math.MaxInt64
	}
	return max(count*scanEmpty, scanAtLeast)
}

// noType is the type of no key.
const noType = record.Type(math.MaxUint8)

var typeNames = [...]string{record.String: "STRING", record.List: "LIST", record.Set: "SET",
	record.ZSet: "ZSET", record.Hash: "HASH", record.Stream: "STREAM"}

// typeNamed is the type of a name in any case. A name that is none is no mistake: no key
// is of that type.
func typeNamed(name []byte) record.Type {
	for t, n := range typeNames {
		if numtext.EqualFold(name, n) {
			return record.Type(t)
		}
	}
	return noType
}

var _ = Family.Add(command.Spec{
	Name:       "RANDOMKEY",
	Summary:    "Return a random key from the keyspace",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Tips:       []string{"request_policy:all_shards", "nondeterministic_output"},
	Arity:      1,
	Flags:      command.ReadOnly | command.WholeDB,
	ACL:        command.CatKeyspace,
	Run:        randomKey,
})

func randomKey(c *command.Ctx) error {
	if key, ok := c.DB.Random(c.DB.DB); ok {
		c.Out.Bulk(key)
	} else {
		c.Out.Null()
	}
	return nil
}
