package streamcmd_test

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzCommands runs lines of words as commands, on streams that have some entries and a
// group. Nothing that is said may do worse than get an error; at the end everything is
// checked, and freed.
func FuzzCommands(f *testing.F) {
	for _, lines := range []string{
		"XADD s 5-* f v\nXADD s MAXLEN ~ 1 LIMIT 1 * f v g w\nXADD s ACKED MINID = 2 9 12 -3",
		"XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXREADGROUP GROUP g d NOACK STREAMS s s 0 >",
		"XCLAIM s g c 0 1 2 3 FORCE JUSTID LASTID 9 TIME 5 RETRYCOUNT 3\nXAUTOCLAIM s g e 0 (1 COUNT 2 " +
			"JUSTID",
		"XRANGE s (1-0 + COUNT 1\nXREVRANGE s + - COUNT 0\nXREAD COUNT 1 STREAMS s t $ +",
		"XGROUP CREATE s h $ ENTRIESREAD 4\nXGROUP SETID s g -\nXGROUP DELCONSUMER s g c\nXGROUP DESTROY s g",
		"XDELEX s DELREF IDS 2 1 2\nXACKDEL s g ACKED IDS 1 3\nXDEL s 1 2 3 4\nXTRIM s MAXLEN 0",
		"XPENDING s g IDLE 0 - + 10 c\nXPENDING s g\nXINFO STREAM s FULL COUNT 1\nXINFO GROUPS s\nXINFO " +
			"CONSUMERS s g",
		"XSETID s 18446744073709551615-1 ENTRIESADDED 9 MAXDELETEDID 3-3\nXADD s * f v\nXREAD BLOCK 0 " +
			"STREAMS s $",
	} {
		f.Add([]byte(lines))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		db := newDB(t)
		db.RecordJournal()
		db.Keyspace.Limits().StreamEntries.Store(2)
		for _, id := range strings.Fields("1 2 3 4") {
			db.Do("XADD", "s", id, "f", "v")
		}
		db.Do("XGROUP", "CREATE", "s", "g", "0")
		db.Do("XREADGROUP", "GROUP", "g", "c", "COUNT", "3", "STREAMS", "s", ">")
		for _, line := range bytes.Split(lines, []byte("\n")) {
			args := strings.Split(string(line), " ")
			if len(args[0]) < 4 || args[0][0]&^0x20 != 'X' {
				continue
			}
			c := db.NewClient() // it may wait
			reply := c.Do(args...).Raw()
			if reply == "" && !strings.EqualFold(args[0], "XREAD") && !strings.EqualFold(args[0], "XREADGROUP") {
				t.Errorf("%q: no reply", args)
			}
			c.Close()
		}
	})
}
