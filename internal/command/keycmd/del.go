package keycmd

import "github.com/spineldb/spinel/internal/command"

var _ = Family.Add(command.Spec{
	Name:    "DEL",
	Summary: "Delete a key",
	Since:   "1.0.0",
	Complexity: "O(N) where N is the number of keys that will be removed. When a key to remove holds a value " +
		"other than a string, the individual complexity for this key is O(M) where M is the number of elements " +
		"in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).",
	Tips:   []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	Syntax: "key...",
	Arity:  -2,
	Flags:  command.Write,
	ACL:    command.CatKeyspace,
	Keys:   command.KeyRange(1, -1, 1, command.RM|command.Delete),
	Run:    del,
})

var _ = Family.Add(command.Spec{
	Name: "UNLINK",
	Summary: "Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non " +
		"blocking.",
	Since: "4.0.0",
	Complexity: "O(1) for each key removed regardless of its size. Then the command does O(N) work in a " +
		"different thread in order to reclaim memory, where N is the number of allocations the deleted objects " +
		"where composed of.",
	Tips:   []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	Syntax: "key...",
	Arity:  -2,
	Flags:  command.Write | command.Fast,
	ACL:    command.CatKeyspace,
	Keys:   command.KeyRange(1, -1, 1, command.RM|command.Delete),
	Run:    del,
})

// del removes keys. DEL and UNLINK differ in name only: a value is one block or is freed
// in pieces, so neither holds anybody up.
func del(c *command.Ctx) error {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if c.DB.Delete(key) {
			n++
		}
	}
	c.Out.Int(n)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "EXISTS",
	Summary:    "Determine if a key exists",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the number of keys to check.",
	History:    [][2]string{{"3.0.3", "Accepts multiple `key` arguments."}},
	Tips:       []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	Syntax:     "key...",
	Arity:      -2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.KeyRange(1, -1, 1, command.RO),
	Run:        exists,
})

// exists counts the keys that are there, each as often as it is named.
func exists(c *command.Ctx) error {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if _, ok := look(c, key); ok {
			n++
		}
	}
	c.Out.Int(n)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "TOUCH",
	Summary:    "Alters the last access time of a key(s). Returns the number of existing keys specified.",
	Since:      "3.2.1",
	Complexity: "O(N) where N is the number of keys that will be touched.",
	Tips:       []string{"request_policy:multi_shard", "response_policy:agg_sum"},
	Syntax:     "key...",
	Arity:      -2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.KeyRange(1, -1, 1, command.RO),
	Run:        touch,
})

// touch is an access even from a client that said CLIENT NO-TOUCH.
func touch(c *command.Ctx) error {
	c.DB.NoTouch = false
	n := int64(0)
	for _, key := range c.Args[1:] {
		if c.DB.Access(key) {
			c.DB.Hits++
			n++
		} else {
			c.DB.Misses++
		}
	}
	c.Out.Int(n)
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "TYPE",
	Summary:    "Determine the type stored at key",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatKeyspace,
	Keys:       command.OneKey(1, command.RO),
	Run:        typeOf,
})

func typeOf(c *command.Ctx) error {
	if v, ok := look(c, c.Args[1]); ok {
		c.Out.Simple(v.Type().Name())
	} else {
		c.Out.Simple("none")
	}
	return nil
}
