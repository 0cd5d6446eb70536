package config

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/invariant"
)

// A Schema is every option that a server knows. It does not change once made.
type Schema struct {
	groups []*Group
	byName map[string]entry // under the lower-case name or alias
	names  []string         // the keys of byName, sorted
	slots  int              // one more than the largest id
}

// An entry is an option under one of its names.
type entry struct {
	*option
	as string // the name or alias
}

// NewSchema assembles the options of a server. Two options of one name are a bug,
// and panic.
func NewSchema(groups ...*Group) *Schema {
	s := &Schema{groups: groups, byName: make(map[string]entry)}
	for _, g := range groups {
		for _, o := range g.options {
			s.add(o.Name, o)
			for _, alias := range o.Aliases {
				s.add(alias, o)
			}
			s.slots = max(s.slots, o.id+1)
		}
	}
	slices.Sort(s.names)
	return s
}

func (s *Schema) add(name string, o *option) {
	if other, taken := s.byName[name]; taken {
		panic(fmt.Sprintf("config: %s is a name of both %s and %s", name, other.Name, o.Name))
	}
	s.byName[name] = entry{o, name}
	s.names = append(s.names, name)
}

func (s *Schema) lookup(name string) (entry, bool) {
	e, ok := s.byName[lowerASCII(name)]
	return e, ok
}

// lowerASCII is the case folding of names: other letters than ASCII's stay as they are.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// IsSensitive says whether the value of the option called name must not be shown.
func (s *Schema) IsSensitive(name string) bool {
	e, ok := s.lookup(name)
	return ok && e.Sensitive
}

// Names returns every name and alias, sorted.
func (s *Schema) Names() []string { return slices.Clone(s.names) }

// A Set is the values of one server. Reading it is safe from any goroutine at any
// time; changes are made one at a time, under its lock.
type Set struct {
	schema *Schema
	slots  []slot

	mu      sync.Mutex
	applies []hook // in the order of registration
	changes []hook // likewise
	file    string // the configuration file, for CONFIG REWRITE; "" if there is none
}

// A slot holds the value of one option.
type slot struct {
	n   atomic.Int64
	ref atomic.Pointer[any]
}

// NewSet returns a set in which every option has its default.
func (s *Schema) NewSet() *Set {
	set := &Set{schema: s, slots: make([]slot, s.slots)}
	for _, g := range s.groups {
		for _, o := range g.options {
			set.store(o, o.initial)
		}
	}
	return set
}

// Schema returns what s holds values of.
func (s *Set) Schema() *Schema { return s.schema }

// slot is where o's value lives. An option that the schema doesn't have is a bug of
// the server's assembly.
func (s *Set) slot(o *option) *slot {
	if invariant.Enabled && s.schema.byName[o.Name].option != o {
		invariant.Check(false, "config: %s is in no group of the schema", o.Name)
	}
	return &s.slots[o.id]
}

func (s *Set) ref(o *option) any { return *s.slot(o).ref.Load() }

func (s *Set) load(o *option) value {
	if o.number {
		return value{n: s.slot(o).n.Load()}
	}
	return value{ref: s.ref(o)}
}

func (s *Set) store(o *option, v value) {
	if o.number {
		s.slot(o).n.Store(v.n)
	} else {
		s.slot(o).ref.Store(&v.ref)
	}
}

// isSame says whether two values of o are the same to anybody who can ask.
func (o *option) isSame(a, b value) bool {
	if o.number {
		return a.n == b.n
	}
	return string(o.kind.append(nil, a)) == string(o.kind.append(nil, b)) &&
		slices.Equal(o.kind.lines(a), o.kind.lines(b))
}

// A hook is a function to call when any of some options changes.
type hook struct {
	options []*option
	f       func() error
}

func newHook(f func() error, first Handle, more []Handle) hook {
	h := hook{f: f, options: []*option{first.base()}}
	for _, m := range more {
		h.options = append(h.options, m.base())
	}
	return h
}

func (h *hook) concerns(o *option) bool { return slices.Contains(h.options, o) }

// OnApply has f called when CONFIG SET has changed h, or one of more, to let it take
// effect where that can fail: listening on another port, say. If f returns an error,
// its text is the reason that CONFIG SET gives, every option of the request goes back
// to what it was, and f is called again to return to that. It is called once for a
// request, whatever number of its options changed, under the set's lock: it may Get
// and Store options, but nothing else of the set.
func (s *Set) OnApply(h Handle, f func() error, more ...Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applies = append(s.applies, newHook(f, h, more))
}

// OnChange has f called after CONFIG SET has changed h, or one of more, for good.
// Like OnApply it is called once for a request and under the set's lock.
func (s *Set) OnChange(h Handle, f func(), more ...Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, newHook(func() error { f(); return nil }, h, more))
}
