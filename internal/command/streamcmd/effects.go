package streamcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/numtext"
)

// Words of the journal.
var (
	wordXClaim         = []byte("XCLAIM")
	wordXGroup         = []byte("XGROUP")
	wordSetID          = []byte("SETID")
	wordCreateConsumer = []byte("CREATECONSUMER")
	wordEntriesRead    = []byte("ENTRIESREAD")
	wordTime           = []byte("TIME")
	wordRetryCount     = []byte("RETRYCOUNT")
	wordForce          = []byte("FORCE")
	wordJustID         = []byte("JUSTID")
	wordLastID         = []byte("LASTID")
	zero               = []byte("0")
)

// An effects journals what becomes of a group.
type effects struct {
	c          *command.Ctx
	key, group []byte
}

// claim journals that an entry is pending as p says. It is XCLAIM with all that makes the
// result certain, even if the entry was not pending before. Arg is the ID as it was given,
// if it was.
func (e *effects) claim(consumer []byte, p *stream.Pending, arg []byte, last stream.ID) {
	if !e.c.Journaling() {
		return
	}
	if arg == nil {
		arg = p.ID.AppendTo(nil)
	}
	e.c.JournalAs(wordXClaim, e.key, e.group, consumer, zero, arg,
		wordTime, numtext.AppendInt(nil, p.Delivered), wordRetryCount, numtext.AppendUint(nil, p.Deliveries),
		wordForce, wordJustID, wordLastID, last.AppendTo(nil))
}

// setID journals how much the group has read.
func (e *effects) setID(g *stream.Group) {
	if !e.c.Journaling() {
		return
	}
	e.c.JournalAs(wordXGroup, wordSetID, e.key, e.group, g.Last.AppendTo(nil),
		wordEntriesRead, numtext.AppendInt(nil, g.Reads))
}

// created journals that there is a consumer.
func (e *effects) created(consumer []byte) {
	if e.c.Journaling() {
		e.c.JournalAs(wordXGroup, wordCreateConsumer, e.key, e.group, consumer)
	}
}

// gone journals that an entry is no longer pending because it was deleted: to claim it is
// what finds that out. The consumer is the one who had it.
func (e *effects) gone(g *stream.Group, consumer stream.Consumer, p *stream.Pending, arg []byte) {
	if e.c.Journaling() {
		e.claim(append([]byte(nil), consumer.Name...), p, arg, g.Last)
	}
}
