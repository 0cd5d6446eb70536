package catalogcmd_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
)

// A pair is us and Redis, who are asked the same.
type pair struct {
	*cmdtest.Pair
	t *testing.T
}

func newPair(t *testing.T, db *cmdtest.DB) *pair {
	t.Helper()
	return &pair{cmdtest.NewPair(db, original.Redis(t, original.Options{})), t}
}

func (p *pair) ask(args ...string) (ours, redis client.Reply) {
	p.t.Helper()
	got, want := p.Ask(args...)
	return p.parse(got), p.parse(want)
}

func (p *pair) parse(raw string) client.Reply {
	p.t.Helper()
	reply, err := client.NewReader(strings.NewReader(raw), client.Limits{}).Read()
	if err != nil {
		p.t.Fatalf("%q: %v", raw, err)
	}
	return reply
}

// TestInfoAgainstRedis and TestDocsAgainstRedis ask about every command that we have and
// Redis 7.0 too, in both protocols. What came after 7.0 is not compared.
func TestInfoAgainstRedis(t *testing.T) { compareAll(t, "INFO", infoFacts) }

func TestDocsAgainstRedis(t *testing.T) { compareAll(t, "DOCS", docsFacts) }

func compareAll(t *testing.T, about string, read func(facts, string, client.Reply)) {
	p := newPair(t, wholeServer(t))
	for _, version := range []string{"2", "3"} {
		p.Speak(version)
		for _, s := range p.Shared.Table.Commands() {
			ours, redis := p.ask("COMMAND", about, s.FullName())
			if len(redis.Elems) == 0 || redis.Elems[0].IsNull() {
				continue
			}
			got, want := facts{}, facts{}
			if about == "DOCS" {
				read(got, s.FullName(), ours.Elems[1])
				read(want, s.FullName(), redis.Elems[1])
			} else {
				read(got, s.FullName(), ours.Elems[0])
				read(want, s.FullName(), redis.Elems[0])
			}
			keepShared(got, want)
			keepShared(want, got)
			report(t, "RESP"+version, got, want)
		}
	}
}

// Facts are what is said of a command, each under a name that tells where it stands.
type facts map[string]string

// keepShared takes out what is said of subcommands that the others do not know.
func keepShared(said, others facts) {
	known := map[string]bool{}
	for name := range others {
		known[commandOf(name)] = true
	}
	maps.DeleteFunc(said, func(name, _ string) bool { return !known[commandOf(name)] })
}

func commandOf(fact string) string {
	name, _, _ := strings.Cut(fact, " ")
	return name
}

func report(t *testing.T, protocol string, got, want facts) {
	t.Helper()
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if ours, redis := got[name], want[name]; ours != redis {
			t.Errorf("%s: %s:\n  ours %s\n Redis %s", protocol, name, ours, redis)
		}
	}
}

var infoFields = []string{"name", "arity", "flags", "first key", "last key", "step", "categories", "tips",
	"key specifications"}

func infoFacts(f facts, path string, r client.Reply) {
	if len(r.Elems) != 10 {
		f[path] = render(r)
		return
	}
	for i, name := range infoFields {
		f[path+" "+name] = render(r.Elems[i])
	}
	if slices.Contains(grown, strings.ToUpper(path)) {
		delete(f, path+" arity")
	}
	for i, spec := range r.Elems[8].Elems {
		f[fmt.Sprint(path, " key specification ", i)] = render(spec)
	}
	delete(f, path+" key specifications")
	f[path+" subcommands"] = kind(r.Elems[9])
	for _, sub := range r.Elems[9].Elems {
		infoFacts(f, sub.Elems[0].Text, sub)
	}
}

