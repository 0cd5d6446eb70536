package observe

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spineldb/spinel/internal/clock"
)

// Redis's four levels, as slog numbers them. A library's Info is our notice and
// its Error our warning.
const (
	LevelDebug   = slog.LevelDebug
	LevelVerbose = slog.LevelDebug + 2
	LevelNotice  = slog.LevelInfo
	LevelWarning = slog.LevelWarn

	// LevelNothing as a log's level silences it. Nothing is logged at it.
	LevelNothing slog.Level = 1 << 20
)

// A Role is the letter behind the process id in every line.
type Role byte

const (
	RolePrimary  Role = 'M'
	RoleReplica  Role = 'S'
	RoleChild    Role = 'C' // a server that is still starting, too
	RoleSentinel Role = 'X'
)

// A Log writes lines of Redis's form, one for each event:
//
//	12245:M 22 Nov 2026 13:24:19.991 * Ready to accept connections
//	 pid role  date      local time  level  message
//
// to its standard output or to a file, and to syslog if asked to. The levels
// are '.' debug, '-' verbose, '*' notice and '#' warning.
//
// A message is one line whatever is in it: control characters and bytes that
// are not UTF-8 come out escaped, so that a client who chooses its name, its
// keys or its commands cannot forge a line or talk to the operator's terminal.
//
// It is safe for concurrent use. A line is written with one system call. Lines
// that cannot be written are counted and lost, as in Redis: a server must not
// stop because its log's disk is full.
type Log struct {
	clock  clock.Clock
	zone   *time.Location
	pid    int
	level  atomic.Int64
	role   atomic.Uint32
	lost   atomic.Uint64
	stdout io.Writer

	mu     sync.Mutex
	line   []byte   // reused
	file   *logFile // nil while stdout is used
	syslog syslogSink
}

// LogOptions is what a Log is made of.
type LogOptions struct {
	Clock  clock.Clock
	Zone   *time.Location // of the times in lines; nil is the machine's
	Stdout io.Writer      // nil is os.Stdout
	PID    int            // 0 is this process
	Role   Role           // 0 is RoleChild, as Redis starts
	Level  slog.Level     // the zero value is LevelNotice
}

// A syslogSink takes messages to the system's logger, where there is one.
type syslogSink interface {
	send(level slog.Level, message string) error
	close() error
}

// NewLog returns a log that writes to its standard output.
func NewLog(o LogOptions) *Log {
	l := &Log{clock: o.Clock, zone: o.Zone, pid: o.PID, stdout: o.Stdout}
	if l.zone == nil {
		l.zone = time.Local
	}
	if l.stdout == nil {
		l.stdout = os.Stdout
	}
	if l.pid == 0 {
		l.pid = os.Getpid()
	}
	if o.Role == 0 {
		o.Role = RoleChild
	}
	l.SetRole(o.Role)
	l.SetLevel(o.Level)
	return l
}

// SetLevel drops, from now on, what is below the level.
func (l *Log) SetLevel(level slog.Level) { l.level.Store(int64(level)) }

// Level is the lowest level that is written.
func (l *Log) Level() slog.Level { return slog.Level(l.level.Load()) }

// SetRole changes the role's letter.
func (l *Log) SetRole(r Role) { l.role.Store(uint32(r)) }

// Enabled says whether a line of this level would be written.
func (l *Log) Enabled(level slog.Level) bool {
	return level >= l.Level() && level < LevelNothing
}

// Lost is how many lines could not be written, to one place or the other.
func (l *Log) Lost() uint64 { return l.lost.Load() }

