// Package original runs the servers that ours is compared with, for the time of a test:
//
//	r := original.Redis(t, original.Options{AppendOnly: true})
//	r.Do("SET", "k", "v") // "+OK\r\n"
//	r.Appended()          // [[SET k v]]
//
// A server has a folder of its own with its socket in it, and no port unless it is asked for
// one, so any number of them run beside each other. It holds no data but what is in that
// folder, and it is killed when the test ends. A test that asks for a server that is not
// installed is skipped.
//
// REDIS_SERVER and VALKEY_SERVER in the environment name the programs, if they are not to be
// looked for in the path. They may begin with arguments: an emulator, or a loader.
package original

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/resp"
)

// Options are how a server is run. It always has DEBUG, and saves only if it is told.
type Options struct {
	Dir        string // its folder, from which it loads dump.rdb; "" for an empty one
	AppendOnly bool   // whether it has an append-only file, for Appended
}

// A Server is one that runs.
type Server struct {
	Dir string // its folder

	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// Redis starts a redis-server 7.0, whom we follow to the byte.
func Redis(t testing.TB, o Options) *Server {
	t.Helper()
	return Start(t, "redis-server", "7.0.", o)
}

// startupTime is how long a server may take to answer, and startupPause the time between
// two looks whether it does.
const (
	startupTime  = 30 * time.Second
	startupPause = 5 * time.Millisecond
)

// Start starts a server by the name of its program. Its version must begin as given.
func Start(t testing.TB, name, version string, o Options) *Server {
	t.Helper()
	command := program(t, name, version)
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	args := append(command[1:], "--port", "0", "--unixsocket", socketName, "--dir", o.Dir, "--save", "",
		"--enable-debug-command", "yes")
	if o.AppendOnly {
		args = append(args, "--appendonly", "yes", "--appendfsync", "no")
	}
	var log bytes.Buffer
	server := exec.Command(command[0], args...)
	server.Dir, server.Stdout, server.Stderr = o.Dir, &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait() // what it says is in the log
		close(ended)
	}()
	stop := func() {
		_ = server.Process.Kill() // or it has ended
		<-ended
	}
	t.Cleanup(stop)
	s := &Server{Dir: o.Dir, t: t}
	if err := s.connect(ended); err != nil {
		stop() // so that nobody writes to the log
		t.Fatalf("%s: %v; it logs:\n%s", name, err, &log)
	}
	t.Cleanup(func() { s.conn.Close() })
	return s
}

// program is the command line that starts a server.
func program(t testing.TB, name, version string) []string {
	t.Helper()
	variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	command := strings.Fields(os.Getenv(variable))
	if len(command) == 0 {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("no %s is installed to compare with", name)
		}
		command = []string{path}
	}
	said, err := exec.Command(command[0], append(command[1:len(command):len(command)], "--version")...).Output()
	if err != nil || !strings.Contains(string(said), " v="+version) {
		t.Skipf("%s is not a %s %s: %s %v", command, name, version, said, err)
	}
	return command
}

const socketName = "s"

// connect waits until the server answers and has loaded its data, or has ended.
func (s *Server) connect(ended <-chan struct{}) error {
	end := time.After(startupTime)
	for {
		var answer string
		var err error
		if s.conn == nil {
			if s.conn, err = net.Dial("unix", s.Socket()); err == nil {
				s.in = bufio.NewReader(s.conn)
			}
		}
		if s.conn != nil {
			if answer, err = s.ask("PING"); err != nil || answer == "+PONG\r\n" {
				return err
			}
		}
		select {
		case <-ended:
			return errors.New("it has ended")
		case <-end:
			return fmt.Errorf("it does not answer: %q, %v", answer, err)
		case <-time.After(startupPause):
		}
	}
}

// Socket is the path of the socket that the server listens on.
func (s *Server) Socket() string { return filepath.Join(s.Dir, socketName) }

// Port is a port of 127.0.0.1, free until now, on which the server listens from now on.
func (s *Server) Port() string {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if err := listener.Close(); err != nil {
		s.t.Fatal(err)
	}
	if reply := s.Do("CONFIG", "SET", "bind", "127.0.0.1", "port", port); reply != "+OK\r\n" {
		s.t.Fatal(reply)
	}
	return port
}

// Do sends a command and returns the bytes of its reply.
func (s *Server) Do(args ...string) string {
	s.t.Helper()
	reply, err := s.ask(args...)
	if err != nil {
		s.t.Fatalf("%.200q: %v", args, err)
	}
	return reply
}

func (s *Server) ask(args ...string) (string, error) {
	if _, err := s.conn.Write(resp.AppendCommand(nil, args...)); err != nil {
		return "", err
	}
	var reply bytes.Buffer
	err := copyReply(&reply, s.in)
	return reply.String(), err
}

// copyReply copies one reply, of RESP2 or RESP3.
func copyReply(to *bytes.Buffer, in *bufio.Reader) error {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	to.Write(line)
	kind := line[0]
	n, _ := strconv.Atoi(string(bytes.TrimSpace(line[1:]))) // what has no length is not looked at
	switch kind {
	case '$', '=', '!':
		if n >= 0 {
			_, err = io.CopyN(to, in, int64(n)+2)
		}
		return err
	case '|': // attributes stand before the reply proper
		n = 2*n + 1
	case '%':
		n *= 2
	case '*', '~', '>':
	default:
		return nil
	}
	for range n {
		if err := copyReply(to, in); err != nil {
			return err
		}
	}
	return nil
}

// Appended are the commands in the append-only file, behind the SELECT 0 that it begins
// with. All that was replied to is in it.
func (s *Server) Appended() [][]string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.Dir, "appendonlydir", "appendonly.aof.1.incr.aof"))
	if err != nil {
		s.t.Fatal(err)
	}
	_, data, found := bytes.Cut(data, resp.AppendCommand(nil, "SELECT", "0"))
	if !found && len(data) > 0 {
		s.t.Fatalf("the append-only file begins with %.100q", data)
	}
	var commands [][]string
	var parser resp.Parser
	for len(data) > 0 {
		args, n, err := parser.Parse(data, nil, &resp.Limits{Bulk: math.MaxInt64})
		if err != nil || n == 0 {
			s.t.Fatalf("the append-only file goes on with %.100q: %v", data, err)
		}
		command := make([]string, len(args))
		for i := range args {
			command[i] = string(args[i])
		}
		commands, data = append(commands, command), data[n:]
	}
	return commands
}
