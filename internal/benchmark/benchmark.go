package benchmark

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdline"
)

// A Program is the load generator with what it needs from the outside. The zero value is
// ready.
type Program struct {
	Name    string // in --version and --help; default "spinel benchmark"
	Version string // default: that of the module in the binary

	Clock clock.Clock // default: the machine's
	drive driver      // for tests; default: the system's
}

// Main runs the load generator with the arguments after the program's name and returns the
// exit code.
func (p Program) Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p.fillIn()
	opts := defaults()
	command, err := opts.parse(args)
	switch wrong := misuse(""); {
	case errors.As(err, &wrong):
		fmt.Fprintf(stdout, "%s\n\n", wrong.Error())
		fmt.Fprintf(stdout, usage, p.Name)
		return 1
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	case opts.version:
		fmt.Fprintln(stdout, p.Name, p.Version)
		return 0
	case opts.usage:
		fmt.Fprintf(stdout, usage, p.Name)
		return 0
	}
	if err := p.run(&opts, command, stdin, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func (p *Program) fillIn() {
	if p.Name == "" {
		p.Name = "spinel benchmark"
	}
	if p.Version == "" {
		p.Version = cmdline.Version()
	}
	if p.Clock == nil {
		p.Clock = clock.System{}
	}
	if p.drive == nil {
		p.drive = systemDriver
	}
}

// run does what the command line says, for ever if it says so.
func (p *Program) run(opts *options, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	scenarios, warnings := selected(opts)
	if len(command) > 0 {
		var last []byte
		if opts.stdinLast {
			var err error
			if last, err = io.ReadAll(stdin); err != nil {
				return cmdline.Refusef("Could not read the standard input: %v", err)
			}
		}
		scenarios, warnings = []scenario{custom(opts, command, last)}, nil
	}
	server, target, err := ask(opts)
	if err != nil {
		return err
	}
	warnings = append(opts.warnings, warnings...)
	if server == nil {
		warnings = append(warnings, "Could not fetch server CONFIG")
	}
	for _, warning := range warnings {
		fmt.Fprintln(stderr, "WARNING:", warning)
	}
	r := &report{out: stdout, opts: opts, server: server}
	seed := opts.seed
	if !opts.hasSeed {
		seed = uint64(p.Clock.Wall())
	}
	if opts.idle {
		fmt.Fprintf(stdout, "Creating %d idle connections and waiting forever (Ctrl+C when done)\n", opts.clients)
		return p.measure(r, &scenario{}, target, seed)
	}
	if opts.csv {
		io.WriteString(stdout, csvHeader)
	}
	for {
		for i := range scenarios {
			if err := p.measure(r, &scenarios[i], target, seed); err != nil {
				return err
			}
			seed++
		}
		if !opts.csv && len(command) == 0 {
			fmt.Fprintln(stdout)
		}
		if !opts.loop {
			return nil
		}
	}
}

// progressEvery is how often the progress line changes.
const progressEvery = 250 * time.Millisecond

// measure runs one scenario, shows how far it is, and reports.
func (p *Program) measure(r *report, sc *scenario, target net.Addr, seed uint64) error {
	l := newLoad(r.opts, sc, target, seed)
	l.clock, l.drive = p.Clock, p.drive
	type outcome struct {
		result
		err error
	}
	over := make(chan outcome, 1)
	go func() {
		res, err := l.run(r.opts.clients)
		over <- outcome{res, err}
	}()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	start := moment{at: p.Clock.Mono()}
	last := start
	for {
		select {
		case o := <-over:
			if o.err == nil {
				r.result(sc, o.result)
			} else if !r.opts.csv && !r.opts.idle {
				r.clear()
			}
			return o.err
		case <-ticker.C:
			now := moment{at: p.Clock.Mono()}
			now.finished, now.micros = l.sums()
			switch {
			case r.opts.idle:
				r.showClients(l.connected.Load())
			case !r.opts.csv:
				r.showProgress(sc, start, last, now)
			}
			last = now
		}
	}
}

// unreachable says that a connection could not be made, in redis-benchmark's words.
func (l *load) unreachable(err error) error {
	return cmdline.Refusef("Could not connect to Redis at %s: %s", l.target, client.ErrorText(err))
}

// networkError says that a connection broke.
func networkError(err error) error { return cmdline.Refusal("Error: " + client.ErrorText(err)) }
