package replication

import (
	"fmt"
	"math"
	"slices"

	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/session"
)

// A Request is what a replica asks for.
type Request struct {
	ID   string // ? for a whole snapshot
	Next int64  // the number of the byte that it wants next, counted from 1
	Old  bool   // by SYNC: no ids, and no acknowledgements
}

// Sync makes a replica of a session. Its loop has it fed from then on. What is to be replied
// now is "" if it has to wait for a snapshot.
func (m *Master) Sync(s *session.Session, q Request) (r *Replica, reply string) {
	r = m.ReplicaOf(s)
	m.Log.Info("Replica " + r.name() + " asks for synchronization")
	if link, ok := s.Link.(interface{ SetNoDelay(on bool) }); ok && optDelay.Get(m.Options) {
		link.SetNoDelay(false)
	}
	m.mu.Lock()
	s.Class = session.Replica
	if !q.Old {
		if reply = m.goOn(r, q); reply != "" {
			m.PartialOK.Add(1)
			m.count(r.ackAt)
			m.mu.Unlock()
			return r, reply
		}
		if q.ID == "" || q.ID[0] != '?' {
			m.PartialRefused.Add(1)
		}
	}
	m.Full.Add(1)
	r.old, r.state, r.since = q.Old, waitStart, m.Clock.Mono()
	m.replicas = append(m.replicas, r)
	if len(m.replicas) == 1 {
		m.beginBacklog()
	}
	m.waitForSnapshot(r)
	m.mu.Unlock()
	m.syncIfDue()
	return r, ""
}

// WrongOffset notes that a session asked to go on at what is no number.
func (m *Master) WrongOffset(s *session.Session) {
	m.Log.Warn("Replica " + m.ReplicaOf(s).name() + " asks for synchronization but with a wrong offset")
}

// goOn has a replica go on where it stands, if it may, and returns the reply.
func (m *Master) goOn(r *Replica, q Request) (reply string) {
	offset := max(q.Next, math.MinInt64+1) - 1
	first, next := m.Journal.Backlog()
	if m.kept == 0 {
		first, next = math.MaxInt64, math.MinInt64
	}
	h := &m.history
	switch h.Judge(q.ID, offset, first, next) {
	case OtherHistory:
		if q.ID != "" && q.ID[0] == '?' {
			m.Log.Info("Full resync requested by replica " + r.name())
		} else {
			m.Log.Info(fmt.Sprintf("Partial resynchronization not accepted: Replication ID mismatch (Replica asked "+
				"for %q, my replication IDs are '%s' and '%s')", q.ID[:min(len(q.ID), IDLen)], h.ID, h.ID2))
		}
		return ""
	case LeftHistory:
		m.Log.Info(fmt.Sprintf("Partial resynchronization not accepted: Requested offset for second ID was %d, "+
			"but I can reply up to %d", q.Next, h.ID2End+1))
		return ""
	}
	cursor, ok := (*journal.Cursor)(nil), false
	if offset >= first && offset <= next {
		cursor, ok = m.Journal.NewCursorAt(offset)
	}
	if !ok {
		m.Log.Info(fmt.Sprintf("Unable to partial resync with replica %s for lack of backlog "+
			"(Replica request was: %d).", r.name(), q.Next))
		if q.Next > m.Journal.Appended()+1 {
			m.Log.Warn("Warning: replica " + r.name() +
				" tried to PSYNC with an offset that is greater than the master replication offset.")
		}
		return ""
	}
	r.cursor, r.state, r.ackAt = cursor, online, m.Clock.Mono()
	r.source.Store(fromStream)
	m.replicas = append(m.replicas, r)
	m.Log.Info(fmt.Sprintf("Partial resynchronization request from %s accepted. Sending %d bytes of backlog "+
		"starting from offset %d.", r.name(), r.Held(), q.Next))
	if r.psync2 {
		return "+CONTINUE " + h.ID + "\r\n"
	}
	return "+CONTINUE\r\n"
}

// A syncing is a snapshot for replicas under way.
type syncing struct {
	diskless bool
	isCut    bool
	id       string // of the stream, and the position, at the cut
	offset   int64
	joined   []*Replica // that are sent it
	mark     string     // behind a diskless one
	room     chan struct{}
}

