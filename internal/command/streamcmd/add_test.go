package streamcmd_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	errID      = "-ERR Invalid stream ID specified as stream command argument"
	errSmall   = "-ERR The ID specified in XADD is equal or smaller than the target stream top item"
	errSyntax  = "-ERR syntax error"
	errInteger = "-ERR value is not an integer or out of range"
	errType    = "-WRONGTYPE Operation against a key holding the wrong kind of value"
	errArity   = "-ERR wrong number of arguments for 'xadd' command"
)

func TestXAdd(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "str", "v")
	run(t, db,
		step{"XADD s * f v", "1700000000000-0"},
		step{"XADD s * f v", "1700000000000-1"},
		step{"XADD s 1700000000000-* f v", "1700000000000-2"},
		step{"XADD s 1700000000001 f v", "1700000000001-0"},
		step{"XADD s * f v", "1700000000001-1"}, // the clock has fallen behind
		step{"XADD s 5-* f v", errSmall},
		step{"XADD s 1700000000001-1 f v", errSmall},
		step{"XLEN s", "5"},
		step{"XADD new 0-0 f v", "-ERR The ID specified in XADD must be greater than 0-0"},
		step{"XADD new 0 f v", "-ERR The ID specified in XADD must be greater than 0-0"},
		step{"XADD new 1-1-1 f v", errID},
		step{"XADD new 1-**  f v", errID},
		step{"XADD new x f v", errID},
		step{"XADD new - f v", errID},
		step{"XADD new * f", errArity},
		step{"XADD new * f v g", errArity},
		step{"XADD new NOMKSTREAM NOMKSTREAM NOMKSTREAM", errArity},
		step{"XADD new MAXLEN 3 MAXLEN 3 * f v",
			"-ERR syntax error, MAXLEN and MINID options at the same time are not compatible"},
		step{"XADD new MAXLEN -1 * f v", "-ERR The MAXLEN argument must be >= 0."},
		step{"XADD new MAXLEN ~ 9223372036854775808 * f v", errInteger},
		step{"XADD new MAXLEN ~ 1 LIMIT -1 * f v", "-ERR The LIMIT argument must be >= 0."},
		step{"XADD new MAXLEN 1 LIMIT 1 * f v",
			"-ERR syntax error, LIMIT cannot be used without the special ~ option"},
		step{"XADD new LIMIT 1 * f v",
			"-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
		step{"XADD new NOMKSTREAM * f v", "(nil)"},
		step{"EXISTS new", "0"},
		step{"XADD str * f v", errType},
		step{"XADD new 0-* f v", "0-1"},
		step{"XADD new 007-+9 f v", "7-9"},
		step{"XADD new MAXLEN 0 9-0 f v", "9-0"},
		step{"XLEN new", "0"},
		step{"EXISTS new", "1"},
		step{"OBJECT ENCODING new", "stream"},
		step{"TYPE new", "stream"},
	)
}

// TestX8: IDs at the end of what they can be, and trimming to lengths there.
func TestX8IDsAtTheEnds(t *testing.T) {
	const most = "18446744073709551615"
	exhausted := "-ERR The stream has exhausted the last possible ID, unable to add more items"
	db := newDB(t)
	run(t, db,
		step{"XADD a " + most + "-* f v", most + "-0"},
		step{"XADD a * f v", most + "-1"},
		step{"XADD a " + most + "-" + most + " f v", most + "-" + most},
		step{"XADD a * f v", exhausted},
		step{"XADD a 1-1 f v", exhausted},
		step{"XADD b 1-" + most + " f v", "1-" + most},
		step{"XADD b 1-* f v", errSmall},
		step{"XADD b 2577343934890-" + most + " f v", "2577343934890-" + most},
		step{"XADD b * f v", "2577343934891-0"},
		step{"XADD b MAXLEN ~ 9223372036854775807 * f v", "2577343934891-1"},
		step{"XTRIM b MAXLEN ~ 9223372036854775808", errInteger},
		step{"XTRIM b MAXLEN 9223372036854775807", "0"},
		step{"XTRIM b MAXLEN ~ 0 LIMIT 9223372036854775807", "4"},
		step{"XADD c 18446744073709551616 f v", errID},
		step{"XADD c " + most + "- f v", errID},
		step{"XRANGE a (" + most + "-" + most + " +", "-ERR invalid start ID for the interval"},
		step{"XRANGE a - (0-0", "-ERR invalid end ID for the interval"},
		step{"XREVRANGE a + (" + most + "-" + most, "-ERR invalid start ID for the interval"},
		step{"XREAD STREAMS a " + most + "-" + most, "(nil)"},
		step{"XREAD STREAMS a " + most + "-1", "[[a [[" + most + "-" + most + " [f v]]]]]"},
		step{"XGROUP CREATE a g 0", "OK"},
		step{"XREADGROUP GROUP g c COUNT -1 STREAMS a " +
			">", "[[a [[" + most + "-0 [f v]] [" + most + "-1 [f v]] [" +
			most + "-" + most + " [f v]]]]]"},
		step{"XREADGROUP GROUP g c STREAMS a " + most + "-" + most, "(nil)"}, // as good as >
		step{"XPENDING a g", "[3 " + most + "-0 " + most + "-" + most + " [[c 3]]]"},
		step{"XDEL a " + most + "-" + most, "1"},
		step{"XAUTOCLAIM a g d 0 0 COUNT 8070450532247928833", "-ERR COUNT must be > 0"},
		step{"XAUTOCLAIM a g d 0 0 COUNT 576460752303423487", "[0-0 [[" + most + "-0 [f v]] [" + most +
			"-1 [f v]]] [" + most + "-" + most + "]]"},
	)
}

