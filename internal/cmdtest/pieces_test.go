package cmdtest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// Bytes of a connection may come in any pieces, several of them in one turn; the
// replies are those of the whole.
func TestPiecesWithinATurn(t *testing.T) {
	var in, want strings.Builder
	for i := range 200 {
		value := strings.Repeat("x", i*i%3000)
		fmt.Fprintf(&in, "*3\r\n$3\r\nPUT\r\n$1\r\nk\r\n$%d\r\n%s\r\n", len(value), value)
		in.WriteString("*2\r\n$5\r\nFETCH\r\n$1\r\nk\r\n")
		fmt.Fprintf(&want, "+OK\r\n$%d\r\n%s\r\n", len(value), value)
	}
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 7))
		db := cmdtest.New(t, family())
		x, s := db.Executor, db.Session
		rest := in.String()
		var got strings.Builder
		for len(rest) > 0 {
			x.Begin(0)
			for range 1 + rng.IntN(4) {
				n := min(len(rest), 1+rng.IntN(1<<rng.IntN(16)))
				x.Received(s, []byte(rest[:n]))
				rest = rest[n:]
			}
			x.Run()
			x.Dirty()
			x.End()
			for _, c := range s.Out.Take(nil) {
				got.Write(c.Bytes)
			}
		}
		if got.String() != want.String() {
			t.Fatalf("seed %d: the replies differ: %.300q", seed, got.String())
		}
	}
}
