package config

import (
	"slices"
	"strings"

	"github.com/spineldb/spinel/internal/glob"
)

// Reasons for not touching an option at all.
var (
	errImmutable error = Reason("can't set immutable config")
	errProtected error = Reason("can't set protected config")
	errDuplicate error = Reason("duplicate parameter")
)

// ErrPairs means that CONFIG SET's arguments do not come in pairs.
var ErrPairs error = Reason("syntax error")

// A SetError is why CONFIG SET did nothing. Its text is that of Redis's reply after
// the word ERR.
type SetError struct {
	Arg    string // the option's name as the request has it
	Reason error  // nil if there is no such option

	// Unrestored are errors of hooks that could not take back what they had already
	// applied when a later one failed. An operator should see them.
	Unrestored []error
}

func (e *SetError) Error() string {
	if e.Reason == nil {
		return "Unknown option or number of arguments for CONFIG SET - '" + e.Arg + "'"
	}
	return "CONFIG SET failed (possibly related to argument '" + e.Arg + "') - " + e.Reason.Error()
}

func (e *SetError) Unwrap() error { return e.Reason }

// An assignment is one pair of a CONFIG SET, on its way into the set.
type assignment struct {
	entry
	arg  string // the name as the request has it
	text string
	old  value
	new  value
}

// fail names the option as the schema does, once it is known that its value is to
// blame, and otherwise as the request does.
func (a *assignment) fail(reason error) *SetError { return &SetError{Arg: a.as, Reason: reason} }

func (a *assignment) refuse(reason error) *SetError { return &SetError{Arg: a.arg, Reason: reason} }

// ConfigSet is CONFIG SET: pairs of names and values, of which either all take effect
// or none. allowProtected says whether the client may change protected options. The
// error is ErrPairs or a *SetError.
func (s *Set) ConfigSet(pairs [][]byte, allowProtected bool) error {
	if len(pairs)%2 != 0 {
		return ErrPairs
	}
	assignments, err := s.schema.resolve(pairs, allowProtected)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.parse(assignments); err != nil {
		return err
	}
	return s.commit(assignments)
}

// resolve finds the options, and refuses what no value could make right.
func (s *Schema) resolve(pairs [][]byte, allowProtected bool) ([]assignment, error) {
	assignments := make([]assignment, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		a := assignment{arg: string(pairs[i]), text: string(pairs[i+1])}
		e, ok := s.lookup(a.arg)
		if !ok || e.FileOnly {
			return nil, a.refuse(nil)
		}
		a.entry = e
		switch {
		case !e.Live:
			return nil, a.refuse(errImmutable)
		case e.Protected && !allowProtected:
			return nil, a.refuse(errProtected)
		case slices.ContainsFunc(assignments, func(b assignment) bool { return b.as == a.as }):
			return nil, a.refuse(errDuplicate)
		}
		assignments = append(assignments, a)
	}
	return assignments, nil
}

// parse makes the new values without showing them to anyone. An option may be set
// twice, once by its name and once by an alias: then the later one counts.
func (s *Set) parse(assignments []assignment) error {
	latest := make(map[*option]value)
	for i := range assignments {
		a := &assignments[i]
		old, again := latest[a.option]
		if !again {
			old = s.load(a.option)
		}
		args := []string{a.text}
		if a.multi {
			args = splitSpaces(a.text)
		}
		v, err := a.kind.parse(args, old, true)
		if err != nil {
			return a.fail(err)
		}
		a.old, a.new = old, v
		latest[a.option] = v
	}
	return nil
}

// splitSpaces splits at every single space, as CONFIG SET always did: two in a row
// have an empty argument between them.
func splitSpaces(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, " ")
}

// commit stores the new values, lets them take effect, and undoes all of it if one
// of the hooks refuses.
func (s *Set) commit(assignments []assignment) error {
	changed := slices.DeleteFunc(assignments, func(a assignment) bool { return a.isSame(a.old, a.new) })
	for _, a := range changed {
		s.store(a.option, a.new)
	}
	var applied []*hook
	for i := range changed {
		a := &changed[i]
		for _, h := range hooksFor(s.applies, a.option, applied) {
			applied = append(applied, h)
			if err := h.f(); err != nil {
				failure := a.fail(err)
				failure.Unrestored = s.revert(changed, applied)
				return failure
			}
		}
	}
	var told []*hook
	for i := range changed {
		for _, h := range hooksFor(s.changes, changed[i].option, told) {
			told = append(told, h)
			_ = h.f() // OnChange's functions have no error to give
		}
	}
	return nil
}

// hooksFor returns the hooks that concern o and have not been called.
func hooksFor(hooks []hook, o *option, called []*hook) []*hook {
	var found []*hook
	for i := range hooks {
		if hooks[i].concerns(o) && !slices.Contains(called, &hooks[i]) {
			found = append(found, &hooks[i])
		}
	}
	return found
}

// revert puts the old values back, the latest assignment first because it may hide an
// earlier one, and applies them again.
func (s *Set) revert(changed []assignment, applied []*hook) []error {
	for _, a := range slices.Backward(changed) {
		s.store(a.option, a.old)
	}
	var failed []error
	for _, h := range applied {
		if err := h.f(); err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

// A Pair is a name and its value, as CONFIG GET replies.
type Pair struct{ Name, Value string }

// ConfigGet is CONFIG GET: the options that any of the patterns matches, each name
// once. A pattern without wildcards is a name, and is reported as it was written.
func (s *Set) ConfigGet(patterns [][]byte) []Pair {
	found := make(map[string]string) // from the lower-case name to the one to report
	for _, pattern := range patterns {
		name := string(pattern)
		if !strings.ContainsAny(name, "*?[") {
			lower := lowerASCII(name)
			if _, seen := found[lower]; !seen {
				found[lower] = name
			}
			continue
		}
		for _, name := range s.schema.names {
			_, seen := found[name]
			if !seen && !s.schema.byName[name].Hidden && glob.Match(pattern, []byte(name), true) {
				found[name] = name
			}
		}
	}
	var pairs []Pair
	for _, name := range s.schema.names {
		e := s.schema.byName[name]
		if as, ok := found[name]; ok && !e.FileOnly {
			pairs = append(pairs, Pair{as, s.show(e.option)})
		}
	}
	return pairs
}

// Text returns the value of the option called name as CONFIG GET shows it.
func (s *Set) Text(name string) (string, bool) {
	e, ok := s.schema.lookup(name)
	if !ok {
		return "", false
	}
	return s.show(e.option), true
}

func (s *Set) show(o *option) string { return string(o.kind.append(nil, s.load(o))) }
