package keycmd_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
)

func TestKeys(t *testing.T) {
	db := newDB(t)
	for _, key := range []string{"one", "two", "three", "a*b", "a[b", ""} {
		db.Do("SET", key, "v").Want("OK")
	}
	for _, tt := range []struct{ pattern, want string }{
		{"*", ",a*b,a[b,one,three,two"}, // the only star that the empty name passes
		{"**", "a*b,a[b,one,three,two"},
		{"", ""},
		{"t*", "three,two"},
		{"???", "a*b,a[b,one,two"},
		{"[ot]*", "one,three,two"},
		{`a\*b`, "a*b"},
		{"a[", "-"},
		{"none", "-"},
	} {
		want := strings.Split(tt.want, ",")
		if tt.want == "-" {
			want = nil
		}
		if got := elements(t, db.Do("KEYS", tt.pattern).Raw()); !slices.Equal(got, want) {
			t.Errorf("KEYS %q: %q, want %q", tt.pattern, got, want)
		}
		if got := scanAll(t, db, "MATCH", tt.pattern); !slices.Equal(got, want) {
			t.Errorf("SCAN MATCH %q: %q, want %q", tt.pattern, got, want)
		}
	}
	db.Do("KEYS").WantError("ERR wrong number of arguments for 'keys' command")
}

// TestX15: patterns that take exponential time or a deep stack elsewhere.
func TestX15(t *testing.T) {
	db := newDB(t)
	db.Do("SET", strings.Repeat("a", 10000), "v").Want("OK")
	db.Do("KEYS", strings.Repeat("a*", 40)+"b").WantArray()
	db.Do("SCAN", "0", "MATCH", strings.Repeat("*?", 10001)).Want("[0 []]")
	db.Do("KEYS", strings.Repeat("*?", 10000)).Want("[" + strings.Repeat("a", 10000) + "]")
}

// elements sorts the elements of an array of strings.
func elements(t *testing.T, raw string) []string {
	t.Helper()
	lines := strings.Split(raw, "\r\n")
	n, err := strconv.Atoi(strings.TrimPrefix(lines[0], "*"))
	if err != nil || len(lines) != 2*n+2 {
		t.Fatalf("not an array of strings: %q", raw)
	}
	var out []string
	for i := range n {
		out = append(out, lines[2+2*i])
	}
	slices.Sort(out)
	return out
}

// page takes one SCAN reply apart.
func page(t *testing.T, raw string) (cursor string, keys []string) {
	t.Helper()
	lines := strings.SplitN(raw, "\r\n", 4)
	if len(lines) != 4 || lines[0] != "*2" {
		t.Fatalf("not a page: %q", raw)
	}
	return lines[2], elements(t, lines[3])
}

// scanAll is what a whole iteration returns, each key once.
func scanAll(t *testing.T, db *cmdtest.DB, options ...string) (all []string) {
	t.Helper()
	for cursor := "0"; ; {
		var keys []string
		cursor, keys = page(t, db.Do(append([]string{"SCAN", cursor}, options...)...).Raw())
		if all = append(all, keys...); cursor == "0" {
			slices.Sort(all)
			return slices.Compact(all)
		}
	}
}

func TestScanArguments(t *testing.T) {
	db := newDB(t)
	db.Do("SET", "k", "v").Want("OK")
	const (
		all    = "[0 [k]]"
		none   = "[0 []]"
		cursor = "-ERR invalid cursor"
	)
	for _, tt := range []struct{ call, want string }{
		{"0", all}, {"00", all}, {"+0", all}, {"-0", all}, {"+1", "?"},
		{"9223372036854775808", all}, // X6: elsewhere it crashed. The bits that matter are 0
		{"9223372036854775808 MATCH *11*", none},
		{"18446744073709551615", "?"},
		{"-1", "?"}, // the same, to strtoul
		{"18446744073709551616", cursor},
		{"-18446744073709551616", cursor},
		{"99999999999999999999999", cursor},
		{"abc", cursor}, {"0x10", cursor}, {"1e3", cursor}, {"1.", cursor}, {"-", cursor}, {"--1", cursor},
		{"nan", cursor},
		{"x COUNT x", cursor}, // before the options
		{"0 COUNT 9223372036854775807", all},
		{"0 COUNT 2147483648", all},
		{"0 COUNT 9223372036854775808", errInt},
		{"0 COUNT x", errInt},
		{"0 COUNT 0", errSyntax},
		{"0 COUNT -1", errSyntax},
		{"0 COUNT -9223372036854775808", errSyntax},
		{"0 COUNT", errSyntax}, {"0 MATCH", errSyntax}, {"0 TYPE", errSyntax}, {"0 FOO 1", errSyntax},
		{"0 count 5 match k type String", all},
		{"0 TYPE hash", none}, {"0 TYPE foo", none},
		{"0 TYPE foo TYPE string", all}, {"0 MATCH x MATCH *", all},
	} {
		got := db.Do(append([]string{"SCAN"}, strings.Fields(tt.call)...)...)
		if tt.want != "?" {
			got.Want(tt.want)
		} else if text := got.Text(); text != all && text != none { // wherever the key may be
			t.Errorf("SCAN %s: %s", tt.call, text)
		}
	}
	for _, tt := range []struct{ cursor, want string }{
		{"", all}, {"0\x00abc", all}, {" 0", cursor}, {"0 ", cursor}, {"\t0", cursor},
	} {
		db.Do("SCAN", tt.cursor).Want(tt.want)
	}
}

