package exec_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/observe"
)

// A lineLog keeps the lines of a log. Each must come while nothing is locked.
type lineLog struct {
	t     *testing.T
	ks    *keyspace.Keyspace
	lines []string
}

func (*lineLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *lineLog) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *lineLog) WithGroup(string) slog.Handler          { return l }

func (l *lineLog) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprint(" ", a)
		return true
	})
	if r.Level != observe.LevelVerbose {
		line += " at the wrong level"
	}
	l.lines = append(l.lines, line)
	free := make(chan struct{})
	go func() {
		txn := l.ks.NewTxn()
		txn.LockAll()
		txn.Unlock()
		close(free)
	}()
	select {
	case <-free:
	case <-time.After(5 * time.Second):
		l.t.Errorf("stripes are locked while this is written: %s", line)
	}
	return nil
}

// What commands note for the log is written when their keys are unlocked, with the client,
// in order, and not without end.
func TestNotes(t *testing.T) {
	var f command.Family
	note := func(c *command.Ctx) error {
		c.Note(string(c.Args[1]))
		c.Out.OK()
		return nil
	}
	key := command.OneKey(1, command.RO)
	f.Add(command.Spec{Name: "NOTE", Arity: 2, Keys: key, Flags: command.ReadOnly, Run: note})
	f.Add(command.Spec{Name: "NOTEALL", Arity: 2, Flags: command.Exclusive, Run: note})
	db := cmdtest.New(t, txcmd.Family.Specs, f.Specs)
	log := &lineLog{t: t, ks: db.Keyspace}
	db.Shared.Log = slog.New(log)
	want := func(lines ...string) {
		t.Helper()
		for i := range lines {
			lines[i] += fmt.Sprintf(" id=%d addr=%s", db.Session.ID, db.Session.Remote)
		}
		if got := strings.Join(log.lines, "\n"); got != strings.Join(lines, "\n") {
			t.Errorf("got\n%s\nwant\n%s", got, strings.Join(lines, "\n"))
		}
		log.lines = nil
	}
	db.Do("NOTE", "k")
	want("k")
	db.Do("NOTEALL", "all")
	want("all")
	for _, all := range []string{"NOTE", "NOTEALL"} {
		db.Do("MULTI")
		db.Do("NOTE", "a")
		db.Do(all, "b")
		want()
		db.Do("EXEC")
		want("a", "b")
	}
	db.Do("MULTI")
	var lines []string
	for i := range 20 {
		db.Do("NOTE", fmt.Sprint(i))
		if i < 16 {
			lines = append(lines, fmt.Sprint(i))
		}
	}
	db.Do("EXEC")
	want(append(lines, "4 more lines of one transaction are left out")...)
	db.Do("NOTE", "again")
	want("again")
}
