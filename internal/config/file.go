package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bounds of what is loaded. Redis has none, and a file that includes itself ends it.
const (
	includeDepthMax = 16   // files that include each other
	includeFilesMax = 1024 // files altogether
)

// Reasons why a line of a file makes no sense, in Redis's words where it has any.
var (
	// ErrBadDirective means that there is no such directive. A FileOnly option gives it
	// as the reason if its arguments are too few or too many.
	ErrBadDirective error = Reason("Bad directive or wrong number of arguments")
	errArguments    error = Reason("wrong number of arguments")
	errQuotes       error = Reason("Unbalanced quotes in configuration line")
	errZeroByte     error = Reason("zero byte in configuration line")
	errNested       error = Reason(fmt.Sprintf("include files are nested deeper than %d", includeDepthMax))
	errTooMany      error = Reason(fmt.Sprintf("more than %d files are included", includeFilesMax))
)

// Files are where Load finds configuration files.
type Files interface {
	ReadFile(name string) ([]byte, error)
	Glob(pattern string) ([]string, error)
}

// A Source is what a server is configured from: the file, then standard input, then
// the command line. What comes later counts.
type Source struct {
	Files Files
	File  string // "" if there is none; with * ? [ it is a pattern
	Stdin []byte // nil if there is none
	Lines []byte // directives from the command line, see ParseCommandLine
}

// A LineError is a line that can't be what it is. It stops a server from starting.
type LineError struct {
	File   string // or "standard input", or "the command line"
	Line   int    // as Redis counts: through the file, standard input and command line
	Text   string
	Reason error
}

func (e *LineError) Error() string {
	return fmt.Sprintf("config: %s: line %d: '%s': %v", e.File, e.Line, e.Text, e.Reason)
}

func (e *LineError) Unwrap() error { return e.Reason }

// Report returns what Redis prints before it gives up; product is "Redis 7.2.4".
func (e *LineError) Report(product string) string {
	return fmt.Sprintf("\n*** FATAL CONFIG FILE ERROR (%s) ***\n"+
		"Reading the configuration file, at line %d\n>>> '%s'\n%v\n", product, e.Line, e.Text, e.Reason)
}

// A FileError is a file that could not be read.
type FileError struct {
	File string
	Err  error
}

func (e *FileError) Error() string {
	return "can't open config file '" + e.File + "': " + e.Err.Error()
}

func (e *FileError) Unwrap() error { return e.Err }

// A loader carries one Load through its files.
type loader struct {
	set   *Set
	files Files
	seen  map[*option]bool // whose directive was there before
	read  int              // files so far
}

// Load configures the set from src. It is meant for a server's start: it changes
// whatever option it meets, and calls no hook. On error, which is a *LineError or why
// a file could not be read, some directives may have taken effect.
func (s *Set) Load(src Source) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &loader{set: s, files: src.Files, seen: make(map[*option]bool)}
	line := 1
	if src.File != "" {
		last, err := l.include(src.File, 0)
		if err != nil {
			return err
		}
		s.file, line = src.File, last
	}
	if err := l.lines(src.Stdin, "standard input", line, 0); err != nil {
		return err
	}
	line += bytes.Count(src.Stdin, []byte("\n")) + 1
	return l.lines(src.Lines, "the command line", line, 0)
}

// include loads the files that name stands for, and returns the number of the last
// line. A pattern that matches nothing is fine: conf.d may be empty.
func (l *loader) include(name string, depth int) (int, error) {
	if depth > includeDepthMax {
		return 0, errNested
	}
	names := []string{name}
	if strings.ContainsAny(name, "*?[") {
		matches, err := l.files.Glob(name)
		if err != nil {
			return 0, &FileError{name, err}
		}
		names = slices.Sorted(slices.Values(matches))
	}
	line := 1
	for _, name := range names {
		l.read++
		if l.read > includeFilesMax {
			return 0, errTooMany
		}
		text, err := l.files.ReadFile(name)
		if err != nil {
			return 0, &FileError{name, err}
		}
		if err := l.lines(text, name, line, depth); err != nil {
			return 0, err
		}
		line += bytes.Count(text, []byte("\n"))
	}
	return line, nil
}

// lines loads the directives of a text whose first line has the number given.
func (l *loader) lines(text []byte, file string, first, depth int) error {
	number := first - 1
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		number++
		line = bytes.Trim(line, " \t\r\n")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		err := l.line(string(line), depth)
		if err != nil && !isPlaced(err) {
			err = &LineError{File: file, Line: number, Text: string(line), Reason: err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isPlaced says whether err names the place of its cause already, further inside.
func isPlaced(err error) bool {
	_, isLine := errors.AsType[*LineError](err)
	_, isFile := errors.AsType[*FileError](err)
	return isLine || isFile
}

// line carries out one directive.
func (l *loader) line(line string, depth int) error {
	if strings.Contains(line, "\x00") {
		return errZeroByte // SplitArgs would drop the rest
	}
	words, err := SplitArgs([]byte(line))
	if err != nil {
		return errQuotes
	}
	if len(words) == 0 { // only vertical tabs or form feeds
		return nil
	}
	args := make([]string, len(words))
	for i := range words {
		args[i] = string(words[i])
	}
	if lowerASCII(args[0]) == "include" {
		if len(args) != 2 {
			return ErrBadDirective
		}
		_, err := l.include(args[1], depth+1)
		return err
	}
	return l.directive(args[0], args[1:])
}

func (l *loader) directive(name string, args []string) error {
	e, ok := l.set.schema.lookup(name)
	switch {
	case !ok:
		return ErrBadDirective
	case !e.multi && len(args) != 1 && e.FileOnly:
		return ErrBadDirective
	case !e.multi && len(args) != 1:
		return errArguments
	case e.multi && len(args) == 1 && !e.FileOnly:
		args = splitAgain(args)
	}
	v, err := e.kind.parse(args, l.set.load(e.option), !l.seen[e.option])
	if err != nil {
		return err
	}
	l.seen[e.option] = true
	l.set.store(e.option, v)
	return nil
}

// splitAgain splits a lone argument, so that --save "900 1" means --save 900 1. An
// argument that has no words, or can't be split, is itself.
func splitAgain(args []string) []string {
	words, err := SplitArgs([]byte(args[0]))
	if err != nil || len(words) == 0 {
		return args
	}
	split := make([]string, len(words))
	for i := range words {
		split[i] = string(words[i])
	}
	return split
}
