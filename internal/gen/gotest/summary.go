package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An event is one line of go test -json; `go doc test2json` describes it.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// counts is how many tests, subtests and examples ended which way.
type counts struct{ passed, failed, skipped int }

func (c *counts) add(more counts) {
	c.passed += more.passed
	c.failed += more.failed
	c.skipped += more.skipped
}

func (c counts) String() string {
	s := fmt.Sprintf("%d passed, %d failed", c.passed, c.failed)
	if c.skipped > 0 {
		return fmt.Sprintf("%d skipped\n%s", c.skipped, s)
	}
	return s
}

// A test is one of a package.
type test struct{ pkg, name string }

// summarize copies to w what a person wants of the events, and counts tests.
func summarize(w io.Writer, events io.Reader) (counts, error) {
	var total counts
	output := map[test]*strings.Builder{} // of each test that has not ended
	failures := map[string]int{}          // of each package
	for dec := json.NewDecoder(events); ; {
		var e event
		switch err := dec.Decode(&e); {
		case errors.Is(err, io.EOF):
			return total, nil
		case err != nil:
			return total, fmt.Errorf("reading go test -json: %w", err)
		}
		if e.Test == "" {
			packageEvent(w, e, failures, &total)
			if e.Action == "fail" {
				printUnended(w, e.Package, output)
			}
			continue
		}
		name := test{e.Package, e.Test}
		switch e.Action {
		case "run", "output":
			if output[name] == nil {
				output[name] = &strings.Builder{}
			}
			if !strings.HasPrefix(e.Output, "=== ") { // RUN, PAUSE, CONT: the failure says its name itself
				output[name].WriteString(e.Output)
			}
		case "pass":
			total.passed++
			delete(output, name)
		case "skip":
			total.skipped++
			delete(output, name)
		case "fail":
			total.failed++
			failures[e.Package]++
			if out := output[name]; out != nil {
				fmt.Fprint(w, out)
			}
			delete(output, name)
		}
	}
}

// printUnended prints what the tests of a package said in which it died: a fatal error, a
// panic of another goroutine, a signal and the end of the time are put down to whichever
// test ran, and that never ends.
func printUnended(w io.Writer, pkg string, output map[test]*strings.Builder) {
	var names []string
	for t := range output {
		if t.pkg == pkg {
			names = append(names, t.name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(w, "--- %s ended in %s:\n%s", pkg, name, output[test{pkg, name}])
		delete(output, test{pkg, name})
	}
}

// packageEvent handles what concerns no single test: a package's last line, its
// compiler's words, its end.
func packageEvent(w io.Writer, e event, failures map[string]int, total *counts) {
	switch e.Action {
	case "output", "build-output":
		if !isDull(e.Output) {
			fmt.Fprint(w, e.Output)
		}
	case "fail":
		if failures[e.Package] == 0 {
			total.failed++
		}
	}
}

// isDull says whether a line about a package tells a person nothing.
func isDull(line string) bool {
	switch line {
	case "PASS\n", "FAIL\n", "testing: warning: no tests to run\n":
		return true
	}
	return strings.Contains(line, "[no test files]") || strings.Contains(line, "[no tests to run]")
}
