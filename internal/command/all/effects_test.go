package all_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/command/bitcmd"
	"github.com/spineldb/spinel/internal/command/conncmd"
	"github.com/spineldb/spinel/internal/command/debugcmd"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/testenv"
)

// Random programs run on one DB, and what is journalled is replayed on another, whose clock is
// hours ahead. What they hold must be the same: whatever is relative, random or left to the
// order of a table in an effect, and whatever is missing, would show.
//
// Beside the places of cmdtest.Templates there are {t}, some milliseconds, and {at}, a time
// soon or past.

// volatile are commands that a comparison of replies leaves out, which Redis 7.0 knows.
var volatile = strings.Split(strings.TrimSpace(`
SET {k} {e} EX {n}
SET {k} {e} PX {t} GET
SET {k} {e} PXAT {at} NX
SET {k} {e} KEEPTTL
SET {k} {e} XX
SETEX {k} {n} {e}
PSETEX {k} {t} {e}
MSETNX {k} {e} {k} {e}
DECR {k}
DECRBY {k} {i}
GETEX {k} PX {t}
GETEX {k} PXAT {at}
GETEX {k} PERSIST
EXPIRE {k} {n}
EXPIRE {k} {j} GT
PEXPIRE {k} {t}
PEXPIRE {k} {t} LT
PEXPIREAT {k} {at}
PEXPIREAT {k} {at} NX
EXPIREAT {k} 1
SPOP {s}
SPOP {s} {n}
SRANDMEMBER {s} {n}
COPY {k} {k} DB 1
MOVE {k} 2
SWAPDB 0 1
SWAPDB 1 2
SELECT 1
SELECT 0
SELECT 0
XADD {x} * {e} {e}
XADD {x} MAXLEN ~ {n} * {e} {e}
XADD {x} MINID ~ {id} LIMIT 2 * {e} {e}
XTRIM {x} MAXLEN ~ {n}
XSETID {x} {id}
XSETID {x} 30-1 ENTRIESADDED 90 MAXDELETEDID {id}
XGROUP CREATE {x} g1 $ MKSTREAM
XGROUP SETID {x} g1 $ ENTRIESREAD {n}
XGROUP CREATECONSUMER {x} g1 {c}
XREADGROUP GROUP g1 {c} BLOCK 1{n}0 STREAMS {x} {x} > >
XREAD BLOCK 1{n}0 STREAMS {x} $
XCLAIM {x} g1 {c} {t} {id} {id} IDLE {t} FORCE LASTID {id}
XCLAIM {x} g1 {c} 0 {id} FORCE
XAUTOCLAIM {x} g1 {c} {t} - COUNT {n}
BLPOP {l} {l} 0.5
BRPOP {l} 0.1
BLMOVE {l} {l} LEFT RIGHT 0.3
BRPOPLPUSH {l} {l} 0.2
BLMPOP 0.2 2 {l} {l} RIGHT COUNT {n}
BZPOPMIN {z} {z} 0.2
BZPOPMAX {z} 0.3
BZMPOP 0.4 2 {z} {z} MAX COUNT {n}
GEOSEARCHSTORE {z}g {z}g FROMLONLAT {lon} {lat} BYRADIUS {n}000 km STOREDIST
GEORADIUS {z}g {lon} {lat} {n}000 km STORE {z}g
GEORADIUSBYMEMBER {z}g {g} {n}000 km STOREDIST {z}g
MULTI
DISCARD
EXEC
EXEC
EXEC
WATCH {k}
PFDEBUG TODENSE {p}
`), "\n")

