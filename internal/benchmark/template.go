package benchmark

import (
	"bytes"
	"math/bits"
	"math/rand/v2"

	"github.com/spineldb/spinel/internal/resp"
)

// What a command may contain for something else.
const (
	randomMark = "__rand_int__" // with -r, a number of as many digits, another each time
	dataMark   = "__data__"     // the bytes of -d
)

// A template is one request as bytes, with the places where random numbers go.
type template struct {
	text  []byte
	marks []int // where each randomMark begins; none without -r
}

// newTemplate encodes a command, or takes it as it is if it is inline.
func newTemplate(sc *scenario, random bool) template {
	t := template{text: []byte(sc.inline)}
	if sc.inline == "" {
		t.text = resp.AppendCommand(nil, sc.args...)
	}
	for from := 0; random; {
		at := bytes.Index(t.text[from:], []byte(randomMark))
		if at < 0 {
			break
		}
		t.marks = append(t.marks, from+at)
		from += at + len(randomMark)
	}
	return t
}

// repeat is n requests in a row.
func (t template) repeat(n int) []byte { return bytes.Repeat(t.text, n) }

// fill writes a random number below keyspace over every mark of the first n requests.
func (t template) fill(batch []byte, n int, rng *rand.PCG, keyspace uint64) {
	for i := range n {
		request := batch[i*len(t.text):]
		for _, at := range t.marks {
			// A multiplication maps 64 random bits to the range. It prefers some numbers by
			// keyspace/2^64, which no run is long enough to show.
			number, _ := bits.Mul64(rng.Uint64(), keyspace)
			digits := request[at : at+len(randomMark)]
			for d := len(digits) - 1; d >= 0; d-- {
				digits[d] = byte('0' + number%10)
				number /= 10
			}
		}
	}
}
