package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/resp"
)

// readFile takes what is there for the file up to a mark.
func readFile(c *FileCursor, end int64) (b []byte) {
	for _, piece := range c.Pending(nil, end) {
		b = append(b, piece...)
	}
	c.Advance(end)
	return b
}

var ping = resp.AppendCommand(nil, "PING")

// The file and a replica get the same, but for what is not for both, and whatever the
// stretches in which the file is read.
func TestFileAndStream(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(7, seed))
		var j Journal
		f, c := j.NewFileCursor(), j.NewCursor()
		var stream, file, gotFile []byte
		tails := []int64{0}
		for i := range 400 {
			set := resp.AppendCommand(nil, "SET", fmt.Sprint(i), strings.Repeat("v", rng.IntN(2000)))
			switch rng.IntN(6) {
			case 0:
				j.AppendLink(ping)
				stream = append(stream, ping...)
			case 1:
				j.AppendLocal([]Effect{effect(3, "DEL", fmt.Sprint(i))})
				file = resp.AppendCommand(file, "SELECT", "3")
				file = resp.AppendCommand(file, "DEL", fmt.Sprint(i))
				if j.selected > 0 {
					file = resp.AppendCommand(file, "SELECT", "5")
				}
			case 2:
				tails = append(tails, j.Tail())
				if mark, at := j.Cut(); mark != tails[len(tails)-1] || at != int64(len(stream)) {
					t.Fatalf("a cut at %d, %d", mark, at)
				}
				if j.selected > 0 {
					file = resp.AppendCommand(file, "SELECT", "5")
				}
			default:
				j.AppendBytes(set, 5)
				stream, file = append(stream, set...), append(file, set...)
			}
			tails = append(tails, j.Tail())
			if rng.IntN(9) == 0 {
				end := tails[rng.IntN(len(tails))]
				if end >= f.Mark() {
					gotFile = append(gotFile, readFile(f, end)...)
				}
			}
		}
		gotFile = append(gotFile, readFile(f, j.Tail())...)
		if !bytes.Equal(gotFile, file) {
			t.Fatalf("seed %d: the file has %d bytes, want %d", seed, len(gotFile), len(file))
		}
		if got := read(&j, c); !bytes.Equal(got, stream) {
			t.Fatalf("seed %d: the stream has %d bytes, want %d", seed, len(got), len(stream))
		}
		if len(j.edits) != 0 {
			t.Fatalf("%d edits are left", len(j.edits))
		}
		f.Close()
		c.Close()
		if j.Held() != 0 {
			t.Fatalf("%d bytes are held", j.Held())
		}
	}
}

// A replica's stream goes on at its master's offset; the file's marks only grow.
func TestFileAcrossJump(t *testing.T) {
	var j Journal
	f := j.NewFileCursor()
	defer f.Close()
	j.Append([]Effect{effect(0, "PING")})
	if j.StartAt(5) {
		t.Error("the stream was moved before the file had everything")
	}
	tail := j.Tail()
	readFile(f, tail)
	if !j.StartAt(5) || j.Appended() != 5 || j.Tail() != tail {
		t.Errorf("at %d, mark %d", j.Appended(), j.Tail())
	}
	j.AppendBytes(ping, 0)
	if got := readFile(f, j.Tail()); !bytes.Equal(got, ping) || j.Tail() != tail+int64(len(ping)) {
		t.Errorf("%q", got)
	}
}
