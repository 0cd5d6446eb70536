package memorycmd_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/hashcmd"
	"github.com/spineldb/spinel/internal/command/listcmd"
	"github.com/spineldb/spinel/internal/command/memorycmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
	"github.com/spineldb/spinel/internal/command/streamcmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
)

// TestUsageOfEveryType: what MEMORY USAGE says of a value, with all samples, is what its
// commands have taken from the arenas, up to the tables; with few it is not far off.
func TestUsageOfEveryType(t *testing.T) {
	for _, tt := range []struct {
		name string
		add  func(i int) []string
	}{
		{"list", func(i int) []string { return []string{"RPUSH", "k", fmt.Sprint("element:", i)} }},
		{"set", func(i int) []string { return []string{"SADD", "k", fmt.Sprint("member:", i)} }},
		{"ints", func(i int) []string { return []string{"SADD", "k", strconv.Itoa(i * 1000)} }},
		{"hash", func(i int) []string { return []string{"HSET", "k", fmt.Sprint("field:", i), "value"} }},
		{"zset", func(i int) []string { return []string{"ZADD", "k", strconv.Itoa(i), fmt.Sprint("member:", i)} }},
		{"stream", func(i int) []string { return []string{"XADD", "k", fmt.Sprintf("1-%d", i+1), "f", "value"} }},
	} {
		for _, n := range []int{1, 100, 20_000} {
			w := &world{}
			w.DB = cmdtest.New(t, listcmd.Family.Specs, setcmd.Family.Specs, hashcmd.Family.Specs,
				zsetcmd.Family.Specs, streamcmd.Family.Specs, memorycmd.Family.With(memorycmd.Deps{}))
			before := w.Keyspace.UsedMemory()
			for i := range n {
				w.Do(tt.add(i)...)
			}
			took := w.Keyspace.UsedMemory() - before
			usage := func(samples string) int64 {
				got, err := strconv.ParseInt(w.Do("MEMORY", "USAGE", "k", "SAMPLES", samples).Text(), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			const table = 2048     // the smallest there is
			canaries := took / 100 // that builds with invariants have
			if got := usage("0"); got > took+64 || got < took-table-64-canaries {
				t.Errorf("%s of %d: %d bytes of %d that were taken", tt.name, n, got, took)
			}
			if all, some := usage("0"), usage("9223372036854775807"); all != some {
				t.Errorf("%s of %d: %d bytes, with more samples than there are %d", tt.name, n, all, some)
			}
			if all, some := usage("0"), usage("5"); some < all*7/10 || some > all*13/10 {
				t.Errorf("%s of %d: %d bytes, by five samples %d", tt.name, n, all, some)
			}
		}
	}
}
