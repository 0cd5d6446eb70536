package cli

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spineldb/spinel/internal/client"
)

// pipe sends what the standard input holds, as it is, and counts the replies. When all is
// sent it asks the server to say something that nobody else would say: the replies are
// complete when that comes.
//
//	standard input --copy--> connection --read--> replies are counted, errors are shown
func (p *Program) pipe(s *session) error {
	var word [10]byte
	if _, err := rand.Read(word[:]); err != nil {
		return err
	}
	last := hex.EncodeToString(word[:])
	t := &transfer{s: s, last: last, sent: make(chan error, 1)}
	// An unfinished line of the input must not swallow it.
	tail := fmt.Sprintf("\r\n*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", len(last), last)
	go func() {
		_, err := io.Copy(s.conn, s.in)
		if err == nil {
			_, err = io.WriteString(s.conn, tail)
		}
		t.sent <- err
	}()
	err := t.receive()
	if errors.Is(err, errSilent) {
		s.complain("No replies for %d seconds: exiting.", int(s.opts.modes.pipeTimeout.Seconds()))
		t.failed++
		err = nil
	}
	if err != nil {
		return err
	}
	if err := s.print(fmt.Appendf(nil, "errors: %d, replies: %d\n", t.failed, t.replies)); err != nil {
		return err
	}
	if t.failed > 0 {
		return exitError(1)
	}
	return nil
}

// A transfer is what comes of a pipe.
type transfer struct {
	s               *session
	last            string // the reply behind all others
	sent            chan error
	isSent          bool
	failed, replies int64
}

var errSilent = errors.New("cli: the server says nothing more")

// receive takes replies until the last.
func (t *transfer) receive() error {
	replies := make(chan client.Reply, 1024)
	over := make(chan error, 1)
	go func() {
		for {
			reply, err := t.s.conn.Receive()
			if err != nil {
				over <- err
				return
			}
			replies <- reply
		}
	}()
	silence := time.NewTimer(time.Hour)
	defer silence.Stop()
	for {
		select {
		case reply := <-replies:
			if done, err := t.take(reply); done || err != nil {
				return err
			}
			t.patience(silence)
		case err := <-t.sent:
			if err := t.wasSent(err); err != nil {
				return err
			}
			t.patience(silence)
		case err := <-over:
			for len(replies) > 0 { // they came before
				if done, failure := t.take(<-replies); done || failure != nil {
					return failure
				}
			}
			return t.broken(err)
		case <-silence.C:
			return errSilent
		}
	}
}

// wasSent is called when the input was sent, or could not be.
func (t *transfer) wasSent(err error) error {
	if err != nil {
		return t.broken(err)
	}
	t.isSent, t.sent = true, nil
	return t.s.print([]byte("All data transferred. Waiting for the last reply...\n"))
}

// patience begins the time anew in which the server must say something.
func (t *transfer) patience(silence *time.Timer) {
	if limit := t.s.opts.modes.pipeTimeout; t.isSent && limit > 0 {
		silence.Reset(limit)
	}
}

// take counts a reply.
func (t *transfer) take(reply client.Reply) (done bool, err error) {
	switch {
	case reply.IsError():
		t.s.complain("%s", appendVisible(nil, reply.Text))
		t.failed++
	case reply.Kind == client.Bulk && reply.Text == t.last:
		if !t.isSent {
			if err := t.wasSent(<-t.sent); err != nil {
				return true, err
			}
		}
		return true, t.s.print([]byte("Last reply received from server.\n"))
	}
	t.replies++
	return false, nil
}

// broken tells why the transfer cannot go on.
func (t *transfer) broken(err error) error {
	if !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrClosed) {
		t.s.complain("Error: %s", client.ErrorText(err))
	}
	return exitError(1)
}
