package testenv

import "testing"

func TestNumber(t *testing.T) {
	for text, want := range map[string]int{"": 7, "1": 1, "4000": 4000, "0": -1, "-3": -1, "x": -1, "1e3": -1} {
		t.Setenv("SPINEL_TESTENV", text)
		f := &failure{TB: t}
		got := -1
		func() {
			defer func() { _ = recover() }()
			got = Number(f, "SPINEL_TESTENV", 7)
		}()
		if got != want || f.failed != (want < 0) {
			t.Errorf("%q: %d, failed %v", text, got, f.failed)
		}
	}
}

// A failure is a test that notes that it was ended.
type failure struct {
	testing.TB
	failed bool
}

func (f *failure) Fatalf(string, ...any) {
	f.failed = true
	panic("ended")
}
