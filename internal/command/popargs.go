package command

import "github.com/spineldb/spinel/internal/resp"

// A MultiPop is what LMPOP, ZMPOP and those that wait are asked for.
type MultiPop struct {
	Keys   [][]byte
	Second bool  // the end is the second of the two
	Count  int64 // 1 or more
}

var errPopCount = resp.Errorf("count should be greater than 0")

// MultiPop reads a number of keys, the keys, one of two words, and maybe COUNT, from argument
// i to the last.
func (a Args) MultiPop(i int, first, second string) (m MultiPop, err error) {
	m.Count = 1
	n, err := a.Int(i)
	if err != nil || n < 1 {
		return m, resp.ErrNumKeys
	}
	if n >= int64(len(a)-i-1) {
		return m, resp.ErrSyntax
	}
	where := i + 1 + int(n)
	m.Keys = a[i+1 : where]
	if m.Second = a.Is(where, second); !m.Second && !a.Is(where, first) {
		return m, resp.ErrSyntax
	}
	rest := a[where+1:]
	if len(rest) == 0 {
		return m, nil
	}
	if len(rest) < 2 || !rest.Is(0, "COUNT") {
		return m, resp.ErrSyntax
	}
	m.Count, err = rest.Int(1)
	switch {
	case err != nil || m.Count < 1:
		return m, errPopCount
	case len(rest) > 2:
		return m, resp.ErrSyntax
	}
	return m, nil
}
