package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/config"
)

// inputLineMax is the longest line of the prompt in bytes: the largest value that
// a server takes, quoted, has room in it.
const inputLineMax = 1 << 30

// A prompt reads commands and runs them until there are no more.
type prompt struct {
	program  *Program
	session  *session
	docs     *docs
	history  *history
	editor   lineEditor
	hints    bool // show the arguments while typing
	terminal bool // somebody sits there
}

// interact is the client without a command: a prompt on a terminal, a list of
// commands from anything else. It succeeds even if commands did not.
func (p *Program) interact(
	s *session, lines *bufio.Reader, terminal bool, env func(string) string,
) int {
	s.interactive = true
	r := &prompt{
		program: p, session: s, docs: &docs{}, history: &history{}, hints: true, terminal: terminal,
	}
	switch {
	case p.newEditor != nil:
		r.editor = p.newEditor(r)
	case terminal:
		r.history.path = historyPath(env)
		if err := r.history.load(); err != nil {
			s.complain("%v", err) // a prompt without its past is still a prompt
		}
		r.loadPreferences(userFile(env, "REDISCLI_RCFILE", ".redisclirc"))
		if isDumb(env("TERM")) {
			r.editor = &plainEditor{lines, s.out} // Ctrl-C ends the program, as nobody catches it
			break
		}
		r.editor = newShellEditor(r)
		defer r.watchInterrupts()()
	default:
		r.editor = &plainEditor{lines: lines}
	}
	_ = s.connect() // the next command tries again
	return exitCode(r.loop())
}

// watchInterrupts makes Ctrl-C end what runs instead of the program.
func (r *prompt) watchInterrupts() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		for range signals {
			r.session.interrupt.now()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

func (r *prompt) loop() error {
	for {
		if r.terminal {
			r.docs.load(r.session)
		}
		line, err := r.editor.ReadLine(r.session.prompt())
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, errInterrupted) {
				r.session.complain("Could not read the next command: %v", err)
				return exitError(1)
			}
			return nil
		}
		if done, err := r.do(line); done {
			return err
		}
	}
}

// do runs one line of input. It reports whether it was the last one.
func (r *prompt) do(line string) (done bool, err error) {
	parts, err := config.SplitArgs([]byte(line))
	if err != nil {
		r.remember(line, strings.Fields(line))
		r.say("Invalid argument(s)")
		return false, nil
	}
	if len(parts) == 0 {
		return false, nil
	}
	args := make([]string, len(parts))
	for i, part := range parts {
		args[i] = string(part)
	}
	command, repeat, ok := repetition(args)
	if !ok {
		r.say("Invalid redis-cli repeat command option value.")
		return false, nil
	}
	r.remember(line, command)
	return r.dispatch(command, repeat)
}

// repetition splits the number off a line like "5 PING". A number alone is a
// command, if one that no server has.
func repetition(args []string) (command []string, repeat int64, ok bool) {
	if len(args) < 2 || strings.HasPrefix(args[0], "+") {
		return args, 1, true
	}
	n, err := strconv.ParseInt(args[0], 10, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return args, 1, true
	case err != nil || n <= 0:
		return nil, 0, false
	}
	return args[1:], n, true
}

// dispatch does what is for the client itself and sends the rest to the server.
func (r *prompt) dispatch(args []string, repeat int64) (done bool, err error) {
	name := strings.ToLower(args[0])
	switch {
	case name == "quit" || name == "exit":
		return true, nil
	case name[:min(1, len(name))] == ":":
		r.prefer(args, "")
	case name == "restart" && len(args) == 1:
		r.say("Use 'restart' only in Lua debugging mode.")
	case name == "connect" && len(args) == 3:
		r.connectTo(args[1], args[2])
	case name == "clear" && len(args) == 1:
		_ = r.session.print([]byte("\x1b[H\x1b[2J"))
	case isHelp(name):
		err = r.program.help(r.session, r.docs, args[1:])
	default:
		start := r.program.Clock.Mono()
		err = r.session.run(args, repeat)
		r.reportTime(r.program.Clock.Mono() - start)
	}
	var exit exitError
	return errors.As(err, &exit), err
}

// reportTime tells how long a slow command took.
func (r *prompt) reportTime(nanos int64) {
	const slow = 500e6
	if nanos >= slow && r.session.opts.output == standard {
		_ = r.session.print(fmt.Appendf(nil, "(%.2fs)\n", float64(nanos)/1e9))
	}
}

func (r *prompt) connectTo(host, port string) {
	if err := r.session.opts.SetPort(port); err != nil {
		r.say(err.Error())
		return
	}
	r.session.opts.Host, r.session.opts.Socket = host, ""
	_ = r.session.connect() // it has told the user
}

// remember keeps a line for later, unless it holds a secret.
func (r *prompt) remember(line string, command []string) {
	if _, err := strconv.Atoi(firstOf(command)); err == nil && len(command) > 1 {
		command = command[1:] // of a line that could not be split
	}
	if r.history == nil || isSecret(command) {
		return
	}
	if err := r.history.add(line); err != nil {
		r.session.complain("%v", err)
		r.history.path = "" // say it once
	}
}

func firstOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// prefer obeys a line that begins with a colon. origin is the file that it comes
// from, or empty.
func (r *prompt) prefer(args []string, origin string) {
	if origin != "" {
		origin += ": "
	}
	switch {
	case !strings.EqualFold(args[0], ":set") || len(args) < 2:
		r.say(fmt.Sprintf("%sunknown redis-cli internal command '%s'", origin, args[0]))
	case strings.EqualFold(args[1], "hints"):
		r.hints = true
	case strings.EqualFold(args[1], "nohints"):
		r.hints = false
	default:
		r.say(fmt.Sprintf("%sunknown redis-cli preference '%s'", origin, args[1]))
	}
}

// loadPreferences obeys the lines of a file. There need not be one.
func (r *prompt) loadPreferences(path string) {
	const max = 64 << 10
	data, _, err := readTail(path, max)
	if err != nil {
		return
	}
	for line := range bytes.Lines(data) {
		fields := strings.Fields(string(line))
		if len(fields) > 0 && strings.HasPrefix(fields[0], ":") {
			r.prefer(fields, ".redisclirc")
		}
	}
}

func (r *prompt) say(text string) { _ = r.session.print([]byte(text + "\n")) }
