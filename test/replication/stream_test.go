//go:build linux

package replication

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/spineldb/spinel/internal/testenv"
)

// arguments says of each byte of encoded commands whether it is within an argument.
func arguments(t *testing.T, commands []byte) (is []bool) {
	t.Helper()
	is = make([]bool, len(commands))
	for i := 0; i < len(commands); {
		end := i + bytes.Index(commands[i:], []byte("\r\n"))
		n, err := strconv.Atoi(string(commands[i+1 : end]))
		if err != nil || end < i {
			t.Fatalf("no commands: %q from %d on", commands, i)
		}
		isBulk := commands[i] == '$'
		i = end + 2
		if !isBulk {
			continue
		}
		for range n {
			is[i] = true
			i++
		}
		i += 2
	}
	return is
}

// What comes behind the handshake has no sum. So a bit that is another one within an argument,
// and a command that comes twice, are nothing that a replica can see. But where the bytes do
// not make sense any more as commands, it must not try to find its way: it takes all data
// anew, and has them as the master does. It never ends because of what it is sent.
func TestBrokenStream(t *testing.T) {
	t.Parallel()
	p := newPair(t, "", "")
	step := testenv.Number(t, "SPINEL_HANDSHAKE_STEP", 9)
	seed := uint64(testenv.Number(t, "SPINEL_SEED", 1))
	rng := rand.New(rand.NewPCG(seed, 2))
	p.anew()
	p.heard()
	p.onward()
	said := p.heard()[toReplica]
	begin := bytes.Index(said, []byte("*"))
	end := begin + bytes.Index(said[begin:], []byte("word\r\n")) + len("word\r\n") // no PINGs
	isArgument := arguments(t, said[begin:end])
	for at := begin + rng.IntN(step); at < end; at += step {
		for _, f := range []fault{
			{kind: corrupt, to: toReplica, at: at, bit: rng.IntN(8)},
			{kind: duplicate, to: toReplica, at: at, count: 1 + rng.IntN(5)},
		} {
			p.onward(f)
			if isArgument[at-begin] && f.kind == corrupt {
				until(t, f.String()+": there is a link", func() bool {
					return p.replica.figures("replication")["master_link_status"] == "up"
				})
				p.anew()
			}
			if err := p.inStep(); err != nil {
				t.Errorf("seed %d, %s: %v\n%q\n%s", seed, f, err, said, p.replica.log)
				p.anew()
			}
		}
	}
}
