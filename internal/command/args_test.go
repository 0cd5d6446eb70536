package command_test

import (
	"math"
	"testing"

	"github.com/spineldb/spinel/internal/command"
)

func TestSpan(t *testing.T) {
	for _, tt := range []struct {
		start, stop int64
		n           int
		from, to    int
	}{
		{0, -1, 5, 0, 5}, {1, 3, 5, 1, 4}, {-2, -1, 5, 3, 5}, {-9, 1, 5, 0, 2}, {3, 9, 5, 3, 5}, {4, 4, 5, 4, 5},
		{2, 1, 5, 0, 0}, {5, 9, 5, 0, 0}, {0, -6, 5, 0, 0}, {-1, -2, 5, 0, 0}, {0, -1, 0, 0, 0},
		{math.MinInt64, math.MaxInt64, 5, 0, 5}, {math.MaxInt64, math.MinInt64, 5, 0, 0},
		{math.MinInt64, math.MinInt64, 5, 0, 0}, {math.MaxInt64, math.MaxInt64, 5, 0, 0},
	} {
		if from, to := command.Span(tt.start, tt.stop, tt.n); from != tt.from || to != tt.to {
			t.Errorf("%d to %d of %d: [%d, %d), want [%d, %d)", tt.start, tt.stop, tt.n, from, to, tt.from, tt.to)
		}
	}
}
