// Package streamcmd is the stream family of commands.
//
//	id.go       IDs and intervals of them, as arguments
//	add.go      XADD
//	trim.go     the options about trimming, XTRIM
//	delete.go   XDEL XDELEX, the options of XDELEX and XACKDEL
//	range.go    XLEN XRANGE XREVRANGE
//	setid.go    XSETID
//	read.go     XREAD, and the options that it shares with
//	deliver.go  XREADGROUP
//	idle.go     its option CLAIM
//	group.go    XGROUP
//	ack.go      XACK XACKDEL
//	pending.go  XPENDING
//	claim.go    XCLAIM XAUTOCLAIM
//	info.go     XINFO
//	effects.go  what is journalled of deliveries
//
// # What is journalled
//
// Whatever depends on the time, on how entries lie in nodes, or on who waits for whom, is
// journalled as its effect. XADD gets the ID that it made, trimming the exact length or
// ID that it came to. A delivery is an XCLAIM of each entry, behind which the group is
// told by XGROUP SETID how much it has read; a consumer that came into being without a
// delivery is an XGROUP CREATECONSUMER.
//
// # Waiting
//
// XREAD BLOCK and XREADGROUP BLOCK are run again when one of their keys changed, whatever
// became of it. XREAD goes on waiting if the key holds nothing that is new; XREADGROUP
// is told when the key or its group is gone.
package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

// Family is every command in this package; each file adds its own.
var Family = command.Family{Group: "stream"}

// open is the stream of a key, for reading.
func open(c *command.Ctx, key []byte, cell *value.Cell) (s value.Stream, ok bool, err error) {
	if *cell, ok, err = c.DB.Open(key, record.Stream); ok {
		s = value.StreamIn(cell)
	}
	return s, ok, err
}

// edit is the stream of a key, to be changed. It ends with edited.
func edit(c *command.Ctx, key []byte, cell *value.Cell) (s value.Stream, ok bool, err error) {
	if *cell, ok, err = c.DB.Edit(key, record.Stream); ok {
		s = value.StreamIn(cell)
	}
	return s, ok, err
}

// edited keeps n changes of a stream.
func edited(c *command.Ctx, key []byte, s *value.Stream, n int) {
	s.Store()
	c.DB.Edited(key, s.Cell, n)
}

// writeID replies with an ID.
func writeID(out *resp.Writer, id stream.ID) {
	var buf [stream.IDTextMax]byte
	out.Bulk(id.AppendTo(buf[:0]))
}

// writeEntry replies with the entry that an iterator has come to.
func writeEntry(out *resp.Writer, it *stream.Iter) {
	out.Array(2)
	writeContent(out, it)
}

// writeAged is writeEntry with what XREADGROUP CLAIM tells besides: how long the entry had
// been pending, in milliseconds, and how often it had been delivered.
func writeAged(out *resp.Writer, it *stream.Iter, idle int64, deliveries uint64) {
	out.Array(4)
	writeContent(out, it)
	out.Int(idle)
	out.Int(int64(deliveries))
}

func writeContent(out *resp.Writer, it *stream.Iter) {
	writeID(out, it.ID())
	out.Array(2 * it.Pairs())
	for field, text, ok := it.NextPair(); ok; field, text, ok = it.NextPair() {
		out.Element(field.Bytes, field.Int)
		out.Element(text.Bytes, text.Int)
	}
}

// writeOne replies with the entry of an ID, or says that there is none.
func writeOne(out *resp.Writer, s *value.Stream, id stream.ID) (ok bool) {
	it, ok := s.S.Get(s.Arena, id)
	if ok {
		writeEntry(out, &it)
	}
	return ok
}

// noGroup is the error about a group that is not there, or its key.
func noGroup(key, group []byte) error {
	return &resp.Error{Code: "NOGROUP",
		Text: "No such key '" + string(key) + "' or consumer group '" + string(group) + "'"}
}

// noGroupOf is the same error in the words of XGROUP and XINFO.
func noGroupOf(key, group []byte) error {
	return &resp.Error{Code: "NOGROUP",
		Text: "No such consumer group '" + string(group) + "' for key name '" + string(key) + "'"}
}

// helpSub is the subcommand HELP of a container.
func helpSub(lines []string) *command.Spec {
	return &command.Spec{
		Name:       "HELP",
		Summary:    "Show helpful text about the different subcommands",
		Since:      "5.0.0",
		Complexity: "O(1)",
		Arity:      2,
		Flags:      command.Loading | command.Stale,
		ACL:        command.CatStream,
		Run: func(c *command.Ctx) error {
			c.Out.Lines(lines)
			return nil
		},
	}
}

// wrongSub is the error about the arguments of a subcommand, which Redis does not tell
// from one that it does not know.
func wrongSub(c *command.Ctx, container string) error {
	return resp.Errorf("unknown subcommand or wrong number of arguments for '" + string(c.Args[1]) +
		"'. Try " + container + " HELP.")
}
