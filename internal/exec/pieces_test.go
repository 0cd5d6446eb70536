package exec_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
)

// A long pipeline, cut anywhere, arrives in several pieces of a turn and several turns.
// The commands must come out whole, each once, in order: more of them than are parsed at
// a time, some with an argument larger than a buffer, some as a line of words.
func TestPipelineInPieces(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var family command.Family
		var got bytes.Buffer
		family.Add(command.Spec{Name: "NOTE", Arity: 2, Run: func(c *command.Ctx) error {
			got.Write(c.Args[1])
			got.WriteByte('\n')
			return nil
		}})
		db := cmdtest.New(t, family.Specs)
		var stream []byte
		var want bytes.Buffer
		for i := range 3000 {
			arg := fmt.Appendf(nil, "%d:%d", seed, i)
			if rng.IntN(500) == 0 {
				arg = append(arg, bytes.Repeat([]byte("x"), rng.IntN(100_000))...)
			}
			if len(arg) < 1000 && seed%2 == 0 {
				stream = fmt.Appendf(stream, "NOTE %s\r\n", arg)
			} else {
				stream = fmt.Appendf(stream, "*2\r\n$4\r\nNOTE\r\n$%d\r\n%s\r\n", len(arg), arg)
			}
			want.Write(arg)
			want.WriteByte('\n')
		}
		x := db.Executor
		for len(stream) > 0 {
			x.Begin(db.Clock.Mono())
			for range 1 + rng.IntN(4) {
				n := min(1+rng.IntN(60_000), len(stream))
				x.Received(db.Session, bytes.Clone(stream[:n]))
				if stream = stream[n:]; len(stream) == 0 {
					break
				}
			}
			x.Run()
			x.Dirty()
			x.End()
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("seed %d: the commands came out otherwise than they went in", seed)
		}
	}
}

// What comes behind bytes that make no sense, before the client is told so, is dropped.
func TestBehindProtocolError(t *testing.T) {
	db := cmdtest.New(t)
	x := db.Executor
	x.Begin(db.Clock.Mono())
	for _, n := range []int{60_000, 10_000, 1} {
		x.Received(db.Session, bytes.Repeat([]byte("a"), n))
	}
	for _, piece := range []string{"b", "PING\r\nPING\r\n"} {
		x.Received(db.Session, []byte(piece))
	}
	x.Run()
	x.Dirty()
	x.End()
	var got string
	for _, chunk := range db.Session.Out.Take(nil) {
		got += string(chunk.Bytes)
		chunk.Free(nil)
	}
	if want := "-ERR Protocol error: too big inline request\r\n"; got != want {
		t.Errorf("the reply is %.100q, want %q", got, want)
	}
}
