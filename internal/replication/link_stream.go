package replication

import (
	"bytes"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A Stream is a master's stream while it is received. It implements session.Upstream and
// session.Peer: what was executed goes to our own stream as it came.
type Stream struct {
	link    *Link
	session *session.Session
	isMute  bool // the master has no positions that could be acknowledged

	once  sync.Once
	ended chan struct{}
}

// open makes a stream and its session.
func (l *Link) open(nc net.Conn, db int) *Stream {
	now := l.Clock.Mono()
	s := &Stream{link: l, ended: make(chan struct{})}
	s.session = &session.Session{
		Remote: nc.RemoteAddr().String(), Local: nc.LocalAddr().String(), User: "(superuser)",
		Created: now, LastUse: now, Authenticated: true, Class: session.Master, Replays: true, Upstream: s,
		Peer: s, DB: db,
	}
	return s
}

// Applied implements session.Upstream.
func (s *Stream) Applied(raw []byte, db int) {
	l := s.link
	if isOfLink(raw) {
		l.Journal.AppendLink(raw)
	} else {
		l.Journal.AppendBytes(raw, db)
	}
	l.lastIO.Store(l.Clock.Mono())
}

// The beginnings of what keeps a link alive and says nothing of data, in the letters that all
// masters use.
var (
	pingBytes     = []byte("*1\r\n$4\r\nPING\r\n")
	replconfBytes = []byte("*3\r\n$8\r\nREPLCONF\r\n")
)

func isOfLink(raw []byte) bool {
	return bytes.EqualFold(raw, pingBytes) ||
		len(raw) > len(replconfBytes) && bytes.EqualFold(raw[:len(replconfBytes)], replconfBytes)
}

// Broken implements session.Upstream. Where a stream stops making sense is not where it was
// damaged, so what was executed before may be wrong too: all data are taken anew.
func (s *Stream) Broken(err error) {
	s.link.Log.Warn("Protocol error from the master, all data will be synchronized anew: " + err.Error())
	s.link.Site.Forget()
}

// Gone implements session.Peer. That the link is down is to be seen at once.
func (s *Stream) Gone(*session.Session) {
	l := s.link
	l.mu.Lock()
	if l.stream == s {
		l.state.Store(int32(ToConnect))
		l.downSince = l.Clock.Mono()
	}
	l.mu.Unlock()
	s.once.Do(func() { close(s.ended) })
}

// cut ends the stream at once. Exclusive mode.
func (s *Stream) cut() {
	s.session.Closing = session.Immediately
	s.session.OrderClose()
}

// Acknowledge tells the master how far we are, if there is a stream: REPLCONF GETACK asks for it.
func (l *Link) Acknowledge() {
	l.mu.Lock()
	s := l.stream
	l.mu.Unlock()
	if s != nil {
		s.acknowledge()
	}
}

// acknowledge tells the master how far we are.
func (s *Stream) acknowledge() {
	if s.isMute {
		return
	}
	offset := strconv.FormatInt(s.link.Journal.Appended(), 10)
	ack := []string{"REPLCONF", "ACK", offset}
	if synced, ok := s.link.Site.SyncedTo(); ok {
		ack = append(ack, "FACK", strconv.FormatInt(synced, 10))
	}
	s.session.Push(resp.AppendCommand(nil, ack...), 0)
}

// ackPeriod is how often the master is told how far we are.
const ackPeriod = time.Second

// live hands the connection over and returns when it is gone.
func (l *Link) live(a *attempt, nc net.Conn, b beginning) error {
	s := l.open(nc, b.db)
	s.isMute = b.id == ""
	err := nc.SetDeadline(time.Time{})
	if err == nil {
		unwanted := l.exclusively(a, func() {
			if b.goesOn {
				l.Site.GoOn(b.id)
			}
			if err = l.Site.Serve(nc, s.session, b.data); err != nil {
				return
			}
			l.mu.Lock()
			l.stream, l.incoming = s, nil
			l.mu.Unlock()
			l.lastIO.Store(l.Clock.Mono())
			l.state.Store(int32(Connected))
			if a.failover {
				a.failover = false
				l.Site.FailedOver(nil)
			}
		})
		err = errors.Join(err, unwanted)
	}
	if err != nil {
		_ = nc.Close()
		return err
	}
	s.acknowledge()
	ticker := time.NewTicker(ackPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-s.ended:
			if a.ctx.Err() == nil {
				l.Log.Warn("Connection with master lost.")
				l.Log.Info("Caching the disconnected master state.")
			}
			return nil
		case <-ticker.C:
			s.acknowledge()
			if l.isSilent(s) {
				l.Log.Warn("MASTER timeout: no data nor PING received...")
				s.session.OrderClose()
			}
		}
	}
}

// isSilent says whether the master has sent nothing for too long. Of a big command nothing is
// executed until all of it has come, so the session is asked.
func (l *Link) isSilent(s *Stream) bool {
	limit := int64(l.timeout())
	if l.Clock.Mono()-l.lastIO.Load() <= limit {
		return false
	}
	l.Site.Exclusive(func() {
		if s.session.LastUse > l.lastIO.Load() {
			l.lastIO.Store(s.session.LastUse)
		}
	})
	return l.Clock.Mono()-l.lastIO.Load() > limit
}