// TestFault3A16: an entry larger than a gigabyte is refused (CVE-2021-32627); see also
// TestTooLarge. The largest values that are taken are whole.
func TestFault3A16LargeEntry(t *testing.T) {
	db := newDB(t)
	large := strings.Repeat("x", 20<<20)
	db.Do("XADD", "s", "1-1", "f", large, "g", large).Want("1-1")
	db.Do("XADD", "s", "1-2", "f", "small").Want("1-2")
	db.Do("XRANGE", "s", "-", "+").Want("[[1-1 [f " + large + " g " + large + "]] [1-2 [f small]]]")
}

func TestXTrim(t *testing.T) {
	db := newDB(t)
	db.Keyspace.Limits().StreamEntries.Store(10)
	db.Do("SET", "str", "v")
	for i := range 100 {
		db.Do("XADD", "s", fmt.Sprint(i+1), "f", "v")
	}
	db.RecordJournal()
	run(t, db,
		step{"XTRIM s MAXLEN ~ 85", "10"},
		step{"XTRIM s MINID ~ 25 LIMIT 5", "0"},
		step{"XTRIM s MINID ~ 25 LIMIT 100", "10"},
		step{"XTRIM s MINID 25", "4"},
		step{"XTRIM s MAXLEN = 70", "6"},
		step{"XTRIM s MAXLEN ~ 0 LIMIT 25", "20"}, // a third node would be too many
		step{"XTRIM none MAXLEN 0", "0"},
		step{"XTRIM str MAXLEN 0", errType},
		step{"XTRIM s MAXLEN", "-ERR wrong number of arguments for 'xtrim' command"},
		step{"XTRIM s FOO 1", errSyntax},
		step{"XTRIM s LIMIT " +
			"1", "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
		step{"XTRIM s ACKED KEEPREF", "-ERR syntax error, XTRIM must be called with a trimming strategy"},
		step{"XADD s MAXLEN ~ 55 LIMIT 30 101 f v", "101-0"},
		step{"XADD s MINID ~ 40 102 f v", "102-0"},
	)
	db.WantJournal(
		"XTRIM s MAXLEN = 90", "XTRIM s MINID = 21-0", "XTRIM s MINID 25", "XTRIM s MAXLEN = 70",
		"XTRIM s MAXLEN = 50", "XADD s MAXLEN = 51 101 f v", "XADD s MINID = 51-0 102 f v",
	)
}

// TestXAddJournal: what is journalled makes the same stream wherever it is replayed.
func TestXAddJournal(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	db.Keyspace.Limits().StreamEntries.Store(2)
	run(t, db,
		step{"XADD s * f v", "1700000000000-0"},
		step{"xadd s NOMKSTREAM 1700000000000-* f v", "1700000000000-1"},
		step{"XADD s 1700000000001 f v", "1700000000001-0"},
		step{"XADD s MAXLEN ~ 3 1700000000002 f v", "1700000000002-0"},
		step{"XADD s MAXLEN ~ 3 LIMIT 2 LIMIT 10 * f v", "1700000000002-1"},
		step{"XADD s MINID ~ 1700000000002-1 * f v", "1700000000002-2"},
		step{"XADD s MAXLEN 2 * f v", "1700000000002-3"},
		step{"XADD s NOMKSTREAM MINID 1 * f v", "1700000000002-4"},
		step{"XADD s MINID ~ 1700000000002-3 1700000000003 f v", "1700000000003-0"},
		step{"XADD none NOMKSTREAM * f v", "(nil)"},
		step{"XADD s 1-1 f v", errSmall},
		step{"XDEL s 1-1", "0"},
		step{"XDEL s 1700000000003 1-1", "1"},
		step{"XADD s MINID ~ 1800000000000 1700000000004 f v", "1700000000004-0"},
		step{"XLEN s", "0"},
	)
	db.WantJournal(
		"XADD s 1700000000000-0 f v",
		"xadd s NOMKSTREAM 1700000000000-1 f v",
		"XADD s 1700000000001 f v",
		"XADD s MAXLEN = 4 1700000000002 f v",
		"XADD s MAXLEN = 3 1700000000002-1 f v",
		"XADD s MINID = 1700000000002-1 1700000000002-2 f v",
		"XADD s MAXLEN 2 1700000000002-3 f v",
		"XADD s NOMKSTREAM MINID 1 1700000000002-4 f v",
		"XADD s MINID = 1700000000002-3 1700000000003 f v",
		"XDEL s 1700000000003 1-1",
		"XADD s MINID = 18446744073709551615-18446744073709551615 1700000000004 f v",
	)
}

// TestRefs: what becomes of entries that groups refer to, as Redis 8.2 documents it.
func TestRefs(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	for _, id := range strings.Fields("1 2 3 4 5 6 7 8 9") {
		db.Do("XADD", "s", id, "f", "v")
	}
	run(t, db,
		step{"XGROUP CREATE s g 0", "OK"},
		step{"XGROUP CREATE s h 0", "OK"},
		step{"XREADGROUP GROUP h c NOACK COUNT 8 STREAMS s >", entries("s", 1, 8)},
		step{"XREADGROUP GROUP g c COUNT 4 STREAMS s >", entries("s", 1, 4)},
		step{"XDELEX s IDS 2 1 1-1", "[1 -1]"},
		step{"XPENDING s g", "[4 1-0 4-0 [[c 4]]]"},
		step{"XDELEX s DELREF IDS 3 1 2 20", "[-1 1 -1]"},
		step{"XPENDING s g", "[2 3-0 4-0 [[c 2]]]"},
		step{"XDELEX s IDS 2 3 5 ACKED", "[2 2]"},
		step{"XACKDEL s g ACKED IDS 2 3 5", "[1 -1]"}, // all have read 3, nobody needs it now
		step{"XLEN s", "6"},
		step{"XREADGROUP GROUP g c COUNT 2 STREAMS s >", entries("s", 5, 6)},
		step{"XACK s g 6", "1"},
		step{"XREADGROUP GROUP h d STREAMS s >", entries("s", 9, 9)},
		step{"XACKDEL s h ACKED IDS 1 9", "[2]"}, // g has still to read it
		step{"XTRIM s MAXLEN 0 ACKED", "1"},
		step{"XRANGE s - +", "[[4-0 [f v]] [5-0 [f v]] [7-0 [f v]] [8-0 [f v]] [9-0 [f v]]]"},
		step{"XADD s ACKED MINID ~ 9 10 f v", "10-0"},
		step{"XADD s DELREF MINID 7 11 f v", "11-0"},
		step{"XPENDING s g", "[0 (nil) (nil) (nil)]"},
		step{"XLEN s", "5"},
		step{"XACKDEL s none IDS 2 1 2", "[-1 -1]"},
		step{"XACKDEL none g IDS 1 1", "[-1]"},
		step{"XDELEX none IDS 2 1 2", "[-1 -1]"},
		step{"XDELEX s IDS 0 1", "-ERR Number of IDs must be a positive integer"},
		step{"XDELEX s IDS x 1", "-ERR Number of IDs must be a positive integer"},
		step{"XDELEX s IDS 2 1", "-ERR The `numids` parameter must match the number of arguments"},
		step{"XDELEX s IDS 1 1 2", errSyntax},
		step{"XDELEX s DELREF ACKED KEEPREF", errSyntax},
		step{"XDELEX s IDS 1 x", errID},
	)
	var all []string
	for i := range 20_000 { // CVE-2025-62507 wrote beyond its array
		all = append(all, fmt.Sprintf("%d-0", i))
	}
	for _, head := range []string{"XDELEX s IDS 20000", "XACKDEL s g IDS 20000"} {
		reply := db.Do(append(strings.Fields(head), all...)...).Raw()
		if !strings.HasPrefix(reply, "*20000\r\n:-1\r\n") {
			t.Errorf("%s: %.50q", head, reply)
		}
	}
}

// entries is the reply of XREAD with some entries of a stream.
func entries(key string, from, to int) string {
	var all []string
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprintf("[%d-0 [f v]]", i))
	}
	return "[[" + key + " [" + strings.Join(all, " ") + "]]]"
}

