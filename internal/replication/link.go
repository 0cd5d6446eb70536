package replication

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/session"
)

// # The link to a master
//
// One goroutine dials, shakes hands and takes the snapshot, with a connection of package net.
// Then the connection goes to a loop, as a session whose commands were executed before, and
// the goroutine acknowledges what was executed, until the connection is gone; then it begins
// anew. What it changes in the server it changes in exclusive mode, after a look whether it is
// still wanted: REPLICAOF may have come meanwhile.
//
//	connect -> connecting -> handshake --+CONTINUE----------------> connected
//	   ^                                 '-+FULLRESYNC--> sync -------^   |
//	   '---------------------- a break, an error, silence -----------------'

// A LinkState is how far a link is, in the order of its life.
type LinkState int32

// The states of a link.
const (
	NoMaster LinkState = iota
	ToConnect
	Connecting
	Handshaking
	Syncing
	Connected
)

// String is what ROLE calls it.
func (s LinkState) String() string {
	return [...]string{"none", "connect", "connecting", "handshake", "sync", "connected"}[s]
}

// A Site is the server that a link belongs to.
type Site interface {
	// Exclusive runs fn in exclusive mode.
	Exclusive(fn func())
	// Standing is the history that the data belong to, and how many bytes of it they have; no
	// ID if they belong to none.
	Standing() (id string, offset int64)
	// Forget is called on a loop's thread when the data do not belong to any history any more.
	Forget()
	// ListensOn is the port that replicas of ours would connect to.
	ListensOn() int
	// GoOn is called in exclusive mode when the master goes on with the stream where it stands,
	// from now on under this name.
	GoOn(id string)
	// Receive replaces the data by a snapshot. It calls s.Claim, or gives up.
	Receive(ctx context.Context, s *Incoming) error
	// Serve hands a connection over to a loop, with what was read of the stream. It is called
	// in exclusive mode. After an error the connection is still ours.
	Serve(nc net.Conn, s *session.Session, data []byte) error
	// FailedOver is called in exclusive mode when the master that was asked to become one has
	// become one, or with an error if it does not want to.
	FailedOver(err error)
	// SyncedTo is how much of the stream is durable in our append-only file; false if there is
	// none.
	SyncedTo() (offset int64, ok bool)
}

// LinkConfig is what a Link is made of.
type LinkConfig struct {
	Options *config.Set
	Clock   clock.Clock
	Log     *slog.Logger
	Journal *journal.Journal
	Site    Site
	// Dial connects to a master.
	Dial func(ctx context.Context, target Target) (net.Conn, error)
	// Retry is the time before the next attempt; 0 for a second.
	Retry time.Duration
}

// A Link is a server's connection to its master, if it has one. Follow and Leave are called in
// exclusive mode, the rest from anywhere.
type Link struct {
	LinkConfig

	state  atomic.Int32 // LinkState
	lastIO atomic.Int64 // monotonic: when something came from the master

	mu        sync.Mutex
	target    Target
	attempt   *attempt // at being the master's replica; nil without a master
	stream    *Stream  // while connected
	incoming  *Incoming
	downSince int64 // monotonic, 0 if never up
	running   sync.WaitGroup
}

// An attempt is the work for one master, up to the next REPLICAOF.
type attempt struct {
	target   Target
	ctx      context.Context
	stop     context.CancelFunc
	failover bool // the other side is asked to become the master
}

// NewLink makes the link of a server that has no master.
func NewLink(c LinkConfig) *Link {
	if c.Retry == 0 {
		c.Retry = retryPause
	}
	return &Link{LinkConfig: c}
}

// State is how far the link is.
func (l *Link) State() LinkState { return LinkState(l.state.Load()) }

// Target is the master's address.
func (l *Link) Target() Target {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.target
}

// Follow begins to be the replica of a master. failover asks that one to become a master
// first. Exclusive mode.
func (l *Link) Follow(t Target, failover bool) {
	l.leave()
	a := &attempt{target: t, failover: failover}
	a.ctx, a.stop = context.WithCancel(context.Background())
	l.mu.Lock()
	l.target, l.attempt = t, a
	l.mu.Unlock()
	l.state.Store(int32(ToConnect))
	ReplicaOf.Store(l.Options, t)
	l.running.Add(1)
	go func() {
		defer l.running.Done()
		l.work(a)
	}()
}

// Announce says who the master is going to be, before there are data. Follow comes later.
func (l *Link) Announce(t Target) {
	l.mu.Lock()
	l.target = t
	l.mu.Unlock()
	l.state.Store(int32(ToConnect))
}

// Leave ends being a replica. Exclusive mode.
func (l *Link) Leave() {
	l.leave()
	l.mu.Lock()
	l.downSince = 0
	l.mu.Unlock()
	ReplicaOf.Store(l.Options, Target{})
}

// leave ends what is under way. What the master's session has not executed is not executed.
func (l *Link) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.attempt != nil {
		l.attempt.stop()
	}
	if s := l.stream; s != nil {
		s.cut()
	}
	l.target, l.attempt, l.stream, l.incoming = Target{}, nil, nil, nil
	l.state.Store(int32(NoMaster))
}

