package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestRuns(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "[[]]"},
		{"-v ./...", "[[-v ./...]]"},
		{"-v ./a -- -run X ./b -- ./c", "[[-v ./a] [-run X ./b] [./c]]"},
	} {
		if got := fmt.Sprint(runs(strings.Fields(tt.args))); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.args, got, tt.want)
		}
	}
}

func TestSummarize(t *testing.T) {
	const build = `{"Action":"build-output","ImportPath":"m/b","Output":"b.go:1: syntax error\n"}` + "\n"
	for _, tt := range []struct {
		what   string
		events string
		want   string // what is printed, then the totals
	}{
		{"a pass prints its package only",
			`{"Action":"output","Package":"m/a","Test":"TestX","Output":"chatter\n"}
			 {"Action":"pass","Package":"m/a","Test":"TestX"}
			 {"Action":"output","Package":"m/a","Output":"PASS\n"}
			 {"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.1s\n"}
			 {"Action":"pass","Package":"m/a"}`,
			"ok  \tm/a\t0.1s\n1 passed, 0 failed"},
		{"a package of which no test was chosen is not worth a word",
			`{"Action":"output","Package":"m/a","Output":"testing: warning: no tests to run\n"}
			 {"Action":"output","Package":"m/a","Output":"PASS\n"}
			 {"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.1s [no tests to run]\n"}
			 {"Action":"pass","Package":"m/a"}`,
			"0 passed, 0 failed"},
		{"a failure prints what the test said, and its package is not counted again",
			`{"Action":"output","Package":"m/a","Test":"TestX","Output":"got 1, want 2\n"}
			 {"Action":"fail","Package":"m/a","Test":"TestX"}
			 {"Action":"output","Package":"m/a","Output":"FAIL\n"}
			 {"Action":"fail","Package":"m/a"}`,
			"got 1, want 2\n0 passed, 1 failed"},
		{"a package that does not build is one failure",
			build + `{"Action":"fail","Package":"m/b"}`,
			"b.go:1: syntax error\n0 passed, 1 failed"},
		{"a package that dies prints what the tests said that had not ended, and which those were",
			`{"Action":"run","Package":"m/a","Test":"TestX"}
			 {"Action":"output","Package":"m/a","Test":"TestX","Output":"=== RUN   TestX\n"}
			 {"Action":"output","Package":"m/a","Test":"TestX","Output":"fatal error: out of memory\n"}
			 {"Action":"run","Package":"m/a","Test":"TestX/silent"}
			 {"Action":"run","Package":"m/b","Test":"TestX"}
			 {"Action":"output","Package":"m/b","Test":"TestX","Output":"chatter\n"}
			 {"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.1s\n"}
			 {"Action":"fail","Package":"m/a"}
			 {"Action":"pass","Package":"m/b","Test":"TestX"}
			 {"Action":"pass","Package":"m/b"}`,
			"FAIL\tm/a\t0.1s\n--- m/a ended in TestX:\nfatal error: out of memory\n" +
				"--- m/a ended in TestX/silent:\n1 passed, 1 failed"},
		{"so does one of which a test failed before, and what a test that passed says late is shown",
			`{"Action":"output","Package":"m/a","Test":"TestX","Output":"got 1, want 2\n"}
			 {"Action":"fail","Package":"m/a","Test":"TestX"}
			 {"Action":"pass","Package":"m/a","Test":"TestY"}
			 {"Action":"output","Package":"m/a","Test":"TestY","Output":"signal: killed\n"}
			 {"Action":"fail","Package":"m/a"}`,
			"got 1, want 2\n--- m/a ended in TestY:\nsignal: killed\n1 passed, 1 failed"},
		{"skipped tests are said, not passed",
			`{"Action":"skip","Package":"m/a","Test":"TestX"}
			 {"Action":"pass","Package":"m/a","Test":"TestY"}`,
			"1 skipped\n1 passed, 0 failed"},
	} {
		var out strings.Builder
		total, err := summarize(&out, strings.NewReader(tt.events))
		if err != nil {
			t.Fatalf("%s: %v", tt.what, err)
		}
		if got := out.String() + total.String(); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.what, got, tt.want)
		}
	}
	if _, err := summarize(&strings.Builder{}, strings.NewReader("not json")); err == nil {
		t.Error("events that are not JSON are no error")
	}
}
