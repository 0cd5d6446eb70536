package all_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/hashcmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/listcmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
	"github.com/spineldb/spinel/internal/command/streamcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// many is how many elements a value of these tests has, from which replies are made in pieces.
const many = 12_000

func bigDB(t *testing.T) *cmdtest.DB {
	return cmdtest.New(t, hashcmd.Family.Specs, keycmd.Family.Specs, listcmd.Family.Specs, setcmd.Family.Specs,
		streamcmd.Family.Specs, txcmd.Family.Specs, zsetcmd.Family.Specs)
}

// fill makes big values h, s, z, l, x of n elements, some of them long, some integers.
func fill(db *cmdtest.DB, n int) {
	const batch = 1000
	for from := 0; from < n; from += batch {
		h, s, z, l := []string{"HSET", "h"}, []string{"SADD", "s"}, []string{"ZADD", "z"}, []string{"RPUSH", "l"}
		for i := from; i < min(from+batch, n); i++ {
			text := fmt.Sprint("element:", i)
			switch {
			case i%1000 == 7:
				text += strings.Repeat("x", 3000)
			case i%5 == 0:
				text = strconv.Itoa(i)
			}
			h = append(h, text, text)
			s = append(s, text)
			z = append(z, fmt.Sprint(float64(i)/4), text)
			l = append(l, text)
			db.Call("XADD", "x", fmt.Sprint(i+1), "field", text, fmt.Sprint(i%150/149), "y")
			if i%50 == 3 {
				db.Call("XDEL", "x", fmt.Sprint(i))
			}
		}
		for _, args := range [...][]string{h, s, z, l} {
			db.Call(args...)
		}
	}
}

// streams are commands whose replies are made in pieces of such values.
var streams = []string{
	"HGETALL h", "HKEYS h", "HVALS h", "SMEMBERS s",
	"LRANGE l 0 -1", "LRANGE l 700 -500", "LRANGE l 1 10700",
	"ZRANGE z 0 -1", "ZRANGE z 0 -1 WITHSCORES", "ZRANGE z 700 -500 WITHSCORES", "ZREVRANGE z 0 -1",
	"ZREVRANGE z 1 10700 WITHSCORES", "ZRANGE z 300 inf BYSCORE", "ZRANGEBYSCORE z -inf +inf WITHSCORES",
	"ZRANGE z +inf (300 BYSCORE REV LIMIT 40 10400",
	"XRANGE x - +", "XREVRANGE x + -", "XRANGE x 700 (11500", "XREVRANGE x + 1 COUNT 10500",
}

// whole is a reply that is not made in pieces, because a transaction's is not.
func whole(c *cmdtest.Client, call string) string {
	c.Call("MULTI")
	c.Call(strings.Fields(call)...)
	return strings.TrimPrefix(c.Call("EXEC"), "*1\r\n")
}

func begin(c *cmdtest.Client, calls ...string) string {
	var b []byte
	for _, call := range calls {
		b = resp.AppendCommand(b, strings.Fields(call)...)
	}
	return string(c.Turn(b))
}

// A reply made in pieces has the bytes of one made whole, and no piece is much too long.
func TestStream(t *testing.T) {
	db := bigDB(t)
	fill(db, many)
	for _, resp3 := range []bool{false, true} {
		db.Session.Out.Resp3 = resp3
		for _, call := range streams {
			want := whole(db.Client, call)
			got, longest := begin(db.Client, call), 0
			if db.Session.Stream == nil {
				t.Errorf("%s: the reply was made at once", call)
			}
			longest = len(got)
			for db.Session.Stream != nil {
				piece := db.Refill()
				got += string(piece)
				longest = max(longest, len(piece))
			}
			if got != want {
				t.Errorf("%s, RESP3 %v: %d bytes that begin with %.60q, want %d, %.60q",
					call, resp3, len(got), got, len(want), want)
			}
			if longest > 48<<10 {
				t.Errorf("%s: a piece has %d bytes", call, longest)
			}
		}
	}
}

