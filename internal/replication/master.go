package replication

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/resp"
)

// Snapshots make what a replica is sent at first.
type Snapshots interface {
	// Stream writes a snapshot to w. cut is called at its cut, in exclusive mode; stop is
	// closed when it is given up.
	Stream(w io.Writer, cut func(info *rdb.Info, stop <-chan struct{})) error
	// Save writes the snapshot file. saved is called with its path, before another save can
	// replace it.
	Save(cut func(*rdb.Info), saved func(path string) error) error
	// Cancel gives up what Stream is making.
	Cancel()
	// Busy says whether a snapshot is in progress.
	Busy() bool
}

// MasterConfig is what a Master is made of. All of it is needed.
type MasterConfig struct {
	Journal   *journal.Journal
	Options   *config.Set
	Clock     clock.Clock
	Log       *slog.Logger
	Random    io.Reader
	Snapshots Snapshots
	Open      func(path string) (Source, error)
	PID       int

	// Follows says whether this server is a replica itself. Then its stream is its master's,
	// to which it adds nothing, and its backlog stays.
	Follows func() bool
	// FileWanted says whether a snapshot file is of use when no replica waits for it any more.
	FileWanted func() bool
	// FailingOver, if set, says whether a replica is waited for that shall take over: nothing
	// is added to the stream that it does not need.
	FailingOver func() bool
	// Paused says whether clients may not write: nothing is added to the stream meanwhile.
	Paused func() bool
	// Background runs a task soon, on a goroutine of its own.
	Background func(task func())
	// Reached is called when a replica has acknowledged more.
	Reached func()
	// Scarce is called when there are too few good replicas to write, or enough again.
	Scarce func(on bool)
}

// A Source is a snapshot file that is open.
type Source interface {
	io.ReadCloser
	Size() int64
}

// A Master is what a server is to its replicas. It is safe for concurrent use.
type Master struct {
	MasterConfig

	stop     chan struct{}
	stopOnce sync.Once
	wantAcks atomic.Bool // before the next turn ends, replicas are to be asked for them
	acks     atomic.Pointer[ackTable]
	good     atomic.Int64 // replicas that acknowledged lately

	// Counters of INFO stats.
	Full, PartialOK, PartialRefused atomic.Int64

	mu        sync.Mutex
	history   History
	replicas  []*Replica // oldest first
	kept      int64      // what the journal keeps for us; 0 without a backlog
	idleSince int64      // monotonic: since when there is no replica
	second    int64      // monotonic: when the last round of once a second was
	seconds   int64      // how many there were
	syncing   *syncing   // the snapshot under way, or nil
}

// NewMaster makes a server's Master. It has no replicas, and no backlog.
func NewMaster(c MasterConfig) *Master {
	m := &Master{MasterConfig: c, stop: make(chan struct{}), history: NewHistory(c.Random)}
	m.acks.Store(&ackTable{})
	m.idleSince = c.Clock.Mono()
	c.Options.OnChange(OptBacklogSize, m.resizeBacklog)
	c.Options.OnChange(optMinReplicas, m.Recount, optMaxLag)
	return m
}

// Close ends what is under way.
func (m *Master) Close() {
	m.stopOnce.Do(func() {
		close(m.stop)
		m.Snapshots.Cancel()
	})
}

// History is the stream's.
func (m *Master) History() History {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.history
}

// ChangeHistory has change change the stream's history.
func (m *Master) ChangeHistory(change func(h *History)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.history)
}

// KeepBacklog makes the journal keep the stream's end from now on, if it does not yet. A
// replica has one from the beginning, for the time when it is a master.
func (m *Master) KeepBacklog() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(BacklogBytes(m.Options))
}

// HasBacklog says whether the journal keeps the stream's end.
func (m *Master) HasBacklog() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept > 0
}

func (m *Master) keep(n int64) {
	if m.kept != n {
		m.kept = n
		m.Journal.Keep(n)
	}
}

func (m *Master) resizeBacklog() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept > 0 {
		m.keep(BacklogBytes(m.Options))
	}
}

// beginBacklog is for the first replica. Without a backlog the offset stood still while the
// data changed, so nobody may know them by the old name.
func (m *Master) beginBacklog() {
	if m.kept > 0 {
		return
	}
	m.history.Renew(m.Random)
	m.keep(BacklogBytes(m.Options))
	m.Log.Info(fmt.Sprintf("Replication backlog created, my new replication IDs are '%s' and '%s'",
		m.history.ID, m.history.ID2))
}

