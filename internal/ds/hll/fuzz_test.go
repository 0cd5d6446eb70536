package hll_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/ds/hll"
)

// FuzzAgainstModel raises registers as a program says, in one that is sparse as long as it
// may be, in a dense one, and in an array. Each step is three bytes: a register and a rank.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x01\x00\x01\x02\x00\x01\x03\x00\x02\x03\x00\x01"), uint16(3000))
	f.Add([]byte("\x00\x10\x05\x02\x10\x05\x01\x10\x05\xff\x3f\x20\x00\x00\x33"), uint16(20))
	f.Add(bytes.Repeat([]byte("\x07\x1a\x04\x09\x1a\x04\x08\x1a\x04\x0a\x1a\x04\x0b\x1a\x05"), 3), uint16(30))
	f.Fuzz(func(t *testing.T, program []byte, sparseMax uint16) {
		b := hll.AppendEmpty(nil)
		packed, err := hll.ToDense(hll.AppendEmpty(nil))
		if err != nil {
			t.Fatal(err)
		}
		var model hll.Set
		for step := range slices.Chunk(program, 3) {
			if len(step) < 3 {
				break
			}
			index, rank := (int(step[0])|int(step[1])<<8)%hll.Registers, step[2]%(hll.MaxRank+1)
			lower, err := hll.IsLower(b, index, rank)
			if err != nil || lower != (model[index] < rank) {
				t.Fatalf("IsLower(%d, %d) = %v, %v with %d", index, rank, lower, err, model[index])
			}
			model[index] = max(model[index], rank)
			if b, err = hll.Raise(b, index, rank, int(sparseMax)); err != nil {
				t.Fatal(err)
			}
			if packed, err = hll.Raise(packed, index, rank, int(sparseMax)); err != nil {
				t.Fatal(err)
			}
			if err := hll.Validate(b); err != nil {
				t.Fatalf("after %d, %d: %v", index, rank, err)
			}
			if !hll.IsDense(b) && len(b) > max(int(sparseMax), 18) {
				t.Fatalf("%d bytes are still sparse", len(b))
			}
		}
		for _, b := range [][]byte{b, packed} {
			var s hll.Set
			if err := s.Merge(b); err != nil || s != model {
				t.Fatalf("the registers differ (%v)", err)
			}
			if n, err := hll.Estimate(b); n != model.Estimate() || err != nil {
				t.Fatalf("estimate %d, %v, want %d", n, err, model.Estimate())
			}
		}
		again, err := model.AppendTo(hll.AppendEmpty(nil), false, 1<<20)
		var s hll.Set
		if err != nil || s.Merge(again) != nil || s != model {
			t.Fatalf("the registers differ after AppendTo (%v)", err)
		}
	})
}

// FuzzUntrusted lets every function loose on bytes that a client could have written. None
// may panic, and what one finds corrupt the others may not take as a whole.
func FuzzUntrusted(f *testing.F) {
	f.Add([]byte("HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff"), uint16(7), uint8(3))
	f.Add([]byte("HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff\x80\x7f"), uint16(7), uint8(40))
	f.Add([]byte("HYLL\x01\x00\x00\x0000000000\x40\x10\xff\xff\xff\x7f"), uint16(17), uint8(40))
	f.Fuzz(func(t *testing.T, b []byte, index uint16, rank uint8) {
		if !hll.Is(b) {
			if hll.Validate(b) == nil {
				t.Fatal("valid, but not one")
			}
			return
		}
		i := int(index) % hll.Registers
		rank %= hll.MaxRank + 1
		valid := hll.Validate(b) == nil
		var s hll.Set
		_, estimateErr := hll.Estimate(b)
		_, denseErr := hll.ToDense(bytes.Clone(b))
		if valid != (s.Merge(b) == nil) || valid != (estimateErr == nil) || valid != (denseErr == nil) {
			t.Fatalf("valid is %v, but Estimate says %v and ToDense %v", valid, estimateErr, denseErr)
		}
		if _, err := hll.IsLower(b, i, rank); err != nil && valid {
			t.Fatal("no run has the register")
		}
		raised, err := hll.Raise(bytes.Clone(b), i, rank, 3000)
		if err == nil && valid != (hll.Validate(raised) == nil) || err != nil && valid {
			t.Fatalf("valid is %v, but Raise says %v and leaves % x", valid, err, raised)
		}
		_, _ = s.AppendTo(bytes.Clone(b), false, 3000)
		if !hll.IsDense(b) {
			_, _ = hll.AppendRuns(nil, b)
		}
	})
}