func TestXSetID(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"XSETID s 1-1", "-ERR no such key"},
		step{"XADD s 5-0 f v", "5-0"},
		step{"XADD s 7-0 f v", "7-0"},
		step{"XSETID s 6-0", "-ERR The ID specified in XSETID is smaller than the target stream top item"},
		step{"XDEL s 7", "1"},
		step{"XSETID s 6-0", "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"},
		step{"XSETID s 8 ENTRIESADDED 0", "-ERR The entries_added specified in XSETID is smaller than the " +
			"target stream length"},
		step{"XSETID s 8 ENTRIESADDED -1", "-ERR entries_added must be positive"},
		step{"XSETID s 8 MAXDELETEDID 9", "-ERR The ID specified in XSETID is smaller than the provided " +
			"max_deleted_entry_id"},
		step{"XSETID s 8 MAXDELETEDID", errSyntax},
		step{"XSETID s 8 9", errSyntax},
		step{"XSETID s -", errID},
		step{"XSETID s 10-1 ENTRIESADDED 100 MAXDELETEDID 9-5", "OK"},
		step{"XINFO STREAM s", "[length 1 radix-tree-keys 1 radix-tree-nodes 2 last-generated-id 10-1 " +
			"max-deleted-entry-id 9-5 entries-added 100 recorded-first-entry-id 5-0 groups 0 " +
			"first-entry [5-0 [f v]] last-entry [5-0 [f v]]]"},
		step{"SET str v", "OK"},
		step{"XSETID str 1", errType},
	)
}
