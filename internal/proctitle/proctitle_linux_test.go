package proctitle

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// titleChild in the environment makes this test's process the one that is titled: the
// arguments of the others are still in use.
const titleChild = "TITLE_CHILD"

// Titles shorter than the arguments, longer, and longer than what there is.
func TestSet(t *testing.T) {
	titles := []string{"short", strings.Repeat("long ", 30) + "end", "", "again", strings.Repeat("x", 1<<16)}
	if os.Getenv(titleChild) == "" {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSet$")
		child.Env = []string{titleChild + "=" + strings.Repeat("1", 500)}
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	failed := ""
	for _, title := range titles {
		if err := Set(title); err != nil {
			failed = err.Error()
			break
		}
		got, err := os.ReadFile("/proc/self/cmdline")
		shown := strings.TrimRight(string(got), "\x00")
		cut := len(shown) > 500 && strings.HasPrefix(title, shown)
		if err != nil || shown != title && !cut {
			failed = "titled " + title + ", shown is " + shown
			break
		}
	}
	if failed != "" {
		_, _ = os.Stderr.WriteString(failed)
		os.Exit(1)
	}
	os.Exit(0) // the testing package's own arguments are gone
}

func TestParseArguments(t *testing.T) {
	fields := func(name, last string) string {
		return "7 (" + name + ") R" + strings.Repeat(" 1", 44) + " " + last + "\n"
	}
	for _, tt := range []struct {
		stat string
		want arguments
		ok   bool
	}{
		{fields("a", "100 120 120 300 0"), arguments{100, 120, 300}, true},
		{fields("a) R 1 (b", "100 120 120 300 0"), arguments{100, 120, 300}, true},
		{fields("a", "100 120 130 300 0"), arguments{100, 120, 120}, true}, // the environment is elsewhere
		{fields("a", "0 0 0 0 0"), arguments{}, false},                     // not ours to know
		{fields("a", "100 120 120 110 0"), arguments{}, false},
		{fields("a", "100 120 120 x 0"), arguments{}, false},
		{fields("a", "100"), arguments{}, false},
		{"", arguments{}, false},
	} {
		got, err := parseArguments([]byte(tt.stat))
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%s is %v, %v; want %v", tt.stat, got, err, tt.want)
		}
	}
}
