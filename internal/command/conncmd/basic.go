package conncmd

import (
	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var _ = Family.Add(command.Spec{
	Name:       "PING",
	Summary:    "Ping the server",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Tips:       []string{"request_policy:all_shards", "response_policy:all_succeeded"},
	Syntax:     "[message]",
	Arity:      -1,
	Flags:      command.Fast,
	ACL:        command.CatConnection,
}, ping)

func ping(_ Deps, c *command.Ctx) error {
	switch len(c.Args) {
	case 1:
		c.Out.Simple("PONG")
	case 2:
		c.Out.Bulk(c.Args[1])
	default:
		return resp.WrongArity(c.Name())
	}
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "ECHO",
	Summary:    "Echo the given string",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "message",
	Arity:      2,
	Flags:      command.Loading | command.Stale | command.Fast,
	ACL:        command.CatConnection,
}, echo)

func echo(_ Deps, c *command.Ctx) error {
	c.Out.Bulk(c.Args[1])
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "SELECT",
	Summary:    "Change the selected database for the current connection",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Syntax:     "index:integer",
	Arity:      2,
	Flags:      command.Loading | command.Stale | command.Fast,
	ACL:        command.CatConnection,
}, selectDB)

var errNoInt32 = resp.Errorf("value is out of range, value must between -2147483648 and 2147483647")

func selectDB(d Deps, c *command.Ctx) error {
	n, err := c.Args.Int(1)
	switch {
	case err != nil:
		return err
	case n != int64(int32(n)):
		return errNoInt32
	case n < 0 || n >= int64(d.Databases):
		return resp.ErrDBIndex
	}
	c.Session.DB = int(n)
	c.Out.OK()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "QUIT",
	Summary:    "Close the connection",
	Since:      "1.0.0",
	Complexity: "O(1)",
	Arity:      -1,
	Flags:      handshake | command.Control,
	ACL:        command.CatConnection,
}, quit)

func quit(_ Deps, c *command.Ctx) error {
	c.Session.Closing = session.AfterReply
	c.Out.OK()
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "RESET",
	Summary:    "Reset the connection",
	Since:      "6.2.0",
	Complexity: "O(1)",
	Arity:      1,
	Flags:      handshake | command.Control,
	ACL:        command.CatConnection,
}, reset)

// reset makes the session what it was when the client connected, but for the name and
// version of the client's library and what the client says it is capable of: they are
// true of the client still.
func reset(d Deps, c *command.Ctx) error {
	s := c.Session
	s.Multi.Reset()
	if w, _ := s.Multi.Watch.(*keyspace.Watch); w != nil {
		c.DB.Unwatch(w)
	}
	s.Multi.Watch = nil
	d.Sessions.SetMonitor(s, false)
	s.DB, s.Name = 0, ""
	s.User, s.Authenticated = acl.Default, !d.Users.RequiresAuth()
	s.NoEvict, s.NoTouch, s.ImportSource = false, false, false
	s.ReplyMode = session.ReplyOn
	s.Out.Resp3 = false
	c.Out.Simple("RESET")
	return nil
}

// isPlain says whether text may stand in a line of CLIENT LIST: it has no blanks and
// nothing that is not printable.
func isPlain(text []byte) bool {
	for _, b := range text {
		if b < '!' || b > '~' {
			return false
		}
	}
	return true
}
