package command_test

import (
	"strings"
	"testing"
)

func TestExpiryCondition(t *testing.T) {
	const (
		nx   = "ERR NX and XX, GT or LT options at the same time are not compatible"
		gtLT = "ERR GT and LT options at the same time are not compatible"
	)
	// What is allowed: from none to 10, and from 5, 10 and 15 to 10.
	for _, tt := range []struct{ in, want string }{
		{"", "none 5 10 15"}, {"NX", "none"}, {"nx NX", "none"}, {"XX", "5 10 15"}, {"GT", "5"}, {"LT", "none 15"},
		{"XX GT", "5"}, {"LT XX", "15"},
		{"NX XX", nx}, {"GT NX", nx}, {"NX LT", nx}, {"GT LT", gtLT}, {"LT XX GT", gtLT}, {"NX GT LT", nx},
		{"FIELDS", "none 5 10 15 before FIELDS"}, {"GT FIELDS XX", "5 before FIELDS"},
	} {
		args := arguments(strings.Fields("EXPIRE k 10 " + tt.in)...)
		cond, next := args.ExpiryCondition(3)
		var got []string
		for _, old := range []struct {
			at   int64
			name string
		}{{-1, "none"}, {5, "5"}, {10, "10"}, {15, "15"}} {
			if cond.Allows(old.at, 10) {
				got = append(got, old.name)
			}
		}
		if next < len(args) {
			got = append(got, "before", string(args[next]))
		}
		text := strings.Join(got, " ")
		if err := cond.Check(); err != nil {
			text = err.Error()
		}
		if text != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, text, tt.want)
		}
	}
}
