package exec_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/command/bitcmd"
	"github.com/spineldb/spinel/internal/command/conncmd"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// newWhole makes a DB with the commands that a journal may hold.
func newWhole(t testing.TB) *cmdtest.DB {
	db := cmdtest.New(t)
	bulk := func() int64 { return 512 << 20 }
	table, err := command.NewTable(nil, all.Families(all.Deps{
		Bit: bitcmd.Deps{MaxBulk: bulk}, String: stringcmd.Deps{MaxBulk: bulk},
		Conn: conncmd.Deps{Databases: 16, Users: acl.New(), Sessions: db.Shared.Sessions},
		Server: servercmd.Deps{Keyspace: db.Keyspace, LazyFlush: func() bool { return false },
			Background: func(task func()) { task() }, Flushed: func(*command.Ctx) {}},
	})...)
	if err != nil {
		t.Fatal(err)
	}
	db.Shared.Table = table
	db.Executor = exec.New(db.Shared) // with room for figures of all commands
	return db
}

// A program is random commands as a journal holds them, and some as nobody should.
type program struct {
	rng *rand.Rand
	b   []byte
}

func (p *program) key() string { return fmt.Sprint("key:", p.rng.IntN(40)) }

func (p *program) add(words ...string) { p.b = resp.AppendCommand(p.b, words...) }

// step adds a command on one type of values or another.
func (p *program) step() {
	n := fmt.Sprint(p.rng.IntN(100))
	switch p.rng.IntN(16) {
	case 0:
		p.add("SET", p.key(), n)
	case 1:
		p.add("APPEND", p.key(), n)
	case 2:
		p.add("INCRBY", p.key(), n)
	case 3, 4:
		p.add("RPUSH", p.key(), n, n+"a")
	case 5:
		p.add("LPOP", p.key())
	case 6:
		p.add("HSET", p.key(), n, n)
	case 7:
		p.add("ZADD", p.key(), n, n)
	case 8:
		p.add("PEXPIREAT", p.key(), "1999999999999")
	case 9, 10:
		p.add("DEL", p.key())
	case 11:
		p.add("XADD", p.key(), "*", "f", n) // fails, but for the first
	case 12:
		p.add("SADD", p.key(), n)
	case 13:
		p.add("GETRANGE", p.key(), "0", "1")
	case 14:
		p.add("XGROUP", "CREATE", p.key(), "g", "0")
	case 15:
		p.add("SET", p.key(), strings.Repeat(n, p.rng.IntN(20_000)))
	}
}

// rare adds what concerns several keys, or whole databases.
func (p *program) rare() {
	switch p.rng.IntN(14) {
	case 0:
		p.add("RENAME", p.key(), p.key())
	case 1:
		p.add("MSET", p.key(), "1", p.key(), "2")
	case 2:
		p.add("COPY", p.key(), p.key(), "DB", fmt.Sprint(p.rng.IntN(3)), "REPLACE")
	case 3:
		p.add("MOVE", p.key(), fmt.Sprint(p.rng.IntN(3)))
	case 4:
		p.add("SWAPDB", "0", fmt.Sprint(p.rng.IntN(3)))
	case 5:
		p.add("FLUSHDB")
	case 6:
		p.add("SUNIONSTORE", p.key(), p.key(), p.key())
	case 7:
		p.add("SORT", p.key(), "ALPHA", "BY", "key:*", "STORE", p.key())
	case 8:
		p.add("LMOVE", p.key(), p.key(), "LEFT", "RIGHT")
	case 9:
		p.add("GET") // without the key
	case 10:
		p.add("SELECT", "99")
	case 11:
		p.add("EXEC")
	case 12:
		p.add("RESET")
	case 13:
		p.add("ZUNIONSTORE", p.key(), "2", p.key(), p.key())
	}
}

func (p *program) transaction() {
	p.add("MULTI")
	for range p.rng.IntN(6) {
		switch p.rng.IntN(12) {
		case 0:
			p.rare()
		case 1:
			p.add("SELECT", fmt.Sprint(p.rng.IntN(3)))
		default:
			p.step()
		}
	}
	if p.rng.IntN(8) == 0 {
		p.add("DISCARD")
	} else {
		p.add("EXEC")
	}
}

// commands makes a program of so many steps.
func (p *program) commands(n, rareOf int) []byte {
	for range n {
		switch {
		case p.rng.IntN(rareOf) == 0:
			p.rare()
		case p.rng.IntN(20) == 0:
			p.transaction()
		case p.rng.IntN(20) == 0:
			p.add("SELECT", fmt.Sprint(p.rng.IntN(3)))
		default:
			p.step()
		}
	}
	return p.b
}

