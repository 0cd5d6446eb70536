package servercmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var errMonitorInMulti = &resp.Error{Code: "ERR", Text: "MONITOR isn't allowed for DENY BLOCKING client"}

var _ = Family.Add(command.Spec{
	Name:    "MONITOR",
	Summary: "Listen for all requests received by the server in real time",
	Since:   "1.0.0",
	Arity:   1,
	Flags:   command.Admin | command.NoScript | command.Loading | command.Stale | command.Exclusive,
}, Deps.monitor)

// monitor makes the session one that sees every command. A second MONITOR gets no
// reply, as in Redis, since the connection is no conversation any more.
func (d Deps) monitor(c *command.Ctx) error {
	if c.InMulti {
		return errMonitorInMulti
	}
	if c.Session.Monitor {
		return nil
	}
	d.Sessions.SetMonitor(c.Session, true)
	c.Out.OK()
	return nil
}

// AppendMonitor appends the line that monitors see of a command: a status reply with
// the time in microseconds since the epoch, the database, who called it, and the
// arguments in quotes, from which secrets have been removed.
//
//	+1700000000.123456 [0 127.0.0.1:1234] "SET" "k" "v"\r\n
func AppendMonitor(dst []byte, micros int64, db int, s *session.Session, args [][]byte) []byte {
	dst = append(dst, '+')
	dst = numtext.AppendInt(dst, micros/1_000_000)
	dst = append(dst, '.')
	for rest, unit := micros%1_000_000, int64(100_000); unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+rest/unit%10))
	}
	dst = append(dst, " ["...)
	dst = numtext.AppendInt(dst, int64(db))
	dst = append(dst, ' ')
	if s.Unix {
		dst = append(dst, "unix:"...)
	}
	dst = append(dst, s.Remote...)
	dst = append(dst, ']')
	for _, a := range args {
		dst = append(dst, ' ')
		dst = config.AppendQuoted(dst, string(a))
	}
	return append(dst, '\r', '\n')
}
