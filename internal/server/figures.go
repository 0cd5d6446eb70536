package server

import (
	"runtime/metrics"

	"github.com/spineldb/spinel/internal/command/infocmd"
	"github.com/spineldb/spinel/internal/command/memorycmd"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/observe"
)

// counters adds up the executors' figures. It is called in exclusive mode.
func (s *Server) counters() (c infocmd.Counters) {
	c.Commands = make([]infocmd.CommandCounts, len(s.table.Specs()))
	c.Errors = map[string]int64{}
	for _, x := range s.executors {
		st := &x.Stats
		for i, n := range st.Commands {
			t := &c.Commands[i]
			t.Calls, t.Nanos = t.Calls+n.Calls, t.Nanos+n.Nanos
			t.Rejected, t.Failed = t.Rejected+n.Rejected, t.Failed+n.Failed
		}
		for code, n := range st.Errors {
			c.Errors[code] += n
		}
		hits, misses := x.Lookups()
		c.Hits, c.Misses = c.Hits+hits, c.Misses+misses
		c.ErrorTotal += st.ErrorTotal
		c.Processed += st.Processed
		c.BytesIn += st.BytesIn
		c.Reads, c.Writes = c.Reads+st.Reads, c.Writes+st.Writes
		c.Turns += st.Turns
		c.QueryOver += st.QueryOver
		c.OutputOver += st.OutputOver
	}
	for _, l := range s.net.Stats(nil) {
		c.BytesOut += int64(l.BytesOut)
	}
	return c
}

// histograms are the commands' latencies, of all loops together. It is called in
// exclusive mode.
func (s *Server) histograms() *observe.Histograms {
	all := observe.NewHistograms(len(s.table.Specs()))
	for _, x := range s.executors {
		x.Stats.Histograms.MergeInto(all)
	}
	return all
}

// resetStats is CONFIG RESETSTAT. It is called in exclusive mode.
func (s *Server) resetStats() {
	for _, x := range s.executors {
		x.ResetStats()
	}
	k := &s.keyspace.Stats
	for _, n := range []interface{ Store(int64) }{
		&s.master.Full, &s.master.PartialOK, &s.master.PartialRefused,
		&k.Expired, &k.ExpiredFields, &k.ExpiredStalePerc, &k.ExpiredTimeCap, &k.Evicted,
		&k.EvictionExceeded, &k.ExpireCycleMicros, &k.LazyFreed, &s.sessions.Accepted, &s.sessions.Refused,
	} {
		n.Store(0)
	}
	s.rates.ops.Reset()
	s.rates.in.Reset()
	s.rates.out.Reset()
}

// figures is what INFO shows. It is called in exclusive mode.
func (s *Server) figures() *infocmd.Figures {
	f := &infocmd.Figures{
		Counters: s.counters(),
		Rates: infocmd.Rates{Commands: s.rates.ops.PerSecond(), BytesIn: s.rates.in.PerSecond(),
			BytesOut: s.rates.out.PerSecond()},
		Process:    processFigures(),
		Uptime:     s.uptime(),
		Port:       int(netloop.Port.Get(s.config)),
		Listeners:  s.net.Addrs(),
		ConfigFile: s.config.File(),
		Hz:         hz.Get(s.config),
		Migrating:  s.migrator.Idle(),
		Shutdown:   s.leavesIn(),
	}
	f.Histograms = s.histograms()
	for _, l := range s.net.Stats(nil) {
		if l.Active {
			f.Loops++
		}
	}
	f.Clients = s.clientFigures()
	f.Memory = infocmd.Memory{Peak: s.peak.Load(), Startup: s.baseline, Other: runtimeBytes()}
	f.Persistence = s.persistenceFigures()
	f.Replication = s.replicationFigures()
	return f
}

func (s *Server) clientFigures() (c infocmd.Clients) {
	c.Max = netloop.MaxClients.Get(s.config)
	c.Timeouts, c.BlockedKeys = s.sessions.Timeouts.Load(), s.keyspace.WaitingKeys()
	for _, client := range s.sessions.All() {
		if client.Stopped && client.Stream == nil { // at a key, or by a pause: Redis counts both
			c.Blocked++
		}
		c.LargestQuery = max(c.LargestQuery, int64(len(client.Query)))
		c.LargestReply = max(c.LargestReply, int64(client.Out.Len()+client.Link.Unsent()))
		if w, ok := client.Multi.Watch.(*keyspace.Watch); ok && w != nil && w.Len() > 0 {
			c.Watching++
			c.WatchedKeys += int64(w.Len())
		}
	}
	return c
}

func (s *Server) persistenceFigures() infocmd.Persistence {
	l, st := s.saver.Loading(), s.saver.Status()
	return infocmd.Persistence{
		Loading: s.loading.Load(), LoadingBeside: s.follower.beside.Load(),
		LoadStart: l.StartTime, LoadTotal: l.TotalBytes, LoadDone: l.LoadedBytes,
		LoadETA: l.ETASeconds, LoadedKeys: l.LastKeys, LoadedExpired: l.LastExpired,
		Changes: st.Changes, Saving: st.InProgress, LastSave: st.LastSave, LastSaveOK: st.LastOK,
		LastSaveTook: st.LastSeconds, SavingFor: st.NowSeconds, Saves: st.Saves, SavedKeys: st.KeysDone,
		KeysToSave: st.KeysTotal, SaveHeldBytes: st.BytesHeld,
		AOF: s.appendOnlyFigures(),
	}
}

// runtimeBytes is the memory of the Go runtime: heap, stacks, its own tables.
func runtimeBytes() int64 {
	sample := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64() - sample[1].Value.Uint64())
}

// memoryFigures is what MEMORY STATS shows beside the keyspace.
func (s *Server) memoryFigures() memorycmd.Figures {
	backlog, all := s.master.MemoryHeld()
	return memorycmd.Figures{Peak: s.peak.Load(), Startup: s.baseline, Resident: processFigures().ResidentBytes,
		Backlog: backlog, Replicas: all - backlog, Unwritten: s.keeper.Status().Buffered}
}

// multiplexing is the name of the network's backend as INFO shows it.
func (s *Server) multiplexing() string {
	backend, _, _ := netloop.Probe(netloop.IOBackend.Name(s.config))
	if backend == netloop.BackendUring {
		return "io_uring"
	}
	return backend
}
