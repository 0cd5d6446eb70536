package command

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/spineldb/spinel/internal/resp"
)

// A Table is all commands of a server by name. Once made it is never changed.
//
// A lookup reads the name as one or two integers with all letters made small, and
// probes an open table: no allocation, no loop over bytes.
type Table struct {
	specs []*Spec // by ID, subcommands included
	tops  []*Spec // sorted by name
	slots []tableSlot
	mask  uint64
}

type tableSlot struct {
	lo, hi uint64
	n      int
	spec   *Spec
}

// nameMax is the longest name of a command.
const nameMax = 24

// NewTable makes a table of families' commands, under the names that rename gives
// them; a name renamed to "" is left out. It fails if a name is twice or unknown.
func NewTable(rename map[string]string, families ...[]*Spec) (*Table, error) {
	t := &Table{}
	names := map[string]*Spec{}
	for _, specs := range families {
		for _, declared := range specs {
			s := declared.clone()
			name := strings.ToLower(s.Name)
			if names[name] != nil {
				return nil, fmt.Errorf("command: %s is declared twice", s.Name)
			}
			names[name] = s
			t.tops = append(t.tops, s)
		}
	}
	slices.SortFunc(t.tops, func(a, b *Spec) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range t.tops {
		t.number(s, nil)
	}
	for from, to := range rename {
		s := names[strings.ToLower(from)]
		if s == nil {
			//lint:ignore ST1005 Redis's words
			return nil, fmt.Errorf("No such command in rename-command")
		}
		delete(names, strings.ToLower(from))
		if to == "" {
			continue
		}
		if names[strings.ToLower(to)] != nil {
			//lint:ignore ST1005 Redis's words
			return nil, fmt.Errorf("Target command name already exists")
		}
		names[strings.ToLower(to)] = s
	}
	size := 64
	for size < 4*len(names) {
		size *= 2
	}
	t.slots, t.mask = make([]tableSlot, size), uint64(size-1)
	for name, s := range names {
		if len(name) > nameMax {
			return nil, fmt.Errorf("command: the name %q is longer than %d bytes", name, nameMax)
		}
		lo, hi := fold([]byte(name))
		i := slotHash(lo, hi, len(name)) & t.mask
		for t.slots[i].spec != nil {
			i = (i + 1) & t.mask
		}
		t.slots[i] = tableSlot{lo, hi, len(name), s}
	}
	return t, nil
}

// clone copies a Spec for one table: several servers in a process number theirs
// differently.
func (s *Spec) clone() *Spec {
	c := *s
	c.Subs = make([]*Spec, len(s.Subs))
	for i, sub := range s.Subs {
		c.Subs[i] = sub.clone()
	}
	return &c
}

func (t *Table) number(s, parent *Spec) {
	s.ID, s.Parent = len(t.specs), parent
	s.full = strings.ToLower(s.Name)
	if parent != nil {
		s.full = parent.full + "|" + s.full
	}
	t.specs = append(t.specs, s)
	s.prepareKeys()
	if s.Arguments == nil && s.Syntax != "" {
		s.Arguments = MustParseSyntax(s.Syntax)
	}
	for _, sub := range s.Subs {
		t.number(sub, s)
	}
}

// Specs are all commands and subcommands by ID.
func (t *Table) Specs() []*Spec { return t.specs }

// Commands are all commands without subcommands, sorted by name.
func (t *Table) Commands() []*Spec { return t.tops }

const small = 0x2020202020202020

// fold makes two integers of a name, letters small. Names that differ only in bytes
// that are not letters may fold alike if they differ in the bit of the case; none of
// ours do, and Lookup's caller gets a command that exists either way.
func fold(name []byte) (lo, hi uint64) {
	if n := len(name); n >= 8 {
		lo = binary.LittleEndian.Uint64(name)
		if n > 8 {
			hi = binary.LittleEndian.Uint64(name[n-8:])
			if n > 16 {
				hi ^= (binary.LittleEndian.Uint64(name[8:]) | small) * 0x9e3779b97f4a7c15
			}
		}
	} else {
		for i := n - 1; i >= 0; i-- {
			lo = lo<<8 | uint64(name[i])
		}
	}
	return lo | small, hi | small
}

func slotHash(lo, hi uint64, n int) uint64 {
	h := (lo ^ hi*0x9e3779b97f4a7c15 ^ uint64(n)) * 0xff51afd7ed558ccd
	return h >> 32
}

// find is the command of a name in any case, or nil.
func (t *Table) find(name []byte) *Spec {
	if len(name) == 0 || len(name) > nameMax {
		return nil
	}
	lo, hi := fold(name)
	for i := slotHash(lo, hi, len(name)) & t.mask; ; i = (i + 1) & t.mask {
		s := &t.slots[i]
		if s.spec == nil {
			return nil
		}
		if s.lo == lo && s.hi == hi && s.n == len(name) {
			return s.spec
		}
	}
}

// Find is the command of a name, or nil.
func (t *Table) Find(name []byte) *Spec { return t.find(name) }

// Resolve is the command that args call, a subcommand if they name one; nil if there
// is none.
func (t *Table) Resolve(args Args) *Spec {
	s := t.find(args[0])
	if s == nil || len(s.Subs) == 0 || len(args) < 2 {
		return s
	}
	if sub := s.Sub(args[1]); sub != nil {
		return sub
	}
	if s.Run != nil {
		return s
	}
	return nil
}

// argsShown bounds how much of unknown commands' arguments their error shows.
const argsShown = 128

// Unknown is the reply to a command that Resolve does not find.
func (t *Table) Unknown(args Args) *resp.Error {
	if s := t.find(args[0]); s != nil && len(args) > 1 {
		return resp.Errorf("unknown subcommand '" + trim(args[1], argsShown) + "'. Try " +
			strings.ToUpper(s.full) + " HELP.")
	}
	var b strings.Builder
	for _, a := range args[1:] {
		if b.Len() >= argsShown {
			break
		}
		b.WriteString("'" + trim(a, argsShown-b.Len()) + "' ")
	}
	return resp.Errorf("unknown command '" + trim(args[0], argsShown) + "', with args beginning with: " +
		b.String())
}

func trim(b []byte, n int) string {
	if len(b) > n {
		b = b[:max(n, 0)]
	}
	if i := slices.Index(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
