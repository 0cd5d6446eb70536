package catalogcmd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/command"
)

// TestSpecsAgree holds what a Spec says in different places together: how many arguments
// the Syntax has and the Arity, where the keys are in the Syntax and in Keys.
func TestSpecsAgree(t *testing.T) {
	for _, s := range wholeServer(t).Shared.Table.Specs() {
		for _, fault := range append(arityFaults(s), keyFaults(s)...) {
			t.Errorf("%s: %s", s.FullName(), fault)
		}
	}
}

// lenient are the commands of which Redis says another arity than their arguments have.
var lenient = []string{"psync", "geopos", "geohash", "pfmerge", "quit", "debug", "replconf",
	"command|getkeys", "command|getkeysandflags"}

func arityFaults(s *command.Spec) (faults []string) {
	if len(s.Subs) > 0 {
		if s.Arity >= 0 || len(s.Arguments) > 0 {
			faults = append(faults, "a container has at least its name and no arguments of its own")
		}
		return faults
	}
	least, most := widths(s.Arguments)
	name := 1 + strings.Count(s.FullName(), "|")
	arity := -(name + least)
	if least == most {
		arity = name + least
	}
	if arity != s.Arity && !slices.Contains(lenient, s.FullName()) {
		faults = append(faults, fmt.Sprintf("the syntax asks for the arity %d, which is %d", arity, s.Arity))
	}
	return faults
}

// unbounded is more arguments than anything has that is not repeated.
const unbounded = 1 << 20

// widths are the least and the most words that arguments are written with.
func widths(args []command.Argument) (least, most int) {
	for i := range args {
		l, m := width(&args[i])
		if args[i].Optional {
			l = 0
		}
		if args[i].Multiple {
			m = unbounded
		}
		least, most = least+l, min(most+m, unbounded)
	}
	return least, most
}

// width is widths of one argument that is there, once.
func width(a *command.Argument) (least, most int) {
	switch a.Type {
	case "pure-token":
		return 1, 1
	case "oneof":
		least = unbounded
		for i := range a.Args {
			l, m := width(&a.Args[i])
			if a.Args[i].Multiple {
				m = unbounded
			}
			least, most = min(least, l), max(most, m)
		}
	case "block":
		least, most = widths(a.Args)
	default:
		least, most = 1, 1
	}
	if a.HasToken {
		least, most = least+1, most+1
	}
	return least, most
}

// A place is where a syntax has a key.
type place struct {
	name     string
	spec     int
	at       int // which word of the call, -1 if that depends on what is before
	multiple bool
	token    string // before it, or before the block that it begins
}

// places finds the keys of arguments, the first of which is at a position, and returns
// the position behind them.
func places(args []command.Argument, at int, around place) (found []place, end int) {
	for i := range args {
		a := &args[i]
		here := place{a.Name, a.KeySpec, at, around.multiple || a.Multiple, ""}
		if i == 0 {
			here.token = around.token
		}
		if a.HasToken && a.Type != "pure-token" {
			here.token = a.Token
			here.at = after(at, 1)
		}
		switch a.Type {
		case "block":
			inner, _ := places(a.Args, here.at, here)
			found = append(found, inner...)
		case "oneof":
			for j := range a.Args {
				inner, _ := places(a.Args[j:j+1], here.at, here)
				found = append(found, inner...)
			}
		default:
			if a.KeySpec >= 0 {
				found = append(found, here)
			}
		}
		if least, most := widths(args[i : i+1]); least == most {
			at = after(at, least)
		} else {
			at = -1
		}
	}
	return found, at
}

func after(at, n int) int {
	if at < 0 {
		return at
	}
	return at + n
}

func keyFaults(s *command.Spec) (faults []string) {
	found, _ := places(s.Arguments, 1+strings.Count(s.FullName(), "|"), place{})
	of := make([][]place, len(s.Keys))
	for _, p := range found {
		if p.spec >= len(s.Keys) {
			faults = append(faults, fmt.Sprintf("%s is of key specification %d, of %d", p.name, p.spec, len(s.Keys)))
			continue
		}
		of[p.spec] = append(of[p.spec], p)
	}
	for i := range s.Keys {
		k := &s.Keys[i]
		if fault := placeFault(k, of[i]); fault != "" {
			faults = append(faults, fmt.Sprintf("key specification %d: %s", i, fault))
		}
		// What reads keys of which the specification says nothing, as SORT BY does, must
		// not find them before it runs; what changes keys has to.
		hidden := k.Flags&command.Incomplete != 0 || k.Unknown && k.Flags&(command.OW|command.RW) != 0
		if hidden && s.FindKeys == nil {
			faults = append(faults, "keys that are nowhere said, and no FindKeys")
		}
	}
	return faults
}

