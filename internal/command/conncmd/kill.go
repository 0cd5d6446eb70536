package conncmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var clientKill = command.Sub[Deps]{Spec: command.Spec{
	Name:       "KILL",
	Summary:    "Kill the connection of a client",
	Since:      "2.4.0",
	Complexity: "O(N) where N is the number of client connections",
	History: [][2]string{
		{"2.8.12", "Added new filter format."},
		{"2.8.12", "`ID` option."},
		{"3.2.0", "Added `master` type in for `TYPE` option."},
		{"5.0.0", "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility."},
		{"6.2.0", "`LADDR` option."},
	},
	Syntax: `filter=(
		ip:port:string{deprecated_since 2.8.12} |
		new-format=(
			[ID=client-id:integer]{since 2.8.12} |
			[TYPE=normal_master_slave_pubsub=(
				NORMAL | MASTER{since 3.2.0} | SLAVE | REPLICA{since 5.0.0} | PUBSUB)]{since 2.8.12} |
			[USER=username] | [ADDR=ip:port:string] | [LADDR=ip:port:string]{since 6.2.0} |
			[SKIPME=yes/no])...)`,
	Arity: -3,
	Flags: anytime | command.Admin | command.Exclusive,
	ACL:   command.CatConnection,
}, Run: kill}

var errNoClient = resp.Errorf("No such client")

// kill closes connections. Its old form has an address, and OK or an error for a reply;
// the new one has a filter, and the number of the killed.
func kill(d Deps, c *command.Ctx) error {
	if len(c.Args) == 3 {
		for _, s := range d.Sessions.All() {
			if s.Remote == string(c.Args[2]) && s.Closing != session.Immediately {
				end(s, c.Session)
				c.Out.OK()
				return nil
			}
		}
		return errNoClient
	}
	f, err := d.parseFilter(c.Args, 2, false)
	if err != nil {
		return err
	}
	chosen, killed := d.choose(&f, c), 0
	for _, s := range chosen {
		if s.Closing != session.Immediately { // an ID may have been given twice
			end(s, c.Session)
			killed++
		}
	}
	c.Out.Int(int64(killed))
	return nil
}

// end closes a session. We are in exclusive mode, so it runs nothing more, whatever has
// arrived of it; its loop closes the connection when it is told, which may be after the rest of
// a long transaction, so the other side is shown the end at once. Whoever kills himself gets
// the reply.
func end(s, me *session.Session) {
	if s == me {
		s.Closing = session.AfterReply
		return
	}
	s.Closing = session.Immediately
	if link, ok := s.Link.(interface{ Shut() }); ok {
		link.Shut()
	}
	s.OrderClose()
}
