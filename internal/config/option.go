package config

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// An Option is the declaration of one option; what fields mean is the same for
// every kind. Mistakes in it are bugs, and panic when the program starts.
type Option struct {
	// Name is the one that CONFIG REWRITE writes, in lower case; Aliases work
	// everywhere the name does.
	Name    string
	Aliases []string

	// Default is what the option is until told otherwise. Its type depends on the
	// kind: int for Int, Percent and OctalMode; int or a text like "64mb" for Memory
	// and MemoryPercent; bool for Bool; the name of a choice for Enum and Flags;
	// string for String; []string for Strings; the value itself for Custom. A kind's
	// zero value may be left out, except that an Enum needs one.
	Default any

	// Min and Max bound numbers, both included. A Max of 0 is no bound.
	Min, Max int64

	// Stress are numbers that test suites draw from besides the default: small
	// ones that make rare paths common. Flags and choices are all drawn anyway.
	Stress []int64

	Live      bool // CONFIG SET may change it
	Protected bool // CONFIG SET may change it only as enable-protected-configs allows
	Sensitive bool // its value is a secret: logs and MONITOR show "(redacted)"
	Hidden    bool // CONFIG GET shows it only when asked for it by its full name
	FileOnly  bool // a directive of the file and command line, unknown to CONFIG GET and SET

	// AlwaysRewrite makes CONFIG REWRITE write the option even at its default. A
	// list whose default is not empty needs it, or else removing one item is lost.
	AlwaysRewrite bool

	// Doc is Markdown for docs/config.md: what it does and why one would change it.
	Doc string
}

// A Reason says why a value is refused. It is the end of a reply or of a message at the
// start, and so written as Redis writes it, whatever the customs of errors in Go.
type Reason string

func (r Reason) Error() string { return string(r) }

// A Handle is any declared option: an *IntOption, a *BoolOption and so on.
type Handle interface{ base() *option }

// option is what all kinds have in common.
type option struct {
	Option
	id        int   // its slot in every Set
	kind      kind  // how its values are read and written
	initial   value // Default, as a value
	multi     bool  // takes any number of arguments; CONFIG SET splits its one at spaces
	keepLines bool  // CONFIG REWRITE leaves its lines alone
	number    bool  // its value is in value.n, not in value.ref
	typeName  string
}

func (o *option) base() *option { return o }

// A kind reads and writes the values of one kind of option.
type kind interface {
	// parse makes a value of the arguments after the option's name. old is the
	// value so far, and fresh says that the arguments replace it rather than add to
	// it, which matters to directives that may be repeated.
	parse(args []string, old value, fresh bool) (value, error)

	// append shows a value as CONFIG GET does.
	append(dst []byte, v value) []byte

	// lines are the arguments of the directives that would set the value in a
	// file; most options have exactly one line.
	lines(v value) []string
}

// A value is what a slot holds.
type value struct {
	n   int64
	ref any
}

// ids numbers the options of this process. It is not a registry: it only keeps two
// options from sharing a slot, whichever schemas they end up in.
var ids atomic.Int64

func newOption(o Option, typeName string, k kind) option {
	if o.Name == "" || o.Name != strings.ToLower(o.Name) {
		panic(fmt.Sprintf("config: option %q: the name must be lower case and not empty", o.Name))
	}
	for _, alias := range o.Aliases {
		if alias == "" || alias != strings.ToLower(alias) {
			panic("config: " + o.Name + ": an alias must be lower case and not empty")
		}
	}
	return option{Option: o, id: int(ids.Add(1) - 1), kind: k, typeName: typeName}
}

// badDefault stops the program because of a declaration that cannot be right.
func (o *option) badDefault(want string) {
	panic(fmt.Sprintf("config: %s: the default is %T(%v), want %s", o.Name, o.Default, o.Default, want))
}

// A Group is the options of one package, under the heading that documents use.
type Group struct {
	Name    string
	Doc     string // Markdown under the heading, may be empty
	options []*option
}

// NewGroup collects options. Their order is the order of the documents.
func NewGroup(name string, handles ...Handle) *Group {
	g := &Group{Name: name}
	for _, h := range handles {
		g.options = append(g.options, h.base())
	}
	return g
}

// Describe sets the group's Doc.
func (g *Group) Describe(doc string) *Group {
	g.Doc = doc
	return g
}
