// Package infocmd is INFO: what a server says of itself, in sections of lines that
// monitoring reads.
//
//	# Keyspace
//	db0:keys=3,expires=1,avg_ttl=0
//
// The names, their order and the form of the numbers are those of Redis 7.2, with a few
// of its successors'. Fields of what this server has not got (forks, an append-only
// file, replicas, scripts) say truthfully that there is none: programs expect them.
//
// The sections that Redis has are rendered here, from Figures that the server makes. A
// subsystem may bring its own: one of the name of Redis's takes its place.
package infocmd

import (
	"slices"
	"strings"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/session"
)

// Deps is what this family drives. All of it is needed but Sections.
type Deps struct {
	Build    Build
	Keyspace *keyspace.Keyspace
	Sessions *session.Registry
	Options  *config.Set
	Clock    clock.Clock

	// Figures is called in exclusive mode.
	Figures func() *Figures
	// Table is the server's, which is made of this family among others.
	Table func() *command.Table
	// Sections are those that subsystems bring.
	Sections []Section
}

// A Section is a part of INFO.
type Section struct {
	Name    string // in small letters
	Title   string // what stands behind the #; if it is empty, the name with a capital
	Default bool   // shown when no section is asked for

	// Append appends the fields, each with CR and LF at its end. It is called in
	// exclusive mode.
	Append func(dst []byte) []byte
}

// Family is every command in this package.
var Family = command.ServiceFamily[Deps]{Group: "server"}

var _ = Family.Add(command.Spec{
	Name:       "INFO",
	Summary:    "Get information and statistics about the server",
	Since:      "1.0.0",
	Complexity: "O(1)",
	History:    [][2]string{{"7.0.0", "Added support for taking multiple section arguments."}},
	Tips:       []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
	Syntax:     "[section...]",
	Arity:      -1,
	Flags:      command.Loading | command.Stale | command.Exclusive,
	ACL:        command.CatDangerous,
}, Deps.info)

func (d Deps) info(c *command.Ctx) error {
	var b []byte
	for _, s := range d.wanted(d.sections(c), c.Args[1:]) {
		if len(b) > 0 {
			b = append(b, '\r', '\n')
		}
		b = append(append(b, "# "+s.title()...), '\r', '\n')
		b = s.Append(b)
	}
	c.Out.Verbatim("txt", string(b))
	return nil
}

func (s *Section) title() string {
	if s.Title != "" || s.Name == "" {
		return s.Title
	}
	return strings.ToUpper(s.Name[:1]) + s.Name[1:]
}

// sections are all sections in their order.
func (d Deps) sections(c *command.Ctx) []Section {
	r := &report{Deps: d, c: c}
	all := []Section{
		{"server", "", true, r.server},
		{"clients", "", true, r.clients},
		{"memory", "", true, r.memory},
		{"persistence", "", true, r.persistence},
		{"stats", "", true, r.stats},
		{Name: "replication", Default: true}, // the server brings it
		{"cpu", "CPU", true, r.cpu},
		{"modules", "", true, r.modules},
		{"commandstats", "", false, r.commandStats},
		{"errorstats", "", true, r.errorStats},
		{"latencystats", "", false, r.latencyStats},
		{"cluster", "", true, r.cluster},
		{"keyspace", "", true, r.keyspace},
	}
	for _, s := range d.Sections {
		i := slices.IndexFunc(all, func(own Section) bool { return own.Name == s.Name })
		if i < 0 {
			all = append(all, s)
		} else {
			all[i] = s
		}
	}
	return slices.DeleteFunc(all, func(s Section) bool { return s.Append == nil })
}

// wanted are the sections that the arguments ask for. A name that there is not is no
// error.
func (d Deps) wanted(all []Section, names [][]byte) []Section {
	if len(names) == 0 {
		names = [][]byte{[]byte("default")}
	}
	asked := map[string]bool{}
	for _, n := range names {
		asked[strings.ToLower(string(n))] = true
	}
	everything := asked["all"] || asked["everything"]
	return slices.DeleteFunc(all, func(s Section) bool {
		return !everything && !asked[s.Name] && !(asked["default"] && s.Default)
	})
}

// A report renders one INFO. The figures are made when the first section needs them, so
// that INFO cluster, which clients poll, costs little.
type report struct {
	Deps
	c    *command.Ctx
	made *Figures
}

func (r *report) figures() *Figures {
	if r.made == nil {
		r.made = r.Figures()
	}
	return r.made
}
