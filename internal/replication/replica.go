package replication

import (
	"net"
	"strconv"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/session"
)

// The states of a replica. Until it asks to be synchronized it has none.
type state uint8

const (
	unasked   state = iota
	waitStart       // for a snapshot to be begun
	waitEnd         // for one that is being made; a diskless one is sent meanwhile
	sendBulk        // the snapshot file is being sent
	online
	transmitted // and nothing more is wanted
)

// text is the state as INFO shows it; "" if it does not.
func (s state) text() string {
	switch s {
	case waitStart, waitEnd:
		return "wait_bgsave"
	case sendBulk:
		return "send_bulk"
	case online:
		return "online"
	}
	return ""
}

// Where a replica's bytes come from at the moment.
const (
	fromOutbox uint32 = iota
	held              // from nowhere: the snapshot is sent, and the replica has not said yet that it is whole
	fromStream
)

// A Replica is what a master knows of the server at the other end of a session, from its
// first REPLCONF on. It implements session.Feed and session.Peer.
type Replica struct {
	m *Master
	s *session.Session

	// Its loop's, and whoever's is in exclusive mode.
	source atomic.Uint32
	cursor *journal.Cursor // nil before the cut
	pieces [][]byte
	out    outbox

	// Under the Master's lock.
	state     state
	port      int64
	address   string // as it says; "" for that of the connection
	version   string
	eof       bool // capa
	psync2    bool
	old       bool // asked by SYNC: it acknowledges nothing
	rdbOnly   bool
	filtered  bool // wants a snapshot without data
	diskless  bool
	since     int64 // monotonic: when it asked
	ackOffset int64
	fackOff   int64
	ackAt     int64 // monotonic
}

// ReplicaOf is what is known of a session's other end: it begins to be kept.
func (m *Master) ReplicaOf(s *session.Session) *Replica {
	if r, ok := s.Peer.(*Replica); ok {
		return r
	}
	r := &Replica{m: m, s: s, fackOff: -1}
	if s.Peer == nil { // or else it is our master, who is told nothing about itself
		s.Peer = r
	}
	return r
}

// Known is ReplicaOf a session that has said something of itself, or nil.
func (m *Master) Known(s *session.Session) *Replica {
	r, _ := s.Peer.(*Replica)
	return r
}

// Unfit says whether it wants what it could not read.
func (r *Replica) Unfit() bool {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	return r.filtered && !r.eof
}

// Gone implements session.Peer.
func (r *Replica) Gone(*session.Session) { r.m.remove(r) }

// name is how the log calls it.
func (r *Replica) name() string {
	host := r.host()
	if r.port != 0 {
		return net.JoinHostPort(host, strconv.FormatInt(r.port, 10))
	}
	return host + ":<unknown-replica-port>"
}

// host is its address.
func (r *Replica) host() string {
	if r.address != "" {
		return r.address
	}
	if host, _, err := net.SplitHostPort(r.s.Remote); err == nil {
		return host
	}
	return r.s.Remote
}

func (r *Replica) isOnline() bool { return r.state == online }

func (r *Replica) wake() { r.s.Link.Wake() }

func (r *Replica) close() { r.s.OrderClose() }

// keepAlive sends a newline, which a replica that waits for a snapshot takes for a sign of
// life, unless one waits to be sent.
func (r *Replica) keepAlive() {
	if r.out.waiting() == 0 {
		r.out.push(textPiece("\n"))
		r.wake()
	}
}

// SetPort says where it listens.
func (r *Replica) SetPort(port int64) { r.set(func() { r.port = port }) }

// SetAddress says under which address it is reached.
func (r *Replica) SetAddress(address string) { r.set(func() { r.address = address }) }

// SetVersion says which version it has, in the numbers of Valkey.
func (r *Replica) SetVersion(version string) { r.set(func() { r.version = version }) }

// AddCapability says what it understands. Names that we do not know are as good as others.
func (r *Replica) AddCapability(name string) {
	r.set(func() {
		switch name {
		case "eof":
			r.eof = true
		case "psync2":
			r.psync2 = true
		}
	})
}

// SetRDBOnly says whether it wants a snapshot and no stream.
func (r *Replica) SetRDBOnly(on bool) { r.set(func() { r.rdbOnly = on }) }

// SetFiltered says that it wants a snapshot without data.
func (r *Replica) SetFiltered() { r.set(func() { r.filtered = true }) }

func (r *Replica) set(f func()) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	f()
}

// Ack says how far it is, and how far its append-only file: -1 if that was not said.
func (r *Replica) Ack(offset, file int64) {
	m := r.m
	m.mu.Lock()
	if r.state == unasked {
		m.mu.Unlock()
		return
	}
	more := offset > r.ackOffset || file > r.fackOff
	r.ackOffset, r.fackOff = max(r.ackOffset, offset), max(r.fackOff, file)
	r.ackAt = m.Clock.Mono()
	m.count(r.ackAt)
	m.mu.Unlock()
	if r.source.Load() == held {
		r.source.Store(fromStream)
	}
	if more {
		m.Reached()
	}
}
