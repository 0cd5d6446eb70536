package keycmd

import (
	"bufio"
	"bytes"
	"sync"
	"time"

	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// A Migrator has the connections of MIGRATE to other servers. One that is not used is
// kept for a while, since keys are seldom sent one at a time. A connection belongs to one
// MIGRATE, and knows with which password it was made: nobody gets one by another's.
type Migrator struct {
	deps Deps
	mu   sync.Mutex
	idle map[peerID][]*peer
	kept int // idle connections
}

const (
	// peerKept is how long a connection is kept.
	peerKept = 10 * time.Second
	// peersMax is how many are.
	peersMax = 64
	// peerLine is the longest line in bytes that is taken for a reply.
	peerLine = 16 << 10
	// peerBuffer is how many bytes are sent at a time, but for payloads that are longer.
	peerBuffer = 64 << 10
)

// NewMigrator makes what drives MIGRATE.
func NewMigrator(d Deps) *Migrator { return &Migrator{deps: d, idle: map[peerID][]*peer{}} }

// A peerID is what makes connections to the same server different ones.
type peerID struct {
	host, port     string
	hasAuth        bool
	user, password string
}

// A peer is a connection, and what has been said on it.
type peer struct {
	Peer
	id    peerID
	in    *bufio.Reader
	out   *bufio.Writer
	db    int64 // that is selected
	used  int   // how often it was taken
	fresh bool  // and nothing has been sent on it
}

// Idle is how many connections are kept.
func (m *Migrator) Idle() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept
}

// take is a connection to a target.
func (m *Migrator) take(o *migrateOptions) (*peer, error) {
	m.mu.Lock()
	list := m.idle[o.peerID]
	if n := len(list); n > 0 {
		p := list[n-1]
		m.drop(p.id, n-1)
		m.mu.Unlock()
		p.used++
		p.fresh = false
		p.SetTimeout(o.timeout)
		return p, nil
	}
	m.mu.Unlock()
	conn, err := m.deps.Dial(o.host, o.port, o.timeout)
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(o.timeout)
	return &peer{Peer: conn, id: o.peerID, in: bufio.NewReaderSize(conn, peerLine),
		out: bufio.NewWriterSize(conn, peerBuffer), fresh: true}, nil
}

// drop takes idle connection i of a target out of the list.
func (m *Migrator) drop(id peerID, i int) {
	list := m.idle[id]
	list[i] = list[len(list)-1]
	list[len(list)-1] = nil
	if list = list[:len(list)-1]; len(list) == 0 {
		delete(m.idle, id)
	} else {
		m.idle[id] = list
	}
	m.kept--
}

// put keeps a connection for the next, or closes it later.
func (m *Migrator) put(p *peer) {
	m.mu.Lock()
	full := m.kept >= peersMax
	if !full {
		m.idle[p.id] = append(m.idle[p.id], p)
		m.kept++
	}
	used := p.used
	m.mu.Unlock()
	if full {
		_ = p.Close()
		return
	}
	m.deps.After(peerKept, func() { m.expire(p, used) })
}

// expire closes a connection that nobody has taken since.
func (m *Migrator) expire(p *peer, used int) {
	m.mu.Lock()
	found := false
	for i, other := range m.idle[p.id] {
		if other == p && p.used == used {
			m.drop(p.id, i)
			found = true
			break
		}
	}
	m.mu.Unlock()
	if found {
		_ = p.Close()
	}
}

// send sends all parcels and marks those that have arrived. Should a connection that was
// kept turn out to be dead it is tried once more with a new one, on which nothing was sent
// twice: the target would have answered otherwise, or closed what it did not read.
func (m *Migrator) send(g *migration) error {
	for {
		p, err := m.take(&g.o)
		if err != nil {
			return errConnecting
		}
		said, cause, answered := p.exchange(g)
		if cause == nil {
			m.put(p)
			return said
		}
		_ = p.Close()
		if p.fresh || answered || isTimeout(cause) {
			return said
		}
	}
}

// exchange sends everything and reads the replies. said is what the client is told, cause
// why the connection cannot be used any more, and answered that the target is alive.
func (p *peer) exchange(g *migration) (said, cause error, answered bool) {
	if said, cause, answered = p.prepare(&g.o); said != nil {
		return said, cause, answered
	}
	for i := range g.sending {
		if cause = p.sendParcel(g, &g.sending[i]); cause != nil {
			return errWriting, cause, answered
		}
	}
	if cause = p.out.Flush(); cause != nil {
		return errWriting, cause, answered
	}
	for i := range g.sending {
		refused, err := p.reply()
		switch {
		case err != nil && said != nil:
			return said, err, true // what the target said says more
		case err != nil:
			return errReading, err, answered
		case refused != nil && said == nil:
			said = refused
		case refused == nil:
			g.sending[i].arrived = true
		}
		answered = true
	}
	return said, nil, true
}

// prepare tells the target who we are and which database is meant. It waits for the
// replies, since keys that followed a SELECT that failed would go somewhere else.
func (p *peer) prepare(o *migrateOptions) (said, cause error, answered bool) {
	var calls [][][]byte
	if o.hasAuth {
		call := [][]byte{[]byte("AUTH"), []byte(o.password)}
		if o.user != "" {
			call = [][]byte{call[0], []byte(o.user), call[1]}
		}
		calls = append(calls, call)
	}
	if p.db != o.db {
		calls = append(calls, [][]byte{[]byte("SELECT"), numtext.AppendInt(nil, o.db)})
	}
	for _, call := range calls {
		if _, cause = p.out.Write(resp.AppendCommand(nil, call...)); cause == nil {
			cause = p.out.Flush()
		}
		if cause != nil {
			return errWriting, cause, answered
		}
		refused, err := p.reply()
		switch {
		case err != nil:
			return errReading, err, answered
		case refused != nil:
			return refused, nil, true
		}
		answered = true
	}
	p.db = o.db
	return nil, nil, answered
}

func (p *peer) sendParcel(g *migration, parcel *parcel) error {
	head := g.appendRestore(nil, parcel)
	head = append(numtext.AppendInt(append(head, '$'), int64(len(parcel.payload))), "\r\n"...)
	tail := "\r\n"
	if g.o.replace {
		tail += "$7\r\nREPLACE\r\n"
	}
	if _, err := p.out.Write(head); err != nil {
		return err
	}
	if _, err := p.out.Write(parcel.payload); err != nil {
		return err
	}
	_, err := p.out.WriteString(tail)
	return err
}

// errNoReply is the cause if a target says what is neither yes nor no.
var errNoReply = &resp.Error{Code: "ERR", Text: "the target does not speak the protocol"}

// reply reads one line: OK, or why not.
func (p *peer) reply() (refused, err error) {
	line, err := p.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	line = bytes.TrimRight(line, "\r\n")
	switch {
	case string(line) == "+OK":
		return nil, nil
	case len(line) > 1 && line[0] == '-':
		return resp.Errorf("Target instance replied with error: " + string(line[1:])), nil
	}
	return nil, errNoReply
}
