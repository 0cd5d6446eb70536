package config

import (
	"slices"
	"strings"
)

// A StringOption is a text.
type StringOption struct{ option }

// String declares a text. The checks, if any, refuse a value with a reason.
func String(o Option, checks ...func(string) error) *StringOption {
	initial, ok := o.Default.(string)
	opt := newOption(o, "text", stringKind{initial, checks})
	if !ok && o.Default != nil {
		opt.badDefault("a string")
	}
	opt.initial.ref = initial
	return &StringOption{opt}
}

// Get returns the option's value in s.
func (o *StringOption) Get(s *Set) string { return s.ref(&o.option).(string) }

// Store puts v in place without checks, hooks or locks; see IntOption.Store.
func (o *StringOption) Store(s *Set, v string) { s.store(&o.option, value{ref: v}) }

type stringKind struct {
	initial string
	checks  []func(string) error
}

func (k stringKind) parse(args []string, _ value, _ bool) (value, error) {
	for _, check := range k.checks {
		if err := check(args[0]); err != nil {
			return value{}, err
		}
	}
	return value{ref: args[0]}, nil
}

func (k stringKind) append(dst []byte, v value) []byte { return append(dst, v.ref.(string)...) }

// lines has no line for an empty text if that is what the directive's absence means.
func (k stringKind) lines(v value) []string {
	if v.ref.(string) == "" && k.initial == "" {
		return nil
	}
	return []string{Quote(v.ref.(string))}
}

// A StringsOption is a list of words.
type StringsOption struct{ option }

// Strings declares a list of words, all given in one directive: bind a b c. The
// checks, if any, refuse a list with a reason.
func Strings(o Option, checks ...func([]string) error) *StringsOption {
	opt := newOption(o, "list of words", stringsKind{checks})
	opt.multi = true
	switch d := o.Default.(type) {
	case nil:
		opt.initial.ref = []string(nil)
	case []string:
		opt.initial.ref = d
	default:
		opt.badDefault("a []string")
	}
	return &StringsOption{opt}
}

// Get returns the option's value in s, which the caller must not change.
func (o *StringsOption) Get(s *Set) []string { return s.ref(&o.option).([]string) }

// Store puts v in place without checks, hooks or locks; see IntOption.Store.
func (o *StringsOption) Store(s *Set, v []string) {
	s.store(&o.option, value{ref: slices.Clone(v)})
}

type stringsKind struct{ checks []func([]string) error }

func (k stringsKind) parse(args []string, _ value, _ bool) (value, error) {
	if len(args) == 1 && args[0] == "" {
		args = nil
	}
	for _, check := range k.checks {
		if err := check(args); err != nil {
			return value{}, err
		}
	}
	return value{ref: slices.Clone(args)}, nil
}

func (k stringsKind) append(dst []byte, v value) []byte {
	return append(dst, strings.Join(v.ref.([]string), " ")...)
}

func (k stringsKind) lines(v value) []string {
	words := v.ref.([]string)
	if len(words) == 0 {
		return []string{`""`}
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quoteWord(word)
	}
	return []string{strings.Join(quoted, " ")}
}

// A Codec says how a Custom option is read and written.
type Codec[T any] struct {
	// Parse makes a value of the arguments that follow the option's name. fresh says
	// that they replace old: from CONFIG SET, or the directive's first appearance in
	// what is loaded. Otherwise the directive is repeated, and a list adds to old. Old
	// must not be changed in place. The error's text is the reason given to the user.
	Parse func(args []string, old T, fresh bool) (T, error)

	// Append shows a value as CONFIG GET does.
	Append func(dst []byte, v T) []byte

	// Lines are the arguments of the directives that set the value in a file, one
	// element for a line, quoted where necessary. No line means that the option is
	// left out of the file. If nil, there is one line, which is what Append shows, or
	// for a FileOnly option CONFIG REWRITE leaves the file's lines as they are.
	Lines func(v T) []string

	// OneArgument says that the directive has exactly one argument. Otherwise it has
	// any number, which Parse counts, and CONFIG SET splits its value at spaces.
	OneArgument bool
}

// A CustomOption is a value of a type of its subsystem's own.
type CustomOption[T any] struct{ option }

// Custom declares an option with a grammar of its own, such as save.
func Custom[T any](o Option, codec Codec[T]) *CustomOption[T] {
	opt := newOption(o, "text", customKind[T]{codec})
	opt.multi = !codec.OneArgument
	opt.keepLines = o.FileOnly && codec.Lines == nil
	if codec.Parse == nil || codec.Append == nil {
		panic("config: " + o.Name + ": a custom option needs Parse and Append")
	}
	switch d := o.Default.(type) {
	case nil:
		var zero T
		opt.initial.ref = &zero
	case T:
		opt.initial.ref = &d
	default:
		opt.badDefault("a value of the option's own type")
	}
	return &CustomOption[T]{opt}
}

// Get returns the option's value in s, which the caller must not change.
func (o *CustomOption[T]) Get(s *Set) T { return *s.ref(&o.option).(*T) }

// Store puts v in place without checks, hooks or locks; see IntOption.Store.
func (o *CustomOption[T]) Store(s *Set, v T) { s.store(&o.option, value{ref: &v}) }

type customKind[T any] struct{ Codec[T] }

func (k customKind[T]) parse(args []string, old value, fresh bool) (value, error) {
	v, err := k.Parse(args, *old.ref.(*T), fresh)
	if err != nil {
		return value{}, err
	}
	return value{ref: &v}, nil
}

func (k customKind[T]) append(dst []byte, v value) []byte { return k.Append(dst, *v.ref.(*T)) }

func (k customKind[T]) lines(v value) []string {
	if k.Lines != nil {
		return k.Lines(*v.ref.(*T))
	}
	return []string{string(k.append(nil, v))}
}