// waitForSnapshot is called for a replica that has to wait for one, and has come just now.
func (m *Master) waitForSnapshot(r *Replica) {
	sy := m.syncing
	switch {
	case r.filtered:
		m.sendEmpty(r)
	case sy == nil && m.Snapshots.Busy():
		m.Log.Info("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC")
	case sy == nil:
		if optDiskless.Get(m.Options) && r.eof && optDisklessDelay.Get(m.Options) > 0 {
			m.Log.Info("Delay next BGSAVE for diskless SYNC")
		}
	case sy.diskless:
		m.Log.Info("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC")
	case sy.isCut:
		cursor, ok := m.Journal.NewCursorAt(sy.offset)
		if !ok {
			m.Log.Info("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC")
			return
		}
		m.join(sy, r, cursor)
		m.Log.Info("Waiting for end of BGSAVE for SYNC")
	}
}

// sendEmpty sends a snapshot without data. There are no functions that could be in it.
func (m *Master) sendEmpty(r *Replica) {
	sy := &syncing{id: m.history.ID}
	cursor := m.Journal.NewCursor()
	sy.offset = cursor.At()
	m.join(sy, r, cursor)
	info := rdb.Info{ReplID: sy.id, ReplOffset: sy.offset}
	file := rdb.AppendEOFUnchecked(rdb.AppendInfo(rdb.AppendHeader(nil, emptyVersion), &info))
	r.state = sendBulk
	r.out.push(textPiece(fmt.Sprintf("$%d\r\n%s", len(file), file)))
	r.out.ended.Store(true)
}

// emptyVersion is that of a snapshot without data: any replica that can filter reads it.
const emptyVersion rdb.Version = 10

// join makes a replica one of those that are sent a snapshot that was cut. Its cursor is at
// the cut.
func (m *Master) join(sy *syncing, r *Replica, cursor *journal.Cursor) {
	if r.rdbOnly {
		cursor.Close()
	} else {
		r.cursor = cursor
	}
	r.state, r.diskless = waitEnd, sy.diskless
	r.out.watch(sy.room, m.Clock)
	if !r.old {
		r.out.push(textPiece(fmt.Sprintf("+FULLRESYNC %s %d\r\n", sy.id, sy.offset)))
	}
	if sy.diskless {
		r.out.push(textPiece("$EOF:" + sy.mark + "\r\n"))
	}
	sy.joined = append(sy.joined, r)
	r.wake()
}

// syncIfDue begins a snapshot for those who wait for one, if it is time.
func (m *Master) syncIfDue() {
	m.mu.Lock()
	sy := m.due()
	if sy != nil {
		m.syncing = sy
	}
	m.mu.Unlock()
	if sy != nil {
		m.Background(func() { m.runSync(sy) })
	}
}

// due is the snapshot that is to be begun now, or nil. Without a disk others are waited for.
func (m *Master) due() *syncing {
	if m.syncing != nil {
		return nil
	}
	waiting, longest, allEOF := int64(0), int64(0), true
	now := m.Clock.Mono()
	for _, r := range m.replicas {
		if r.state == waitStart {
			waiting++
			longest = max(longest, now-r.since)
			allEOF = allEOF && r.eof
		}
	}
	if waiting == 0 || m.Snapshots.Busy() {
		return nil
	}
	most := optDisklessMax.Get(m.Options)
	isDiskless, delay := optDiskless.Get(m.Options), optDisklessDelay.Get(m.Options)*1e9
	if isDiskless && longest < delay && (most == 0 || waiting < most) {
		return nil
	}
	sy := &syncing{diskless: isDiskless && allEOF, room: make(chan struct{}, 1)}
	if sy.diskless {
		sy.mark = newID(m.Random)
	}
	return sy
}

// cut is called in exclusive mode, at the cut of a snapshot for replicas: those that wait now
// are sent it, and the stream from here on.
func (m *Master) cut(sy *syncing, info *rdb.Info) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.describe(info)
	m.Journal.SelectAgain()
	sy.isCut, sy.id, sy.offset = true, m.history.ID, m.Journal.Appended()
	for _, r := range m.replicas {
		if r.state == waitStart && (r.eof || !sy.diskless) {
			m.join(sy, r, m.Journal.NewCursor())
		}
	}
}

// leaveSync forgets a replica that has gone, and says whether it was the last that a snapshot
// is made for.
func (m *Master) leaveSync(r *Replica) (last bool) {
	sy := m.syncing
	if sy == nil || !sy.isCut {
		return false
	}
	i := slices.Index(sy.joined, r)
	if i < 0 {
		return false
	}
	sy.joined = slices.Delete(sy.joined, i, i+1)
	if len(sy.joined) > 0 {
		return false
	}
	if sy.diskless {
		m.Log.Info("Diskless rdb transfer, last replica dropped, killing fork child.")
	}
	return sy.diskless || !m.FileWanted()
}
