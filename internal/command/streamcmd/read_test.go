package streamcmd_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/keyspace"
)

// sealed completes a payload as anybody can.
func sealed(body string) string {
	b := binary.LittleEndian.AppendUint16([]byte(body), 10)
	return string(binary.LittleEndian.AppendUint64(b, hash.CRC64(0, b)))
}

func TestRanges(t *testing.T) {
	db := newDB(t)
	db.Do("XADD", "s", "1-1", "f", "v", "n", "-5")
	db.Do("XADD", "s", "1-2", "f", "w")
	db.Do("XADD", "s", "2-0", "f", "x")
	db.Do("SET", "str", "v")
	all := "[[1-1 [f v n -5]] [1-2 [f w]] [2-0 [f x]]]"
	run(t, db,
		step{"XRANGE s - +", all},
		step{"XREVRANGE s + -", "[[2-0 [f x]] [1-2 [f w]] [1-1 [f v n -5]]]"},
		step{"XRANGE s 1 1", "[[1-1 [f v n -5]] [1-2 [f w]]]"},
		step{"XRANGE s (1-1 (2-0", "[[1-2 [f w]]]"},
		step{"XREVRANGE s (2-0 (1-1", "[[1-2 [f w]]]"},
		step{"XREVRANGE s (2 (1-1", "[[2-0 [f x]] [1-2 [f w]]]"},
		step{"XRANGE s + -", "[]"},
		step{"XRANGE s - + COUNT 1", "[[1-1 [f v n -5]]]"},
		step{"XREVRANGE s + - COUNT 1 COUNT 2", "[[2-0 [f x]] [1-2 [f w]]]"},
		step{"XRANGE s - + COUNT", errSyntax},
		step{"XRANGE s - + COUNT x", errInteger},
		step{"XRANGE s - + FOO 1", errSyntax},
		step{"XRANGE s (- +", errID},
		step{"XRANGE none - + COUNT 0", "[]"},
		step{"XRANGE str - +", errType},
		step{"XLEN str", errType},
		step{"XLEN none", "0"},
	)
	for _, count := range []string{"0", "-1"} {
		db.Do("XRANGE", "s", "-", "+", "COUNT", count).WantRaw("*-1\r\n")
	}
	db.Session.Out.Resp3 = true
	db.Do("XRANGE", "s", "-", "+", "COUNT", "0").WantRaw("_\r\n")
	db.Do("XREAD", "STREAMS", "s", "1-2").WantRaw(
		"%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nf\r\n$1\r\nx\r\n")
	db.Do("XINFO", "STREAM", "s").WantRaw("%10\r\n$6\r\nlength\r\n:3\r\n$15\r\nradix-tree-keys\r\n:1\r\n" +
		"$16\r\nradix-tree-nodes\r\n:2\r\n$17\r\nlast-generated-id\r\n$3\r\n2-0\r\n" +
		"$20\r\nmax-deleted-entry-id\r\n$3\r\n0-0\r\n$13\r\nentries-added\r\n:3\r\n" +
		"$23\r\nrecorded-first-entry-id\r\n$3\r\n1-1\r\n$6\r\ngroups\r\n:0\r\n$11\r\nfirst-entry\r\n" +
		"*2\r\n$3\r\n1-1\r\n*4\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\nn\r\n$2\r\n-5\r\n" +
		"$10\r\nlast-entry\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nf\r\n$1\r\nx\r\n")
	db.Do("XGROUP", "CREATE", "s", "g", "1-2").Want("OK")
	db.Do("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "s", ">", ">").WantRaw(
		"%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nf\r\n$1\r\nx\r\n")
	db.Do("XINFO", "GROUPS", "s").WantRaw("*1\r\n%6\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:1\r\n" +
		"$7\r\npending\r\n:1\r\n$17\r\nlast-delivered-id\r\n$3\r\n2-0\r\n$12\r\nentries-read\r\n:3\r\n" +
		"$3\r\nlag\r\n:0\r\n")
	db.Do("XINFO", "CONSUMERS", "s", "g").WantRaw("*1\r\n%4\r\n$4\r\nname\r\n$1\r\nc\r\n" +
		"$7\r\npending\r\n:1\r\n$4\r\nidle\r\n:0\r\n$8\r\ninactive\r\n:0\r\n")
}

