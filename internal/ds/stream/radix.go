package stream

import (
	"math/bits"

	"github.com/spineldb/spinel/internal/mem"
)

// radixSample is the most nodes of which RadixNodes looks at the master IDs: 50 us.
const radixSample = 1024

// RadixNodes is how many nodes Redis's radix tree would have that holds the master IDs,
// which XINFO STREAM tells: one for each ID, one for each branch, and one for each run of
// bytes between these. Of a stream of many nodes it is estimated from the first.
func (s *Stream) RadixNodes(a *mem.Arena) int64 {
	total := s.Nodes()
	if total == 0 {
		return 1
	}
	var path radixPath
	var p place
	var last ID
	looked := int64(0)
	for s.firstPlace(a, &p); p.ref != 0 && looked < radixSample; s.next(&p) {
		master := masterOf(a, p.ref)
		if looked > 0 {
			path.fork(common(last, master))
		}
		path.nodes++
		last = master
		looked++
	}
	nodes := path.end()
	if looked < total {
		nodes = int64(float64(nodes) / float64(looked) * float64(total))
	}
	return nodes
}

// A radixPath is the path from the root of a radix tree to the last of the keys, which
// come in their order: the depths in bytes at which others have branched off.
type radixPath struct {
	forks [idSize]int
	n     int
	nodes int64 // of all that the next keys cannot change
}

// fork lets the next key leave the path at a depth.
func (p *radixPath) fork(depth int) {
	end := p.pop(depth)
	p.run(depth+1, end)
	if p.n == 0 || p.forks[p.n-1] != depth {
		p.forks[p.n] = depth
		p.n++
	}
}

// pop counts the forks deeper than a depth, and what is below them.
func (p *radixPath) pop(depth int) (end int) {
	for end = idSize; p.n > 0 && p.forks[p.n-1] > depth; p.n-- {
		fork := p.forks[p.n-1]
		p.run(fork+1, end)
		p.nodes++
		end = fork
	}
	return end
}

// run counts the node that has the bytes between two depths, if there are any.
func (p *radixPath) run(from, to int) {
	if from < to {
		p.nodes++
	}
}

// end is the number of all nodes.
func (p *radixPath) end() int64 {
	p.run(0, p.pop(-1))
	return p.nodes
}

// common is how many bytes the keys of two different IDs have in common.
func common(a, b ID) int {
	if a.Ms != b.Ms {
		return bits.LeadingZeros64(a.Ms^b.Ms) / 8
	}
	return 8 + bits.LeadingZeros64(a.Seq^b.Seq)/8
}
