package streamcmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// A timed step comes so many milliseconds after the one before.
type timed struct {
	after int
	call  string
	want  string
}

func runTimed(t *testing.T, db *cmdtest.DB, steps ...timed) {
	t.Helper()
	for _, s := range steps {
		db.Clock.Advance(time.Duration(s.after) * time.Millisecond)
		run(t, db, step{s.call, s.want})
	}
}

// aged is a reply of XREADGROUP CLAIM: IDs, idle times and deliveries.
func aged(key string, entries ...[3]int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[[%s [", key)
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "[%d-0 [f v] %d %d]", e[0], e[1], e[2])
	}
	return b.String() + "]]]"
}

func streamOf(t *testing.T, n int) *cmdtest.DB {
	db := newDB(t)
	for i := range n {
		db.Do("XADD", "s", fmt.Sprint(i+1, "-0"), "f", "v")
	}
	db.Do("XGROUP", "CREATE", "s", "g", "0")
	return db
}

// CLAIM takes what has been pending for long enough, the oldest first, and then what is new;
// together no more than COUNT. The reply says how long, and how often it was delivered.
func TestXReadGroupClaim(t *testing.T) {
	const read = "XREADGROUP GROUP g "
	runTimed(t, streamOf(t, 4),
		timed{0, read + "a CLAIM 50 STREAMS s 0", "[[s []]]"}, // its own history: CLAIM is ignored
		timed{0, read + "a COUNT 2 STREAMS s >", entries("s", 1, 2)},
		timed{49, read + "b COUNT 1 CLAIM 50 STREAMS s >", aged("s", [3]int{3, 0, 0})},
		timed{1, read + "b COUNT 1 CLAIM 50 STREAMS s >", aged("s", [3]int{1, 50, 1})},
		timed{7, read + "b CLAIM 50 STREAMS s >", aged("s", [3]int{2, 57, 1}, [3]int{4, 0, 0})},
		timed{0, read + "b CLAIM 50 STREAMS s >", "(nil)"},
		timed{0, "XPENDING s g - + 9", "[[1-0 b 7 2] [2-0 b 0 2] [3-0 b 8 1] [4-0 b 0 1]]"},
		timed{0, read + "c CLAIM 7 STREAMS s >", aged("s", [3]int{3, 8, 1}, [3]int{1, 7, 2})},
		timed{0, read + "c CLAIM 0 STREAMS s >",
			aged("s", [3]int{1, 0, 3}, [3]int{2, 0, 2}, [3]int{3, 0, 2}, [3]int{4, 0, 1})},
		timed{9, read + "c NOACK CLAIM 9223372036854775807 STREAMS s >", "(nil)"},
		timed{0, "XCLAIM s g d 0 4-0 IDLE 1000 JUSTID", "[4-0]"},
		timed{0, "XACK s g 1-0 3-0", "2"},
		timed{0, read + "c CLAIM 5 STREAMS s >", aged("s", [3]int{4, 1000, 2}, [3]int{2, 9, 3})},
		timed{9, "XGROUP DELCONSUMER s g c", "2"},
		timed{0, read + "c CLAIM 0 STREAMS s >", "(nil)"},
	)
}

// A group that has gone back gets an entry twice, once of what is pending and once as new.
func TestXReadGroupClaimAgain(t *testing.T) {
	const read = "XREADGROUP GROUP g "
	runTimed(t, streamOf(t, 2),
		timed{0, read + "a STREAMS s >", entries("s", 1, 2)},
		timed{5, "XGROUP SETID s g 0", "OK"},
		timed{0, read + "b CLAIM 5 STREAMS s >",
			aged("s", [3]int{1, 5, 1}, [3]int{2, 5, 1}, [3]int{1, 0, 0}, [3]int{2, 0, 0})},
		timed{5, read + "b COUNT 1 CLAIM 5 STREAMS s >", aged("s", [3]int{1, 5, 1})},
		timed{0, "XGROUP SETID s g 18446744073709551615-18446744073709551615", "OK"},
		timed{0, read + "b CLAIM 5 STREAMS s >", aged("s", [3]int{2, 5, 1})},
	)
}

// What was deleted is no longer pending, and counts for nothing.
func TestXReadGroupClaimDeleted(t *testing.T) {
	const read = "XREADGROUP GROUP g "
	db := streamOf(t, 5)
	runTimed(t, db,
		timed{0, read + "a STREAMS s >", entries("s", 1, 5)},
		timed{0, "XDEL s 1-0 2-0 4-0", "3"},
		timed{5, read + "b COUNT 1 CLAIM 5 STREAMS s >", aged("s", [3]int{3, 5, 1})},
		timed{0, "XPENDING s g - + 9", "[[3-0 b 0 2] [4-0 a 5 1] [5-0 a 5 1]]"},
		timed{0, "XTRIM s MAXLEN 0", "2"},
	)
	db.RecordJournal()
	runTimed(t, db,
		timed{5, read + "c CLAIM 10 STREAMS s >", "(nil)"},
		timed{0, "XPENDING s g", "[1 3-0 3-0 [[b 1]]]"},
	)
	waiting(t, db, read+"c BLOCK 1 CLAIM 1000 STREAMS s >")
	db.WantJournal("MULTI",
		"XCLAIM s g a 0 4-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 5-0",
		"XCLAIM s g a 0 5-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 5-0", "EXEC")
}

func TestXReadGroupClaimJournal(t *testing.T) {
	db := streamOf(t, 2)
	db.Do("XREADGROUP", "GROUP", "g", "a", "COUNT", "1", "STREAMS", "s", ">")
	db.Clock.Advance(20 * time.Millisecond)
	db.RecordJournal()
	run(t, db, step{"XREADGROUP GROUP g b CLAIM 20 STREAMS s >", aged("s", [3]int{1, 20, 1}, [3]int{2, 0, 0})},
		step{"XREADGROUP GROUP g b NOACK CLAIM 20 STREAMS s >", "(nil)"})
	db.WantJournal("MULTI", "XCLAIM s g b 0 1-0 TIME 1700000000020 RETRYCOUNT 2 FORCE JUSTID LASTID 1-0",
		"XCLAIM s g b 0 2-0 TIME 1700000000020 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0",
		"XGROUP SETID s g 2-0 ENTRIESREAD 2", "EXEC")
}

// Several streams are read one by one, each up to COUNT.
func TestXReadGroupClaimStreams(t *testing.T) {
	db := streamOf(t, 2)
	db.Do("XADD", "r", "3-0", "f", "v")
	db.Do("XGROUP", "CREATE", "r", "g", "0")
	runTimed(t, db,
		timed{0, "XREADGROUP GROUP g a COUNT 1 STREAMS s r > >",
			"[" + entries("s", 1, 1)[1:len(entries("s", 1, 1))-1] + " " + entries("r", 3, 3)[1:]},
		timed{5, "XREADGROUP GROUP g b COUNT 2 CLAIM 5 STREAMS s r > >",
			"[[s [[1-0 [f v] 5 1] [2-0 [f v] 0 0]]] [r [[3-0 [f v] 5 1]]]]"},
		timed{0, "MULTI", "OK"},
		timed{0, "XREADGROUP GROUP g b BLOCK 0 CLAIM 5 STREAMS s r > >", "QUEUED"},
		timed{0, "EXEC", "[(nil)]"},
	)
}

func TestXReadGroupClaimWrong(t *testing.T) {
	const notInt = "-ERR min-idle-time is not an integer"
	const negative = "-ERR min-idle-time must be a positive integer"
	const read = "XREADGROUP GROUP g c "
	run(t, streamOf(t, 1),
		step{read + "CLAIM x STREAMS s >", notInt},
		step{read + "CLAIM 5.5 STREAMS s >", notInt},
		step{read + "CLAIM +10 STREAMS s >", notInt},
		step{read + "CLAIM -0 STREAMS s >", notInt},
		step{read + "CLAIM -10 STREAMS s >", negative},
		step{read + "CLAIM 10 CLAIM COUNT 1 STREAMS s >", notInt},
		step{"XREADGROUP CLAIM GROUP g c COUNT 1 STREAMS s >", notInt},
		step{read + "CLAIM STREAMS s >", notInt},
		step{"XREADGROUP GROUP g CLAIM 50 c STREAMS s >", errSyntax},
		step{read + "STREAMS s > CLAIM 50", "-ERR Invalid stream ID specified as stream command argument"},
		step{"XREADGROUP GROUP h c CLAIM 1 STREAMS s >",
			"-NOGROUP No such key 's' or consumer group 'h' in XREADGROUP with GROUP option"},
		step{"XREAD COUNT 2 CLAIM 10 STREAMS s 0",
			"-ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead."},
		step{"XREADGROUP CLAIM 5 GROUP g c CLAIM 6 STREAMS s >", aged("s", [3]int{1, 0, 0})},
	)
}

// Who waits is served when something has become old enough, too, whenever it was delivered;
// and is not when it was acknowledged before.
func TestXReadGroupClaimWaits(t *testing.T) {
	const served = "*1 *2 $1 s *1 *4 $3 1-0 *2 $1 f $1 v :%d :%d "
	db := streamOf(t, 1)
	later := func(ms int, c *cmdtest.Client, want string) {
		t.Helper()
		db.Clock.Advance(time.Duration(ms) * time.Millisecond)
		wantSaid(t, c, want)
	}
	db.Do("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
	c := waiting(t, db, "XREADGROUP GROUP g c BLOCK 5000 CLAIM 1000 STREAMS s >")
	d := waiting(t, db, "XREADGROUP GROUP g d BLOCK 0 CLAIM 1500 STREAMS s >")
	later(999, c, "")
	later(1, c, fmt.Sprintf(served, 1000, 1))
	later(1499, d, "")
	later(1, d, fmt.Sprintf(served, 1500, 2)) // since c had it

	c = waiting(t, db, "XREADGROUP GROUP g c BLOCK 0 CLAIM 100 STREAMS s >")
	db.Do("XACK", "s", "g", "1-0")
	later(500, c, "")
	db.Do("XADD", "s", "2-0", "f", "v")
	later(0, c, "*1 *2 $1 s *1 *4 $3 2-0 *2 $1 f $1 v :0 :0 ")

	c = waiting(t, db, "XREADGROUP GROUP g c BLOCK 60 CLAIM 100 STREAMS s >")
	later(59, c, "")
	later(1, c, "*-1 ")
	c = waiting(t, db, "XREADGROUP GROUP g c BLOCK 0 CLAIM 100 STREAMS s >")
	later(39, c, "")
	db.Do("XCLAIM", "s", "g", "a", "0", "2-0", "IDLE", "70", "JUSTID")
	later(29, c, "")
	later(1, c, "*1 *2 $1 s *1 *4 $3 2-0 *2 $1 f $1 v :100 :1 ")
}

// Two wait for what there is not yet: one gets it, and the other when the first has had it for
// long enough. A key of several is enough.
func TestXReadGroupClaimTwoWait(t *testing.T) {
	db := newDB(t)
	for _, key := range []string{"r", "s"} {
		db.Do("XGROUP", "CREATE", key, "g", "0", "MKSTREAM")
	}
	c := waiting(t, db, "XREADGROUP GROUP g c BLOCK 0 CLAIM 100 STREAMS r s > >")
	d := waiting(t, db, "XREADGROUP GROUP g d BLOCK 0 CLAIM 100 STREAMS r s > >")
	db.Clock.Advance(time.Second)
	db.Do("XADD", "s", "2-0", "f", "v")
	wantSaid(t, c, "*1 *2 $1 s *1 *4 $3 2-0 *2 $1 f $1 v :0 :0 ")
	wantSaid(t, d, "")
	db.Clock.Advance(100 * time.Millisecond)
	wantSaid(t, d, "*1 *2 $1 s *1 *4 $3 2-0 *2 $1 f $1 v :100 :1 ")
	d = waiting(t, db, "XREADGROUP GROUP g d BLOCK 0 CLAIM 100 STREAMS r s > >")
	db.Do("DEL", "s")
	wantSaid(t, d, "-UNBLOCKED the stream key no longer exists ")
}