func TestXRead(t *testing.T) {
	db := newDB(t)
	db.Do("XADD", "a", "1", "f", "v")
	db.Do("XADD", "a", "2", "f", "v")
	db.Do("XADD", "b", "5", "f", "v")
	db.Do("XADD", "b", "6", "f", "v")
	db.Do("XDEL", "b", "6")
	db.Do("SET", "str", "v")
	const a12, b5 = "[a [[1-0 [f v]] [2-0 [f v]]]]", "[b [[5-0 [f v]]]]"
	run(t, db,
		step{"XREAD STREAMS a b none 0 0 0", "[" + a12 + " " + b5 + "]"},
		step{"XREAD COUNT 1 STREAMS a a 0 1-1", "[[a [[1-0 [f v]]]] [a [[2-0 [f v]]]]]"},
		step{"XREAD STREAMS a b $ +", "[" + b5 + "]"},
		step{"XREAD STREAMS b 5", "(nil)"},
		step{"XREAD STREAMS none + ", "(nil)"},
		step{"XREAD STREAMS a str 0 0", errType},
		step{"XREAD STREAMS a b 0 " +
			">", "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP " +
			"<group> <consumer> option."},
		step{"XREAD GROUP g c STREAMS a 0",
			"-ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."},
		step{"XREAD NOACK STREAMS a 0",
			"-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."},
		step{"XREAD COUNT 1 COUNT 1", errSyntax},
		step{"XREAD COUNT STREAMS a 0", errInteger},
		step{"MULTI", "OK"}, // where nobody waits
		step{"XREAD BLOCK 0 STREAMS b $", "QUEUED"},
		step{"EXEC", "[(nil)]"},
	)
}

// TestX13: the keys that are locked are those that are read, whatever groups are called.
func TestX13StreamsTwice(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"XGROUP CREATE k streams 0 MKSTREAM", "OK"},
		step{"XADD k 1 f v", "1-0"},
		step{"XREADGROUP COUNT 1 GROUP streams streams STREAMS k >", entries("k", 1, 1)},
		step{"XREADGROUP NOACK GROUP streams c STREAMS k >", "(nil)"},
		step{"XADD streams 1 f v", "1-0"},
		step{"XREAD STREAMS streams 0", entries("streams", 1, 1)},
		step{"XREAD STREAMS k streams 0 0", "[[k [[1-0 [f v]]]] [streams [[1-0 [f v]]]]]"},
	)
}

// waiting is a client that has sent a command and got no reply.
func waiting(t *testing.T, db *cmdtest.DB, call string) *cmdtest.Client {
	t.Helper()
	c := db.NewClient()
	if raw := c.Do(strings.Fields(call)...).Raw(); raw != "" {
		t.Fatalf("%s: %q", call, raw)
	}
	return c
}

