package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/rdb"
)

const usage = `Usage: ./redis-server [/path/to/redis.conf] [options] [-]
       ./redis-server - (read config from stdin)
       ./redis-server -v or --version
       ./redis-server -h or --help

Examples:
       ./redis-server (run the server with default conf)
       echo 'maxmemory 128mb' | ./redis-server -
       ./redis-server /etc/redis/6379.conf
       ./redis-server --port 7777
       ./redis-server /etc/myredis.conf --loglevel verbose -
`

// gcPercent is low because the Go heap is small (data are not on it) and hardly any
// garbage is made: it bounds how much of it lies about.
const gcPercent = 50

// Main is the program spinel-server. args are without the program's name.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	debug.SetGCPercent(gcPercent)
	if len(args) == 1 {
		switch args[0] {
		case "-v", "--version":
			fmt.Fprintf(stdout, "Redis server v=%s sha=00000000:0 malloc=spinel-%s bits=64 build=%s\n",
				RedisVersion, Version, runtime.Version())
			return 0
		case "-h", "--help":
			fmt.Fprint(stdout, usage)
			return 0
		}
	}
	if len(args) > 0 && (args[0] == "--test-memory" || args[0] == "--check-system") {
		fmt.Fprintf(stderr, "%s is not supported by this version\n", args[0])
		return 1
	}
	set, input, err := loadConfig(args, stdin)
	if err != nil {
		complain(stderr, err)
		return 1
	}
	if daemonize.Get(set) && supervision(set) == supervisedNo {
		if child, err := background(args, input); err != nil {
			fmt.Fprintf(stderr, "can't run in the background: %v\n", err)
			return 1
		} else if !child {
			return 0
		}
	}
	return run(set, args, stdout, stderr)
}

// loadConfig reads the options of a command line. input is what was on standard input.
func loadConfig(args []string, stdin io.Reader) (set *config.Set, input []byte, err error) {
	cl := config.ParseCommandLine(args)
	if cl.Stdin {
		if input, err = io.ReadAll(io.LimitReader(stdin, 64<<20)); err != nil {
			return nil, nil, err
		}
	}
	if cl.File != "" {
		if cl.File, err = filepath.Abs(cl.File); err != nil {
			return nil, nil, err
		}
	}
	set = Schema().NewSet()
	err = set.Load(config.Source{Files: config.OSFiles{}, File: cl.File, Stdin: input, Lines: cl.Lines})
	return set, input, err
}

// complain says what is wrong with the configuration, as Redis does.
func complain(w io.Writer, err error) {
	if line, ok := errors.AsType[*config.LineError](err); ok {
		fmt.Fprint(w, line.Report("Redis "+RedisVersion))
		return
	}
	if file, ok := errors.AsType[*config.FileError](err); ok {
		fmt.Fprintf(w, "Fatal error, can't open config file '%s': %v\n", file.File, file.Err)
		return
	}
	fmt.Fprintln(w, err)
}

// run serves until it is told to stop.
func run(set *config.Set, args []string, stdout, stderr io.Writer) int {
	// Loops keep their processors while they are busy; background work needs a place to run.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), int(netloop.IOThreads.Get(set))) + 1)
	exe, _ := os.Executable()
	s, err := New(Config{Set: set, Stdout: stdout, Exe: exe})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	raiseFileLimit(s)
	s.greet(args)
	stopSignals := s.handleSignals()
	defer stopSignals()
	if err := s.open(); err != nil {
		s.log.Warnf("%v", err)
		s.Close()
		return 1
	}
	// Not before: a server whose port is taken would replace the pid file of the one that
	// has it, and remove it at once.
	pid := newPidFile(set)
	if err := pid.write(); err != nil {
		s.log.Warnf("Failed to write PID file: %v", err)
	}
	defer pid.remove()
	s.showTitle()
	loaded := make(chan error, 1)
	go func() { loaded <- s.fill() }()
	select {
	case code := <-s.ended:
		// Told to end while loading. The process's end is all it takes; Close would pull
		// the memory from under the load.
		s.net.Shutdown(0)
		return code
	case err := <-loaded:
		if err != nil {
			s.notLoaded(err)
			s.Close()
			return 1
		}
	}
	s.giving.due.Store(true) // what starting and loading have left
	s.log.Noticef("Ready to accept connections")
	notifyReady(set, s.log)
	code := s.Wait()
	if code == 0 {
		s.Close()
	} // or else somebody insists, and Close would wait for the save that takes too long
	return code
}

// notLoaded logs why there are no data to serve, and then, in words that scripts look for,
// that this is the end.
func (s *Server) notLoaded(err error) {
	if _, ok := errors.AsType[*rdb.CorruptError](err); ok {
		s.log.Warnf("%v", err)
		s.log.Warnf("Terminating server after rdb file reading failure.")
		return
	}
	s.log.Warnf("Fatal error loading the DB: %v. Exiting.", err)
}

// greet logs what is starting, in words that scripts look for.
func (s *Server) greet(args []string) {
	s.log.Noticef("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo")
	s.log.Noticef("Spinel %s, compatible with Redis %s, bits=64, pid=%d, just started",
		Version, RedisVersion, os.Getpid())
	if len(args) == 0 {
		s.log.Warnf("Warning: no config file specified, using the default config. "+
			"In order to specify a config file use %s /path/to/redis.conf", os.Args[0])
	} else {
		s.log.Noticef("Configuration loaded")
	}
	backend, why := s.net.Backend()
	if why != "" {
		s.log.Noticef("network: %s (%s)", backend, why)
	} else {
		s.log.Noticef("network: %s", backend)
	}
	port, _ := s.config.Text("port")
	s.log.Raw(observeNotice, fmt.Sprintf("\n"+
		"        /\\         Spinel %s (Redis %s) 64 bit\n"+
		"       /  \\        Running in standalone mode\n"+
		"      /____\\       Port: %s\n"+
		"      \\    /       PID: %d\n"+
		"       \\  /\n"+
		"        \\/\n", Version, RedisVersion, port, os.Getpid()))
	s.log.Noticef("Server initialized")
}

// uptime is how long the server has been running.
func (s *Server) uptime() time.Duration { return time.Duration(s.clock.Mono() - s.started) }