// placeFault compares a key specification with the arguments that say to belong to it.
func placeFault(k *command.KeySpec, found []place) string {
	if k.Flags&command.NotKey != 0 {
		return ""
	}
	if len(found) == 0 {
		return "no argument belongs to it"
	}
	first, last := found[0], found[len(found)-1]
	switch {
	case k.Unknown:
		if first.token == "" {
			return first.name + " has its place in every call"
		}
	case k.Keyword != "":
		if !strings.EqualFold(first.token, k.Keyword) {
			return fmt.Sprintf("%s is not behind %s", first.name, k.Keyword)
		}
	case k.KeyNum:
		if !first.multiple || first.at != k.Index+k.FirstKey {
			return fmt.Sprintf("%s is at %d and not the first of many at %d", first.name, first.at, k.Index+k.FirstKey)
		}
	case first.at != k.Index:
		return fmt.Sprintf("%s is at %d and not at %d", first.name, first.at, k.Index)
	case last.multiple != (k.LastKey < 0):
		return fmt.Sprintf("%s is repeated: %v, but the last key is %d", last.name, last.multiple, k.LastKey)
	case !last.multiple && last.at != k.Index+k.LastKey:
		return fmt.Sprintf("%s is at %d and not at %d", last.name, last.at, k.Index+k.LastKey)
	}
	return ""
}

// TestAgreementBites shows that each fault is found.
func TestAgreementBites(t *testing.T) {
	for _, tt := range []struct {
		syntax string
		arity  int
		keys   []command.KeySpec
		faults int
	}{
		{"key value", 3, command.OneKey(1, command.RO), 0},
		{"key [value]", -2, command.OneKey(1, command.RO), 0},
		{"{key value}...", -3, command.KeyRange(1, -1, 2, command.RO), 0},
		{"a:key b:key", 3, []command.KeySpec{{Flags: command.RO, Index: 1, LastKey: 1, Step: 1}}, 0},
		{"numkeys:integer key... [WHERE={x [y]}]", -3, command.NumKeys(1, command.RO), 0},
		{"[COUNT=count] STREAMS={key... id...}", -4, []command.KeySpec{{Flags: command.RO, Keyword: "STREAMS",
			StartFrom: 1, LastKey: -1, Step: 1, Limit: 2}}, 0},
		{"key value", -3, command.OneKey(1, command.RO), 1},
		{"key value...", 3, command.OneKey(1, command.RO), 1},
		{"value key", 3, command.OneKey(1, command.RO), 1},
		{"[value] key", -2, command.OneKey(1, command.RO), 1},
		{"key...", -2, command.OneKey(1, command.RO), 1},
		{"key", 2, command.KeyRange(1, -1, 1, command.RO), 1},
		{"key other:key", 3, command.OneKey(1, command.RO), 1},
		{"key:string", 2, command.OneKey(1, command.RO), 1},
		{"key other:key@1", 3, command.OneKey(1, command.RO), 1},
		{"numkeys:integer x key...", -4, command.NumKeys(1, command.RO), 1},
		{"FROM=key", 3, []command.KeySpec{{Flags: command.RO, Keyword: "TO", StartFrom: 1, Step: 1}}, 1},
		{"STORE=key", 3, []command.KeySpec{{Flags: command.OW, Unknown: true}}, 1},
	} {
		f := command.Family{}
		f.Add(command.Spec{Name: "X", Syntax: tt.syntax, Arity: tt.arity, Keys: tt.keys})
		table, err := command.NewTable(nil, f.Specs)
		if err != nil {
			t.Fatal(err)
		}
		s := table.Commands()[0]
		if faults := append(arityFaults(s), keyFaults(s)...); len(faults) != tt.faults {
			t.Errorf("%s, %d, %+v: %q, want %d", tt.syntax, tt.arity, tt.keys, faults, tt.faults)
		}
	}
}
