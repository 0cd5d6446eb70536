package streamcmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// TestGroups follows entries of a stream through a group.
func TestGroups(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	run(t, db,
		step{"XGROUP CREATE s g " +
			"$", "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE " +
			"you may want to use the MKSTREAM option to create an empty stream automatically."},
		step{"XGROUP CREATE s g $ MKSTREAM", "OK"},
		step{"XGROUP CREATE s g $", "-BUSYGROUP Consumer Group name already exists"},
		step{"XADD s 1 f v", "1-0"},
		step{"XADD s 2 f v", "2-0"},
		step{"XADD s 3 f v", "3-0"},
		step{"XREADGROUP GROUP g a COUNT 2 STREAMS s >", entries("s", 1, 2)},
		step{"XREADGROUP GROUP g b NOACK STREAMS s >", entries("s", 3, 3)},
		step{"XREADGROUP GROUP g b STREAMS s >", "(nil)"},
		step{"XREADGROUP GROUP g c STREAMS s >", "(nil)"}, // does not make a consumer
		step{"XREADGROUP GROUP g d STREAMS s 0", "[[s []]]"},
		step{"XDEL s 2", "1"},
		step{"XREADGROUP GROUP g a STREAMS s 0", "[[s [[1-0 [f v]] [2-0 (nil)]]]]"},
		step{"XACK s g 2 5 1-1", "1"},
		step{"XACK s g 2", "0"},
		step{"XACK s g 1 x", errID},
		step{"XACK none g x", "0"},
	)
	const claim = "XCLAIM s g a 0 %d-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID %d-0"
	db.WantJournal("XGROUP CREATE s g $ MKSTREAM", "XADD s 1 f v", "XADD s 2 f v", "XADD s 3 f v",
		"MULTI", fmt.Sprintf(claim, 1, 1), fmt.Sprintf(claim, 2, 2), "XGROUP SETID s g 2-0 ENTRIESREAD 2", "EXEC",
		"MULTI", "XGROUP SETID s g 3-0 ENTRIESREAD 3", "XGROUP CREATECONSUMER s g b", "EXEC",
		"XGROUP CREATECONSUMER s g d", "XDEL s 2", "XACK s g 2 5 1-1")
	db.Clock.Advance(time.Second)
	run(t, db,
		step{"XINFO CONSUMERS s g", "[[name a pending 1 idle 1000 inactive 1000] " +
			"[name b pending 0 idle 1000 inactive -1] [name d pending 0 idle 1000 inactive -1]]"},
		step{"XREADGROUP GROUP g b STREAMS s >", "(nil)"}, // an attempt, without success
		step{"XINFO CONSUMERS s g", "[[name a pending 1 idle 1000 inactive 1000] " +
			"[name b pending 0 idle 0 inactive -1] [name d pending 0 idle 1000 inactive -1]]"},
		step{"XPENDING s g - + 10", "[[1-0 a 1000 2]]"},
		step{"XPENDING s g IDLE 1001 - + 10", "[]"},
		step{"XPENDING s g IDLE 1000 - + 10 a", "[[1-0 a 1000 2]]"},
		step{"XCLAIM s g b 1001 1", "[]"},
		step{"XCLAIM s g b 1000 1", "[[1-0 [f v]]]"},
		step{"XINFO CONSUMERS s g", "[[name a pending 0 idle 1000 inactive 1000] " +
			"[name b pending 1 idle 0 inactive 0] [name d pending 0 idle 1000 inactive -1]]"},
		step{"XCLAIM s g e 0 9", "[]"},
		step{"XCLAIM s g b 0 9 LASTID 20", "[]"},
		step{"XAUTOCLAIM s g f 5000 0", "[0-0 [] []]"},
		step{"XGROUP DELCONSUMER s g b", "1"},
		step{"XGROUP DELCONSUMER s g b", "0"},
		step{"XGROUP CREATECONSUMER s g b", "1"},
		step{"XGROUP CREATECONSUMER s g b", "0"},
		step{"XGROUP SETID s g 1 ENTRIESREAD 1", "OK"},
		step{"XINFO GROUPS s",
			"[[name g consumers 5 pending 0 last-delivered-id 1-0 entries-read 1 lag (nil)]]"},
		step{"XGROUP DESTROY s g", "1"},
		step{"XGROUP DESTROY s g", "0"},
	)
	db.WantJournal(
		"XCLAIM s g b 0 1 TIME 1700000001000 RETRYCOUNT 3 FORCE JUSTID LASTID 3-0",
		"XGROUP CREATECONSUMER s g e", "XGROUP SETID s g 20-0 ENTRIESREAD 3", "XGROUP CREATECONSUMER s g f",
		"XGROUP DELCONSUMER s g b", "XGROUP CREATECONSUMER s g b", "XGROUP SETID s g 1 ENTRIESREAD 1",
		"XGROUP DESTROY s g")
}

