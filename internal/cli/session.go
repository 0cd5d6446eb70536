package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spineldb/spinel/internal/client"
)

// errFailed means that a command could not be done and that the user has been
// told. The prompt goes on; a single command ends with exit code 1.
var errFailed = errors.New("cli: failed")

// An exitError ends the program, prompt or not.
type exitError int

func (e exitError) Error() string { return "cli: exit " + strconv.Itoa(int(e)) }

// A session is the conversation with one server, across reconnections.
//
// What the server keeps for a connection is followed here, by looking at the
// commands that succeeded: the database (in the prompt, and selected again
// after a reconnection), the transaction (in the prompt) and the protocol.
type session struct {
	opts        options
	format      formatter
	in          io.Reader // the standard input
	out         *bufio.Writer
	errOut      io.Writer
	interactive bool // errors of the network are not the end
	sleep       func(time.Duration)

	conn     *client.Conn // nil: not connected
	ready    bool         // with the user, database and protocol that are wanted
	database int          // of the connection
	wanted   int          // database of the user: what a reconnection selects
	beforeTx int          // database to come back to if the transaction fails
	inTx     bool
	resp3    bool

	interrupt interrupter
}

// An interrupter carries Ctrl-C from the goroutine that gets the signal to the
// call that waits: it closes the connection, and the call sees why.
type interrupter struct {
	conn atomic.Pointer[client.Conn] // open while a command runs
	hit  atomic.Bool
}

// now ends what runs; without anything running it does nothing.
func (i *interrupter) now() {
	if conn := i.conn.Load(); conn != nil {
		i.hit.Store(true)
		_ = conn.Close()
	}
}

// prompt says where the next command goes.
func (s *session) prompt() string {
	if s.conn == nil {
		return "not connected> "
	}
	_, where := s.opts.Address()
	switch {
	case s.opts.Socket != "":
		where = "redis " + where
	case !strings.Contains(s.opts.Host, ":"):
		where = s.opts.Server.String()
	}
	if s.database != 0 {
		where += "[" + strconv.Itoa(s.database) + "]"
	}
	if s.inTx {
		where += "(TX)"
	}
	return where + "> "
}

// connect makes a new connection with the user, database and protocol that are
// wanted. If only those are refused, the user is told and the connection stays:
// some commands work without.
func (s *session) connect() error {
	s.disconnect()
	network, address := s.opts.Address()
	conn, err := s.dial(network, address, client.Options{OnPush: s.printPush, ConnectTimeout: s.opts.timeout})
	if err != nil {
		s.complain("Could not connect to Redis at %s: %s", s.opts.Server.String(), client.ErrorText(err))
		return errFailed
	}
	s.conn = conn
	s.ready = s.authenticate() && s.selectWanted() && (!s.resp3 || s.setUp("HELLO 3", "HELLO", "3"))
	return nil
}

// dial tries addresses of the family that is preferred, if one is, and then any.
func (s *session) dial(network, address string, opts client.Options) (*client.Conn, error) {
	if network == "tcp" && s.opts.family != "" {
		if conn, err := client.Dial(network+s.opts.family, address, opts); err == nil {
			return conn, nil
		}
	}
	return client.Dial(network, address, opts)
}

func (s *session) disconnect() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
	s.conn, s.database, s.inTx = nil, 0, false
}

func (s *session) authenticate() bool {
	auth := s.opts.Auth()
	return auth == nil || s.setUp("AUTH", auth...)
}

func (s *session) selectWanted() bool {
	if s.database == s.wanted {
		return true
	}
	number := strconv.Itoa(s.wanted)
	if !s.setUp("SELECT "+number, "SELECT", number) {
		return false
	}
	s.database = s.wanted
	return true
}

// setUp runs a command that the user did not type and speaks up only if it fails.
func (s *session) setUp(name string, args ...string) bool {
	reply, err := s.conn.Do(args...)
	switch {
	case err != nil:
		s.complain("\nI/O error")
		return false
	case reply.IsError():
		s.complain("%s failed: %s", name, appendVisible(nil, reply.Text))
		return false
	}
	return true
}

// run sends a command repeat times, for ever if that is negative, and prints
// the replies.
func (s *session) run(args []string, repeat int64) error {
	if s.conn == nil || s.conn.Err() != nil {
		if err := s.connect(); err != nil {
			return err
		}
	}
	s.interrupt.hit.Store(false)
	s.interrupt.conn.Store(s.conn)
	defer s.interrupt.conn.Store(nil)

	for i := int64(0); repeat < 0 || i < repeat; i++ {
		if err := s.runOnce(args); err != nil {
			return err
		}
		if err := s.pause(s.opts.interval); err != nil {
			return err
		}
	}
	return nil
}

// pause sleeps in pieces, so that Ctrl-C does not wait for the end of it.
func (s *session) pause(d time.Duration) error {
	const piece = 100 * time.Millisecond
	for ; d > 0 && !s.interrupt.hit.Load(); d -= piece {
		s.sleep(min(d, piece))
	}
	if s.interrupt.hit.Load() {
		return exitError(1)
	}
	return nil
}

