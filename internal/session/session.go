// Package session holds what is true of one connection: who it is, which database
// it uses, what it has sent and not finished, what it has not been told yet.
//
// A Session belongs to one event loop. Only that loop's thread touches it, inside
// the loop's turn; another thread may do so while it holds exclusive mode, when no
// loop is in a turn. What may be called from anywhere at any time is said so.
//
// Sessions know neither sockets nor keys nor commands. A loop drives a session
// through its Link; what a family of commands needs to remember per connection
// (a transaction's queue, watched keys) it keeps in the fields set aside for it.
package session

import (
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/resp"
)

// Closing says whether and how soon a connection shall end.
type Closing uint8

// The states of a connection's end.
const (
	Open        Closing = iota
	AfterReply          // when its replies have been sent; nothing more is read
	Immediately         // now; replies not sent are dropped
)

// A ReplyMode is what CLIENT REPLY chose.
type ReplyMode uint8

// The modes of CLIENT REPLY.
const (
	ReplyOn ReplyMode = iota
	ReplyOff
	ReplySkipNext // the command after this one gets no reply
	ReplySkip     // this command gets no reply
	ReplyNever    // no command is to be replied to: what is sent is a stream
)

// A Class is what a connection is for. It decides what it may do, and which limits there are
// for what waits to be sent to it.
type Class uint8

// The classes of connections.
const (
	Normal Class = iota
	Replica
	PubSub
	Master
)

// A Link is what a session needs of the loop that it belongs to.
type Link interface {
	// Wake makes the loop call the handler's Woken for this session soon. It may be
	// called from any thread.
	Wake()
	// FD is the descriptor's number, for CLIENT LIST; -1 if there is none.
	FD() int
	// Loop is the number of the loop, from 0.
	Loop() int
	// Unsent is the number of reply bytes taken from Out and not yet in the kernel.
	Unsent() int
}

// A Session is one connection.
type Session struct {
	ID      uint64
	Link    Link
	Remote  string // address of the other side; the path for a unix socket
	Local   string
	Unix    bool
	Created int64 // monotonic, nanoseconds

	// Requests.
	Parser  resp.Parser
	Query   []byte // the beginning of a command that is not complete; nil if none
	QueryMM bool   // Query is a mapping of its own, made for a big argument
	Feed    int32  // number of its feed in the executor's turn, plus one; 0 outside
	Stopped bool   // executes nothing until it is resumed (paused, blocked)
	LastUse int64  // monotonic, nanoseconds: when it last sent something

	// Replies.
	Out       resp.Writer
	ReplyMode ReplyMode
	Closing   Closing
	Queued    bool  // is on its loop's list of sessions with something to send
	SoftSince int64 // monotonic: since when Out is above the soft limit; 0 if it is not

	// Held says that its replies wait until the journal is safe up to the mark Gate.
	Held bool
	Gate int64
	// Wrote is behind the last write that it knows of.
	Wrote Position

	// Wait is what a blocking command waits for; nil if the session is not blocked. Only
	// its executor sets it.
	Wait Wait
	// Stream is set as long as the session's reply is being made in pieces: its loop asks for
	// the next one when little of it is unsent. The session is stopped meanwhile, unless the
	// Stream is a Feed.
	Stream Stream

	// State that commands set.
	DB            int
	Name          string
	LibName       string
	LibVersion    string
	User          string
	Authenticated bool
	NoEvict       bool
	NoTouch       bool
	Monitor       bool
	Capa          uint32
	ImportSource  bool
	Admin         bool

	Multi Multi

	// Class is Normal until a command says otherwise. Peer, if set, is who keeps what is
	// known of the server at the other end.
	Class Class
	Peer  Peer

	// Replays says that its commands were executed before, by who wrote the append-only file
	// or by the master: they are not refused, wait for nobody (but for CLIENT PAUSE, if the master
	// sends them), expire nothing, and are not journalled. Upstream, if set, is told of each.
	Replays  bool
	Upstream Upstream
	Raw      []byte // the bytes of a transaction that is open, for Upstream

	// Figures for CLIENT LIST.
	LastCommand string
	BytesIn     uint64
	BytesOut    uint64
	CommandsRun uint64
	ArgvBytes   int

	// Bytes of its buffers that the server's figure of all buffers has: of the query, which
	// is kept exact, and of the rest, which is looked at now and then.
	QueryCounted int64
	Counted      int64

	pushMu  sync.Mutex
	pushed  []byte // out-of-band bytes from other threads, to be sent
	ordered atomic.Uint32
}