func TestGroupErrors(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "str", "v")
	db.Do("XADD", "s", "1", "f", "v")
	db.Do("XGROUP", "CREATE", "s", "g", "0")
	noGroup := func(in string) string { return "-NOGROUP No such key 's' or consumer group 'x'" + in }
	noGroupOf := "-NOGROUP No such consumer group 'x' for key name 's'"
	wrong := "-ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP."
	run(t, db,
		step{"XGROUP CREATE str g 0", errType},
		step{"XGROUP CREATE s y -", errID},
		step{"XGROUP CREATE s y 0 ENTRIESREAD -2", "-ERR value for ENTRIESREAD must be positive or -1"},
		step{"XGROUP CREATE s y 0 ENTRIESREAD", fmt.Sprintf(wrong, "CREATE", "XGROUP")},
		step{"XGROUP CREATE s y 0 MKSTREAM MKSTREAM MKSTREAM " +
			"MKSTREAM", fmt.Sprintf(wrong, "CREATE", "XGROUP")},
		step{"XGROUP SETID s g 0 MKSTREAM", fmt.Sprintf(wrong, "SETID", "XGROUP")},
		step{"XGROUP SETID s g -", "OK"},
		step{"XGROUP SETID s x 0", noGroupOf},
		step{"XGROUP CREATECONSUMER s x c", noGroupOf},
		step{"XGROUP DELCONSUMER s x c", noGroupOf},
		step{"XGROUP help x", "-ERR wrong number of arguments for 'xgroup|help' command"},
		step{"XINFO help x", "-ERR wrong number of arguments for 'xinfo|help' command"},
		step{"XINFO STREAM none", "-ERR no such key"},
		step{"XINFO STREAM str", errType},
		step{"XINFO STREAM s FULL COUNT", fmt.Sprintf(wrong, "STREAM", "XINFO")},
		step{"XINFO STREAM s FULL COUNT x", errInteger},
		step{"XINFO CONSUMERS s x", noGroupOf},
		step{"XREADGROUP GROUP x c STREAMS s >", noGroup(" in XREADGROUP with GROUP option")},
		step{"XREADGROUP GROUP g c STREAMS str >", errType},
		step{"XREADGROUP COUNT 1 NOACK STREAMS s >", "-ERR Missing GROUP option for XREADGROUP"},
		step{"XREADGROUP GROUP g c STREAMS s s " +
			">", "-ERR Unbalanced 'xreadgroup' list of streams: for each stream " +
			"key an ID or '>' must be specified."},
		step{"XREAD STREAMS s s " +
			"0", "-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' " +
			"must be specified."},
		step{"XREADGROUP GROUP g c FOO STREAMS s >", errSyntax},
		step{"XREADGROUP GROUP g c COUNT 1 BLOCK 1", errSyntax},
		step{"XREADGROUP GROUP g c BLOCK -1 STREAMS s >", "-ERR timeout is negative"},
		step{"XREADGROUP GROUP g c BLOCK x STREAMS s >", "-ERR timeout is not an integer or out of range"},
		step{"XREADGROUP GROUP g c STREAMS s x", errID},
		step{"XPENDING s x", noGroup("")},
		step{"XPENDING s g 0", errSyntax},
		step{"XPENDING s g IDLE 0 - +", errSyntax},
		step{"XPENDING s g IDLE x - + 1", errInteger},
		step{"XPENDING s g - + x", errInteger},
		step{"XPENDING s g (+ + 1", errID},
		step{"XCLAIM s x c 0 1", noGroup("")},
		step{"XCLAIM s g c x 1", "-ERR Invalid min-idle-time argument for XCLAIM"},
		step{"XCLAIM s g c 0 1 IDLE x", "-ERR Invalid IDLE option argument for XCLAIM"},
		step{"XCLAIM s g c 0 1 TIME x", "-ERR Invalid TIME option argument for XCLAIM"},
		step{"XCLAIM s g c 0 1 RETRYCOUNT x", "-ERR Invalid RETRYCOUNT option argument for XCLAIM"},
		step{"XCLAIM s g c 0 1 LASTID x", errID},
		step{"XCLAIM s g c 0 1 TIME", "-ERR Unrecognized XCLAIM option 'TIME'"},
		step{"XAUTOCLAIM s g c x 1", "-ERR Invalid min-idle-time argument for XAUTOCLAIM"},
		step{"XAUTOCLAIM s g c 0 x", errID},
		step{"XAUTOCLAIM s g c 0 0 COUNT 0", "-ERR COUNT must be > 0"},
		step{"XAUTOCLAIM s g c 0 0 COUNT", errSyntax},
	)
	if lines := db.Do("XGROUP", "HELP").Text(); !strings.Contains(lines, "CREATE <key> <groupname> <id|$>") {
		t.Error(lines)
	}
}

