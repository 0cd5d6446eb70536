package aof

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// # When it is synced
//
// With everysec a sync begins early enough that it ends a second after the first write that
// it is for, if it takes as long as the last one. If it takes longer, so that a write which
// was acknowledged is older than ageMax and not on the disk, replies wait until it is: what
// a power failure takes is never more than was acknowledged in that time.
//
// While a sync is under way some writes wait for it in the kernel: of 178 writes of 40 KB
// during syncs of 15 ms on ext4 half took 38 us as at any other time, one in a hundred 2.4
// ms, and one 27 ms of a sync that took 40. So loops do not write then, but leave it to the
// writer, and their replies wait for that.
//
// With always no reply leaves before a sync, of reads neither, so a loop that would hand a quick
// one over could only wait for it: if the last one took less than leadMax, the loop that has
// appended syncs by itself, for all who have. What comes meanwhile is the next batch. If another
// one does that already, or the disk is slow, the syncer is woken, which writes too: what it
// writes at once is all that was appended until it does.

const (
	// syncPeriod is after how long a write shall be on the disk with everysec.
	syncPeriod = time.Second
	// syncPeriodMin is how often there is a sync at the most, however long they take.
	syncPeriodMin = 100 * time.Millisecond
	// ageMax is how old a write may be that was acknowledged and is not on the disk.
	ageMax = 1100 * time.Millisecond
	// retryPeriod is how often a write is tried that has failed.
	retryPeriod = time.Second
	// leadMax is how long a sync may take for which a loop waits, as for a slow command.
	leadMax = time.Millisecond
	// idlePeriod is how long the syncer sleeps when nobody wakes it.
	idlePeriod = time.Hour
)

// A pacer decides who writes and syncs when.
type pacer struct {
	syncing atomic.Bool  // a sync is under way, with everysec
	since   atomic.Int64 // when the first write was made that no sync was for; 0 if there is none
	before  atomic.Int64 // the same of the sync that is under way
	took    atomic.Int64 // nanoseconds, by the last sync
	delayed atomic.Int64 // how many times replies waited for a sync with everysec
	held    atomic.Bool  // they do

	failed  atomic.Bool // the last write has: only the syncer tries again
	retryAt int64       // the syncer's

	leading sync.Mutex  // held by who writes and syncs with always
	isQuick atomic.Bool // the last sync took less than leadMax
	isLed   atomic.Bool // by the syncer alone, for tests

	toSync, toWrite chan struct{}
	slow            atomic.Int64 // nanoseconds to wait before each write, for tests
	onSynced        atomic.Pointer[func()]
}