// later are commands that came after 7.0.
var later = strings.Split(strings.TrimSpace(`
SET {k} {e} IFEQ {e}
SET {k} {e} IFNE {e} PX {t}
MSETEX 2 {k} {e} {k} {e} PX {t}
MSETEX 2 {k} {e} {k} {e} NX KEEPTTL
DELEX {k}
DELEX {k} IFNE {e}
DELIFEQ {k} {e}
HEXPIRE {h} {n} FIELDS 2 {e} {e}
HPEXPIRE {h} {t} FIELDS 2 {e} {e}
HPEXPIRE {h} {t} NX FIELDS 1 {e}
HPEXPIRE {h} {t} LT FIELDS 1 {e}
HPEXPIREAT {h} {at} FIELDS 2 {e} {e}
HEXPIREAT {h} 1 FIELDS 1 {e}
HPERSIST {h} FIELDS 2 {e} {e}
HGETEX {h} PX {t} FIELDS 2 {e} {e}
HGETEX {h} PXAT {at} FIELDS 1 {e}
HGETEX {h} PERSIST FIELDS 2 {e} {e}
HGETDEL {h} FIELDS 2 {e} {e}
HSETEX {h} PX {t} FIELDS 2 {e} {e} {e} {e}
HSETEX {h} PXAT {at} FIELDS 1 {e} {e}
HSETEX {h} FNX KEEPTTL FIELDS 1 {e} {e}
HSETEX {h} FXX EX {n} FIELDS 1 {e} {e}
BITOP DIFF {b} {b} {b}
BITOP ONE {b} {b} {b}
XDELEX {x} ACKED IDS 2 {id} {id}
XDELEX {x} DELREF IDS 2 {id} {id}
XACKDEL {x} g1 DELREF IDS 2 {id} {id}
XACKDEL {x} g2 KEEPREF IDS 1 {id}
XADD {x} DELREF MAXLEN {n} * {e} {e}
XADD {x} ACKED MAXLEN ~ {n} * {e} {e}
XTRIM {x} MAXLEN {n} DELREF
XREADGROUP GROUP g1 {c} CLAIM {t} STREAMS {x} >
`), "\n")

// rare are commands that need luck to have an effect.
var rare = []string{
	"LINSERT {l} BEFORE {e} {e}", "LREM {l} 0 {e}", "SMOVE {s} {s} {e}", "SREM {s} {e} {e}", "ZREM {z} {e} {e}",
	"XDEL {x} {id} {id}", "XACK {x} g1 {id} {id} {id}", "XACKDEL {x} g1 KEEPREF IDS 2 {id} {id}",
	"XDELEX {x} KEEPREF IDS 2 {id} {id}", "XADD {x} {id} {e} {e}", "HPERSIST {h} FIELDS 2 {e} {e}",
}

// A world is a DB with all commands, its clients, and a reader of what it journals.
type world struct {
	*cmdtest.DB
	t       *testing.T
	rng     *rand.Rand
	lines   []string
	missed  []string // of these, what has had no effect yet
	file    *journal.FileCursor
	clients []*cmdtest.Client
	trail   []string // calls since the last comparison
	later   tasks
	read    []byte          // of the journal, all
	wrote   map[string]bool // commands with effects
}

func newWorld(t *testing.T, seed uint64, lines []string) *world {
	t.Helper()
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 5)), lines: lines, wrote: map[string]bool{}}
	w.DB = newWholeDB(t, &w.later)
	w.clients = []*cmdtest.Client{w.Client, w.NewClient(), w.NewClient(), w.NewClient()}
	j := w.Shared.Journal
	w.file = j.NewFileCursor()
	removed := func(db int, key []byte) {
		j.Append([]journal.Effect{{DB: db, Args: [][]byte{[]byte("DEL"), slices.Clone(key)}}})
	}
	w.Keyspace.Expired, w.Keyspace.Evicted = removed, removed
	w.Keyspace.FieldExpired = func(db int, key, field []byte) {
		args := [][]byte{[]byte("HDEL"), slices.Clone(key), slices.Clone(field)}
		j.Append([]journal.Effect{{DB: db, Args: args}})
	}
	w.Keyspace.StreamGone = w.Shared.StreamGone
	return w
}

// tasks are what is to be done when nothing is locked.
type tasks []func()

func (l *tasks) add(task func()) { *l = append(*l, task) }

func (l *tasks) run() {
	for ; len(*l) > 0; *l = (*l)[1:] {
		(*l)[0]()
	}
}

