package glob_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/glob"
)

// keys are what the patterns of TestAgainstKeys choose from.
var keys = strings.Fields("a b c m z A Z ] [ ^ - \\ * ? ` \x00 \x7f \x80 \xc3 \xff " +
	"ab ac abc a] a* a\\ aa aab abab a\x00b [a] h\xc3\xa9 hello hallo hxllo heeello")

// The matches are replies of Redis 7.0 to KEYS, with the keys above and the
// empty one, which no pattern here matches.
func TestAgainstKeys(t *testing.T) {
	for _, tt := range []struct{ pattern, matches string }{
		{
			"**",
			"\x00 * - ? A Z [ [a] \\ ] ^ ` a a\x00b a* a\\ a] aa aab ab abab abc ac b c" +
				" hallo heeello hello hxllo h\xc3\xa9 m z \x7f \x80 \xc3 \xff",
		},
		{"?", "\x00 * - ? A Z [ \\ ] ^ ` a b c m z \x7f \x80 \xc3 \xff"},
		{"??", "a* a\\ a] aa ab ac"},
		{
			"?*",
			"\x00 * - ? A Z [ [a] \\ ] ^ ` a a\x00b a* a\\ a] aa aab ab abab abc ac b c" +
				" hallo heeello hello hxllo h\xc3\xa9 m z \x7f \x80 \xc3 \xff",
		},
		{
			"*?",
			"\x00 * - ? A Z [ [a] \\ ] ^ ` a a\x00b a* a\\ a] aa aab ab abab abc ac b c" +
				" hallo heeello hello hxllo h\xc3\xa9 m z \x7f \x80 \xc3 \xff",
		},
		{
			"*?*?",
			"[a] a\x00b a* a\\ a] aa aab ab abab abc ac hallo heeello hello hxllo" +
				" h\xc3\xa9",
		},
		{"a", "a"},
		{"a*", "a a\x00b a* a\\ a] aa aab ab abab abc ac"},
		{"*a", "a aa"},
		{"*b", "a\x00b aab ab abab b"},
		{"a*b", "a\x00b aab ab abab"},
		{"*a*b*", "a\x00b aab ab abab abc"},
		{"a**b", "a\x00b aab ab abab"},
		{"a?", "a* a\\ a] aa ab ac"},
		{"a?b", "a\x00b aab"},
		{"[", ""},
		{"[^", "\x00 * - ? A Z [ \\ ] ^ ` a b c m z \x7f \x80 \xc3 \xff"},
		{"[]", ""},
		{"[^]", "\x00 * - ? A Z [ \\ ] ^ ` a b c m z \x7f \x80 \xc3 \xff"},
		{"[a", "a"},
		{"[ab", "a b"},
		{"[^ab", "\x00 * - ? A Z [ \\ ] ^ ` c m z \x7f \x80 \xc3 \xff"},
		{"[a-", "- a"},
		{"[^a-", "\x00 * ? A Z [ \\ ] ^ ` b c m z \x7f \x80 \xc3 \xff"},
		{"[a-]", "] ^ ` a"},
		{"[^a-]", "\x00 * - ? A Z [ \\ b c m z \x7f \x80 \xc3 \xff"},
		{"[a-c]", "a b c"},
		{"[c-a]", "a b c"},
		{"[^a-c]", "\x00 * - ? A Z [ \\ ] ^ ` m z \x7f \x80 \xc3 \xff"},
		{"[a-c", "a b c"},
		{"[ab]", "a b"},
		{"[]a]", ""},
		{"[\\]]", "]"},
		{"[\\]", "]"},
		{"[\\", "\\"},
		{"[\\\\]", "\\"},
		{"[\\^a]", "^ a"},
		{"[a^]", "^ a"},
		{"[^^]", "\x00 * - ? A Z [ \\ ] ` a b c m z \x7f \x80 \xc3 \xff"},
		{"[^]a]", "[a]"},
		{"[-a]", "- a"},
		{"[a\\-z]", "- a z"},
		{"[\\a-z]", "- a z"},
		{"[a-\\]]", "a]"},
		{"[*]", "*"},
		{"[?]", "?"},
		{"[[]", "["},
		{"[\x80-a]", "\x00 * - ? A Z [ \\ ] ^ ` a \x80 \xc3 \xff"},
		{"[a-\xff]", "\x00 * - ? A Z [ \\ ] ^ ` a \xff"},
		{"[\x80-\xff]", "\x80 \xc3 \xff"},
		{"[\xff-\x80]", "\x80 \xc3 \xff"},
		{"[\x00-\x7f]", "\x00 * - ? A Z [ \\ ] ^ ` a b c m z \x7f"},
		{"[Z-a]", "Z [ \\ ] ^ ` a"},
		{"[!a]", "a"},
		{"\\", "\\"},
		{"\\\\", "\\"},
		{"\\*", "*"},
		{"\\a", "a"},
		{"\\?", "?"},
		{"\\[a]", "[a]"},
		{"a\\", "a\\"},
		{"a\\*", "a*"},
		{"a\\**", "a*"},
		{"*\\", "\\ a\\"},
		{"*[", ""},
		{
			"*[^",
			"\x00 * - ? A Z [ [a] \\ ] ^ ` a a\x00b a* a\\ a] aa aab ab abab abc ac b c" +
				" hallo heeello hello hxllo h\xc3\xa9 m z \x7f \x80 \xc3 \xff",
		},
		{"*]", "[a] ] a]"},
		{"]", "]"},
		{"^", "^"},
		{"-", "-"},
		{"a[*]", "a*"},
		{"a[]", ""},
		{"a[", ""},
		{"[a][b]", "ab"},
		{"[a-c][a-c]*", "aa aab ab abab abc ac"},
		{"*[a-c][^a]", "[a] a* a\\ a] aab ab abab abc ac"},
		{"h[ae]llo", "hallo hello"},
		{"h?llo", "hallo hello hxllo"},
		{"h*llo", "hallo heeello hello hxllo"},
		{"h[^e]llo", "hallo hxllo"},
		{"h[a-b]llo", "hallo"},
		{"*l*l*", "hallo heeello hello hxllo"},
		{"h??", "h\xc3\xa9"},
		{"*\xc3*", "h\xc3\xa9 \xc3"},
		{"a\x00b", "a\x00b"},
		{"a?b*", "a\x00b aab"},
		{"\x00", "\x00"},
		{"[\x00]", "\x00"},
		{"[a-c-e]", "- a b c"},
		{"[--a]", "- ? A Z [ \\ ] ^ ` a"},
		{"[a--]", "- ? A Z [ \\ ] ^ ` a"},
		{"[]-a]", ""},
		{"***a***b***", "a\x00b aab ab abab abc"},
		{"*ab", "aab ab abab"},
		{"*a*a*", "aa aab abab"},
		{"a*a*a*a", ""},
	} {
		want := strings.Fields(tt.matches)
		for _, key := range append(keys, "") {
			got := glob.Match([]byte(tt.pattern), []byte(key), false)
			if got != slices.Contains(want, key) {
				t.Errorf("%q matches %q: %v", tt.pattern, key, got)
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", false},
		{"*", "a", true},
		{"a", "", false},
	} {
		if got := glob.Match([]byte(tt.pattern), []byte(tt.s), false); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.pattern, tt.s, got)
		}
	}
}

