package cli

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/reeflective/readline"
)

// errInterrupted is Ctrl-C while a line is being typed.
var errInterrupted = errors.New("cli: interrupted")

// A lineEditor gets a line from the user. The error is io.EOF when there are no
// more, or errInterrupted.
type lineEditor interface {
	ReadLine(prompt string) (string, error)
}

// A plainEditor reads lines from what is no terminal, without a prompt, or from a
// terminal that cannot move its cursor, with one.
type plainEditor struct {
	lines  *bufio.Reader
	prompt *bufio.Writer // nil: none
}

func (e *plainEditor) ReadLine(prompt string) (string, error) {
	if e.prompt != nil {
		_, _ = e.prompt.WriteString(prompt)
		if err := e.prompt.Flush(); err != nil {
			return "", err
		}
	}
	return readLine(e.lines)
}

// isDumb reports whether a terminal, by its TERM, only prints.
func isDumb(term string) bool { return term == "dumb" || term == "cons25" || term == "emacs" }

// readLine returns the next line without its end. The last one needs none.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > inputLineMax {
			return "", errors.New("line too long")
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			err = nil
		}
		return strings.TrimRight(string(line), "\r\n"), err
	}
}

// A shellEditor edits on a terminal.
//
// It is reeflective/readline rather than peterh/liner: both search the history
// and complete, but only the former shows a hint while one types (the arguments
// that are still missing, which users of redis-cli rely on) and completions with
// a description, and it obeys the user's .inputrc, vi mode included. The price is
// a larger library, and that it talks to the terminal of the process only; hence
// the interface above.
type shellEditor struct {
	shell  *readline.Shell
	prompt string
}

const (
	dim        = "\x1b[90m"
	plainStyle = "\x1b[0m"
)

func newShellEditor(r *prompt) lineEditor {
	e := &shellEditor{shell: readline.NewShell()}
	// The editor would ask the terminal where its cursor is, and wait for ever if
	// nobody answers: under expect, and wherever a program plays the user. The
	// prompt is always at the beginning of a line, so there is nothing to ask.
	_ = e.shell.Config.Set("cursor-position-probe", false) // fails for an unknown type only
	e.shell.Prompt.Primary(func() string { return e.prompt })
	e.shell.History.Add("history", pastLines{r.history})
	e.shell.Completer = func(line []rune, cursor int) readline.Completions {
		var described []string
		for _, c := range r.docs.complete(string(line[:cursor])) {
			described = append(described, c.word, c.summary)
		}
		return readline.CompleteValuesDescribed(described...)
	}
	e.shell.Hint.SetProvider(func(line []rune, _ int) []rune {
		hint := r.docs.hint(string(line))
		if !r.hints || hint == "" {
			return nil
		}
		return []rune(dim + hint + plainStyle)
	})
	return e
}

func (e *shellEditor) ReadLine(prompt string) (string, error) {
	e.prompt = prompt
	line, err := e.shell.Readline()
	if errors.Is(err, readline.ErrInterrupt) {
		err = errInterrupted
	}
	return line, err
}

// pastLines is a history as the editor wants it. The editor would write every
// line that was entered, so it cannot: the prompt does, and knows secrets.
type pastLines struct{ *history }

func (p pastLines) Write(string) (int, error) { return len(p.lines), nil }

func (p pastLines) Len() int { return len(p.lines) }

func (p pastLines) Dump() any { return p.lines }

func (p pastLines) GetLine(i int) (string, error) {
	if i < 0 || i >= len(p.lines) {
		return "", errors.New("cli: no such line in the history")
	}
	return p.lines[i], nil
}
