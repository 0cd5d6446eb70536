//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"testing"
)

// refusal is how the log says what is wrong with a file, and where.
var refusal = regexp.MustCompile(`dump\.rdb: byte (\d+): \S`)

// ending is how such a log ends, and what scripts look for.
var ending = regexp.MustCompile(`Internal error in RDB reading offset \d+ -> .*\n.*\n` +
	`.* # Terminating server after rdb file reading failure\.\n$`)

// TestDamagedDump shows that no damage to the file gets past the start: the server says
// where it is and ends, and the file stays as it is, for whoever wants to rescue it.
func TestDamagedDump(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "--save", "")
	c := p.dial()
	fill(c, 300)
	c.want("OK", "SET", "big", string(bytes.Repeat([]byte("0123456789abcdef"), 1000)))
	c.want("OK", "SET", "expires", "late", "EX", "100000")
	c.want("OK", "SAVE")
	p.stop()
	whole := read(t, p.path("dump.rdb"))

	damaged := map[string][]byte{
		"a byte more":      append(bytes.Clone(whole), 0),
		"not an RDB file":  []byte("SQLite format 3\x00 and some more"),
		"from the future":  append([]byte("REDIS9999"), whole[9:]...),
		"version not text": append([]byte("REDIS00x1"), whole[9:]...),
	}
	for _, n := range []int{
		0, 1, 5, 8, 9, 10, 30, len(whole) / 2, len(whole) - 9, len(whole) - 8, len(whole) - 1,
	} {
		damaged[fmt.Sprintf("%d of %d bytes", n, len(whole))] = whole[:n]
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 24 {
		at := rng.IntN(len(whole))
		if i < 4 {
			at = len(whole) - 1 - i // the checksum itself
		}
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << rng.IntN(8)
		damaged[fmt.Sprintf("byte %d of %d is %#x for %#x", at, len(whole), flipped[at], whole[at])] = flipped
	}

	for what, content := range damaged {
		if err := os.WriteFile(p.path("dump.rdb"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		p := launch(t, dir)
		if code := p.wait(); code != 1 {
			t.Errorf("%s: exit code %d, want 1", what, code)
		}
		if !refusal.Match(p.out.Bytes()) {
			t.Errorf("%s: the log does not say where and why:\n%s", what, p.out)
		}
		if !ending.Match(p.out.Bytes()) {
			t.Errorf("%s: the log does not end as Redis's does:\n%s", what, p.out)
		}
		if !bytes.Equal(read(t, p.path("dump.rdb")), content) {
			t.Errorf("%s: the file is not what it was", what)
		}
		if names, _ := os.ReadDir(dir); len(names) != 1 {
			t.Errorf("%s: there are new files: %v", what, names)
		}
	}

	if err := os.WriteFile(p.path("dump.rdb"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	p = start(t, dir)
	if got := p.dial().do("DBSIZE").Int; got != 302 {
		t.Errorf("the undamaged file has %d keys, want 302", got)
	}
	p.stop()
}
