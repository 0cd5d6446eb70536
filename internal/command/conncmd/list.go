package conncmd

import (
	"reflect"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var clientInfo = command.Sub[Deps]{Spec: command.Spec{
	Name:       "INFO",
	Summary:    "Returns information about the current client connection.",
	Since:      "6.2.0",
	Complexity: "O(1)",
	Tips:       []string{"nondeterministic_output"},
	Arity:      2,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: func(_ Deps, c *command.Ctx) error {
	c.Out.Verbatim("txt", string(appendLine(nil, c, c.Session)))
	return nil
}}

var clientList = command.Sub[Deps]{Spec: command.Spec{
	Name:       "LIST",
	Summary:    "Get the list of client connections",
	Since:      "2.4.0",
	Complexity: "O(N) where N is the number of client connections",
	History: [][2]string{
		{"2.8.12", "Added unique client `id` field."},
		{"5.0.0", "Added optional `TYPE` filter."},
		{"6.0.0", "Added `user` field."},
		{"6.2.0", "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter."},
		{"7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."},
		{"7.0.3", "Added `ssub` field."},
	},
	Tips: []string{"nondeterministic_output"},
	Syntax: `[TYPE=normal_master_replica_pubsub=(NORMAL|MASTER|REPLICA|PUBSUB)]{since 5.0.0}
		[ID=id={client-id:integer...}]{since 6.2.0}`,
	Arity: -2,
	Flags: anytime | command.Admin | command.Exclusive,
	ACL:   command.CatConnection,
}, Run: list}

// list shows the sessions that pass a filter: in the order of their age, or in that of
// the IDs that were asked for.
func list(d Deps, c *command.Ctx) error {
	f, err := d.parseFilter(c.Args, 2, true)
	if err != nil {
		return err
	}
	var text []byte
	for _, s := range d.choose(&f, c) {
		text = appendLine(text, c, s)
	}
	c.Out.Verbatim("txt", string(text))
	return nil
}

// sessionBytes is the memory of a session that has nothing.
var sessionBytes = int64(reflect.TypeFor[session.Session]().Size())

// appendLine appends a session's line of CLIENT LIST. It is the caller's own, or the
// caller is in exclusive mode.
//
// Where Redis has a static reply buffer and a list of more, we have a chain of buffers of
// equal size: obl is what waits in the first, oll and omem are the others.
func appendLine(dst []byte, c *command.Ctx, s *session.Session) []byte {
	const second = 1e9 // nanoseconds
	waiting := int64(s.Out.Len() + s.Link.Unsent())
	if s.Stream != nil {
		waiting += s.Stream.Held()
	}
	first := min(waiting, resp.BufferSize)
	rest := waiting - first
	buffer := int64(0) // there is none while nothing waits
	if waiting > 0 {
		buffer = resp.BufferSize
	}
	queued := int64(-1)
	if s.Multi.Open {
		queued = int64(len(s.Multi.Queue))
	}
	protocol := int64(2)
	if s.Out.Resp3 {
		protocol = 3
	}
	total := sessionBytes + int64(cap(s.Query)+s.ArgvBytes+s.Multi.Bytes) + buffer + rest +
		int64(len(s.Name)+len(s.LibName)+len(s.LibVersion))

	dst = numtext.AppendUint(append(dst, "id="...), s.ID)
	dst = appendText(dst, " addr=", s.Remote)
	dst = appendText(dst, " laddr=", s.Local)
	dst = appendInt(dst, " fd=", int64(s.Link.FD()))
	dst = appendText(dst, " name=", s.Name)
	dst = appendInt(dst, " age=", (c.Mono-s.Created)/second)
	dst = appendInt(dst, " idle=", (c.Mono-s.LastUse)/second)
	dst = appendFlags(append(dst, " flags="...), s)
	dst = appendInt(dst, " db=", int64(s.DB))
	dst = append(dst, " sub=0 psub=0 ssub=0"...)
	dst = appendInt(dst, " multi=", queued)
	query := len(s.Query)
	if s == c.Session {
		query = max(query, resp.CommandSize(c.Args)) // as in Redis, where it is still in the buffer
	}
	dst = appendInt(dst, " qbuf=", int64(query))
	dst = appendInt(dst, " qbuf-free=", int64(cap(s.Query)-len(s.Query)))
	dst = appendInt(dst, " argv-mem=", int64(s.ArgvBytes))
	dst = appendInt(dst, " multi-mem=", int64(s.Multi.Bytes))
	dst = appendInt(dst, " rbs=", buffer)
	dst = appendInt(dst, " rbp=", first)
	dst = appendInt(dst, " obl=", first)
	dst = appendInt(dst, " oll=", (rest+resp.BufferSize-1)/resp.BufferSize)
	dst = appendInt(dst, " omem=", rest)
	dst = appendInt(dst, " tot-mem=", total)
	dst = append(dst, " events=r"...)
	if s.Link.Unsent() > 0 {
		dst = append(dst, 'w')
	}
	dst = appendText(dst, " cmd=", lastCommand(c, s))
	dst = appendText(dst, " user=", s.User)
	dst = appendInt(dst, " redir=", noRedirection)
	dst = appendInt(dst, " resp=", protocol)
	dst = appendText(dst, " lib-name=", s.LibName)
	dst = appendText(dst, " lib-ver=", s.LibVersion)
	return append(dst, '\n')
}

func appendText(dst []byte, field, text string) []byte {
	return append(append(dst, field...), text...)
}

func appendInt(dst []byte, field string, n int64) []byte {
	return numtext.AppendInt(append(dst, field...), n)
}

// lastCommand is what a session ran last: for the one that asks, what it is running.
func lastCommand(c *command.Ctx, s *session.Session) string {
	switch {
	case s == c.Session && c.InMulti:
		return "exec"
	case s == c.Session:
		return c.Name()
	case s.LastCommand == "":
		return "NULL"
	}
	return s.LastCommand
}

// allFlags is every letter that CLIENT LIST may show of a client, those included that no
// client of ours can have yet.
const allFlags = "SMOPxbtRBduAUrceTIN"

// appendFlags appends the letters of what is special about a session, N if nothing is.
func appendFlags(dst []byte, s *session.Session) []byte {
	before := len(dst)
	watch, _ := s.Multi.Watch.(*keyspace.Watch)
	for _, f := range [...]struct {
		on     bool
		letter byte
	}{
		{s.Class == session.Replica, 'S'},
		{s.Class == session.Master, 'M'},
		{s.Monitor, 'O'},
		{s.Multi.Open, 'x'},
		{s.Stopped && s.Stream == nil, 'b'}, // waits for a key, or for a pause to end
		{watch != nil && watch.Fired(), 'd'},
		{s.Closing == session.AfterReply, 'c'},
		{s.Unix, 'U'},
		{s.NoEvict, 'e'},
		{s.NoTouch, 'T'},
		{s.ImportSource, 'I'},
	} {
		if f.on {
			dst = append(dst, f.letter)
		}
	}
	if len(dst) == before {
		dst = append(dst, 'N')
	}
	return dst
}
