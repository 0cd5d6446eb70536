package replication

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spineldb/spinel/internal/rdb"
)

const (
	// aheadBytes is how much of a snapshot may wait for a replica before whoever makes it
	// waits.
	aheadBytes = 1 << 20

	// stallLook is how often somebody who waits for replicas looks whether they stand still.
	stallLook = 200 * time.Millisecond
)

var (
	errNobody  = errors.New("replication: no replica is left")
	errStopped = errors.New("replication: the snapshot was given up")
)

// runSync makes a snapshot and sends it to those who wait for it.
func (m *Master) runSync(sy *syncing) {
	var err error
	if sy.diskless {
		err = m.stream(sy)
	} else {
		m.Log.Info("Starting BGSAVE for SYNC with target: disk")
		err = m.Snapshots.Save(func(info *rdb.Info) { m.cut(sy, info) }, func(path string) error {
			return m.sendFile(sy, path)
		})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.syncing = nil
	if err == nil || !sy.isCut {
		return // if it was not begun those who wait go on waiting
	}
	for _, r := range sy.joined {
		if r.state == waitEnd {
			m.Log.Warn("SYNC failed. BGSAVE child returned an error: " + err.Error())
			r.close()
		}
	}
}

// stream sends a snapshot as it is made.
func (m *Master) stream(sy *syncing) error {
	b := &broadcast{m: m, sy: sy, pool: &piecePool{}}
	m.Log.Info("Starting BGSAVE for SYNC with target: replicas sockets")
	err := m.Snapshots.Stream(b, func(info *rdb.Info, stop <-chan struct{}) {
		b.stop = stop
		m.cut(sy, info)
		m.Log.Info(fmt.Sprintf("Background RDB transfer started by pid %d", m.PID))
	})
	if err == nil {
		err = b.end()
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	left := len(sy.joined)
	m.mu.Unlock()
	m.Log.Info(fmt.Sprintf("Diskless rdb transfer, done reading from pipe, %d replicas still up.", left))
	m.Log.Info("Background RDB transfer terminated with success")
	return nil
}

// A broadcast sends what is written to it to all replicas of a syncing. It waits for the
// slowest, and drops those that stand still.
type broadcast struct {
	m    *Master
	sy   *syncing
	pool *piecePool
	part *piece // being filled
	stop <-chan struct{}
}

// Write implements [io.Writer].
func (b *broadcast) Write(p []byte) (n int, err error) {
	n = len(p)
	for len(p) > 0 {
		if b.part == nil {
			b.part = b.pool.get()
		}
		k := min(len(p), pieceBytes-len(b.part.b))
		b.part.b = append(b.part.b, p[:k]...)
		p = p[k:]
		if len(b.part.b) == pieceBytes {
			if err := b.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// flush sends the part.
func (b *broadcast) flush() error {
	for {
		behind, err := b.look()
		if err != nil {
			return err
		}
		if !behind {
			break
		}
		if err := b.m.waitForRoom(b.sy.room, b.stop); err != nil {
			return err
		}
	}
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	b.part.refs.Store(int32(len(b.sy.joined)) + 1)
	for _, r := range b.sy.joined {
		r.out.push(b.part)
		r.wake()
	}
	b.part.release()
	b.part = nil
	return nil
}

// look says whether a replica has much waiting. One that stands still is dropped.
func (b *broadcast) look() (behind bool, err error) {
	m := b.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(b.sy.joined) == 0 {
		return false, errNobody
	}
	for _, r := range slices.Clone(b.sy.joined) {
		if m.stalled(r) {
			b.sy.joined = slices.DeleteFunc(b.sy.joined, func(o *Replica) bool { return o == r })
			continue
		}
		behind = behind || r.out.waiting() >= aheadBytes
	}
	return behind, nil
}

// stalled drops a replica that has taken nothing of its snapshot for too long.
func (m *Master) stalled(r *Replica) bool {
	if r.out.stalledFor(m.Clock.Mono()) <= optTimeout.Get(m.Options)*1e9 {
		return false
	}
	m.Log.Warn("Disconnecting timedout replica (full sync): " + r.name())
	r.close()
	return true
}

// waitForRoom waits until a replica has taken something, or for a while.
func (m *Master) waitForRoom(room <-chan struct{}, stop <-chan struct{}) error {
	timer := time.NewTimer(stallLook)
	defer timer.Stop()
	select {
	case <-room:
	case <-timer.C:
	case <-stop:
		return errStopped
	case <-m.stop:
		return errStopped
	}
	return nil
}

// end sends what is left, and the mark.
func (b *broadcast) end() error {
	if b.part != nil {
		if err := b.flush(); err != nil {
			return err
		}
	}
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	for _, r := range b.sy.joined {
		r.out.push(textPiece(b.sy.mark))
		r.out.ended.Store(true)
		r.wake()
	}
	if len(b.sy.joined) == 0 {
		return errNobody
	}
	return nil
}

// sendFile begins to send a snapshot file to all that waited for it. Each has the file open
// for itself: another may take its name meanwhile.
func (m *Master) sendFile(sy *syncing, path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	sy.isCut = false // nobody may join any more
	for _, r := range sy.joined {
		file, err := m.Open(path)
		if err != nil {
			m.Log.Warn("SYNC failed. Can't open/stat DB after BGSAVE: " + err.Error())
			r.close()
			continue
		}
		r.state = sendBulk
		room := make(chan struct{}, 1)
		r.out.watch(room, m.Clock)
		r.out.push(textPiece(fmt.Sprintf("$%d\r\n", file.Size())))
		r.wake()
		m.Background(func() { m.pump(r, file, room) })
	}
	return nil
}

// pump sends a file to one replica.
func (m *Master) pump(r *Replica, file Source, room <-chan struct{}) {
	defer file.Close()
	pool := &piecePool{}
	for left := file.Size(); left > 0; {
		p := pool.get()
		n, err := io.ReadFull(file, p.b[:min(left, pieceBytes)])
		if err != nil {
			m.Log.Warn("Read error sending DB to replica: " + err.Error())
			r.close()
			return
		}
		p.b = p.b[:n]
		left -= int64(n)
		for r.out.waiting() >= aheadBytes {
			if m.stalled(r) || m.waitForRoom(room, nil) != nil {
				return
			}
		}
		if !r.out.push(p) {
			return
		}
		r.wake()
	}
	r.out.ended.Store(true)
	r.wake()
}
