package cli

import (
	"strconv"

	"github.com/spineldb/spinel/internal/client"
)

// A scanner goes through the keys of the database with SCAN.
type scanner struct {
	s      *session
	cursor string
	begun  bool
	calls  int
}

// next returns some keys; done is true with the last of them. An error reply is told.
func (c *scanner) next() (keys []client.Reply, done bool, err error) {
	if !c.begun {
		c.begun, c.cursor = true, "0"
	}
	m := &c.s.opts.modes
	args := []string{"SCAN", c.cursor}
	if m.hasPattern {
		args = append(args, "MATCH", m.pattern)
	}
	if m.count > 0 {
		args = append(args, "COUNT", strconv.Itoa(m.count))
	}
	if m.keyType != "" {
		args = append(args, "TYPE", m.keyType)
	}
	reply, err := c.s.ask(args...)
	switch {
	case err != nil:
		return nil, false, err
	case reply.IsError():
		c.s.complain("SCAN error: %s", appendVisible(nil, reply.Text))
		return nil, false, errFailed
	case len(reply.Elems) != 2:
		c.s.complain("Non ARRAY response from SCAN!")
		return nil, false, errFailed
	}
	c.calls++
	c.cursor = reply.Elems[0].Text
	return reply.Elems[1].Elems, c.cursor == "0", nil
}

// ask sends a command that the user did not type. Only what the network does to it is told.
func (s *session) ask(args ...string) (client.Reply, error) {
	reply, err := s.conn.Do(args...)
	if err != nil {
		s.complain("\nI/O error")
		return reply, errFailed
	}
	return reply, nil
}

// askAll is ask for many commands at once.
func (s *session) askAll(commands [][]string) ([]client.Reply, error) {
	for _, args := range commands {
		if s.conn.Send(args...) != nil {
			break // Receive says it again
		}
	}
	replies := make([]client.Reply, 0, len(commands))
	for range commands {
		reply, err := s.conn.Receive()
		if err != nil {
			s.complain("\nI/O error")
			return nil, errFailed
		}
		replies = append(replies, reply)
	}
	return replies, nil
}

// scan prints the name of every key, in a line each.
func (p *Program) scan(s *session) error {
	c := scanner{s: s}
	for {
		keys, done, err := c.next()
		if err != nil {
			return err
		}
		var text []byte
		for _, key := range keys {
			if s.opts.output == standard {
				text = appendQuoted(text, key.Text)
			} else {
				text = append(text, key.Text...)
			}
			text = append(text, '\n')
		}
		if err := s.print(text); err != nil || done {
			return err
		}
		if s.opts.interval > 0 {
			s.sleep(s.opts.interval)
		}
	}
}