// Close ends the link and waits for what works on it.
func (l *Link) Close() {
	l.mu.Lock()
	if l.attempt != nil {
		l.attempt.stop()
	}
	if l.stream != nil {
		l.stream.session.OrderClose()
	}
	l.mu.Unlock()
	l.running.Wait()
}

// isWanted says whether nothing else was asked for since the attempt began.
func (l *Link) isWanted(a *attempt) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.attempt == a
}

// exclusively runs fn in exclusive mode, if the attempt is still wanted then.
func (l *Link) exclusively(a *attempt, fn func()) error {
	err := errUnwanted
	l.Site.Exclusive(func() {
		if l.isWanted(a) {
			err = nil
			fn()
		}
	})
	return err
}

// errUnwanted ends an attempt that REPLICAOF has made useless.
var errUnwanted = errors.New("the master is another one by now")

// enter notes how far an attempt is, if it is still wanted.
func (l *Link) enter(a *attempt, s LinkState) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.attempt != a {
		return errUnwanted
	}
	l.state.Store(int32(s))
	return nil
}

// How long to wait before the next attempt.
const (
	retryPause    = time.Second
	failoverPause = 100 * time.Millisecond
	// lostPause is for a stream that did not last as long as retryPause.
	lostPause = 100 * time.Millisecond
)

// work is an attempt from beginning to end.
func (l *Link) work(a *attempt) {
	for l.enter(a, ToConnect) == nil {
		began := l.Clock.Mono()
		err := l.connect(a)
		if a.ctx.Err() != nil || l.enter(a, ToConnect) != nil {
			return
		}
		l.mu.Lock()
		l.stream, l.incoming = nil, nil
		l.mu.Unlock()
		pause := l.Retry
		switch {
		case err == nil: // it was connected
			pause = 0
			if l.Clock.Mono()-began < int64(l.Retry) {
				pause = min(lostPause, l.Retry)
			}
		case errors.Is(err, ErrTransient):
			l.Log.Info(err.Error())
		default:
			l.Log.Warn(err.Error())
		}
		if a.failover && pause > failoverPause {
			pause = failoverPause
		}
		if pause == 0 {
			l.Log.Info(fmt.Sprintf("Reconnecting to MASTER %s:%d", a.target.Host, a.target.Port))
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-a.ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// timeout is repl-timeout.
func (l *Link) timeout() time.Duration { return time.Duration(Timeout(l.Options)) * time.Second }

// connect does everything from the dialling to the end of the connection. Without an error
// there was a stream.
func (l *Link) connect(a *attempt) error {
	l.Log.Info(fmt.Sprintf("Connecting to MASTER %s:%d", a.target.Host, a.target.Port))
	if err := l.enter(a, Connecting); err != nil {
		return err
	}
	l.Log.Info("MASTER <-> REPLICA sync started")
	dialling, cancel := context.WithTimeout(a.ctx, l.timeout())
	nc, err := l.Dial(dialling, a.target)
	isLate := dialling.Err() != nil
	cancel()
	switch {
	case err != nil && isLate && a.ctx.Err() == nil:
		return errConnectTimeout
	case err != nil:
		//lint:ignore ST1005 Redis's words
		return fmt.Errorf("Error condition on socket for SYNC: %w", err)
	}
	stop := context.AfterFunc(a.ctx, func() { _ = nc.Close() })
	c := &conversation{link: l, attempt: a, nc: nc}
	start, err := c.begin()
	if !stop() && err == nil {
		err = errUnwanted
	}
	if err == nil {
		return l.live(a, nc, start)
	}
	_ = nc.Close()
	if errors.Is(err, ErrRejected) {
		_ = l.exclusively(a, func() { l.Site.FailedOver(ErrRejected) })
	}
	return err
}

// Errors of a link, in Redis's words.
var (
	//lint:ignore ST1005 Redis's words
	errConnectTimeout = errors.New("Timeout connecting to the MASTER...")
	//lint:ignore ST1005 Redis's words
	errBulkTimeout = errors.New("Timeout receiving bulk data from MASTER... If the problem persists try to " +
		"set the 'repl-timeout' parameter in redis.conf to a larger value.")
)

// Status is what INFO and ROLE tell of a link.
type Status struct {
	Target    Target
	State     LinkState
	IdleFor   time.Duration // since something came; -1 unless it is connected
	DownFor   time.Duration // -1 if it was never up
	SyncSize  int64         // of the snapshot that is being received, 0 if it is not known
	SyncRead  int64
	SyncQuiet time.Duration
}

// Status is how things stand.
func (l *Link) Status() Status {
	now := l.Clock.Mono()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Status{Target: l.target, State: l.State(), IdleFor: -1, DownFor: -1}
	quiet := time.Duration(max(0, now-l.lastIO.Load()))
	switch s.State {
	case Connected:
		s.IdleFor = quiet
	case Syncing:
		s.SyncQuiet = quiet
		if in := l.incoming; in != nil {
			s.SyncSize, s.SyncRead = in.size.Load(), in.read.Load()
		}
	}
	if l.downSince > 0 {
		s.DownFor = time.Duration(now - l.downSince)
	}
	return s
}
