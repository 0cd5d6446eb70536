// Package observe is what a server knows about its own behaviour: its log, the
// commands that were slow or large, the latency spikes of its subsystems, how
// long each command takes, and how fast its counters move.
//
//	Log             one line per event, to stdout, a file and syslog
//	CommandLogs     SLOWLOG and COMMANDLOG: the last commands over a threshold
//	LatencyMonitor  LATENCY LATEST, HISTORY, GRAPH, DOCTOR, RESET
//	Histograms      LATENCY HISTOGRAM and INFO latencystats, per event loop
//	Rate            the instantaneous_* fields of INFO
//
// Nothing here knows a command, a socket or an option. Thresholds and lengths
// are set by whoever owns the option, through plain setters, and each server in
// a process has its own instances.
//
// # What it costs a request
//
// One [CommandLog.Wants] per log (an atomic load and a comparison) and one
// [Histograms.Record] (no allocation after the first call of a command): 2 and 8
// ns in this package's benchmarks on one core of an EPYC. Everything else happens
// only when something was already slow, or when an operator asks.
//
// # Concurrency
//
// Log, CommandLog and LatencyMonitor may be used from any goroutine. A
// Histograms belongs to one event loop, and may be read by another only while
// that loop stands still. A Rate is fed by one goroutine and read by any.
package observe
