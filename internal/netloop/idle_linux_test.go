package netloop

import "testing"

// What the kernel says is understood.
func TestReadIdle(t *testing.T) {
	if ticks, ok := readIdle("/proc/stat"); !ok || ticks <= 0 {
		t.Errorf("%d idle ticks, %v", ticks, ok)
	}
	if _, ok := readIdle("/proc/self/cmdline"); ok {
		t.Error("something else was understood")
	}
	for in, want := range map[string]int64{"1815751 18297 3\n": 18297, "12 7": 7, "12": 0, "": 0} {
		if got := secondNumber([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
