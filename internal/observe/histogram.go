package observe

import "math/bits"

// The layout of a histogram's buckets.
//
// Below 512 ns a bucket is 8 ns wide. From there each octave [2^k, 2^(k+1)) has
// 44 buckets: its lower half is cut in steps of 1/50 of 2^k and its upper half
// in steps of 1/36, so that no bucket is wider than 2% of the values in it:
//
//	2^k   +1/128   +1/50        ...        1.5 * 2^k        ...        2^(k+1)
//	 |slot 0|slot 1|slot 2|  ...  |slot 25|slot 26|  ...  |slot 43|
//
// Two halves rather than one, because equal steps over an octave are finest
// where it matters least: 50 for the whole octave would cost 600 bytes more and
// promise nothing more. Slot 0 is there for LATENCY HISTOGRAM: Redis counts up
// to and including 2^k + 2^(k-7) - 1 ns under each power of two, which is what
// makes 33 µs count as "33" although 2^15 ns is 32.768 µs.
const (
	fineShift   = 3 // log2 of a fine bucket's 8 ns
	firstOctave = 9 // 512 ns
	lastOctave  = 29
	fineBuckets = 1 << (firstOctave - fineShift)

	lowerSteps = 25 // half of 50
	upperSteps = 18 // half of 36
	perOctave  = 1 + lowerSteps + upperSteps

	bucketCount = fineBuckets + (lastOctave-firstOctave+1)*perOctave

	// recordNanosMax is where latencies are clipped. Redis tracks up to a second.
	recordNanosMax = 1_000_000_000
)

// A Histogram counts how long the calls of one command took, in 4 KB.
//
// It answers percentiles within 1% of the true value, or 4 ns where that is
// more, for latencies up to a second; longer ones count as a second.
//
// A counter has 32 bits. A busy server fills one in an hour, so what overflows
// goes to a short list, 8 bytes for each bucket that ever did.
//
// It is not safe for concurrent use: one event loop owns it.
type Histogram struct {
	calls  uint64
	carry  []carry
	counts [bucketCount]uint32
}

// A carry is the upper half of a counter that has passed 2^32.
type carry struct {
	bucket uint16
	high   uint32
}

// Record counts n calls that took ns nanoseconds each.
func (h *Histogram) Record(ns int64, n uint32) {
	i := bucketOf(uint64(min(max(ns, 0), recordNanosMax)))
	h.calls += uint64(n)
	h.counts[i] += n
	if h.counts[i] < n { // it wrapped
		h.addCarry(i, 1)
	}
}

// Merge adds the calls that from has counted.
func (h *Histogram) Merge(from *Histogram) {
	for i, n := range from.counts {
		h.counts[i] += n
		if h.counts[i] < n {
			h.addCarry(i, 1)
		}
	}
	for _, c := range from.carry {
		h.addCarry(int(c.bucket), c.high)
	}
	h.calls += from.calls
}

// Calls is how many calls were recorded.
func (h *Histogram) Calls() uint64 { return h.calls }

// Percentile is the latency in nanoseconds that p percent of the calls did not
// exceed, 0 <= p <= 100: the largest of the bucket, as in Redis, so that no call took
// longer than is said. It is 0 if there were no calls.
func (h *Histogram) Percentile(p float64) int64 {
	if h.calls == 0 {
		return 0
	}
	// The call to find, counted from 1, is rounded as HDR histograms do it, which
	// is what Redis's figures come from.
	rank := uint64(min(max(p, 0), 100)/100*float64(h.calls) + 0.5)
	rank = min(max(rank, 1), h.calls)
	seen, i := h.count(0), 0
	for seen < rank && i < bucketCount-1 {
		i++
		seen += h.count(i)
	}
	return int64(bucketLow(i+1) - 1)
}

// A MicrosBucket says how many calls took UpTo microseconds or less.
type MicrosBucket struct {
	UpTo  int64
	Calls uint64
}

// AppendMicros appends the buckets of LATENCY HISTOGRAM's histogram_usec: powers
// of two in nanoseconds, shown in microseconds and cumulative, without those
// that add nothing to the one before.
func (h *Histogram) AppendMicros(dst []MicrosBucket) []MicrosBucket {
	i, seen, shown := 0, uint64(0), uint64(0)
	for power := 10; power <= lastOctave; power++ {
		for last := slotZero(power); i <= last; i++ {
			seen += h.count(i)
		}
		if seen > shown {
			upTo := 1<<power + 1<<(power-7) - 1
			dst = append(dst, MicrosBucket{int64(upTo / 1000), seen})
			shown = seen
		}
	}
	if h.calls > shown {
		dst = append(dst, MicrosBucket{1 << (lastOctave + 1) / 1000, h.calls})
	}
	return dst
}

// Reset forgets every call.
func (h *Histogram) Reset() { *h = Histogram{} }

func (h *Histogram) count(i int) uint64 {
	n := uint64(h.counts[i])
	for _, c := range h.carry {
		if int(c.bucket) == i {
			n += uint64(c.high) << 32
		}
	}
	return n
}

func (h *Histogram) addCarry(bucket int, high uint32) {
	for i := range h.carry {
		if int(h.carry[i].bucket) == bucket {
			h.carry[i].high += high
			return
		}
	}
	h.carry = append(h.carry, carry{uint16(bucket), high})
}

// bucketOf is the bucket of a latency of at most recordNanosMax.
func bucketOf(ns uint64) int {
	if ns < 1<<firstOctave {
		return int(ns >> fineShift)
	}
	k := bits.Len64(ns) - 1
	// How far into its octave ns is, in units of 2^-32 of the octave.
	const octave, half = 1 << 32, 1 << 31
	frac := ns<<(32-k) - octave
	switch slot := slotZero(k); {
	case frac < octave/128:
		return slot
	case frac < half:
		return slot + 1 + int(frac*(2*lowerSteps)>>32)
	default:
		return slot + 1 + lowerSteps + int((frac-half)*(2*upperSteps)>>32)
	}
}

// slotZero is the first bucket of an octave.
func slotZero(octave int) int { return fineBuckets + (octave-firstOctave)*perOctave }

// bucketLow is the smallest latency in a bucket, and for bucketCount what
// follows the last one.
func bucketLow(bucket int) uint64 {
	if bucket < fineBuckets {
		return uint64(bucket) << fineShift
	}
	octave := uint64(1) << (firstOctave + (bucket-fineBuckets)/perOctave)
	switch slot := uint64(bucket-fineBuckets) % perOctave; {
	case slot == 0:
		return octave
	case slot == 1:
		return octave + octave/128
	case slot <= lowerSteps:
		return octave + ceilDiv((slot-1)*octave, 2*lowerSteps)
	default:
		return octave + octave/2 + ceilDiv((slot-1-lowerSteps)*octave, 2*upperSteps)
	}
}

func ceilDiv(a, b uint64) uint64 { return (a + b - 1) / b }