// ToFile sends lines to a file, which is created if it is missing, and the
// empty path sends them to standard output again. If the file cannot be opened
// nothing changes.
func (l *Log) ToFile(path string) error {
	var file *logFile
	if path != "" {
		var err error
		if file, err = openLogFile(path); err != nil {
			return fmt.Errorf("observe: log file: %w", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.file
	l.file = file
	if old != nil {
		return old.close()
	}
	return nil
}

// ToSyslog also sends messages to the system's logger, under an identity and a
// facility: "user", or "local0" to "local7". Where there is no syslog, as on
// Windows, it fails.
func (l *Log) ToSyslog(ident, facility string) error {
	sink, err := openSyslog("", "", ident, facility)
	if err != nil {
		return fmt.Errorf("observe: syslog: %w", err)
	}
	return l.replaceSyslog(sink)
}

// Close stops writing to the file and to syslog. Later lines go to standard
// output.
func (l *Log) Close() error {
	err := l.ToFile("")
	if e := l.replaceSyslog(nil); err == nil {
		err = e
	}
	return err
}

func (l *Log) replaceSyslog(sink syslogSink) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.syslog
	l.syslog = sink
	if old != nil {
		return old.close()
	}
	return nil
}

// Debugf, Verbosef, Noticef and Warnf log a formatted message.
func (l *Log) Debugf(format string, args ...any) { l.logf(LevelDebug, format, args...) }

// Verbosef logs at [LevelVerbose].
func (l *Log) Verbosef(format string, args ...any) { l.logf(LevelVerbose, format, args...) }

// Noticef logs at [LevelNotice].
func (l *Log) Noticef(format string, args ...any) { l.logf(LevelNotice, format, args...) }

// Warnf logs at [LevelWarning].
func (l *Log) Warnf(format string, args ...any) { l.logf(LevelWarning, format, args...) }

func (l *Log) logf(level slog.Level, format string, args ...any) {
	if l.Enabled(level) {
		l.write(level, fmt.Appendf(nil, format, args...))
	}
}

// Raw writes text of ours as it stands, without the usual beginning of a line:
// the banner of a start, the stack of a crash. It keeps line breaks, so nothing
// that a client chose may be in it. It does not go to syslog.
func (l *Log) Raw(level slog.Level, text string) {
	if !l.Enabled(level) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = append(appendLines(l.line[:0], text), '\n')
	l.flush()
}

// write writes one line and hands the message to syslog.
func (l *Log) write(level slog.Level, message []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = l.appendHead(l.line[:0], level)
	head := len(l.line)
	l.line = appendMessage(l.line, message)
	if l.syslog != nil && l.syslog.send(level, string(l.line[head:])) != nil {
		l.lost.Add(1)
	}
	l.line = append(l.line, '\n')
	l.flush()
}

// flush writes l.line where it belongs. The caller holds l.mu.
func (l *Log) flush() {
	var err error
	if l.file != nil {
		err = l.file.write(l.line)
	} else {
		_, err = l.stdout.Write(l.line)
	}
	if err != nil {
		l.lost.Add(1)
	}
}

// Logger returns a logger for code that speaks slog. Its attributes follow the
// message as key=value.
func (l *Log) Logger() *slog.Logger { return slog.New(l.Handler()) }

// Handler returns the log as a slog handler.
func (l *Log) Handler() slog.Handler { return &logHandler{log: l} }

// A logHandler is a Log with the attributes and groups of With and WithGroup.
type logHandler struct {
	log   *Log
	attrs []byte // as they stand in a line, each behind a space
	group string // what keys begin with: "a.b."
}

// Enabled implements [slog.Handler].
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool { return h.log.Enabled(level) }

// Handle implements [slog.Handler]. The time is that of the log's own clock.
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	message := append([]byte(r.Message), h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		message = appendAttr(message, h.group, a)
		return true
	})
	h.log.write(r.Level, message)
	return nil
}

// WithAttrs implements [slog.Handler].
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = append([]byte(nil), h.attrs...)
	for _, a := range attrs {
		with.attrs = appendAttr(with.attrs, h.group, a)
	}
	return &with
}

// WithGroup implements [slog.Handler].
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.group = h.group + name + "."
	return &with
}