// A small database comes in one reply though every key is in a stripe of its own, and
// so does an empty one.
func TestScanSmall(t *testing.T) {
	db := newDB(t)
	do(db, "SCAN 0").Want("[0 []]")
	for i := range 9 {
		db.Do("SET", fmt.Sprint("k", i), "v")
	}
	cursor, keys := page(t, do(db, "SCAN 0").Raw())
	if cursor != "0" || len(keys) != 9 {
		t.Errorf("cursor %s and %d keys of 9", cursor, len(keys))
	}
}

// COUNT bounds a page, but for keys that share a bucket.
func TestScanCount(t *testing.T) {
	db := newDB(t)
	const n = 5000
	for i := range n {
		db.Do("SET", fmt.Sprint("k", i), "v")
	}
	if got := elements(t, do(db, "KEYS k*").Raw()); len(got) != n {
		t.Errorf("KEYS: %d keys", len(got))
	}
	for _, count := range []int{1, 10, 100, 1500, n} {
		pages, got := 0, 0
		for cursor := "0"; ; {
			var keys []string
			cursor, keys = page(t, db.Do("SCAN", cursor, "COUNT", strconv.Itoa(count)).Raw())
			pages, got = pages+1, got+len(keys)
			if len(keys) > count+32 {
				t.Errorf("COUNT %d: %d keys", count, len(keys))
			}
			if cursor == "0" {
				break
			}
			if c, _ := strconv.ParseUint(cursor, 10, 64); c >= 1<<53 {
				t.Errorf("cursor %s does not fit a double", cursor)
			}
		}
		if got != n || pages > n/count+2 {
			t.Errorf("COUNT %d: %d keys in %d pages", count, got, pages)
		}
	}
}

// TestScanGuarantee: keys that are there from the beginning of an iteration to its end
// are returned, whatever comes and goes meanwhile, and however the table grows and
// shrinks; keys that were never there are not.
func TestScanGuarantee(t *testing.T) {
	for _, tt := range []struct {
		name           string
		before, during int // other keys set before, and between two pages; negative: removed
	}{
		{"nothing changes", 2000, 0},
		{"the table grows", 0, 400},
		{"the table shrinks", 20000, -600},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		db := newDB(t)
		stable := map[string]int{}
		for i := range 500 {
			key := fmt.Sprint("stable:", i)
			stable[key] = 0
			db.Do("SET", key, "v")
		}
		other := tt.before
		for i := range tt.before {
			db.Do("SET", fmt.Sprint("other:", i), "v")
		}
		for cursor, pages := "0", 0; ; pages++ {
			var keys []string
			cursor, keys = page(t, db.Do("SCAN", cursor, "COUNT", strconv.Itoa(1+rng.IntN(40))).Raw())
			for _, key := range keys {
				if _, ok := stable[key]; ok {
					stable[key]++
				} else if !strings.HasPrefix(key, "other:") {
					t.Fatalf("%s: %q was never there", tt.name, key)
				}
			}
			if cursor == "0" {
				break
			}
			if pages > 100_000 {
				t.Fatalf("%s: no end", tt.name)
			}
			for i := 0; i < tt.during && other < 40_000; i++ {
				db.Do("SET", fmt.Sprint("other:", other), "v")
				other++
			}
			for i := 0; i > tt.during && other > 0; i-- {
				other--
				db.Do("DEL", fmt.Sprint("other:", other))
			}
		}
		for key, times := range stable {
			if times == 0 {
				t.Errorf("%s: %s was missed", tt.name, key)
			}
		}
	}
}

// SCAN and KEYS look at the selected database only.
func TestScanDatabase(t *testing.T) {
	db := newDB(t)
	run(t, db, step{"SET a v", "OK"}, step{"SELECT 1", "OK"}, step{"SET b v", "OK"}, step{"KEYS *", "[b]"},
		step{"SCAN 0", "[0 [b]]"}, step{"RANDOMKEY", "b"}, step{"SELECT 2", "OK"}, step{"KEYS *", "[]"},
		step{"RANDOMKEY", "(nil)"})
}

func TestRandomKeyIsFair(t *testing.T) {
	db := newDB(t)
	do(db, "RANDOMKEY").WantNil()
	const n, mean = 50, 200
	for i := range n {
		db.Do("SET", fmt.Sprint("k", i), "v")
	}
	hits := map[string]int{}
	for range n * mean {
		hits[db.Do("RANDOMKEY").Text()]++
	}
	for i := range n { // 7 standard deviations are 99
		if h := hits[fmt.Sprint("k", i)]; h < mean-99 || h > mean+99 {
			t.Errorf("k%d was drawn %d times instead of %d", i, h, mean)
		}
	}
	if len(hits) != n {
		t.Errorf("%d keys drawn of %d", len(hits), n)
	}
}
