// Package cmdline reads command lines as Redis's programs do: options in front, each with at
// most one value behind it, then a command for the server.
package cmdline

import (
	"fmt"
	"math"
	"net"
	"runtime/debug"
	"strconv"
)

// A Refusal is why a program ends or does not even start. It is the whole text that the user
// gets to see, in the words of Redis's program where that has some.
type Refusal string

// Error implements the error interface.
func (r Refusal) Error() string { return string(r) }

// Refusef makes a Refusal.
func Refusef(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// Options are what a program knows, by name and with their dashes. O is what they set.
type Options[O any] struct {
	Switches map[string]func(*O)               // without a value
	Settings map[string]func(*O, string) error // with one
	// Absent are options of Redis's program that are not there, and what they would do.
	// Ignoring one would do something else than what was asked for.
	Absent map[string]string
}

// Next takes the option that args begin with, and returns the rest. It says whether the option
// is known and has what it needs.
func (t *Options[O]) Next(o *O, args []string) (rest []string, isTaken bool, err error) {
	name := args[0]
	set, takesValue := t.Settings[name]
	switch toggle := t.Switches[name]; {
	case toggle != nil:
		toggle(o)
		return args[1:], true, nil
	case takesValue && len(args) > 1:
		return args[2:], true, set(o, args[1])
	case t.Absent[name] != "":
		return args, false, Refusef("Option %s: %s is not there yet.", name, t.Absent[name])
	}
	return args, false, nil
}

// Number reads a number, and says what it is of if it cannot.
func Number[T int | int64](to *T, what, v string, low, high int64) error {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < low || n > high || int64(T(n)) != n {
		return Refusef("Invalid %s '%s'.", what, v)
	}
	*to = T(n)
	return nil
}

// A Server is which server is meant, and who we are to it.
type Server struct {
	Host   string
	Port   int
	Socket string // wins over the two

	User        string
	Password    string
	HasPassword bool
	Database    int
}

// Local is the server that is meant if nothing else is said.
func Local() Server { return Server{Host: "127.0.0.1", Port: 6379} }

// SetPort takes a port.
func (s *Server) SetPort(v string) error { return Number(&s.Port, "server port", v, 0, math.MaxUint16) }

// SetDatabase takes a database's number.
func (s *Server) SetDatabase(v string) error {
	return Number(&s.Database, "database number", v, 0, math.MaxInt32)
}

// SetPassword takes a password, which may be empty.
func (s *Server) SetPassword(v string) error {
	s.Password, s.HasPassword = v, true
	return nil
}

// Address is where the server is, for net.Dial.
func (s *Server) Address() (network, address string) {
	if s.Socket != "" {
		return "unix", s.Socket
	}
	return "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// String is the address as messages show it.
func (s *Server) String() string {
	if s.Socket != "" {
		return s.Socket
	}
	return s.Host + ":" + strconv.Itoa(s.Port)
}

// Auth is the command that logs in, or nil.
func (s *Server) Auth() []string {
	switch {
	case !s.HasPassword:
		return nil
	case s.User != "":
		return []string{"AUTH", s.User, s.Password}
	}
	return []string{"AUTH", s.Password}
}

// Version is that of the module in the program that runs.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown version)"
}
