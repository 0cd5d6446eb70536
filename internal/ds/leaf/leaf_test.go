package leaf

import (
	"bytes"
	"testing"

	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/mem/memtest"
)

func newHeap(t *testing.T) Heap {
	t.Helper()
	return Heap{Arena: memtest.New(t, 1<<24)}
}

func fill(h Heap, r mem.Ref, n int, c byte) {
	b := h.Bytes(r, n)[HeadSize-1:]
	copy(b, bytes.Repeat([]byte{c}, len(b)))
}

func want(t *testing.T, h Heap, r mem.Ref, n int, c byte) {
	t.Helper()
	if b := h.Bytes(r, n)[HeadSize-1:]; !bytes.Equal(b, bytes.Repeat([]byte{c}, len(b))) {
		t.Fatalf("the leaf is %q", b)
	}
}

// TestFrozen follows two leaves through a snapshot: one changed, one dropped.
func TestFrozen(t *testing.T) {
	h := newHeap(t)
	const n = 40
	a, b := h.New(n), h.New(n)
	fill(h, a, n, 'a')
	fill(h, b, n, 'b')
	if h.Own(a, n) != a {
		t.Fatal("a leaf that nobody froze was copied")
	}

	h.Epoch = 7 // a snapshot begins
	a2 := h.Own(a, n)
	if a2 == a {
		t.Fatal("a frozen leaf may be changed")
	}
	want(t, h, a2, n, 'a')
	fill(h, a2, n, 'A')
	if h.Own(a2, n) != a2 {
		t.Fatal("the copy is frozen too")
	}
	h.Drop(b)
	c := h.New(n) // made meanwhile: the snapshot does not know it
	if h.IsFrozen(c) {
		t.Fatal("a new leaf is frozen")
	}
	want(t, h, a, n, 'a')
	want(t, h, b, n, 'b')
	h.Thaw(a)
	h.Thaw(b)

	h.Epoch = 0
	h.Drop(a2)
	h.Drop(c)
	if h.Live() != 0 {
		t.Fatalf("%d bytes leaked", h.Live())
	}
}

func TestThawedStays(t *testing.T) {
	h := newHeap(t)
	r := h.New(20)
	h.Epoch = 7
	h.Thaw(r)
	if h.IsFrozen(r) || h.Own(r, 20) != r {
		t.Fatal("a leaf that was read is still frozen")
	}
	h.Epoch = 8
	if !h.IsFrozen(r) {
		t.Fatal("the next snapshot does not freeze it")
	}
}

func TestResize(t *testing.T) {
	h := newHeap(t)
	r := h.New(200)
	fill(h, r, 200, 'x')
	if h.Resize(r, 200, 190) != r {
		t.Fatal("moved for nothing")
	}
	small := h.Resize(r, 50, 50)
	if small == r {
		t.Fatal("a quarter of the block is used")
	}
	want(t, h, small, 50, 'x')
	big := h.Resize(small, 50, 5000)
	want(t, h, big, 50, 'x')
	h.Drop(big)
	if h.Live() != 0 {
		t.Fatalf("%d bytes leaked", h.Live())
	}
}
