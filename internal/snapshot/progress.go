package snapshot

import (
	"fmt"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/keyspace"
)

// progress is how far a load has come.
type progress struct {
	loading     atomic.Bool
	startWall   atomic.Int64 // seconds
	startMono   atomic.Int64
	totalBytes  atomic.Int64
	loadedBytes atomic.Int64
	lastKeys    atomic.Int64 // of the last load
	lastExpired atomic.Int64
}

func (p *progress) begin(c clock.Clock, totalBytes int64) {
	p.startWall.Store(c.Wall() / 1e6)
	p.startMono.Store(c.Mono())
	p.totalBytes.Store(totalBytes)
	p.loadedBytes.Store(0)
	p.loading.Store(true)
}

func (p *progress) end() { p.loading.Store(false) }

func (p *progress) done(keys, expired int64) {
	p.lastKeys.Store(keys)
	p.lastExpired.Store(expired)
}

// Progress says how far a load of other files than the snapshot has come.
func (s *Saver) Progress(done, total int64) {
	if !s.progress.loading.Load() {
		s.progress.begin(s.Clock, total)
	}
	s.progress.totalBytes.Store(total)
	s.progress.loadedBytes.Store(done)
}

// EndProgress says that it is over.
func (s *Saver) EndProgress() { s.progress.end() }

// Loading is what INFO persistence says about a load.
type Loading struct {
	InProgress  bool
	StartTime   int64 // seconds
	TotalBytes  int64
	LoadedBytes int64
	Percent     float64
	ETASeconds  int64
	UsedMemory  int64

	LastKeys, LastExpired int64 // of the last load that is over
}

// Loading is how far the load in progress has come.
func (s *Saver) Loading() Loading {
	p := &s.progress
	l := Loading{
		InProgress: p.loading.Load(), LastKeys: p.lastKeys.Load(), LastExpired: p.lastExpired.Load(),
	}
	if !l.InProgress {
		return l
	}
	l.StartTime, l.TotalBytes, l.LoadedBytes = p.startWall.Load(), p.totalBytes.Load(), p.loadedBytes.Load()
	l.UsedMemory = s.Keyspace.Used()
	if l.TotalBytes > 0 {
		l.Percent = float64(l.LoadedBytes) / float64(l.TotalBytes) * 100
	}
	l.ETASeconds = 1
	if l.LoadedBytes > 0 {
		elapsed := (s.Clock.Mono() - p.startMono.Load()) / 1e9
		l.ETASeconds = elapsed * max(l.TotalBytes-l.LoadedBytes, 0) / l.LoadedBytes
	}
	return l
}

// keyShownBytesMax keeps an error about a huge key readable.
const keyShownBytesMax = 128

func keyPlace(it *keyspace.Item) string {
	if len(it.Key) > keyShownBytesMax {
		return fmt.Sprintf("key %q... (%d bytes) in database %d", it.Key[:keyShownBytesMax], len(it.Key), it.DB)
	}
	return fmt.Sprintf("key %q in database %d", it.Key, it.DB)
}
