// Package invariant states what must be true, in builds that check it.
//
// A false invariant is a bug of ours, never bad input. Builds with the tag
// `invariants` (make test) check and panic; other builds compile the checks to
// nothing, so they may be as dear as the truth needs, behind `if invariant.Enabled`.
package invariant

import "fmt"

// Check panics with the formatted message if ok is false and checks are enabled.
//
// The arguments are evaluated in every build. Guard what costs anything:
//
//	if invariant.Enabled {
//		invariant.Check(t.count == t.walk(), "dict: %d counted, %d found", t.count, t.walk())
//	}
func Check(ok bool, format string, args ...any) {
	if Enabled && !ok {
		panic("BUG: " + fmt.Sprintf(format, args...))
	}
}
