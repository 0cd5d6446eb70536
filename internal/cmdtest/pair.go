package cmdtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spineldb/spinel/internal/original"
)

// A Pair is us and an original, who get the same commands:
//
//	p := cmdtest.NewPair(db, original.Redis(t, original.Options{AppendOnly: true}))
//	p.RecordJournal()
//	for range testenv.Number(t, "SPINEL_COMMANDS", 6000) {
//		p.Same(randomCommand(rng)...)
//	}
//	p.SameJournal()
//
// A difference ends the test.
type Pair struct {
	*DB
	Original *original.Server

	trail [][]string // the last commands
}

// trailMax is how many commands are shown that came before a difference.
const trailMax = 40

// NewPair makes a Pair.
func NewPair(db *DB, o *original.Server) *Pair { return &Pair{DB: db, Original: o} }

// Ask sends a command to both and returns the bytes of the replies.
func (p *Pair) Ask(args ...string) (ours, theirs string) {
	p.t.Helper()
	p.trail = append(p.trail[max(0, len(p.trail)-trailMax):], args)
	return p.Do(args...).Raw(), p.Original.Do(args...)
}

// Same sends a command to both, and the replies must be the same bytes.
func (p *Pair) Same(args ...string) {
	p.t.Helper()
	if ours, theirs := p.Ask(args...); ours != theirs {
		p.Differ(ours, theirs)
	}
}

// Differ ends the test: the replies to the last command are not what they should be.
func (p *Pair) Differ(ours, theirs string) {
	p.t.Helper()
	var trail strings.Builder
	for _, args := range p.trail {
		fmt.Fprintf(&trail, "\n%.100q", args)
	}
	p.t.Fatalf("the replies differ:\n got %.500q\nwant %.500q\nto the last of%s", ours, theirs, &trail)
}

// Speak has both speak a version of the protocol, "2" or "3".
func (p *Pair) Speak(version string) {
	p.t.Helper()
	if reply := p.Original.Do("HELLO", version); strings.HasPrefix(reply, "-") {
		p.t.Fatal(reply)
	}
	p.Session.Out.Resp3 = version == "3"
}

// SameJournal compares what was journalled since RecordJournal with the original's
// append-only file.
func (p *Pair) SameJournal() {
	p.t.Helper()
	got, want := p.TakeJournal(), p.Original.Appended()
	for i := range max(len(got), len(want)) {
		at := min(i, len(want))
		before := want[max(0, at-3):at]
		switch {
		case i >= len(got):
			p.t.Fatalf("effect %d is missing: %.300q, behind %.100q", i, want[i], before)
		case i >= len(want):
			p.t.Fatalf("effect %d is one too many: %.300q, behind %.100q", i, got[i], before)
		case !slices.Equal(got[i], want[i]):
			p.t.Fatalf("effect %d, behind %.100q:\n got %.300q\nwant %.300q", i, before, got[i], want[i])
		}
	}
}

// SortedLines are the lines of a reply in an order of their own, to compare replies whose
// elements have none.
func SortedLines(raw string) string {
	lines := strings.Split(raw, "\r\n")
	slices.Sort(lines)
	return strings.Join(lines, "\r\n")
}
