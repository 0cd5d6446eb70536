package streamcmd_test

import (
	"strings"
	"testing"
)

// legacy is what a server before 7.0 dumped of six entries, the third of which was deleted,
// two groups, of which one had read four entries, and a trim to the last two entries.
const legacy = "\x0f\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\xc3\x40\x4a" +
	"\x40\x57\x16\x57\x00\x00\x00\x23\x00\x02\x01\x04\x01\x01\x01\x84\x64\x61\x74\x61\x05\x00" +
	"\x01\x03\x01\x00\x20\x01\x03\x81\x61\x02\x04\x20\x0a\x00\x01\x40\x0a\x00\x62\x60\x0a\x00" +
	"\x02\x40\x0a\x00\x63\x60\x0a\x40\x22\x01\x81\x64\x20\x0a\x40\x39\x20\x0a\x00\x65\x60\x0a" +
	"\x00\x05\x40\x0a\x00\x66\x20\x0a\x00\xff\x02\x06\x00\x02\x02\x67\x31\x05\x00\x04\x00\x00" +
	"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x3e\xf7\x83\x43\x7a\x01\x00\x00" +
	"\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x3e\xf7\x83\x43\x7a" +
	"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x3e\xf7" +
	"\x83\x43\x7a\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x3e\xf7\x83\x43\x7a\x01\x00\x00\x01\x01\x03\x63\x31\x31\x3e\xf7\x83\x43\x7a\x01\x00" +
	"\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x02\x67\x32\x00\x00\x00\x00\x09\x00\x3d\x52\xef\x68\x67\x52\x1d\xfa"

// TestLag: how much groups have read, and what is left, as far as that can be known.
func TestLag(t *testing.T) {
	db := newDB(t)
	// want compares entries-read and lag of each group.
	want := func(want string) {
		t.Helper()
		var got []string
		for _, group := range strings.Split(db.Do("XINFO", "GROUPS", "x").Text(), "entries-read ")[1:] {
			read, lag, _ := strings.Cut(group, " lag ")
			lag, _, _ = strings.Cut(lag, "]")
			got = append(got, read+" "+lag)
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("got %s, want %s", text, want)
		}
	}
	do := func(calls string) {
		for _, call := range strings.Split(calls, ",") {
			db.Do(strings.Fields(call)...)
		}
	}
	do("XGROUP CREATE x g1 0 MKSTREAM")
	want("(nil) 0")
	do("XADD x 1 f v,XDEL x 1")
	want("(nil) 0")
	do("DEL x,XADD x 1 f v,XADD x 2 f v,XADD x 3 f v,XADD x 4 f v,XADD x 5 f v,XGROUP CREATE x g1 0")
	want("(nil) 5")
	do("XREADGROUP GROUP g1 c COUNT 1 STREAMS x >")
	want("1 4")
	do("XREADGROUP GROUP g1 c COUNT 10 STREAMS x >")
	want("5 0")
	do("XADD x 6 f v")
	want("5 1")
	do("DEL x,XADD x 1 f v,XADD x 2 f v,XADD x 3 f v,XADD x 4 f v,XADD x 5 f v,XDEL x 3")
	do("XGROUP CREATE x g1 0,XGROUP CREATE x g2 0")
	want("(nil) (nil), (nil) (nil)")
	for range 3 {
		do("XREADGROUP GROUP g1 c COUNT 1 STREAMS x >")
		want("(nil) (nil), (nil) (nil)")
	}
	do("XREADGROUP GROUP g1 c COUNT 1 STREAMS x >")
	want("5 0, (nil) (nil)")
	do("XADD x 6 f v")
	want("5 1, (nil) (nil)")
	do("XTRIM x MINID = 3-0")
	want("5 1, (nil) 3")
	do("XTRIM x MINID = 5-0")
	want("5 1, (nil) 2")
	db.Do("RESTORE", "x", "0", legacy, "REPLACE").Want("OK")
	want("1 1, 0 2")
	db.Do("XINFO", "STREAM", "x").Want("[length 2 radix-tree-keys 1 radix-tree-nodes 2 " +
		"last-generated-id 6-0 max-deleted-entry-id 0-0 entries-added 2 recorded-first-entry-id 5-0 groups 2 " +
		"first-entry [5-0 [data e]] last-entry [6-0 [data f]]]")
}
