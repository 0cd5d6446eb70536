package value

import (
	"math"
	"testing"

	"github.com/spineldb/spinel/internal/ds/intset"
)

// TestFault3A13: whatever set-max-intset-entries says, an intset ends at a size that its header
// and everybody who copies it can hold (CVE-2021-29478, and 3A20, CVE-2021-32687).
func TestFault3A13IntsetBytes(t *testing.T) {
	var shared Shared
	s := Set{Cell: Cell{Shared: &shared}}
	for _, tt := range []struct{ option, want int64 }{
		{0, 0}, {512, 512}, {1 << 27, 1 << 27}, {1<<27 + 1, 1 << 27}, {math.MaxUint32, 1 << 27},
		{math.MaxInt64, 1 << 27},
	} {
		shared.Limits.SetIntset.Store(tt.option)
		got := s.intsetLimit()
		if got != tt.want || intset.HeaderSize+8*got > intset.SizeMax+intset.HeaderSize {
			t.Errorf("%d: %d members, want %d", tt.option, got, tt.want)
		}
	}
}