func docsFacts(f facts, path string, r client.Reply) {
	f[path+" is"] = kind(r)
	for key, value := range r.Pairs {
		switch key.Text {
		case "subcommands":
			f[path+" subcommands"] = kind(value)
			for name, sub := range value.Pairs {
				docsFacts(f, name.Text, sub)
			}
		case "arguments":
			argumentFacts(f, path, value)
		case "doc_flags": // less syscmd, for commands between servers: a Spec has no place for it
			if flags := strings.Replace(render(value), "+syscmd", "", 1); flags != kind(value)+"[]" {
				f[path+" doc_flags"] = flags
			}
		case "history":
			n := 0
			for _, entry := range value.Elems {
				if !isLater(entry.Elems[0].Text) {
					f[path+" history"] = kind(value)
					f[fmt.Sprint(path, " history ", n)] = render(entry)
					n++
				}
			}
		default:
			f[path+" "+key.Text] = render(value)
		}
	}
}

func argumentFacts(f facts, path string, r client.Reply) {
	f[path+" arguments"] = kind(r)
	n := 0
	for _, argument := range r.Elems {
		said, later, children := facts{}, false, client.Reply{}
		for key, value := range argument.Pairs {
			switch key.Text {
			case "since":
				later = isLater(value.Text)
				said[" since"] = value.Text
			case "arguments":
				children = value
			default:
				said[" "+key.Text] = render(value)
			}
		}
		if later {
			continue
		}
		here := fmt.Sprint(path, " > ", n)
		n++
		f[here] = kind(argument)
		for name, value := range said {
			f[here+name] = value
		}
		if children.Kind != client.Invalid {
			argumentFacts(f, here, children)
		}
	}
}

// isLater says whether a version came after 7.0.
func isLater(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, _ := strconv.Atoi(major)
	b, _ := strconv.Atoi(minor)
	return cmp.Or(cmp.Compare(a, 7), cmp.Compare(b, 0)) > 0
}

func kind(r client.Reply) string {
	return [...]string{"nothing", "+", "-", ":", "string ", "null ", "array ", "map ", "set "}[r.Kind]
}

// render writes a reply with the kinds of what is not a plain string.
func render(r client.Reply) string {
	switch r.Kind {
	case client.Bulk:
		return r.Text
	case client.Integer:
		return strconv.FormatInt(r.Int, 10)
	case client.Simple, client.Error, client.Null:
		return kind(r) + r.Text
	}
	elements := make([]string, len(r.Elems))
	for i := range r.Elems {
		elements[i] = render(r.Elems[i])
	}
	return kind(r) + "[" + strings.Join(elements, " ") + "]"
}

// TestRepliesAgainstRedis compares replies that do not depend on which commands exist.
func TestRepliesAgainstRedis(t *testing.T) {
	p := newPair(t, newServer(t, nil))
	for _, version := range []string{"2", "3"} {
		p.Speak(version)
		for _, call := range []string{
			"COMMAND HELP", "COMMAND HELP x", "COMMAND NOPE", "COMMAND NOPE x", "COMMAND COUNT x",
			"COMMAND INFO nope", "COMMAND INFO nope|x command|nope command|count|x command|COUNT", "COMMAND DOCS nope",
			"COMMAND DOCS command|nope command|count Command|Info", "COMMAND LIST x", "COMMAND LIST FILTERBY",
			"COMMAND LIST FILTERBY PATTERN", "COMMAND LIST FILTERBY NOPE x", "COMMAND LIST FILTERBY PATTERN x y",
			"COMMAND LIST FILTERBY PATTERN Command|C*", "COMMAND LIST filterby module x",
			"COMMAND LIST FILTERBY ACLCAT nope", "COMMAND GETKEYS", "COMMAND GETKEYS command",
			"COMMAND GETKEYS command nope", "COMMAND GETKEYS command count",
		} {
			ours, redis := p.ask(strings.Fields(call)...)
			if got, want := render(ours), render(redis); got != want {
				t.Errorf("RESP%s: %s:\n  ours %s\n Redis %s", version, call, got, want)
			}
		}
	}
}