// endBacklog frees the backlog when there was no replica for long.
func (m *Master) endBacklog(now int64) {
	ttl := optBacklogTTL.Get(m.Options)
	if m.kept == 0 || ttl == 0 || len(m.replicas) > 0 || (now-m.idleSince)/1e9 <= ttl || m.Follows() {
		return
	}
	m.history.Renew(m.Random)
	m.keep(0)
	m.Log.Info(fmt.Sprintf("Replication backlog freed after %d seconds without connected replicas.", ttl))
}

// Describe fills in what a snapshot says of the stream that continues it. It is called at a
// cut, in exclusive mode.
func (m *Master) Describe(info *rdb.Info) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.describe(info)
}

func (m *Master) describe(info *rdb.Info) {
	if m.kept == 0 {
		return // the offset means nothing
	}
	info.ReplID, info.ReplOffset = m.history.ID, m.Journal.Appended()
	info.ReplStreamDB = max(m.Journal.Selected(), 0)
}

// Resume is called when a master loads the data that a snapshot describes: replicas that knew
// them may go on. It may be called again.
func (m *Master) Resume(info *rdb.Info) {
	if len(info.ReplID) != IDLen || info.ReplOffset < 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept > 0 || !m.Journal.StartAt(info.ReplOffset) {
		return // somebody reads already: a stream with another beginning
	}
	m.history.Resume(m.Random, info.ReplID, info.ReplOffset)
	m.keep(BacklogBytes(m.Options))
	m.idleSince = m.Clock.Mono()
}

// TurnEnds is called at the end of a loop's turn while there are replicas.
func (m *Master) TurnEnds() {
	if m.wantAcks.Load() && !m.Paused() && m.wantAcks.Swap(false) && !m.Follows() {
		m.Journal.AppendLink(getAck)
	}
}

// RequestAcks has replicas asked how far they are before the turn ends.
func (m *Master) RequestAcks() { m.wantAcks.Store(true) }

var (
	getAck   = resp.AppendCommand(nil, "REPLCONF", "GETACK", "*")
	pingLink = resp.AppendCommand(nil, "PING")
)

// Cron does what is due. It is called some times a second.
func (m *Master) Cron() {
	now := m.Clock.Mono()
	m.mu.Lock()
	if m.second == 0 || now-m.second >= 1e9 {
		m.second = now
		m.everySecond(now)
	}
	m.mu.Unlock()
	m.syncIfDue()
}

func (m *Master) isFailingOver() bool { return m.FailingOver != nil && m.FailingOver() }

func (m *Master) everySecond(now int64) {
	m.seconds++
	period := optPingPeriod.Get(m.Options)
	if len(m.replicas) > 0 && m.seconds%period == 0 && !m.Follows() && !m.isFailingOver() {
		m.Journal.AppendLink(pingLink)
		for _, r := range m.replicas {
			r.wake()
		}
	}
	timeout := optTimeout.Get(m.Options) * 1e9
	for _, r := range slices.Clone(m.replicas) {
		if r.state == waitStart || r.state == waitEnd && !r.diskless {
			r.keepAlive()
		}
		if r.state == online && !r.old && now-r.ackAt > timeout {
			m.Log.Warn("Disconnecting timedout replica (streaming sync): " + r.name())
			r.close()
		}
	}
	m.endBacklog(now)
	m.count(now)
}

// Disconnect ends the connections to all replicas: they have to synchronize again.
func (m *Master) Disconnect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.replicas {
		r.close()
	}
}

// Replicas is the number of replicas, in whatever state.
func (m *Master) Replicas() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.replicas)
}

// remove takes a replica out, whose connection has ended.
func (m *Master) remove(r *Replica) {
	m.mu.Lock()
	i := slices.Index(m.replicas, r)
	if i < 0 {
		m.mu.Unlock()
		return
	}
	now := m.Clock.Mono()
	m.replicas = slices.Delete(m.replicas, i, i+1)
	if len(m.replicas) == 0 {
		m.idleSince = now
	}
	left := m.leaveSync(r)
	m.count(now)
	m.mu.Unlock()
	m.Log.Info("Connection with replica " + r.name() + " lost.")
	r.out.drop()
	if r.cursor != nil {
		r.cursor.Close()
	}
	if left {
		m.Snapshots.Cancel()
	}
}