func (p *pacer) init() {
	p.toSync, p.toWrite = make(chan struct{}, 1), make(chan struct{}, 1)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (p *pacer) wakeSyncer() { wake(p.toSync) }

// Flush implements exec.Barrier.
func (k *Keeper) Flush() (open int64) {
	l := k.log.Load()
	if l == nil {
		return math.MaxInt64
	}
	if l.Written() < k.Journal.Tail() && !k.failed.Load() {
		switch {
		case k.isAlways():
			k.lead(l)
		case k.syncing.Load():
			wake(k.toWrite)
		default:
			k.flush(l)
		}
	}
	return k.Open()
}

// lead writes and syncs on a loop, if that is quick and nobody else does it; else the syncer
// will.
func (k *Keeper) lead(l *Log) {
	if !k.isQuick.Load() || k.isLed.Load() || l.IsLost() || !k.leading.TryLock() {
		wake(k.toSync)
		return
	}
	defer k.leading.Unlock()
	k.flush(l)
	if !k.failed.Load() {
		k.syncOnce(l, eventAlways)
	}
}

const eventAlways = "aof-fsync-always"

// isAlways says whether replies wait for the disk.
func (k *Keeper) isAlways() bool { return Policy(k.policy.Load()) == Always && !k.relaxed.Load() }

// Open implements exec.Barrier.
func (k *Keeper) Open() (mark int64) {
	l := k.log.Load()
	switch {
	case l == nil || k.Mode() != On:
		return math.MaxInt64
	case l.IsLost(), k.isAlways(), k.isLate():
		return l.Synced()
	default:
		return l.Written()
	}
}

// isLate says whether something acknowledged is not on the disk for too long.
func (k *Keeper) isLate() bool {
	first := k.before.Load()
	if first == 0 {
		first = k.since.Load()
	}
	if first == 0 || Policy(k.policy.Load()) != EverySecond || k.relaxed.Load() {
		return false
	}
	late := k.Clock.Mono()-first > int64(ageMax)
	if late && !k.held.Swap(true) {
		k.delayed.Add(1)
	}
	return late
}

// Strict implements exec.Barrier.
func (k *Keeper) Strict() bool { return k.Mode() == On && k.isAlways() && k.Failing() == nil }

// Synced is the mark up to which the disk has everything, and SyncedAt the position of the
// stream there. Without a file that is written both are 0.
func (k *Keeper) Synced() (mark, position int64) {
	l := k.log.Load()
	if l == nil || k.Mode() != On {
		return 0, 0
	}
	return l.Synced(), l.SyncedAt()
}

// OnSynced has fn called whenever more is on the disk, by the syncer or on a loop's thread.
func (k *Keeper) OnSynced(fn func()) { k.onSynced.Store(&fn) }

// flush writes what was appended.
func (k *Keeper) flush(l *Log) {
	if slow := k.slow.Load(); slow > 0 {
		time.Sleep(time.Duration(slow))
	}
	begin := int64(0)
	watched := k.Latency.Threshold() > 0
	if watched {
		begin = k.Clock.Mono()
	}
	err := l.Flush()
	if watched {
		k.observeWrite(begin)
	}
	if err != nil {
		k.writeFailed(err)
		return
	}
	if k.failed.Swap(false) {
		k.recovered()
	}
	if k.since.Load() == 0 && l.Synced() < l.Written() && Policy(k.policy.Load()) == EverySecond &&
		k.since.CompareAndSwap(0, max(k.Clock.Mono(), 1)) {
		wake(k.toSync)
	}
}

// observeWrite remembers a slow write under Redis's names.
func (k *Keeper) observeWrite(begin int64) {
	took := (k.Clock.Mono() - begin) / 1e6
	if !k.Latency.Wants(took) {
		return
	}
	event := "aof-write-alone"
	switch {
	case k.syncing.Load():
		event = "aof-write-pending-fsync"
	case k.IsBusy():
		event = "aof-write-active-child"
	}
	k.Latency.Observe(event, took)
	k.Latency.Observe("aof-write", took)
}

// write is the writer.
func (k *Keeper) write() {
	for {
		select {
		case <-k.stop:
			return
		case <-k.toWrite:
		}
		if l := k.log.Load(); l != nil && !k.failed.Load() {
			k.flush(l)
			k.Release()
		}
	}
}

// sync is the syncer.
func (k *Keeper) sync() {
	timer := time.NewTimer(idlePeriod)
	defer timer.Stop()
	for {
		select {
		case <-k.stop:
			return
		case <-k.toSync:
		case <-timer.C:
		}
		timer.Reset(max(k.step(), time.Microsecond))
	}
}

// step does what is due, and says when to look again if nobody says so earlier.
func (k *Keeper) step() time.Duration {
	l := k.log.Load()
	if l == nil {
		k.since.Store(0)
		return idlePeriod
	}
	if k.failed.Load() {
		if now := k.Clock.Mono(); now < k.retryAt {
			return time.Duration(k.retryAt - now)
		}
		k.retryAt = k.Clock.Mono() + int64(retryPeriod)
		k.flush(l)
		k.Release()
		if k.failed.Load() {
			return retryPeriod
		}
	}
	if l.IsLost() {
		if l.Written() < k.Journal.Tail() {
			k.flush(l)
		}
		return retryPeriod
	}
	switch {
	case k.isAlways():
		return k.syncAlways(l)
	case Policy(k.policy.Load()) == EverySecond && !k.relaxed.Load():
		return k.syncIfDue(l)
	}
	return idlePeriod
}

// syncAlways writes and syncs until nothing is left.
func (k *Keeper) syncAlways(l *Log) time.Duration {
	k.leading.Lock()
	defer k.leading.Unlock()
	for l.Synced() < k.Journal.Tail() {
		k.flush(l)
		if k.failed.Load() {
			return retryPeriod
		}
		if !k.syncOnce(l, eventAlways) {
			return retryPeriod
		}
		if k.log.Load() != l {
			break
		}
	}
	return idlePeriod
}

// syncIfDue syncs what was written about a second ago.
func (k *Keeper) syncIfDue(l *Log) time.Duration {
	if l.Synced() >= l.Written() {
		k.since.Store(0)
		if l.Synced() >= l.Written() { // or a write came in between
			return idlePeriod
		}
	}
	k.since.CompareAndSwap(0, max(k.Clock.Mono(), 1))
	wait := max(syncPeriod-time.Duration(k.took.Load()), syncPeriodMin)
	if age := time.Duration(k.Clock.Mono() - k.since.Load()); age < wait {
		return wait - age
	}
	k.before.Store(k.since.Swap(0))
	k.syncing.Store(true)
	k.syncOnce(l, "")
	k.syncing.Store(false)
	k.before.Store(0)
	k.held.Store(false)
	if !k.failed.Load() && l.Written() < k.Journal.Tail() {
		k.flush(l) // what the writer has not
	}
	k.Release()
	return 0
}

// syncOnce syncs what is written, and says whether that worked.
func (k *Keeper) syncOnce(l *Log, event string) bool {
	wasLost := l.IsLost()
	begin := k.Clock.Mono()
	err := l.Sync()
	took := k.Clock.Mono() - begin
	k.took.Store(took)
	k.isQuick.Store(took < int64(leadMax))
	if event != "" {
		k.Latency.Observe(event, took/1e6)
	}
	if err != nil {
		if !wasLost && k.log.Load() == l {
			k.syncFailed(err)
		}
		return false
	}
	k.Release()
	if fn := k.onSynced.Load(); fn != nil {
		(*fn)()
	}
	return true
}

// writeFailed notes that a write has failed: no other is made but by the syncer.
func (k *Keeper) writeFailed(err error) {
	k.status.writeFailed(k, "Error writing to the AOF file: "+text(err), text(err))
	if !k.failed.Swap(true) {
		wake(k.toSync)
	}
	k.changed()
}

func (k *Keeper) recovered() {
	if k.log.Load() != nil && !k.log.Load().IsLost() {
		k.clearFailures()
		k.Log.Warn("AOF write error looks solved. The server can write again.")
	}
}

// syncFailed notes that a sync has failed. What the disk has of the file is not known any
// more, and no other sync would tell: a rewrite has to make another one.
func (k *Keeper) syncFailed(err error) {
	k.status.writeFailed(k, fmt.Sprintf("Fail to fsync the AOF file: %s. It is not trusted any more; "+
		"a rewrite will make another one", text(err)), text(err))
	k.changed()
}

// clearFailures forgets what failed.
func (k *Keeper) clearFailures() {
	k.failed.Store(false)
	k.status.failing.Store(nil)
	k.status.loggedAt.Store(0)
	k.changed()
}

func (k *Keeper) changed() {
	if k.Changed != nil {
		k.Changed()
	}
}

// SlowWrites makes every write wait before it begins, for tests.
func (k *Keeper) SlowWrites(d time.Duration) { k.slow.Store(int64(d)) }

// LeaveSyncs has no loop sync by itself, for tests.
func (k *Keeper) LeaveSyncs() { k.isLed.Store(true) }
