package cmdtest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/journal"
)

// RecordJournal begins to record effects, for WantJournal and TakeJournal.
func (db *DB) RecordJournal() {
	if db.Shared.Journal.Active() {
		return
	}
	db.Shared.Journal.Attach(db.note)
	db.Keyspace.Expired = func(database int, key []byte) {
		effect := journal.Effect{DB: database, Args: [][]byte{[]byte("DEL"), key}}
		db.Shared.Journal.Append([]journal.Effect{effect})
	}
}

func (db *DB) note(group []journal.Effect) {
	for _, e := range group {
		args := make([][]byte, len(e.Args))
		for i := range e.Args {
			args[i] = bytes.Clone(e.Args[i])
		}
		db.journal = append(db.journal, journal.Effect{DB: e.DB, Args: args})
	}
}

// TakeJournal returns the commands that were journalled since RecordJournal or the last look.
func (db *DB) TakeJournal() [][]string {
	all := make([][]string, len(db.journal))
	for i, e := range db.journal {
		all[i] = make([]string, len(e.Args))
		for j := range e.Args {
			all[i][j] = string(e.Args[j])
		}
	}
	db.journal = nil
	return all
}

// WantJournal compares what was journalled since RecordJournal or the last look.
func (db *DB) WantJournal(lines ...string) {
	db.t.Helper()
	if !db.Shared.Journal.Active() {
		db.t.Error("nothing was recorded: call RecordJournal before")
		return
	}
	var got []string
	for _, e := range db.journal {
		got = append(got, effectLine(e))
	}
	db.journal = nil
	if strings.Join(got, "\n") != strings.Join(lines, "\n") {
		db.t.Errorf("journal:\n got  %s\nwant  %s", strings.Join(got, "\n      "), strings.Join(lines, "\n      "))
	}
}

// effectLine is an effect as WantJournal is told it.
func effectLine(e journal.Effect) string {
	var b strings.Builder
	if e.DB != 0 {
		fmt.Fprintf(&b, "[%d] ", e.DB)
	}
	for i, a := range e.Args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if s := string(a); s == "" || strings.ContainsAny(s, " \r\n\x00\"") {
			b.WriteString(strconv.Quote(s))
		} else {
			b.WriteString(s)
		}
	}
	return b.String()
}