// The verdicts are whether COMMAND LIST FILTERBY PATTERN of Redis 7.0 finds "get".
func TestNoCase(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		want    bool
	}{
		{"GET", true},
		{"gEt", true},
		{"G?T", true},
		{"\\GET", true},
		{"[G]et", true},
		{"[\\G]et", false},
		{"[\\g]et", true},
		{"[F-H]ET", true},
		{"[h-F]et", true},
		{"[H-f]et", false},
		{"[f-H]et", false},
		{"[^G]ET", false},
		{"[^\\G]ET", true},
		{"GE[a-\xff]", false},
		{"[@-[]et", false},
		{"[G-z]et", true},
	} {
		if got := glob.Match([]byte(tt.pattern), []byte("get"), true); got != tt.want {
			t.Errorf("%q matches \"get\": %v, want %v", tt.pattern, got, tt.want)
		}
	}
}

func TestIsLiteral(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		want    bool
	}{
		{"", true},
		{"user:1000", true},
		{"a]^-b", true},
		{"a*", false},
		{"a?", false},
		{"[a]", false},
		{"a\\", false},
	} {
		if got := glob.IsLiteral([]byte(tt.pattern)); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.pattern, got, tt.want)
		}
	}
}

// TestHostile bounds the time of patterns that are exponential or exhaust the
// stack elsewhere. Each takes milliseconds at most here; a second is for slow
// machines.
func TestHostile(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{strings.Repeat("a*", 50) + "b", strings.Repeat("a", 1000), false}, // CVE-2022-36021
		{strings.Repeat("*?", 50000), strings.Repeat("a", 50000), true},    // CVE-2024-31228
		{strings.Repeat("*?", 50000), strings.Repeat("a", 49999), false},
		{strings.Repeat("*", 100000) + "b", strings.Repeat("a", 100000), false},
		{strings.Repeat("*[a-z]", 10000), strings.Repeat("a", 9999), false},
		{"*" + strings.Repeat("a", 1000) + "b*", strings.Repeat("a", 4000), false},
	} {
		start := time.Now()
		if got := glob.Match([]byte(tt.pattern), []byte(tt.s), false); got != tt.want {
			t.Errorf("%.20q... of %d: %v, want %v", tt.pattern, len(tt.pattern), got, tt.want)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.20q... of %d took %v", tt.pattern, len(tt.pattern), took)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	pattern, s := []byte("user:*:[a-f]?\\*"), []byte("user:1000:fx*")
	n := testing.AllocsPerRun(100, func() {
		if !glob.Match(pattern, s, true) || glob.IsLiteral(pattern) {
			t.Fatal("wrong verdict")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// FuzzAgainstModel compares with a matcher that tries everything.
func FuzzAgainstModel(f *testing.F) {
	for _, pattern := range []string{"*a*b", "[^a-", "[\\]]*", "a?[b-a]", "\\*\\", "[a--]", "[]", "[^]"} {
		f.Add([]byte(pattern), []byte("ab-a]b"), true)
	}
	f.Fuzz(func(t *testing.T, pattern, s []byte, nocase bool) {
		if len(pattern) > 16 || len(s) > 16 {
			return
		}
		want := len(pattern) == 0
		if len(s) > 0 {
			want = model(parse(pattern, nocase), s)
		}
		if got := glob.Match(pattern, s, nocase); got != want {
			t.Fatalf("%q matches %q, nocase %v: %v, want %v", pattern, s, nocase, got, want)
		}
		if glob.IsLiteral(pattern) && !nocase && want != bytes.Equal(pattern, s) {
			t.Fatalf("%q is literal, but its match with %q is %v", pattern, s, want)
		}
	})
}

// An element is the set of bytes that match it, or nil for a '*'.
type element *[256]bool

func parse(pattern []byte, nocase bool) (elements []element) {
	for len(pattern) > 0 {
		c := pattern[0]
		pattern = pattern[1:]
		set := new([256]bool)
		switch {
		case c == '*':
			set = nil
		case c == '?':
			add(set, -128, 127, false)
		case c == '[':
			pattern = parseClass(set, pattern, nocase)
		default:
			if c == '\\' && len(pattern) > 0 {
				c, pattern = pattern[0], pattern[1:]
			}
			add(set, int(int8(c)), int(int8(c)), nocase)
		}
		elements = append(elements, set)
	}
	return elements
}

func parseClass(set *[256]bool, pattern []byte, nocase bool) (rest []byte) {
	negated := bytes.HasPrefix(pattern, []byte("^"))
	if negated {
		pattern = pattern[1:]
	}
	for len(pattern) > 0 && pattern[0] != ']' {
		from, to, size, fold := int(int8(pattern[0])), int(int8(pattern[0])), 1, nocase
		if pattern[0] == '\\' && len(pattern) > 1 {
			from, to, size, fold = int(int8(pattern[1])), int(int8(pattern[1])), 2, false
		} else if len(pattern) > 2 && pattern[1] == '-' {
			to, size = int(int8(pattern[2])), 3
		}
		add(set, min(from, to), max(from, to), fold)
		pattern = pattern[size:]
	}
	for c := range set {
		set[c] = set[c] != negated
	}
	return bytes.TrimPrefix(pattern, []byte("]"))
}

// add puts the bytes of a range of signed ones into set. With fold, the ends are
// folded, and so is what is looked up.
func add(set *[256]bool, from, to int, fold bool) {
	lower := func(c int) int {
		if fold && 'A' <= c && c <= 'Z' {
			return c + 32
		}
		return c
	}
	for c := -128; c <= 127; c++ {
		if lower(from) <= lower(c) && lower(c) <= lower(to) {
			set[byte(c)] = true
		}
	}
}

func model(elements []element, s []byte) bool {
	if len(elements) == 0 {
		return len(s) == 0
	}
	if elements[0] == nil {
		return model(elements[1:], s) || len(s) > 0 && model(elements, s[1:])
	}
	return len(s) > 0 && elements[0][s[0]] && model(elements[1:], s[1:])
}

func BenchmarkMatch(b *testing.B) {
	s := []byte("session:user:1000000000017:profile")
	for _, pattern := range []string{"session:*", "*profile", "*:1000*:pro*", "s?ssion:[a-z]*:profile"} {
		b.Run(pattern, func(b *testing.B) {
			p := []byte(pattern)
			for b.Loop() {
				glob.Match(p, s, false)
			}
		})
	}
}