func (s *session) runOnce(args []string) error {
	name, verbatim := strings.ToLower(args[0]), isVerbatim(args)
	if name == "sync" || name == "psync" { // what comes then is no reply
		s.complain("%s: posing as a replica is not there yet.", args[0])
		return errFailed
	}
	if err := s.conn.Send(args...); err != nil {
		return s.lost(err, args)
	}
	switch name {
	case "monitor":
		return s.stream(verbatim)
	case "subscribe", "psubscribe", "ssubscribe":
		if s.opts.output != raw {
			s.print([]byte("Reading messages... (press Ctrl-C to quit)\n"))
		}
		s.conn.OnPush(nil) // messages are the replies now
		return s.stream(verbatim)
	}
	reply, err := s.conn.Receive()
	if err != nil {
		return s.lost(err, args)
	}
	if reply.IsError() && s.opts.failOnError && !s.interactive {
		s.complain("%s", appendVisible(nil, reply.Text))
		return exitError(1)
	}
	if err := s.printReply(reply, verbatim); err != nil {
		return err
	}
	s.follow(args, reply)
	return nil
}

// stream prints what comes until Ctrl-C, or until it is an error.
func (s *session) stream(verbatim bool) error {
	for {
		reply, err := s.conn.Receive()
		switch {
		case err != nil && s.interrupt.hit.Load():
			_ = s.connect() // the only way to be rid of a subscription for sure
			return errFailed
		case err != nil:
			s.complain("Error: %s", client.ErrorText(err))
			return exitError(1)
		}
		if err := s.printReply(reply, verbatim); err != nil {
			return err
		}
		if reply.IsError() {
			s.conn.OnPush(s.printPush)
			return nil
		}
	}
}

// lost decides what a broken connection means. After SHUTDOWN it is what was
// asked for. At the prompt a server that went away is met again by the next
// command; sending this one again could do it twice.
func (s *session) lost(err error, args []string) error {
	interrupted := s.interrupt.hit.Load()
	s.disconnect()
	switch {
	case interrupted:
		return exitError(1)
	case strings.EqualFold(args[0], "shutdown"):
		return nil
	}
	s.complain("Error: %s", client.ErrorText(err))
	if s.interactive && isHangup(err) {
		return errFailed
	}
	return exitError(1)
}

func isHangup(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// follow keeps track of what a command changed for this connection.
func (s *session) follow(args []string, reply client.Reply) {
	failed := reply.IsError()
	switch name := strings.ToLower(args[0]); {
	case name == "exec" && len(args) == 1 && s.inTx:
		s.inTx = false
		if failed || reply.IsNull() {
			s.database, s.wanted = s.beforeTx, s.beforeTx
		}
	case failed:
	case name == "select" && len(args) == 2:
		n, _ := strconv.Atoi(args[1]) // the server took it for a number
		s.database, s.wanted = n, n
	case name == "auth" && (len(args) == 2 || len(args) == 3):
		s.selectWanted() // refused before, if the server wanted a password
	case name == "hello" && len(args) > 1:
		s.resp3 = args[1] == "3"
	case name == "multi" && len(args) == 1:
		s.inTx, s.beforeTx = true, s.database
	case name == "discard" && len(args) == 1:
		s.inTx = false
		s.database, s.wanted = s.beforeTx, s.beforeTx
	case name == "reset" && len(args) == 1:
		s.inTx, s.resp3 = false, false
		s.database, s.wanted = 0, 0
	}
}

// verbatimCommands reply with text for people, which is not to be quoted.
var verbatimCommands = map[string]bool{
	"info": true, "lolwut": true,
	"debug htstats": true, "debug htstats-key": true, "debug client-eviction": true,
	"memory malloc-stats": true, "memory doctor": true,
	"cluster nodes": true, "cluster info": true,
	"client list": true, "client info": true,
	"latency graph": true, "latency doctor": true,
	"proxy info": true,
}

func isVerbatim(args []string) bool {
	name := strings.ToLower(args[0])
	return verbatimCommands[name] ||
		len(args) > 1 && verbatimCommands[name+" "+strings.ToLower(args[1])]
}

func (s *session) printReply(r client.Reply, verbatim bool) error {
	return s.print(s.format.appendReply(nil, r, verbatim))
}

// printPush prints a push message that came in between.
func (s *session) printPush(r client.Reply) {
	if s.opts.showPushes {
		_ = s.print(s.format.appendPush(nil, r)) // printing the reply meets the same error
	}
}

// print writes at once, so that whoever reads a pipe sees every reply as it comes.
// Nobody reading any more is the end: a loop for ever must not outlive it.
func (s *session) print(p []byte) error {
	_, _ = s.out.Write(p) // Flush reports it
	if err := s.out.Flush(); err != nil {
		return exitError(1)
	}
	return nil
}

func (s *session) complain(format string, args ...any) {
	fmt.Fprintf(s.errOut, format+"\n", args...)
}