// newWholeDB is a DB of which also the commands that drive a subsystem have what these
// programs need. Its values are small for a short while.
func newWholeDB(t *testing.T, later *tasks) *cmdtest.DB {
	t.Helper()
	set := config.NewSchema(debugcmd.Options).NewSet()
	if err := set.Load(config.Source{Lines: []byte("enable-debug-command yes")}); err != nil {
		t.Fatal(err)
	}
	db := cmdtest.New(t)
	bulk := func() int64 { return 1 << 20 }
	table, err := command.NewTable(nil, all.Families(all.Deps{
		Bit: bitcmd.Deps{MaxBulk: bulk}, String: stringcmd.Deps{MaxBulk: bulk},
		Conn:  conncmd.Deps{Databases: 16, Sessions: db.Shared.Sessions},
		Debug: debugcmd.Deps{Keyspace: db.Keyspace, Options: set},
		Server: servercmd.Deps{Keyspace: db.Keyspace, LazyFlush: func() bool { return false },
			Background: later.add, Flushed: func(*command.Ctx) {}},
	})...)
	if err != nil {
		t.Fatal(err)
	}
	db.Shared.Table, db.Shared.Background = table, later.add
	db.Executor = exec.New(db.Shared)
	l := db.Keyspace.Limits()
	l.HashEntries.Store(6)
	l.ZSetEntries.Store(6)
	l.SetEntries.Store(6)
	l.SetIntset.Store(6)
	l.ListSize.Store(4)
	l.StreamEntries.Store(4)
	l.HLLSparse.Store(200)
	return db
}

// step makes one of the clients do something.
func (w *world) step() {
	w.later.run()
	c := w.clients[w.rng.IntN(len(w.clients))]
	if w.rng.IntN(3) == 0 {
		w.Clock.Advance(time.Duration(w.rng.IntN(40)) * time.Millisecond)
		w.Keyspace.SetNow(clock.Now(w.Clock))
	}
	switch n := w.rng.IntN(1000); {
	case n < 20:
		w.note("sweep")
		w.Keyspace.Sweep(time.Millisecond)
	case n < 30:
		w.note("restore")
		w.restore(c)
	case n == 30:
		w.call(c, w.pick("FLUSHALL", "FLUSHDB"))
	case n == 31:
		w.evict()
	case c.Session.Wait != nil:
		c.Tick()
	default:
		g := cmdtest.Generator{Rand: w.rng}
		lines := w.lines
		if len(w.missed) > 0 && w.rng.IntN(3) == 0 {
			lines = w.missed
		}
		line := lines[w.rng.IntN(len(lines))]
		line = strings.ReplaceAll(line, "{t}", w.pick("0", "1", "20", "300", "5000", "1000000"))
		at := int64(clock.Now(w.Clock)) + w.rng.Int64N(1000) - 100
		line = strings.ReplaceAll(line, "{at}", strconv.FormatInt(at, 10))
		w.call(c, g.Fill(line)...)
	}
}

func (w *world) pick(words ...string) string { return words[w.rng.IntN(len(words))] }

func (w *world) note(what string) { w.trail = append(w.trail, what) }

func (w *world) call(c *cmdtest.Client, args ...string) (reply string) {
	if c.Session.Wait != nil {
		return ""
	}
	before := w.Shared.Journal.Appended()
	reply = c.Call(args...)
	w.note(fmt.Sprintf("%d: %.200q -> %.100q", slices.Index(w.clients, c), args, reply))
	if w.Shared.Journal.Appended() != before {
		w.wrote[strings.ToUpper(args[0])] = true
	}
	return reply
}

// restore takes a value out and puts it in somewhere else.
func (w *world) restore(c *cmdtest.Client) {
	key := func() string { return cmdtest.GeneratedKeys[w.rng.IntN(len(cmdtest.GeneratedKeys))] }
	_, payload, ok := strings.Cut(w.call(c, "DUMP", key()), "\r\n")
	if !ok {
		return
	}
	payload = strings.TrimSuffix(payload, "\r\n")
	call := []string{"RESTORE", key(), w.pick("0", "0", "300", "100000"), payload, "REPLACE"}
	if w.rng.IntN(3) == 0 {
		call[2] = fmt.Sprint(int64(clock.Now(w.Clock)) + w.rng.Int64N(500) - 100)
		call = append(call, "ABSTTL")
	}
	w.call(c, call...)
}