// A Position is a place in the journal: an offset of its stream, and a mark of its file.
type Position struct{ Offset, Mark int64 }

// A Wait is what a blocked session waits for.
type Wait interface {
	// Unblock ends the wait as if its time were over, or with an error. It returns false
	// if it is over already. Any thread that knows the session to be there.
	Unblock(asError bool) bool
}

// A Stream is a reply that is made in pieces.
type Stream interface {
	// Held is the number of bytes that it holds of what is not written yet. Any thread.
	Held() int64
	// Ready says whether there is a piece to be written now. The session's loop.
	Ready() bool
}

// A Feed is a Stream without an end: what others bring about is sent to the session as it
// comes. The session goes on executing what it is sent, and nothing else is written to it.
type Feed interface {
	Stream
	// Write writes the next piece. The session's loop, when nothing is locked.
	Write(s *Session)
}

// A Peer is what is known of the server at the other end of a session.
type Peer interface {
	// Gone is called once by the session's loop when the connection is gone.
	Gone(s *Session)
}

// An Upstream is whom the commands of a session that replays come from.
type Upstream interface {
	// Applied is called, on the loop's thread and inside its gate, when commands were
	// executed: with their bytes, those of a transaction all at once, and the database that
	// is selected now.
	Applied(raw []byte, db int)
	// Broken is called there when what has come is no command. Nothing more is executed.
	Broken(err error)
}

// The requests that other threads may make of a session.
const (
	orderClose uint32 = 1 << iota
	orderResume
	orderUnblock
)

// Push queues out-of-band bytes (a message, a MONITOR line) to be sent after the
// replies already written. It may be called from any thread, and returns false if
// the bytes that wait are more than max: then the session is closed instead.
func (s *Session) Push(b []byte, max int) bool {
	s.pushMu.Lock()
	over := max > 0 && len(s.pushed)+len(b) > max
	if over {
		s.pushed = nil
	} else {
		s.pushed = append(s.pushed, b...)
	}
	s.pushMu.Unlock()
	if over {
		s.OrderClose()
		return false
	}
	s.Link.Wake()
	return true
}

// TakeAll is TakePushed and TakeOrders in one step: the reply that Answer has pushed comes
// with its order.
func (s *Session) TakeAll() ([]byte, Orders) {
	s.pushMu.Lock()
	defer s.pushMu.Unlock()
	b := s.pushed
	s.pushed = nil
	return b, s.TakeOrders()
}

// TakePushed returns the queued out-of-band bytes and forgets them.
func (s *Session) TakePushed() []byte {
	s.pushMu.Lock()
	b := s.pushed
	s.pushed = nil
	s.pushMu.Unlock()
	return b
}

// OrderClose makes the loop close the connection soon. Any thread.
func (s *Session) OrderClose() {
	s.ordered.Or(orderClose)
	s.Link.Wake()
}

// OrderResume makes the loop go on with a stopped session soon. Any thread.
func (s *Session) OrderResume() {
	s.ordered.Or(orderResume)
	s.Link.Wake()
}

// Answer pushes the reply of a session whose wait is over, and makes its loop go on with it
// soon. That is one step: who has the reply may send the next request, or the end of what he
// sends, and must not find the session waiting. Any thread.
func (s *Session) Answer(reply []byte) {
	s.pushMu.Lock()
	s.pushed = append(s.pushed, reply...)
	s.ordered.Or(orderUnblock)
	s.pushMu.Unlock()
	s.Link.Wake()
}

// Orders is what other threads asked of a session.
type Orders struct{ Close, Resume, Unblock bool }

// TakeOrders returns what other threads asked for since the last call.
func (s *Session) TakeOrders() Orders {
	if s.ordered.Load() == 0 {
		return Orders{}
	}
	o := s.ordered.Swap(0)
	return Orders{o&orderClose != 0, o&orderResume != 0, o&orderUnblock != 0}
}