// TestFault3A28: XAUTOCLAIM with pending entries that were deleted (CVE-2022-31144).
func TestFault3A28AutoClaimDeleted(t *testing.T) {
	db := newDB(t)
	for _, id := range strings.Fields("1 2 3") {
		db.Do("XADD", "x", id, "f", "v")
	}
	db.Do("XGROUP", "CREATE", "x", "grp", "0")
	db.Do("XREADGROUP", "GROUP", "grp", "Alice", "STREAMS", "x", ">")
	db.RecordJournal()
	run(t, db,
		step{"XDEL x 1-0 2-0", "2"},
		step{"XAUTOCLAIM x grp Bob 0 0-0 COUNT 1", "[2-0 [] [1-0]]"},
		step{"XAUTOCLAIM x grp Bob 0 2-0 COUNT 1", "[3-0 [] [2-0]]"},
		step{"XAUTOCLAIM x grp Bob 0 3-0 COUNT 1", "[0-0 [[3-0 [f v]]] []]"},
		step{"XPENDING x grp - + 10 Alice", "[]"},
	)
	const gone = "XCLAIM x grp Alice 0 %d-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 3-0"
	db.WantJournal("XDEL x 1-0 2-0", "MULTI", fmt.Sprintf(gone, 1), "XGROUP CREATECONSUMER x grp Bob", "EXEC",
		fmt.Sprintf(gone, 2), "XCLAIM x grp Bob 0 3-0 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID "+
			"LASTID 3-0")
}

// TestFault3B28: a stream without entries, and groups without any, are not lost in a
// dump (redis #6644).
func TestFault3B28EmptyStream(t *testing.T) {
	db := newDB(t)
	db.Do("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
	db.Do("XGROUP", "CREATE", "s", "h", "7-7", "ENTRIESREAD", "3")
	db.Do("XGROUP", "CREATECONSUMER", "s", "g", "c")
	db.Do("XSETID", "s", "9-9", "ENTRIESADDED", "5", "MAXDELETEDID", "8-8")
	want := db.Do("XINFO", "STREAM", "s", "FULL").Raw()
	same := func(raw string) string { return strings.ReplaceAll(raw, ":-1\r\n", ":1700000000000\r\n") }
	db.Do("RESTORE", "copy", "0", cmdtest.BulkOf(t, db.Do("DUMP", "s").Raw())).Want("OK")
	// The form of 7.0 does not tell when a consumer was active: that is when it was seen.
	if got := db.Do("XINFO", "STREAM", "copy", "FULL").Raw(); got != same(want) {
		t.Errorf("got %q, want %q", got, same(want))
	}
	db.Do("COPY", "s", "third").Want("1")
	db.Do("XINFO", "STREAM", "third", "FULL").WantRaw(want)
}

// TestFault3A70: a payload in which two consumers have the same pending entry, or that ends
// anywhere else than it should, is refused and leaves nothing (also 3A-64 and 3A-77).
func TestFault3A70SharedPending(t *testing.T) {
	db := newDB(t)
	for _, id := range strings.Fields("1 2 3") {
		db.Do("XADD", "s", id, "f", "v")
	}
	db.Do("XGROUP", "CREATE", "s", "g", "0")
	db.Do("XREADGROUP", "GROUP", "g", "aa", "COUNT", "1", "STREAMS", "s", ">")
	db.Do("XREADGROUP", "GROUP", "g", "bb", "COUNT", "1", "STREAMS", "s", ">")
	good := cmdtest.BulkOf(t, db.Do("DUMP", "s").Raw())
	good = good[:len(good)-10]
	db.Do("RESTORE", "copy", "0", sealed(good)).Want("OK")
	second := strings.LastIndex(good, "\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00")
	both := good[:second+7] + "\x01" + good[second+8:]
	for _, payload := range []string{sealed(both), sealed(good[:second]), sealed(good + "\x00")} {
		db.Do("RESTORE", "bad", "0", payload).WantError("ERR Bad data format")
		db.Do("EXISTS", "bad").Want("0")
	}
}