// evict removes some keys.
func (w *world) evict() {
	w.note("evict")
	t := &w.Keyspace.Tuning
	t.Policy.Store(int32(keyspace.AllKeysRandom))
	t.MaxMemory.Store(max(w.Keyspace.Used()-500, 1))
	w.Keyspace.Evict()
	t.MaxMemory.Store(0)
	t.Policy.Store(int32(keyspace.NoEviction))
}

// journalled is what was appended since the last call.
func (w *world) journalled() (b []byte) {
	end := w.Shared.Journal.Tail()
	for _, piece := range w.file.Pending(nil, end) {
		b = append(b, piece...)
	}
	w.file.Advance(end)
	w.read = append(w.read, b...)
	return b
}

// settle ends what is open: transactions, and waiting.
func (w *world) settle() {
	for _, c := range w.clients {
		if c.Session.Multi.Open {
			w.call(c, "EXEC")
		}
		w.call(c, "SELECT", "0")
	}
	w.Keyspace.Sweep(time.Hour)
}

func (w *world) fatal(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nafter\n%s", fmt.Sprintf(format, args...), strings.Join(w.trail, "\n"))
}

// everything is the lines of all templates. To read again what a consumer has counts as a
// delivery that Redis tells nobody of, nor do we.
func everything() []string {
	all := slices.Concat(cmdtest.Templates, volatile, volatile, later, later)
	for range 5 {
		all = append(all, rare...)
	}
	return slices.DeleteFunc(all, func(line string) bool {
		return strings.HasPrefix(line, "XREADGROUP") && strings.HasSuffix(line, "{id}")
	})
}

// untested are commands that write and are in no program.
var untested = []string{
	"MIGRATE", "RESTORE-ASKING", // MIGRATE needs a server, and tests of its own have it
	"DEBUG",
}

// stepsUsual is how many it takes until every command has done something, with a little luck,
// and stepsMost without.
const (
	stepsUsual = 40_000
	stepsMost  = 400_000
	stepsLook  = 1000 // between two looks at what has done nothing yet
)

// TestEffects makes SPINEL_COMMANDS steps, with SPINEL_SEED.
func TestEffects(t *testing.T) {
	steps := testenv.Number(t, "SPINEL_COMMANDS", stepsUsual)
	seed := uint64(testenv.Number(t, "SPINEL_SEED", 1))
	w := newWorld(t, seed, everything())
	var later tasks
	again := newWholeDB(t, &later)
	again.Clock.SetWall(clock.Now(w.Clock) + 7*3_600_000)
	var batch []byte
	again.Shared.Unreplayed = func(_ *session.Session, _ *command.Spec, args command.Args, err error) {
		w.fatal("%.200q cannot be replayed: %v\nin %.2000q", args, err, batch)
	}
	r := again.Shared.NewReplayer()
	defer r.Close()
	more := func(i int) bool {
		if i >= stepsMost || steps < stepsUsual {
			return false
		}
		return i%stepsLook > 0 || w.lookForMissing()
	}
	for i := 0; i < steps || more(i); i++ {
		w.step()
		if w.rng.IntN(40) > 0 && i < steps-1 {
			continue
		}
		again.Clock.Advance(time.Duration(w.rng.IntN(100)) * time.Millisecond)
		batch = w.journalled()
		for rest := batch; len(rest) > 0; {
			n := 1 + w.rng.IntN(len(rest))
			r.Run(rest[:n])
			rest = rest[n:]
		}
		later.run()
		if diff := again.Contents().Diff(w.Contents()); diff != "" {
			w.fatal("step %d: %s\njournal %.3000q", i, diff, commandsOf(batch))
		}
		w.trail = nil
	}
	if missing := w.missing(); steps >= stepsUsual && len(missing) > 0 {
		t.Errorf("these commands have had no effect: %v", missing)
	}
}

// lookForMissing has the commands called more often that have had no effect yet, and says whether
// there are any.
func (w *world) lookForMissing() bool {
	names := w.missing()
	w.missed = slices.DeleteFunc(slices.Clone(w.lines), func(line string) bool {
		name, _, _ := strings.Cut(line, " ")
		return !slices.Contains(names, strings.TrimLeft(name, "~%!"))
	})
	return len(names) > 0
}

