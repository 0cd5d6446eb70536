package aof

import (
	"errors"
	"strings"
	"testing"
)

func TestParseManifest(t *testing.T) {
	long := "file a.1.incr.aof seq 1 type i" + strings.Repeat(" key value", 110) + "\n"
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"one file", "file a.1.base.rdb seq 1 type b\n", nil},
		{"keys of later versions", "file a.1.incr.aof seq 1 type i startoffset 5\n", nil},
		{"keys in any order and case", "TYPE i SEQ 3 FILE \"a b.aof\"\n", nil},
		{"comments", "# by hand\nfile a.1.base.rdb seq 1 type b\n", nil},
		{"empty", "", ErrManifestEmpty},
		{"only comments", "# nothing\n", ErrManifestEmpty},
		{"blank line", "file a.1.incr.aof seq 1 type i\n\n", ErrManifestFormat},
		{"missing key", "filx a.1.incr.aof seq 1 type i\n", ErrManifestFormat},
		{"too short", "file a.1.incr.aof type i\n", ErrManifestFormat},
		{"odd", "file a.1.incr.aof seq 1 type i newkey\n", ErrManifestFormat},
		{"a key twice in place of another", "file a file a type i\n", ErrManifestFormat},
		{"open quotes", "file \"a.1.incr.aof seq 1 type i\n", ErrManifestFormat},
		{"number", "file a.1.incr.aof seq x type i\n", ErrManifestFormat},
		{"number below one", "file a.1.incr.aof seq 0 type i\n", ErrManifestFormat},
		{"too long", long, ErrManifestLongLine},
		{"no end", "file a.1.incr.aof seq 1 type i", ErrManifestLongLine},
		{"type", "file a.1.base.aof seq 1 type x\n", ErrManifestType},
		{"path", "file ../a.aof seq 1 type b\n", ErrManifestPath},
		{"folder", "file .. seq 1 type b\n", ErrManifestPath},
		{"two bases", "file a.1.base.aof seq 1 type b\nfile a.2.base.aof seq 2 type b\n", ErrManifestTwoBases},
		{"order", "file a.2.incr.aof seq 2 type i\nfile a.1.incr.aof seq 1 type i\n", ErrManifestSequence},
		{"a name twice", "file a seq 1 type i\nfile a seq 2 type i\n", ErrManifestTwice},
	} {
		if _, err := ParseManifest([]byte(tt.text)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// The way of a data set: the first base, a rewrite that fails after its incremental file
// was opened, one that succeeds.
func TestManifestOverRewrites(t *testing.T) {
	var m Manifest
	m.NewBase("a b", true, 0)
	m.NewIncr("a b")
	m.NewIncr("a b")
	before := m.Clone()
	m.NewIncr("a b")
	m.NewBase("a b", false, 1)
	const want = `file "a b.2.base.aof" seq 2 type b
file "a b.2.incr.aof" seq 2 type h
file "a b.1.incr.aof" seq 1 type h
file "a b.1.base.rdb" seq 1 type h
file "a b.3.incr.aof" seq 3 type i
`
	text := m.AppendText(nil)
	if string(text) != want {
		t.Errorf("got\n%swant\n%s", text, want)
	}
	read, err := ParseManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	if again := read.AppendText(nil); string(again) != want {
		t.Errorf("read and written again\n%s", again)
	}
	if info := read.NewIncr("x"); info.Seq != 4 {
		t.Errorf("the next file is %v", info)
	}
	if got := len(before.Incrs) + len(before.History); got != 2 {
		t.Errorf("the copy has changed: %s", before.AppendText(nil))
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte("file a.1.base.rdb seq 1 type b\n# x\nfile \"a \\x00\" seq 1 type i startoffset 1\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := ParseManifest(content)
		if err != nil {
			return
		}
		text := m.AppendText(nil)
		again, err := ParseManifest(text)
		if err != nil {
			t.Fatalf("%q was read, and written as %q, which is not: %v", content, text, err)
		}
		if got := again.AppendText(nil); string(got) != string(text) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
