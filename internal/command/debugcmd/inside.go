package debugcmd

import (
	"fmt"
	"math"
	"strings"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// What values look like inside.

var (
	errNoListpack = &resp.Error{Code: "ERR", Text: "Not a listpack encoded object."}
	errNoTable    = &resp.Error{Code: "ERR",
		Text: "The value stored at the specified key is not represented using an hash table"}
)

// nodesOf is what DEBUG OBJECT says of a list besides, in Redis's words: a small list is
// one node.
func nodesOf(v keyspace.Value, limits *value.Limits) string {
	cell := v.Cell()
	nodes, size := 1, len(v.Bytes())
	if v.IsRooted() {
		nodes, size = 0, 0
		for _, ref := range value.Leaves(&cell, nil) {
			value.EachInLeaf(record.List, cell.Arena, ref, func(e value.Element) {
				nodes++
				size += len(e.Node)
			})
		}
	}
	compressed := 0
	if limits.ListCompress.Load() != 0 {
		compressed = 1
	}
	return fmt.Sprintf(" ql_nodes:%d ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:%d "+
		"ql_uncompressed_size:%d",
		nodes, float64(value.Len(&cell))/float64(max(nodes, 1)), limits.ListSize.Load(), compressed, size)
}

// listpackShown is how many entries of a listpack the log gets.
const listpackShown = 1000

// listpack writes the entries of a hash or sorted set that is kept as a listpack to the
// log. Redis prints them where nobody looks, and says so.
func (d Deps) listpack(c *command.Ctx) (err error) {
	var text strings.Builder
	c.Engine.Exclusive(func() {
		v, ok := c.DB.Peek(c.Args[2])
		if !ok {
			err = resp.ErrNoKey
			return
		}
		if v.Type() == record.String || !strings.HasPrefix(value.EncodingName(v.Record), "listpack") {
			err = errNoListpack
			return
		}
		b := v.Bytes()
		if v.Encoding() == record.PackedEx {
			b = b[value.ExpirySize:]
		}
		describeListpack(&text, listpack.In(b))
	})
	if err != nil {
		return err
	}
	d.Log.Warn("DEBUG LISTPACK: " + text.String())
	c.Out.Simple("Listpack structure printed on stdout")
	return nil
}

func describeListpack(text *strings.Builder, l listpack.List) {
	fmt.Fprintf(text, "%d bytes, %d entries:", len(l), l.Len())
	shown := 0
	for at := l.First(); at != 0; at = l.Next(at) {
		if shown++; shown > listpackShown {
			text.WriteString(" ...")
			return
		}
		kind := "text"
		e := l.Get(at)
		if e.IsInt {
			kind = "int"
		}
		fmt.Fprintf(text, " {at %d, %d bytes, %s %q}", at, l.SizeAt(at), kind, e.AppendTo(nil))
	}
}

// tableStats says how the elements of a value kept as a hash table are spread over its
// leaves, which take the place of Redis's chains.
func (d Deps) tableStats(c *command.Ctx) (err error) {
	var text string
	c.Engine.Exclusive(func() {
		v, ok := c.DB.Peek(c.Args[2])
		if !ok {
			err = resp.ErrNoKey
			return
		}
		switch encoding(v) {
		case "hashtable", "skiplist":
			text = describeTable(v)
		default:
			err = errNoTable
		}
	})
	if err == nil {
		c.Out.Verbatim("txt", text)
	}
	return err
}

// describeTable counts a small set, which Redis 7.0 would keep as a hash table, as one leaf.
func describeTable(v keyspace.Value) string {
	cell := v.Cell()
	sum, bytes := value.Len(&cell), len(v.Bytes())
	leaves, least, most := 1, sum, sum
	if v.IsRooted() {
		refs := value.Leaves(&cell, nil)
		leaves, least, most, sum, bytes = len(refs), math.MaxInt, 0, 0, value.Memory(&cell, 0)
		for _, ref := range refs {
			n := 0
			value.EachInLeaf(v.Type(), cell.Arena, ref, func(value.Element) { n++ })
			least, most, sum = min(least, n), max(most, n), sum+n
		}
	}
	return fmt.Sprintf("Hash table 0 stats (main hash table):\n leaves: %d\n number of elements: %d\n"+
		" fewest elements in a leaf: %d\n most elements in a leaf: %d\n avg elements in a leaf: %.2f\n bytes: %d\n",
		leaves, sum, least, most, float64(sum)/float64(leaves), bytes)
}
