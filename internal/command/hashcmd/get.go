package hashcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "HGET",
	Summary:    "Get the value of a hash field",
	Since:      "2.0.0",
	Complexity: "O(1)",
	Syntax:     "key field",
	Arity:      3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        get,
})

func get(c *command.Ctx) error {
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	if ok {
		var text []byte
		var v int64
		if text, v, ok = h.Get(c.Args[2]); ok {
			c.Out.Element(text, v)
			return nil
		}
	}
	c.Out.Null()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "HMGET",
	Summary:    "Get the values of all the given hash fields",
	Since:      "2.0.0",
	Complexity: "O(N) where N is the number of fields being requested.",
	Syntax:     "key field...",
	Arity:      -3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        mget,
})

func mget(c *command.Ctx) error {
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	if !ok {
		nulls(c, len(c.Args)-2)
		return nil
	}
	values(c, &h, c.Args[2:])
	return nil
}

// values replies with the values of fields.
func values(c *command.Ctx, h *value.Hash, fields [][]byte) {
	c.Out.Array(len(fields))
	for _, field := range fields {
		if text, v, ok := h.Get(field); ok {
			c.Out.Element(text, v)
		} else {
			c.Out.Null()
		}
	}
}

var _ = Family.Add(command.Spec{
	Name:       "HGETALL",
	Summary:    "Get all the fields and values in a hash",
	Since:      "2.0.0",
	Complexity: "O(N) where N is the size of the hash.",
	Tips:       []string{"nondeterministic_output_order"},
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return all(c, true, true) },
})

var _ = Family.Add(command.Spec{
	Name:       "HKEYS",
	Summary:    "Get all the fields in a hash",
	Since:      "2.0.0",
	Complexity: "O(N) where N is the size of the hash.",
	Tips:       []string{"nondeterministic_output_order"},
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return all(c, true, false) },
})

var _ = Family.Add(command.Spec{
	Name:       "HVALS",
	Summary:    "Get all the values in a hash",
	Since:      "2.0.0",
	Complexity: "O(N) where N is the size of the hash.",
	Tips:       []string{"nondeterministic_output_order"},
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return all(c, false, true) },
})

// all writes the whole hash straight into the reply, or has it written in pieces.
func all(c *command.Ctx, fields, values bool) error {
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	n := 0
	if ok {
		n = h.Seen()
	}
	if fields && values {
		c.Out.Map(n)
	} else {
		c.Out.Array(n)
	}
	if n == 0 || c.StreamAll(c.Args[1], &h.Cell, n, elementWriter(fields, values)) {
		return nil
	}
	out := c.Out
	h.Each(func(name []byte, nameInt int64, text []byte, textInt, _ int64) bool {
		if fields {
			out.Element(name, nameInt)
		}
		if values {
			out.Element(text, textInt)
		}
		return true
	})
	return nil
}

// elementWriter is what writes an element of a big hash.
func elementWriter(fields, values bool) command.ElementFunc {
	switch {
	case !values:
		return func(out *resp.Writer, field, _ []byte, _ float64) { out.Bulk(field) }
	case !fields:
		return func(out *resp.Writer, _, text []byte, _ float64) { out.Bulk(text) }
	}
	return func(out *resp.Writer, field, text []byte, _ float64) {
		out.Bulk(field)
		out.Bulk(text)
	}
}

var _ = Family.Add(command.Spec{
	Name:       "HLEN",
	Summary:    "Get the number of fields in a hash",
	Since:      "2.0.0",
	Complexity: "O(1)",
	Syntax:     "key",
	Arity:      2,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO),
	Run:        length,
})

// length counts fields whose time has come too, until they are removed.
func length(c *command.Ctx) error {
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	n := 0
	if ok {
		n = h.Len()
	}
	c.Out.Int(int64(n))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "HSTRLEN",
	Summary:    "Get the length of the value of a hash field",
	Since:      "3.2.0",
	Complexity: "O(1)",
	Syntax:     "key field",
	Arity:      3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO),
	Run:        strlen,
})

func strlen(c *command.Ctx) error {
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	n := 0
	if ok {
		if text, v, exists := h.Get(c.Args[2]); exists {
			if n = len(text); text == nil {
				n = numtext.IntLen(v)
			}
		}
	}
	c.Out.Int(int64(n))
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "HEXISTS",
	Summary:    "Determine if a hash field exists",
	Since:      "2.0.0",
	Complexity: "O(1)",
	Syntax:     "key field",
	Arity:      3,
	Flags:      command.ReadOnly | command.Fast,
	ACL:        command.CatHash,
	Keys:       command.OneKey(1, command.RO),
	Run:        exists,
})

func exists(c *command.Ctx) error {
	var h value.Hash
	ok, err := open(c, &h)
	if err != nil {
		return err
	}
	if ok {
		_, _, ok = h.Get(c.Args[2])
	}
	c.Out.OneIf(ok)
	return nil
}
