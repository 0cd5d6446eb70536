package record_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

// The bytes of the package's example.
func TestExampleBytes(t *testing.T) {
	a := memtest.New(t, 1<<30)
	s := record.Shape{Key: []byte("name"), Expiry: -1}
	n := s.SizeBytes(3)
	ref := a.Alloc(n)
	copy(s.WriteBytes(a, ref, record.Bytes, 3), "wei")
	want := []byte("\x08\x04name\x03wei")
	if got := a.Bytes(ref, n); !bytes.Equal(got, want) {
		t.Errorf("got % x\nwant % x", got, want)
	}
}

// Every field comes back, whatever the others are.
func TestFields(t *testing.T) {
	a := memtest.New(t, 1<<30)
	for _, keyLen := range []int{0, 1, 16, 254, 255, 256, 70_000} {
		for _, valueLen := range []int{0, 1, 44, 251, 252, 65_535, 65_536, 1 << 24} {
			for _, expiry := range []int64{-1, 0, 1700000000000, math.MaxInt64} {
				for _, clocks := range []bool{false, true} {
					key := bytes.Repeat([]byte("k"), keyLen)
					s := record.Shape{Key: key, Expiry: expiry, Clocks: clocks, Clock: 0xABCDEF}
					ref := a.Alloc(s.SizeBytes(valueLen))
					value := s.WriteBytes(a, ref, record.Bytes, valueLen)
					for i := range value {
						value[i] = byte(i)
					}
					r := record.At(a, ref)
					if !bytes.Equal(r.Key(), key) || r.Expiry() != expiry || len(r.Bytes()) != valueLen ||
						r.HasClock() != clocks || r.Size() != s.SizeBytes(valueLen) || r.Type() != record.String {
						t.Fatalf("key %d, value %d, expiry %d: got %d, %d, %d, clock %v, size %d",
							keyLen, valueLen, expiry, len(r.Key()), len(r.Bytes()), r.Expiry(), r.HasClock(), r.Size())
					}
					if clocks && r.Clock() != 0xABCDEF {
						t.Fatalf("clock %x", r.Clock())
					}
					a.Free(ref)
				}
			}
		}
	}
}

func TestInts(t *testing.T) {
	a := memtest.New(t, 1<<30)
	for _, n := range []int64{0, 1, -1, 127, 128, -128, -129, 32767, 32768, math.MaxInt32, math.MinInt32 - 1,
		math.MaxInt64, math.MinInt64} {
		s := record.Shape{Key: []byte("n"), Expiry: 5}
		ref := a.Alloc(s.SizeInt(n))
		s.WriteInt(a, ref, n)
		if r := record.At(a, ref); !r.IsInt() || r.Int() != n || r.Size() != s.SizeInt(n) || r.Expiry() != 5 {
			t.Errorf("%d came back as %d in %d bytes", n, r.Int(), r.Size())
		}
		a.Free(ref)
	}
}

// Stretch keeps the bytes when the length needs more of them itself.
func TestStretch(t *testing.T) {
	a := memtest.New(t, 1<<30)
	lengths := []int{0, 5, 251, 252, 300, 65_535, 65_536, 70_000, 1 << 24, 65_535, 251, 3}
	s := record.Shape{Key: []byte("k"), Expiry: -1}
	ref := a.Alloc(s.SizeBytes(1<<24) + 8)
	s.WriteBytes(a, ref, record.Bytes, 0)
	r := record.At(a, ref)
	var model []byte
	for step, n := range lengths {
		got := r.Stretch(n)
		for len(model) < n {
			model = append(model, 0)
		}
		model = model[:n]
		if !bytes.Equal(got, model) {
			t.Fatalf("after stretching to %d the bytes differ", n)
		}
		for i := range got {
			got[i] = byte(i * (step + 3))
			model[i] = got[i]
		}
	}
	if r.Encoding() != record.Raw {
		t.Errorf("encoding %d", r.Encoding())
	}
}
