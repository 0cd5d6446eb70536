package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdline"
	"github.com/spineldb/spinel/internal/config"
)

// A Program is the client with what it needs from the outside. The zero value is
// ready.
type Program struct {
	Name    string // in --version and --help; default "spinel cli"
	Version string // default: that of the module in the binary

	Clock clock.Clock         // default: the machine's
	Sleep func(time.Duration) // default: time.Sleep

	newEditor func(*prompt) lineEditor // for tests; default: by the terminal
}

// Main runs the client with the arguments after the program's name and returns
// the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string) int {
	return Program{}.Main(args, stdin, stdout, stderr, env)
}

// Main is the function of the same name for this program.
func (p Program) Main(
	args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string,
) int {
	p.fillIn()
	terminal := isTerminal(stdout) || env("FAKETTY") != ""
	opts := defaults(terminal)
	command, err := opts.parse(args, env)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	case opts.version:
		fmt.Fprintln(stdout, p.Name, p.Version)
		return 0
	case opts.usage:
		fmt.Fprintf(stdout, usage, p.Name, p.Version)
		return 0
	}
	if !opts.warned {
		fmt.Fprintln(stderr, "Warning: Using a password with '-a' or '-u' option on the command line"+
			" interface may not be safe.")
	}
	lines := bufio.NewReader(stdin) // askpass and the prompt read the same stream
	if opts.askPassword {
		if opts.Password, err = askPassword(stdin, lines, stdout); err != nil {
			fmt.Fprintln(stderr, "Could not read the password:", err)
			return 1
		}
		opts.HasPassword = true
	}
	s := &session{
		opts: opts, in: lines, out: bufio.NewWriter(stdout), errOut: stderr, sleep: p.Sleep,
		format: formatter{opts.output, opts.elementDelim, opts.replyDelim},
		wanted: opts.Database, resp3: opts.resp3,
	}
	defer s.disconnect()
	if worked, err := opts.modes.run(&p, s); worked {
		return exitCode(err)
	}
	if len(command) == 0 {
		return p.interact(s, lines, isTerminal(stdin) && isTerminal(stdout), env)
	}
	return p.once(s, command, lines)
}

func (p *Program) fillIn() {
	if p.Name == "" {
		p.Name = "spinel cli"
	}
	if p.Version == "" {
		p.Version = cmdline.Version()
	}
	if p.Clock == nil {
		p.Clock = clock.System{}
	}
	if p.Sleep == nil {
		p.Sleep = time.Sleep
	}
}

// once runs the command of the command line.
func (p *Program) once(s *session, command []string, stdin io.Reader) int {
	args, problem := p.completeCommand(s.opts, command, stdin)
	if problem != "" {
		if args == nil {
			s.print([]byte(problem + "\n"))
		} else {
			s.complain("%s", problem)
		}
		return 1
	}
	if isHelp(args[0]) {
		return exitCode(p.help(s, &docs{}, args[1:]))
	}
	return exitCode(s.run(args, s.opts.repeat))
}

// completeCommand undoes the quotes of --quoted-input and puts in what -x and -X
// read from the standard input. A problem without arguments belongs on the
// standard output, where redis-cli prints it.
func (p *Program) completeCommand(
	opts options, command []string, stdin io.Reader,
) (args []string, problem string) {
	args = make([]string, 0, len(command)+1)
	for _, arg := range command {
		if opts.quotedInput {
			parts, err := config.SplitArgs([]byte(arg))
			if err != nil || len(parts) != 1 {
				return nil, "Invalid quoted string"
			}
			arg = string(parts[0])
		}
		args = append(args, arg)
	}
	if !opts.stdinLast && !opts.hasTag {
		return args, ""
	}
	input, err := io.ReadAll(stdin)
	if err != nil {
		return args, "Could not read the standard input: " + err.Error()
	}
	if opts.stdinLast {
		return append(args, string(input)), ""
	}
	for i := range args {
		if args[i] == opts.stdinTag {
			args[i] = string(input)
			return args, ""
		}
	}
	return args, "Using -X option but stdin tag not match."
}

func isHelp(name string) bool { return name == "?" || strings.EqualFold(name, "help") }

func exitCode(err error) int {
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	}
	return 1
}

// askPassword reads a password, without showing it if a terminal is there.
func askPassword(stdin io.Reader, lines *bufio.Reader, stdout io.Writer) (string, error) {
	if isTerminal(stdin) {
		fmt.Fprint(stdout, "Please input password: ")
		secret, err := term.ReadPassword(int(stdin.(*os.File).Fd()))
		fmt.Fprintln(stdout)
		return string(secret), err
	}
	line, err := readLine(lines)
	if errors.Is(err, io.EOF) {
		err = nil // no input is an empty password, and the server will say so
	}
	return line, err
}

// isTerminal reports whether a stream is a terminal. Only a file can be one.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
