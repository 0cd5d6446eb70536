package replication

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	idA = strings.Repeat("a", IDLen)
	idB = strings.Repeat("b", IDLen)
	idC = strings.Repeat("c", IDLen)
)

// random is bytes that a test repeats.
func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func TestJudge(t *testing.T) {
	h := History{ID: idA, ID2: idB, ID2End: 700}
	alone := History{ID: idA, ID2: NoID, ID2End: -1}
	const first, next = 500, 1000
	for _, c := range []struct {
		name   string
		h      History
		id     string
		offset int64
		want   Judgment
	}{
		{"has everything", h, idA, 1000, GoesOn},
		{"lacks all that is kept", h, idA, 500, GoesOn},
		{"lacks a byte that is not kept", h, idA, 499, OutOfReach},
		{"has a byte that was never written", h, idA, 1001, OutOfReach},
		{"in capitals", h, strings.ToUpper(idA), 800, GoesOn},
		{"of the former history", h, idB, 700, GoesOn},
		{"of the former history, early", h, idB, 500, GoesOn},
		{"of the former history, too early", h, idB, 499, OutOfReach},
		{"of the former history, beyond the fork", h, idB, 701, LeftHistory},
		{"of another history", h, idC, 700, OtherHistory},
		{"without a history", h, "?", -2, OtherHistory},
		{"an empty id", h, "", 700, OtherHistory},
		{"zeros where there is no former history", alone, NoID, 0, OtherHistory},
		{"zeros where there is no former history, far back", alone, NoID, -1, OtherHistory},
		{"the lowest offset", h, idA, math.MinInt64, OutOfReach},
		{"the highest offset", h, idA, math.MaxInt64, OutOfReach},
		{"the lowest offset of the former", h, idB, math.MinInt64, OutOfReach},
		{"the highest offset of the former", h, idB, math.MaxInt64, LeftHistory},
	} {
		if got := c.h.Judge(c.id, c.offset, first, next); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if got := c.h.Continues(c.id, c.offset, first, next); got != (c.want == GoesOn) {
			t.Errorf("%s: continues: %v", c.name, got)
		}
	}
}

func TestChanges(t *testing.T) {
	const fresh = "fresh"
	for _, c := range []struct {
		name   string
		change func(h *History)
		want   History
	}{
		{"renewed", func(h *History) { h.Renew(random(2)) }, History{fresh, NoID, -1}},
		{"promoted", func(h *History) { h.Promote(random(2), 900) }, History{fresh, idA, 900}},
		{"promoted twice", func(h *History) {
			h.Promote(random(3), 800)
			h.ID = idC
			h.Promote(random(2), 900)
		}, History{fresh, idC, 900}},
		{"follows all", func(h *History) { h.Follow(idC, 900, true) }, History{idC, NoID, -1}},
		{"follows on", func(h *History) { h.Follow(idC, 900, false) }, History{idC, idA, 900}},
		{"follows on in the same", func(h *History) { h.Follow(idA, 900, false) }, History{idA, idB, 700}},
		{"resumed", func(h *History) { h.Resume(random(2), idC, 900) }, History{fresh, idC, 900}},
	} {
		h := History{ID: idA, ID2: idB, ID2End: 700}
		c.change(&h)
		if c.want.ID == fresh {
			c.want.ID = newID(random(2))
		}
		if h != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, h, c.want)
		}
	}
}

func TestIDs(t *testing.T) {
	h := NewHistory(random(1))
	if len(h.ID) != IDLen || h.ID == newID(random(2)) || h.ID2 != NoID || h.ID2End != -1 {
		t.Errorf("%+v", h)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name was made without random bytes")
		}
	}()
	NewHistory(bytes.NewReader(nil))
}
