package value_test

import (
	"testing"

	"github.com/spineldb/spinel/internal/value"
)

// copyInto makes an empty value a copy of another of the same type, in small steps.
func copyInto(t testing.TB, src, dst *value.Cell) {
	t.Helper()
	part, err := dst.Resize(src.Encoding(), len(src.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	value.StartCopy(src.Record(), part)
	var p value.Copier
	for done := false; !done; {
		if done, err = p.Some(src, dst, 2000); err != nil {
			t.Fatal(err)
		}
	}
}
