package replcmd

import (
	"strings"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var _ = Family.Add(command.Spec{
	Name:       "REPLCONF",
	Summary:    "An internal command for configuring the replication stream",
	Since:      "3.0.0",
	Complexity: "O(1)",
	Arity:      -1,
	Flags:      command.Admin | command.NoScript | command.Loading | command.Stale | command.AllowBusy,
}, replconf)

// addressBytesMax bounds what a replica says of its address, as in Redis.
const addressBytesMax = 256

// replconf takes pairs of a name and a value. Those that replicas send in the stream's other
// direction, ACK and GETACK, have no reply.
func replconf(d Deps, c *command.Ctx) error {
	if len(c.Args)%2 == 0 {
		return resp.ErrSyntax
	}
	var r *replication.Replica
	if len(c.Args) > 1 && !c.Args.Is(1, "ACK") && !c.Args.Is(1, "GETACK") {
		r = d.Master.ReplicaOf(c.Session)
	}
	for i := 1; i < len(c.Args); i += 2 {
		switch value := c.Args[i+1]; {
		case c.Args.Is(i, "ACK"):
			d.ack(c, i)
			return nil
		case c.Args.Is(i, "GETACK"):
			if d.Acknowledge != nil {
				d.Acknowledge()
			}
			return nil
		default:
			if err := introduce(r, c.Args, i, value); err != nil {
				return err
			}
		}
	}
	c.Out.OK()
	return nil
}

// ack takes REPLCONF ACK offset [FACK offset]. What is wrong with it is nobody's business:
// whoever sends it gets no reply.
func (d Deps) ack(c *command.Ctx, i int) {
	r := d.Master.Known(c.Session)
	offset, ok := numtext.ParseInt(c.Args[i+1])
	if r == nil || !ok || c.Session.Class != session.Replica {
		return
	}
	file := int64(-1)
	if i+3 < len(c.Args) && c.Args.Is(i+2, "FACK") {
		if n, ok := numtext.ParseInt(c.Args[i+3]); ok {
			file = n
		}
	}
	r.Ack(offset, file)
}

// introduce takes one of the other pairs.
func introduce(r *replication.Replica, args command.Args, i int, value []byte) error {
	switch {
	case args.Is(i, "LISTENING-PORT"):
		port, err := args.Int(i + 1)
		if err != nil {
			return err
		}
		r.SetPort(port)
	case args.Is(i, "IP-ADDRESS"):
		if len(value) >= addressBytesMax {
			return resp.Errorf("REPLCONF ip-address provided by replica instance is too long: " +
				string(numtext.AppendInt(nil, int64(len(value)))) + " bytes")
		}
		if strings.ContainsAny(string(value), "\r\n,") { // it is shown in INFO
			return resp.Errorf("REPLCONF ip-address provided by replica instance is not an address")
		}
		r.SetAddress(string(value))
	case args.Is(i, "CAPA"):
		r.AddCapability(strings.ToLower(string(value)))
	case args.Is(i, "VERSION"):
		if !isVersion(value) {
			return resp.Errorf("Unrecognized version format: " + printable(value))
		}
		r.SetVersion(string(value))
	case args.Is(i, "RDB-ONLY"):
		on, ok := numtext.ParseInt(value)
		switch {
		case !ok:
			return resp.ErrNotInteger
		case on != 0 && on != 1:
			return resp.Errorf("value is out of range, value must between 0 and 1")
		}
		r.SetRDBOnly(on == 1)
	case args.Is(i, "RDB-FILTER-ONLY"):
		return filter(r, value)
	default:
		return resp.Errorf("Unrecognized REPLCONF option: " + printable(args[i]))
	}
	return nil
}

// filter takes the parts of a snapshot that are wanted. There is one that is no data.
func filter(r *replication.Replica, value []byte) error {
	words, err := config.SplitArgs(value)
	if err != nil {
		return resp.Errorf("Missing rdb-filter-only values")
	}
	r.SetFiltered()
	for _, w := range words {
		if !numtext.EqualFold(w, "functions") {
			return resp.Errorf("Unsupported rdb-filter-only option: " + printable(w))
		}
	}
	return nil
}

// isVersion says whether a text is three numbers with dots between them.
func isVersion(text []byte) bool {
	parts := strings.Split(string(text), ".")
	for _, p := range parts {
		if n, ok := numtext.ParseInt([]byte(p)); !ok || n < 0 || n > 255 {
			return false
		}
	}
	return len(parts) == 3
}

// shownBytesMax bounds what an error repeats of a value.
const shownBytesMax = 128

// printable is a value as an error may show it: in one line.
func printable(value []byte) string {
	return strings.Map(func(c rune) rune {
		if c == '\r' || c == '\n' {
			return ' '
		}
		return c
	}, string(value[:min(len(value), shownBytesMax)]))
}