func wantSaid(t *testing.T, c *cmdtest.Client, want string) {
	t.Helper()
	if got := strings.ReplaceAll(string(c.Tick()), "\r\n", " "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestXReadWaits: $ is the last ID when the client began to wait, and + the last entry;
// who waits goes on waiting whatever else happens to the key.
func TestXReadWaits(t *testing.T) {
	db := newDB(t)
	db.Do("XADD", "a", "5", "f", "v")
	c := waiting(t, db, "XREAD BLOCK 0 STREAMS a b c $ 0 $")
	d := waiting(t, db, "XREAD BLOCK 0 STREAMS b +")
	e := waiting(t, db, "XREAD BLOCK 1500 STREAMS a $")
	run(t, db,
		step{"XDEL a 5", "1"},
		step{"DEL a", "1"},
		step{"SET a v", "OK"},
		step{"DEL a", "1"},
		step{"MULTI", "OK"},
		step{"XADD b 1 f v", "QUEUED"},
		step{"DEL b", "QUEUED"},
		step{"EXEC", "[1-0 1]"},
		step{"XADD a 4 f v", "4-0"}, // less than what $ was
	)
	wantSaid(t, c, "")
	wantSaid(t, d, "")
	db.Do("XADD", "b", "7", "f", "v")
	wantSaid(t, c, "*1 *2 $1 b *1 *2 $3 7-0 *2 $1 f $1 v ")
	wantSaid(t, d, "*1 *2 $1 b *1 *2 $3 7-0 *2 $1 f $1 v ")
	db.Clock.Advance(time.Second)
	wantSaid(t, e, "")
	db.Clock.Advance(time.Second)
	wantSaid(t, e, "*-1 ")
	f := waiting(t, db, "XREAD BLOCK 0 STREAMS a a a $ $ $")
	db.Do("MULTI")
	db.Do("XADD", "a", "6", "f", "v")
	db.Do("XADD", "a", "7", "f", "v")
	db.Do("EXEC")
	wantSaid(t, f, "*3 "+strings.Repeat("*2 $1 a *2 *2 $3 6-0 *2 $1 f $1 v *2 $3 7-0 *2 $1 f $1 v ", 3))
}

// TestFault3B22: what is delivered to those who waited is journalled (redis #7105).
func TestFault3B22WaitingGroup(t *testing.T) {
	db := newDB(t)
	db.Do("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
	c := waiting(t, db, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >")
	d := waiting(t, db, "XREADGROUP GROUP g d BLOCK 0 NOACK STREAMS s >")
	db.RecordJournal()
	db.Do("XADD", "s", "1", "f", "v")
	wantSaid(t, c, "*1 *2 $1 s *1 *2 $3 1-0 *2 $1 f $1 v ")
	wantSaid(t, d, "")
	db.Do("XADD", "s", "2", "f", "v")
	wantSaid(t, d, "*1 *2 $1 s *1 *2 $3 2-0 *2 $1 f $1 v ")
	db.WantJournal("XADD s 1 f v",
		"MULTI", "XCLAIM s g c 0 1-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0",
		"XGROUP SETID s g 1-0 ENTRIESREAD 1", "EXEC", "XADD s 2 f v",
		"MULTI", "XGROUP SETID s g 2-0 ENTRIESREAD 2", "XGROUP CREATECONSUMER s g d", "EXEC")
}

// TestGroupGoesAway: who waits in a group is told when there is nothing more to wait for.
func TestGroupGoesAway(t *testing.T) {
	const keyGone = "-UNBLOCKED the stream key no longer exists "
	const groupGone = "-NOGROUP the consumer group this client was blocked on no longer exists "
	for _, tt := range []struct{ calls, want string }{
		{"DEL s", keyGone},
		{"SET s v", keyGone},
		{"MULTI,DEL s,SET s v,EXEC", keyGone},
		{"RENAME s t", keyGone},
		{"XGROUP DESTROY s g", groupGone},
		{"XADD t 1 f v,RENAME t s", groupGone},
		{"XGROUP CREATE t g 0 MKSTREAM,XADD t 100 f v,RENAME t s", "*1 *2 $1 s *1 *2 $5 100-0 *2 $1 f $1 v "},
		{"XADD s 1 f v,XDEL s 1", "*1 *2 $1 s *1 *2 $3 1-0 *2 $1 f $1 v "},
		{"MULTI,XADD s 1 f v,XDEL s 1,EXEC", ""},
		{"XGROUP DESTROY s h,XGROUP CREATE s i 0", ""},
	} {
		db := newDB(t)
		db.Do("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
		db.Do("XGROUP", "CREATE", "s", "h", "$")
		c := waiting(t, db, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >")
		for _, call := range strings.Split(tt.calls, ",") {
			db.Do(strings.Fields(call)...)
		}
		if got := strings.ReplaceAll(string(c.Tick()), "\r\n", " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.calls, got, tt.want)
		}
	}
}

// TestStreamGoesByItself: they are told as well if nobody's command removes the key.
func TestStreamGoesByItself(t *testing.T) {
	const gone = "-UNBLOCKED the stream key no longer exists "
	for name, remove := range map[string]func(db *cmdtest.DB){
		"sweep": func(db *cmdtest.DB) {
			db.Do("PEXPIRE", "s", "10")
			db.Clock.Advance(3 * time.Second)
			db.Keyspace.SetNow(clock.Now(db.Clock))
			for range 5 {
				db.Keyspace.Sweep(time.Second)
			}
		},
		"eviction": func(db *cmdtest.DB) {
			db.Keyspace.Tuning.Policy.Store(int32(keyspace.AllKeysRandom))
			db.Keyspace.Tuning.MaxMemory.Store(1)
			db.Keyspace.Evict()
			db.Keyspace.Tuning.MaxMemory.Store(0)
		},
	} {
		for again, want := range map[string]string{
			"PING":                         gone,
			"XADD s 9 f v":                 "-NOGROUP the consumer group this client was blocked on no longer exists ",
			"XGROUP CREATE s g $ MKSTREAM": "",
			"MULTI,XADD s 1 f v,XGROUP CREATE s g 0,EXEC": "*1 *2 $1 s *1 *2 $3 1-0 *2 $1 f $1 v ",
		} {
			db := newDB(t)
			var tasks []func()
			db.Shared.Background = func(task func()) { tasks = append(tasks, task) }
			db.Keyspace.StreamGone = db.Shared.StreamGone
			db.Do("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
			db.Do("XGROUP", "CREATE", "other", "g", "$", "MKSTREAM")
			c := waiting(t, db, "XREADGROUP GROUP g c BLOCK 0 STREAMS s s > >")
			d := waiting(t, db, "XREAD BLOCK 0 STREAMS s $")
			remove(db)
			for _, call := range strings.Split(again, ",") {
				db.Do(strings.Fields(call)...)
			}
			for _, task := range tasks {
				task()
			}
			if got := strings.ReplaceAll(string(c.Tick()), "\r\n", " "); got != want || len(tasks) != 1 {
				t.Errorf("%s, %s: got %q of %d tasks, want %q", name, again, got, len(tasks), want)
			}
			if got := d.Tick(); strings.HasPrefix(string(got), "-") {
				t.Errorf("%s, %s: who reads without a group is told %q", name, again, got)
			}
		}
	}
}
