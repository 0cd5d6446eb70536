package command

import "slices"

// Flags say what kind of command it is. The ones that Redis shows have its names.
type Flags uint32

// Flags that COMMAND INFO shows.
const (
	Write Flags = 1 << iota
	ReadOnly
	DenyOOM
	Admin
	PubSub
	NoScript
	Blocking
	Loading
	Stale
	SkipMonitor
	SkipSlowlog
	Asking
	Fast
	NoAuth
	MayReplicate
	NoMulti
	MovableKeys
	AllowBusy
	NoAsyncLoading
	NoMandatoryKeys

	// Control commands run at once within MULTI: EXEC, DISCARD, WATCH, RESET, QUIT.
	Control
	// WholeDB commands look at keys that they do not name. They lock what they need
	// themselves; within MULTI they make EXEC exclusive.
	WholeDB
	// Exclusive commands run in exclusive mode: no other executor works meanwhile.
	Exclusive
	// Quick commands take about as long as Fast ones, though Redis does not call them
	// so: they are timed together with those.
	Quick
	// Container marks a command that is nothing without a subcommand.
	Container
	// OnlySentinel marks what only a sentinel knows.
	OnlySentinel
	// Redact keeps the arguments out of MONITOR and the logs.
	Redact
)

// Category is a set of ACL categories.
type Category uint32

// The categories beside those that follow from the flags.
const (
	CatKeyspace Category = 1 << iota
	CatRead
	CatWrite
	CatSet
	CatSortedSet
	CatList
	CatHash
	CatString
	CatBitmap
	CatHyperLogLog
	CatGeo
	CatStream
	CatPubSub
	CatAdmin
	CatFast
	CatSlow
	CatBlocking
	CatDangerous
	CatConnection
	CatTransaction
	CatScripting
)

var categoryNames = [...]string{"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string",
	"bitmap", "hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous",
	"connection", "transaction", "scripting"}

// Names are the categories in Redis's order, without the @.
func (c Category) Names() (names []string) {
	for i, n := range categoryNames {
		if c&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// A Spec is everything that is known of a command. One literal declares it.
type Spec struct {
	Name       string // in capitals; a subcommand's without its container's
	Summary    string
	Since      string
	Group      string // the family's, filled in by Add
	Complexity string
	Deprecated string // version, "" if it is not
	ReplacedBy string // what to use in place of a deprecated one
	History    [][2]string
	Tips       []string
	Syntax     string // what the arguments are; see ParseSyntax
	Arguments  []Argument
	Arity      int // number of arguments with the name; negative: at least as many
	Flags      Flags
	ACL        Category
	Keys       []KeySpec
	// FindKeys finds keys that KeySpecs cannot describe (MIGRATE, SORT).
	FindKeys func(args Args) ([]KeyRef, error)
	// CallFlags are the flags of the keys of one call, where Keys say VariableFlags.
	CallFlags func(args Args) KeyFlags
	// Everything says whether a call may use keys that it does not name. Then everything
	// is locked, within MULTI too.
	Everything func(args Args) bool
	Run        func(*Ctx) error
	Subs       []*Spec // of a container

	// Filled in by the Table.
	ID     int
	Parent *Spec
	full   string
	simple simpleKeys
}

// Has says whether all of the flags are set.
func (s *Spec) Has(f Flags) bool { return s.Flags&f == f }

// FullName is the name in small letters, a subcommand's behind its container's and a
// bar: client|list.
func (s *Spec) FullName() string { return s.full }

// Categories are all ACL categories of the command, those that follow from its flags
// included.
func (s *Spec) Categories() Category {
	c := s.ACL
	for _, f := range []struct {
		flag Flags
		cat  Category
	}{
		{Write, CatWrite}, {Admin, CatAdmin | CatDangerous}, {PubSub, CatPubSub}, {Fast, CatFast},
		{Blocking, CatBlocking},
	} {
		if s.Has(f.flag) {
			c |= f.cat
		}
	}
	if s.Has(ReadOnly) && s.ACL&CatScripting == 0 {
		c |= CatRead
	}
	if c&CatFast == 0 {
		c |= CatSlow
	}
	return c
}

// ArityOK says whether a command may have n arguments, its name included.
func (s *Spec) ArityOK(n int) bool {
	if s.Arity >= 0 {
		return n == s.Arity
	}
	return n >= -s.Arity
}

// Sub finds a subcommand by its name in any case.
func (s *Spec) Sub(name []byte) *Spec {
	for _, sub := range s.Subs {
		if equalFold(name, sub.Name) {
			return sub
		}
	}
	return nil
}

// A Family is the commands of one package, of which each file adds its own.
type Family struct {
	Group string
	Specs []*Spec
}

// Add declares a command. Its result only gives the declaration a place to stand.
func (f *Family) Add(s Spec) *Spec {
	if s.Group == "" {
		s.Group = f.Group
	}
	for _, sub := range s.Subs {
		sub.Group = s.Group
	}
	p := &s
	f.Specs = append(f.Specs, p)
	return p
}

// A ServiceFamily is a family whose commands drive a subsystem, which they are given
// when the table is made.
type ServiceFamily[D any] struct {
	Group string
	specs []service[D]
}

type service[D any] struct {
	spec Spec
	run  func(D, *Ctx) error
	subs []Sub[D]
}

// A Sub is a subcommand of a service family's container.
type Sub[D any] struct {
	Spec Spec
	Run  func(D, *Ctx) error
}

// Add declares a command, or with subs a container, whose own run may then be nil.
func (f *ServiceFamily[D]) Add(s Spec, run func(D, *Ctx) error, subs ...Sub[D]) struct{} {
	f.specs = append(f.specs, service[D]{s, run, subs})
	return struct{}{}
}

// With binds the family to what it drives.
func (f *ServiceFamily[D]) With(d D) []*Spec {
	bind := func(s Spec, run func(D, *Ctx) error) *Spec {
		if s.Group == "" {
			s.Group = f.Group
		}
		s.Subs = slices.Clone(s.Subs)
		if run != nil {
			s.Run = func(c *Ctx) error { return run(d, c) }
		}
		return &s
	}
	var out []*Spec
	for _, v := range f.specs {
		s := bind(v.spec, v.run)
		for _, sub := range v.subs {
			sub.Spec.Group = s.Group
			s.Subs = append(s.Subs, bind(sub.Spec, sub.Run))
		}
		out = append(out, s)
	}
	return out
}
