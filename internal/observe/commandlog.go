package observe

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/clock"
)

// How much of a command its entry keeps, which is Redis's choice: enough to
// recognize it, and at most some 5 KB whatever a client sends.
const (
	entryArgsMax     = 32
	entryArgBytesMax = 128
)

// Never as a threshold switches a log off.
const Never = -1

// CommandLogs are the three logs of COMMANDLOG. SLOWLOG is another name for the
// first.
type CommandLogs struct {
	Slow         *CommandLog // microseconds of execution
	LargeRequest *CommandLog // bytes of the request
	LargeReply   *CommandLog // bytes of the reply
}

// NewCommandLogs returns the three logs, empty, with the defaults of Redis and
// Valkey: 10 ms, 1 MiB and 1 MiB, 128 entries each.
func NewCommandLogs(c clock.Clock) *CommandLogs {
	return &CommandLogs{
		Slow:         NewCommandLog(c, 10_000, 128),
		LargeRequest: NewCommandLog(c, 1<<20, 128),
		LargeReply:   NewCommandLog(c, 1<<20, 128),
	}
}

// A CommandLog remembers the last commands whose value, a time or a size,
// reached its threshold.
//
// It is safe for concurrent use. The question that every command asks, Wants,
// is an atomic load; only a command that is logged takes the lock.
type CommandLog struct {
	clock clock.Clock
	from  atomic.Int64 // the smallest value to log; MaxInt64 for none

	mu         sync.Mutex
	nextID     int64
	entriesMax int
	ring       []CommandEntry // in order of arrival, from oldest on and around
	oldest     int            // 0 unless the ring is full
}

// A CommandEntry is one logged command. It is never changed once it is logged.
type CommandEntry struct {
	ID    int64 // counts up from 0 for the life of the log, RESET or not
	Unix  int64 // when, in seconds
	Value int64 // microseconds or bytes, as the log has it
	Argc  int   // how many arguments the command really had
	Args  []string
	Addr  string
	Name  string // of the client, if it has set one
}

// NewCommandLog returns an empty log of the last entriesMax commands whose value
// is threshold or more.
func NewCommandLog(c clock.Clock, threshold int64, entriesMax int) *CommandLog {
	l := &CommandLog{clock: c}
	l.SetThreshold(threshold)
	l.SetMax(entriesMax)
	return l
}

// Wants says whether a command with this value is to be logged.
func (l *CommandLog) Wants(value int64) bool { return value >= l.from.Load() }

// SetThreshold makes the log take values from threshold on: 0 takes every
// command, a negative one none.
func (l *CommandLog) SetThreshold(threshold int64) {
	if threshold < 0 {
		threshold = math.MaxInt64 // one comparison in Wants serves both cases
	}
	l.from.Store(threshold)
}

// SetMax bounds the number of entries. What is too much is dropped at once, the
// oldest first; 0 keeps nothing.
func (l *CommandLog) SetMax(entriesMax int) {
	entriesMax = max(entriesMax, 0)
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.newest(entriesMax)
	slices.Reverse(kept)
	l.ring, l.oldest, l.entriesMax = kept, 0, entriesMax
}

// Add logs a command. It keeps no reference to args. Secrets (AUTH, ACL SETUSER)
// must have been replaced by the caller, who knows which arguments they are.
func (l *CommandLog) Add(value int64, args [][]byte, addr, name string) {
	e := CommandEntry{
		Unix:  l.clock.Wall() / 1_000_000,
		Value: value,
		Argc:  len(args),
		Args:  trimArgs(args),
		Addr:  strings.Clone(addr),
		Name:  strings.Clone(name),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.ID = l.nextID
	l.nextID++
	switch {
	case l.entriesMax == 0:
	case len(l.ring) < l.entriesMax:
		l.ring = append(l.ring, e)
	default:
		l.ring[l.oldest] = e
		l.oldest = (l.oldest + 1) % l.entriesMax
	}
}

// Get returns the last count entries, the newest first; a negative count
// returns all.
func (l *CommandLog) Get(count int) []CommandEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if count < 0 {
		count = len(l.ring)
	}
	return l.newest(count)
}

// Len is the number of entries.
func (l *CommandLog) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ring)
}

// Reset drops every entry. Ids go on where they were, as in Redis, so that a
// collector notices what it has missed.
func (l *CommandLog) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring, l.oldest = nil, 0
}

// newest copies out the last count entries, the newest first.
func (l *CommandLog) newest(count int) []CommandEntry {
	n := len(l.ring)
	out := make([]CommandEntry, min(count, n))
	for i := range out {
		out[i] = l.ring[(l.oldest+n-1-i)%n]
	}
	return out
}

// trimArgs copies what an entry keeps of a command's arguments. If there are
// too many, the last that is kept says how many were not.
func trimArgs(args [][]byte) []string {
	whole := len(args)
	if whole > entryArgsMax {
		whole = entryArgsMax - 1
	}
	out := make([]string, 0, min(len(args), entryArgsMax))
	for _, arg := range args[:whole] {
		out = append(out, trimArg(arg))
	}
	if rest := len(args) - whole; rest > 0 {
		out = append(out, "... ("+strconv.Itoa(rest)+" more arguments)")
	}
	return out
}

func trimArg(arg []byte) string {
	rest := len(arg) - entryArgBytesMax
	if rest <= 0 {
		return string(arg)
	}
	return string(arg[:entryArgBytesMax]) + "... (" + strconv.Itoa(rest) + " more bytes)"
}
