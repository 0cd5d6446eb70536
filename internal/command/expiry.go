package command

import "github.com/spineldb/spinel/internal/resp"

// An ExpiryCondition is what must be true of an expiry for a command to change it. Several
// may be asked for; the zero ExpiryCondition is always true.
type ExpiryCondition uint8

const (
	ifNone    ExpiryCondition = 1 << iota // NX
	ifAny                                 // XX
	ifLater                               // GT
	ifEarlier                             // LT
)

// ExpiryCondition reads the words NX, XX, GT and LT from argument i on, and returns the place
// of the first argument that is none of them.
func (a Args) ExpiryCondition(i int) (cond ExpiryCondition, next int) {
	for ; i < len(a); i++ {
		switch {
		case a.Is(i, "NX"):
			cond |= ifNone
		case a.Is(i, "XX"):
			cond |= ifAny
		case a.Is(i, "GT"):
			cond |= ifLater
		case a.Is(i, "LT"):
			cond |= ifEarlier
		default:
			return cond, i
		}
	}
	return cond, i
}

var (
	errNXAndOthers = resp.Errorf("NX and XX, GT or LT options at the same time are not compatible")
	errGTAndLT     = resp.Errorf("GT and LT options at the same time are not compatible")
)

// Check finds words that cannot be true together. GT is no contradiction to XX, which it
// implies.
func (cond ExpiryCondition) Check() error {
	switch {
	case cond&ifNone != 0 && cond != ifNone:
		return errNXAndOthers
	case cond&ifLater != 0 && cond&ifEarlier != 0:
		return errGTAndLT
	}
	return nil
}

// Allows says whether an expiry may change from old to at; old is negative if there is none.
// What does not expire lives longest: no expiry is later than that, and any is earlier.
func (cond ExpiryCondition) Allows(old, at int64) bool {
	none := old < 0
	switch {
	case cond&ifNone != 0 && !none,
		cond&ifAny != 0 && none,
		cond&ifLater != 0 && (none || at <= old),
		cond&ifEarlier != 0 && !none && at >= old:
		return false
	}
	return true
}