// What is not big, or is a small part of something big, is replied to at once.
func TestNoStream(t *testing.T) {
	db := bigDB(t)
	fill(db, 9000)
	for i := range 40 {
		db.Call("HSET", "wide", fmt.Sprint(i), strings.Repeat("x", 50_000))
	}
	for _, call := range append(streams, "LRANGE l 0 100", "ZRANGE z 0 400", "HGETALL wide") {
		begin(db.Client, call)
		if db.Session.Stream != nil {
			t.Errorf("%s: in pieces", call)
			db.Refill()
		}
	}
	for i := range 400 {
		db.Call("HSET", "wide", fmt.Sprint(i), strings.Repeat("x", 5_000))
	}
	want := whole(db.Client, "HGETALL wide")
	got := begin(db.Client, "HGETALL wide")
	if db.Session.Stream == nil {
		t.Error("two megabytes of 400 fields: at once")
	}
	for db.Session.Stream != nil {
		got += string(db.Refill())
	}
	if got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// Fields whose time has come are in none of the pieces, those whose time comes later are.
func TestStreamExpiringFields(t *testing.T) {
	db := bigDB(t)
	fill(db, many)
	for i := 1; i < many; i += 100 {
		db.Call("HPEXPIRE", "h", fmt.Sprint(100+i%200), "FIELDS", "1", fmt.Sprint("element:", i))
	}
	db.Clock.Advance(150e6)
	want := whole(db.Client, "HGETALL h")
	if n := strings.Count(want, "\r\n"); n >= 1+4*many || n < 4*many-1000 {
		t.Fatalf("%d lines", n)
	}
	got := begin(db.Client, "HGETALL h")
	for db.Session.Stream != nil {
		db.Clock.Advance(20e6)
		got += string(db.Refill())
	}
	if got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// A reader is a client with a reply under way.
type reader struct {
	*cmdtest.Client
	call, want, got string
}

// Values change, move and go while replies are made of them; each reply is the value of its
// moment. Some clients leave before the end.
func TestStreamMeanwhile(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	db := bigDB(t)
	fill(db, many)
	var readers []*reader
	streamed := 0
	for range 800 {
		switch rng.IntN(20) {
		case 0, 1, 2:
			r := &reader{Client: db.NewClient(), call: streams[rng.IntN(len(streams))]}
			r.want = whole(db.Client, r.call)
			r.got = begin(r.Client, r.call)
			if r.Session.Stream != nil {
				streamed++
			}
			readers = append(readers, r)
		case 3:
			_ = whole(db.Client, []string{"RENAME h other", "MOVE s 3", "DEL z"}[rng.IntN(3)])
			_ = whole(db.Client, "DEL h s z l x other")
			fill(db, many)
		case 4, 5, 6, 7:
			i := rng.IntN(many)
			for j := i; j < i+60; j++ {
				db.Call("HSET", "h", fmt.Sprint("element:", j), "changed")
				db.Call("SREM", "s", fmt.Sprint("element:", j))
				db.Call("ZADD", "z", fmt.Sprint(j%77), fmt.Sprint("element:", j))
				db.Call("XDEL", "x", fmt.Sprint(j))
				db.Call("LPOP", "l")
				db.Call("RPUSH", "l", fmt.Sprint(j))
			}
		default:
			if len(readers) == 0 {
				break
			}
			i := rng.IntN(len(readers))
			r := readers[i]
			if r.Session.Stream != nil && rng.IntN(40) > 0 {
				r.got += string(r.Refill())
				break
			}
			if r.Session.Stream == nil && r.got != r.want {
				t.Fatalf("%s: %d bytes, want %d", r.call, len(r.got), len(r.want))
			}
			r.Close()
			readers = append(readers[:i], readers[i+1:]...)
		}
	}
	for _, r := range readers {
		r.Close()
	}
	if streamed < 30 {
		t.Errorf("only %d replies were made in pieces", streamed)
	}
}

// What a client has sent behind such a command is executed behind its reply, and what others
// push to it comes there too.
func TestBehindStream(t *testing.T) {
	db := bigDB(t)
	fill(db, many)
	want := whole(db.Client, "SMEMBERS s")
	exists := db.Call("EXISTS", "s")
	got := begin(db.Client, "EXISTS s", "SMEMBERS s", "EXISTS s", "SMEMBERS s")
	db.Session.Push([]byte("+pushed\r\n"), 0)
	if db.Session.Stream == nil || string(db.Tick()) != "" {
		t.Fatal("it does not wait")
	}
	got += begin(db.Client, "EXISTS s")
	for i := 0; db.Session.Stream != nil; i++ {
		if i == 1 {
			db.Executor.EOF(db.Session)
		}
		got += string(db.Refill())
	}
	if all := exists + want + "+pushed\r\n" + exists + want + exists; got != all {
		t.Errorf("%d bytes, want %d", len(got), len(all))
	}
	if db.Session.Closing != session.AfterReply {
		t.Error("a client that sends nothing more is not closed")
	}
}

// Clients that are killed, or want no reply, leave nothing behind.
func TestNobodyReadsStream(t *testing.T) {
	db := bigDB(t)
	fill(db, many)
	killed := db.NewClient()
	begin(killed, "SMEMBERS s", "DEL s")
	killed.Session.OrderClose()
	killed.Tick()
	if killed.Session.Closing != session.Immediately {
		t.Error("it was not closed")
	}
	killed.Close()
	for _, mode := range []session.ReplyMode{session.ReplyOff, session.ReplySkip} {
		db.Session.ReplyMode = mode
		if raw := begin(db.Client, "HGETALL h"); raw != "" || db.Session.Stream != nil {
			t.Errorf("mode %d: %d bytes", mode, len(raw))
		}
	}
	db.Session.ReplyMode = session.ReplyOn
	db.Do("EXISTS", "s", "h").Want("2")
}

// Two clients ask for the same: one is replied to in pieces, the other at once.
func TestStreamTwice(t *testing.T) {
	db := bigDB(t)
	fill(db, many)
	want := whole(db.Client, "HGETALL h")
	got := begin(db.Client, "HGETALL h")
	if other := db.NewClient(); begin(other, "HGETALL h") != want || other.Session.Stream != nil {
		t.Error("the second reply is another, or in pieces")
	}
	for db.Session.Stream != nil {
		got += string(db.Refill())
	}
	if got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// Replies that have no end stop at the limit, and the client is closed.
func TestFull(t *testing.T) {
	for _, call := range []string{
		"HRANDFIELD h -1000000000", "HRANDFIELD small -1000000000 WITHVALUES", "SRANDMEMBER s -1000000000",
		"ZRANDMEMBER z -1000000000", "ZRANDMEMBER z -1000000000 WITHSCORES", "KEYS *",
	} {
		db := bigDB(t)
		fill(db, 1000)
		db.Call("HSET", "small", "a", "b")
		for i := range 20 {
			db.Call("RPUSH", strings.Repeat("k", 10_000)+fmt.Sprint(i), "x")
		}
		db.Shared.Limits.Out[session.Normal].Hard.Store(100_000)
		raw := begin(db.Client, call, "DEL z")
		if len(raw) > 200_000 || db.Session.Closing != session.Immediately {
			t.Errorf("%s: %d bytes, closing %d", call, len(raw), db.Session.Closing)
		}
		if n := db.Executor.Stats.OutputOver; n != 1 {
			t.Errorf("%s: counted %d times", call, n)
		}
		db.NewClient().Do("EXISTS", "z").Want("1")
	}
}
