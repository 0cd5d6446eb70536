// Package memtest makes arenas for tests.
package memtest

import (
	"testing"

	"github.com/spineldb/spinel/internal/mem"
)

// New makes an arena of so many bytes, which is given back when the test ends.
func New(t testing.TB, reserve int64) *mem.Arena {
	t.Helper()
	a, err := mem.New(reserve)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Release)
	return a
}