// missing are the commands that write and have had no effect yet.
func (w *world) missing() (names []string) {
	for _, spec := range w.Shared.Table.Commands() {
		writes := spec.Flags&command.Write != 0 || slices.ContainsFunc(spec.Subs, func(sub *command.Spec) bool {
			return sub.Flags&command.Write != 0
		})
		if writes && !w.wrote[spec.Name] && !slices.Contains(untested, spec.Name) {
			names = append(names, spec.Name)
		}
	}
	return names
}

// A key whose time has come, and that SWAPDB brings to who waits for it, is not removed without a
// word in the journal: that word came with the next command of the loop, when others may have made
// the key again.
func TestSwapOfExpiredIsJournalled(t *testing.T) {
	w := newWorld(t, 1, nil)
	waits := w.NewClient()
	waits.Call("BLPOP", "k", "0")
	w.Do("SELECT", "1").Want("OK")
	w.Do("RPUSH", "k", "a").Want("1")
	w.Do("PEXPIRE", "k", "100").Want("1")
	w.Clock.Advance(time.Second)
	w.Do("SWAPDB", "0", "1").Want("OK")
	_, isThere := w.Contents()[`0 "k"`]
	lines := commandsOf(w.journalled())
	if isTold := lines[len(lines)-1] == `["DEL" "k"]`; isThere == isTold {
		t.Errorf("the key is there: %v, and the journal ends with %s", isThere, lines[len(lines)-1])
	}
	w.Do("SELECT", "0").Want("OK")
	w.Do("RPUSH", "k", "b").Want("1")
	if waits.Tick(); waits.Session.Wait != nil {
		t.Error("nobody was served")
	}
}

// commandsOf is the commands of a journal, each on a line.
func commandsOf(b []byte) (lines []string) {
	var parser resp.Parser
	for len(b) > 0 {
		args, n, err := parser.Parse(b, nil, &resp.Limits{Bulk: 1 << 30})
		if err != nil || n == 0 {
			break
		}
		lines, b = append(lines, fmt.Sprintf("%q", args)), b[n:]
	}
	return lines
}

// TestEffectsOnRedis has redis-server 7.0 load the journal of commands that it knows. The clock
// is ahead of its, so that it removes nothing by itself.
func TestEffectsOnRedis(t *testing.T) {
	seed := uint64(testenv.Number(t, "SPINEL_SEED", 2))
	lines := slices.Concat(cmdtest.Templates, volatile, volatile)
	lines = slices.DeleteFunc(lines, func(line string) bool {
		return strings.Contains(line, "STOREDIST") // the last bit of a distance is the C library's
	})
	w := newWorld(t, seed, lines)
	w.Clock.SetWall(clock.Millis(time.Now().UnixMilli()) + 365*24*3_600_000)
	for range testenv.Number(t, "SPINEL_COMMANDS", 8_000) {
		w.step()
	}
	w.settle()
	dir := t.TempDir()
	folder := filepath.Join(dir, "appendonlydir")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	w.journalled()
	for name, data := range map[string][]byte{
		"appendonly.aof.1.incr.aof": w.read,
		"appendonly.aof.manifest":   []byte("file appendonly.aof.1.incr.aof seq 1 type i\n"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	redis := original.Redis(t, original.Options{Dir: dir, AppendOnly: true})
	c := w.NewClient() // the others may wait
	if got, want := redis.Do("DEBUG", "DIGEST"), c.Call("DEBUG", "DIGEST"); got != want {
		t.Errorf("the digest is %q, want %q", got, want)
		for db := range 16 {
			redis.Do("SELECT", strconv.Itoa(db))
			c.Call("SELECT", strconv.Itoa(db))
			for _, key := range cmdtest.GeneratedKeys {
				got, want := redis.Do("DEBUG", "DIGEST-VALUE", key), c.Call("DEBUG", "DIGEST-VALUE", key)
				if got == want {
					continue
				}
				t.Errorf("key %d %s: %q, want %q, %s", db, key, got, want, w.Contents()[fmt.Sprintf("%d %q", db, key)])
				for _, line := range commandsOf(w.read) {
					if strings.Contains(line, strconv.Quote(key)) || strings.Contains(line, "SWAPDB") {
						t.Log(line)
					}
				}
			}
		}
	}
}