// A crew of any size leaves the data that executing one command after the other leaves,
// however the commands are cut into pieces.
func TestCrew(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		p := program{rng: rng}
		data := p.commands(1500, []int{5, 30, 500}[seed%3])
		serial := newWhole(t)
		r := serial.Shared.NewReplayer()
		if err := r.Run(data); err != nil {
			t.Fatal(err)
		}
		r.Close()
		want := serial.Contents()

		db := newWhole(t)
		crew := db.Shared.NewCrew(1 + int(seed)%5)
		for _, piece := range pieces(rng, data) {
			if err := crew.Run(piece); err != nil {
				t.Fatal(err)
			}
		}
		if err := crew.Wait(); err != nil || crew.Midway() {
			t.Fatal(err, crew.Midway())
		}
		crew.Close()
		if got := db.Contents(); !maps.Equal(got, want) {
			keys := slices.Sorted(maps.Keys(want))
			for _, k := range keys {
				if got[k] != want[k] {
					t.Fatalf("seed %d: %d keys, want %d; %s is\n%s\nwant\n%s", seed, len(got), len(want), k, got[k], want[k])
				}
			}
			t.Fatalf("seed %d: %d keys, want %d", seed, len(got), len(want))
		}
	}
}

// pieces cuts data between commands.
func pieces(rng *rand.Rand, data []byte) (all [][]byte) {
	p, lim, start, at := resp.Parser{}, resp.Limits{Bulk: 1 << 30}, 0, 0
	for at < len(data) {
		_, n, err := p.Parse(data[at:], nil, &lim)
		if err != nil || n == 0 {
			panic(fmt.Sprint(n, err))
		}
		if at += n; rng.IntN(100) == 0 || at == len(data) {
			all = append(all, data[start:at])
			start = at
		}
	}
	return all
}

// What a member cannot execute ends all of it, and failures are logged.
func TestCrewRefuses(t *testing.T) {
	db := newWhole(t)
	var log bytes.Buffer
	db.Shared.Log = slog.New(slog.NewTextHandler(&log, nil))
	crew := db.Shared.NewCrew(2)
	data := resp.AppendCommand(resp.AppendCommand(nil, "SET", "k", "v"), "LPUSH", "k", "v")
	if err := crew.Run(data); err != nil {
		t.Fatal(err)
	}
	_ = crew.Run(resp.AppendCommand(nil, "NOPE", "k"))
	if err := crew.Wait(); err == nil || err.Error() != "Unknown command 'NOPE'" {
		t.Error(err)
	}
	if err := crew.Run(resp.AppendCommand(nil, "SET", "other", "v")); err == nil {
		t.Error("it went on")
	}
	crew.Close()
	db.Do("GET", "k").Want("v")
	db.Do("GET", "other").WantNil()
	for _, want := range []string{
		"This server is sending an error to its AOF-loading-client: '-WRONGTYPE",
		"after processing the command 'lpush'",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in %s", want, log.String())
		}
	}
}

// P19: commands that no journal should hold. Those that wait do not; what is refused to
// clients is not refused; what fails is passed over.
func TestP19OddCommands(t *testing.T) {
	for members := range 3 {
		db := newWhole(t)
		db.Shared.Attend(exec.AttendLoading, true)
		db.Shared.Gates = []exec.Gate{closed{}}
		p := program{}
		p.add("BLPOP", "empty", "0")
		p.add("XREAD", "BLOCK", "0", "STREAMS", "empty", "0")
		p.add("BLMOVE", "empty", "other", "LEFT", "LEFT", "0")
		p.add("CLIENT", "REPLY", "OFF")
		p.add("HELLO", "3")
		p.add("SET", "k", "v", "PXAT", "1") // whose time has come long ago, and who is to say so
		p.add("PERSIST", "k")
		p.add("MULTI")
		p.add("BRPOP", "empty", "0")
		p.add("SET", "k2", "v")
		p.add("EXEC")
		crew := db.Shared.NewCrew(members)
		if err := crew.Run(p.b); err != nil {
			t.Fatal(err)
		}
		if err := crew.Wait(); err != nil {
			t.Fatal(err)
		}
		crew.Close()
		db.Shared.Gates = nil
		db.Shared.Attend(exec.AttendLoading, false)
		db.Do("GET", "k").Want("v")
		db.Do("GET", "k2").Want("v")
	}
}

// closed lets nobody in.
type closed struct{}

func (closed) Admit(*session.Session, *command.Spec, command.Flags, int64) error {
	return resp.ErrLoading
}

// BenchmarkReplay is SETs of new keys, by who executes them: 0 is a Replayer.
func BenchmarkReplay(b *testing.B) {
	for _, members := range []int{0, 2, 3} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			const chunk = 1000
			value := strings.Repeat("v", 64)
			var data []byte
			for i := range b.N {
				data = resp.AppendCommand(data, "SET", fmt.Sprintf("key:%012d", i*7919), value)
			}
			size := len(resp.AppendCommand(nil, "SET", "key:000000000000", value))
			db := newWhole(b)
			var r interface {
				Run([]byte) error
				Wait() error
				Close()
			} = db.Shared.NewReplayer()
			if members > 0 {
				r = db.Shared.NewCrew(members)
			}
			b.ResetTimer()
			for len(data) > 0 {
				n := min(len(data), chunk*size)
				if err := r.Run(data[:n]); err != nil {
					b.Fatal(err)
				}
				data = data[n:]
			}
			if err := r.Wait(); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			r.Close()
		})
	}
}
