package hashtable

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// cloneInto copies the table into an arena with that budget for each call.
func (r *rig) cloneInto(a *mem.Arena, budget int) (*rig, error) {
	r.t.Helper()
	var c Clone
	to := &rig{Env{leaf.Heap{Arena: a}, r.Hash}, New(r.values), r.t}
	for {
		left, done, err := to.CloneSome(&c, to.Heap, r.Arena, &r.Table, budget)
		if done || err != nil {
			return to, err
		}
		if left > 0 {
			r.t.Fatalf("%d left of %d", left, budget)
		}
	}
}

// clone copies the table, compares, and frees the copy.
func (r *rig) clone(budget int) {
	r.t.Helper()
	to, err := r.cloneInto(newRig(r.t, false).Arena, budget)
	if err != nil {
		r.t.Fatal(err)
	}
	to.check()
	fields := 0
	to.Each(to.Arena, func(e Entry) bool {
		fields++
		was, ok := r.find(string(e.Field()))
		if !ok || string(was.Value()) != string(e.Value()) || was.Expiry() != e.Expiry() {
			r.t.Fatalf("%q is %.9q until %d, was %.9q until %d",
				e.Field(), e.Value(), e.Expiry(), was.Value(), was.Expiry())
		}
		if _, ok := to.find(string(e.Field())); !ok {
			r.t.Fatalf("%q is not found", e.Field())
		}
		return true
	})
	got, _ := to.MinExpiry()
	want, _ := r.MinExpiry()
	if fields != r.Len() || to.Len() != r.Len() || to.Expiring() != r.Expiring() || got != want {
		r.t.Fatalf("%d of %d fields, %d of %d expiring, at %d, not %d",
			fields, r.Len(), to.Expiring(), r.Expiring(), got, want)
	}
	if to.MemoryBytes(to.Arena, 0) != to.capacity() {
		r.t.Fatalf("MemoryBytes is %d, live are %d", to.MemoryBytes(to.Arena, 0), to.capacity())
	}
	to.free()
}

func TestClone(t *testing.T) {
	for _, n := range []int{0, 1, 50, 2000, 60_000} {
		for _, values := range []bool{false, true} {
			r := newRig(t, values)
			for i := range n {
				value, expiry := "", NoExpiry
				if values {
					value = strings.Repeat("v", i%7*i%300)
					if i%5 == 0 {
						expiry = int64(1000 + i)
					}
				}
				name := field(i)
				if i%97 == 0 {
					name += strings.Repeat("outside", 50)
				}
				r.set(name, value, expiry)
			}
			r.Epoch++
			frozen := r.AppendLeaves(r.Arena, nil) // the copy is not
			r.clone(1)
			r.clone(1 << 30)
			for _, l := range frozen {
				Thaw(r.Heap, l)
			}
			for i := range n { // small leaves beside deep ones
				if i%1000 > 20 && i%97 != 0 {
					r.delete(field(i))
				}
			}
			r.clone(5000)
			r.free()
		}
	}
}

// TestCloneExhausted copies into arenas that are too small, until one is not.
func TestCloneExhausted(t *testing.T) {
	r := newRig(t, true)
	for i := range 20_000 {
		r.set(field(i), fmt.Sprint(strings.Repeat("o", i%100/99*400), i), int64(i%50)-1)
	}
	for reserve, failed := int64(64<<10), 0; ; reserve += reserve / 4 &^ (16<<10 - 1) {
		a, err := mem.New(reserve)
		if err != nil {
			t.Fatal(err)
		}
		to, err := r.cloneInto(a, 10_000)
		to.free()
		a.Release()
		if err == nil {
			if failed == 0 {
				t.Error("all memory was enough")
			}
			return
		}
		if failed++; !errors.Is(err, mem.ErrExhausted) {
			t.Fatal(err)
		}
	}
}
