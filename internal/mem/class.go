package mem

import "math/bits"

// Granule is the unit of a Ref in bytes. With 4 bytes an arena reaches 16 GiB, and
// a key of 16 with a value of 64 bytes fits in 84 bytes instead of 88.
const Granule = 1 << granuleShift

const (
	granuleShift = 2
	pageShift    = 12
	pageSize     = 1 << pageShift

	fineMax   = 128      // classes are one granule apart up to here
	smallMax  = 32 << 10 // and blocks come from spans up to here
	fineCount = fineMax / Granule
	perOctave = 16
	octaves   = 8 // 128 to 32 Ki
	classes   = fineCount + octaves*perOctave

	spanPagesMax = 16
)

// classOf is the class of the smallest blocks that hold n bytes, 1 <= n <= smallMax.
func classOf(n int) int {
	if n <= fineMax {
		return (n+Granule-1)>>granuleShift - 1
	}
	n--
	octave := bits.Len(uint(n)) - 8 // 128..255 is octave 0
	return fineCount + octave*perOctave + (n>>(octave+3))&(perOctave-1)
}

// classSize is the block size of class c.
func classSize(c int) int {
	if c < fineCount {
		return (c + 1) << granuleShift
	}
	c -= fineCount
	octave, step := c/perOctave, c%perOctave
	return (fineMax + (step+1)*(fineMax/perOctave)) << octave
}

// coarse is the class that serves class c as long as hardly anybody asks for it: sizes
// of the form 2^k and 3*2^k, from 16 bytes up.
func coarse(c int) int {
	n := classSize(c)
	if n <= 16 {
		return classOf(16)
	}
	half := 1 << (bits.Len(uint(n-1)) - 1) // half < n <= 2*half
	if n <= half+half/2 {
		return classOf(half + half/2)
	}
	return classOf(2 * half)
}

// A class's constants, made once.
type classInfo struct {
	size   uint32
	pages  uint16 // of a span
	blocks uint16 // in a span
	coarse uint8

	// fineFrom is how many allocations must have asked for the class before it gets
	// spans of its own: half a page of them.
	fineFrom uint16
}

var classTable = makeClassTable()

func makeClassTable() (t [classes]classInfo) {
	for c := range t {
		size := classSize(c)
		best, bestWaste := 0, 2.0
		for pages := 1; pages <= spanPagesMax; pages++ {
			room := pages * pageSize
			if room < size {
				continue
			}
			waste := float64(room%size) / float64(room)
			if waste < bestWaste-0.002 {
				best, bestWaste = pages, waste
			}
			if bestWaste <= 0.006 {
				break
			}
		}
		t[c] = classInfo{
			size:   uint32(size),
			pages:  uint16(best),
			blocks: uint16(best * pageSize / size),
			coarse: uint8(coarse(c)),

			fineFrom: uint16(max(pageSize/2/size, 2)),
		}
	}
	return t
}
