package conncmd

import (
	"slices"
	"strings"

	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var (
	errWrongPass  = &resp.Error{Code: "WRONGPASS", Text: "invalid username-password pair or user is disabled."}
	errNoPassword = resp.Errorf("AUTH <password> called without any password configured for the default user. " +
		"Are you sure your configuration is correct?")
	// The text is 7.2's; 7.0 leaves out <proto>.
	errHelloNoAuth = &resp.Error{Code: "NOAUTH", Text: "HELLO must be called with the client already " +
		"authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate " +
		"the client and select the RESP protocol version at the same time"}
	errNoProto = &resp.Error{Code: "NOPROTO", Text: "unsupported protocol version"}
	errProto   = resp.Errorf("Protocol version is not an integer or out of range")
)

var _ = Family.Add(command.Spec{
	Name:       "AUTH",
	Summary:    "Authenticate to the server",
	Since:      "1.0.0",
	Complexity: "O(N) where N is the number of passwords defined for the user",
	History:    [][2]string{{"6.0.0", "Added ACL style (username and password)."}},
	Syntax:     "[username]{since 6.0.0} password",
	Arity:      -2,
	Flags:      handshake | command.Redact,
	ACL:        command.CatConnection,
}, auth)

var defaultName = []byte(acl.Default)

// auth logs the client in. One that fails stays who it was.
func auth(d Deps, c *command.Ctx) error {
	name, password := defaultName, c.Args[len(c.Args)-1]
	switch len(c.Args) {
	case 2:
		// Without a name the client believes that there is one password: if there is
		// none, somebody has forgotten to configure it.
		if !d.Users.RequiresAuth() {
			return errNoPassword
		}
	case 3:
		name = c.Args[1]
	default:
		return resp.ErrSyntax
	}
	if err := d.login(c.Session, name, password); err != nil {
		return err
	}
	c.Out.OK()
	return nil
}

func (d Deps) login(s *session.Session, name, password []byte) error {
	user, err := d.Users.Authenticate(name, password)
	if err != nil {
		return errWrongPass // the only failure there is
	}
	s.User, s.Authenticated = user.Name(), true
	return nil
}

var _ = Family.Add(command.Spec{
	Name:       "HELLO",
	Summary:    "Handshake with Redis",
	Since:      "6.0.0",
	Complexity: "O(1)",
	History: [][2]string{{"6.2.0", "`protover` made optional; when called without arguments the command " +
		"reports the current connection's context."}},
	Syntax: `[arguments={protover:integer [AUTH=username_password={username password}]
		[SETNAME=clientname]}]`,
	Arity: -1,
	Flags: handshake | command.Redact,
	ACL:   command.CatConnection,
}, hello)

// hello changes nothing unless all of its options are right.
func hello(d Deps, c *command.Ctx) error {
	proto := int64(0)
	if len(c.Args) > 1 {
		var err error
		if proto, err = c.Args.Int(1); err != nil {
			return errProto
		}
		if proto != 2 && proto != 3 {
			return errNoProto
		}
	}
	authAt, nameAt := 0, 0 // where the options' arguments begin; 0 if they are not given
	for i := 2; i < len(c.Args); i++ {
		switch more := len(c.Args) - 1 - i; {
		case c.Args.Is(i, "AUTH") && more >= 2:
			authAt = i + 1
			i += 2
		case c.Args.Is(i, "SETNAME") && more >= 1:
			nameAt = i + 1
			if !isPlain(c.Args[nameAt]) {
				return errBadName
			}
			i++
		default:
			return resp.Errorf("Syntax error in HELLO option '" + string(c.Args[i]) + "'")
		}
	}
	s := c.Session
	if authAt > 0 {
		if err := d.login(s, c.Args[authAt], c.Args[authAt+1]); err != nil {
			return err
		}
	}
	if !s.Authenticated {
		return errHelloNoAuth
	}
	if nameAt > 0 {
		s.Name = string(c.Args[nameAt])
	}
	if proto != 0 {
		s.Out.Resp3 = proto == 3
	}
	d.greet(c.Out, s.ID)
	return nil
}

// greet tells the client whom it is talking to.
func (d Deps) greet(out *resp.Writer, id uint64) {
	out.Map(7)
	out.BulkString("server")
	out.BulkString("redis")
	out.BulkString("version")
	out.BulkString(d.Version)
	out.BulkString("proto")
	if out.Resp3 {
		out.Int(3)
	} else {
		out.Int(2)
	}
	out.BulkString("id")
	out.Int(int64(id))
	out.BulkString("mode")
	out.BulkString("standalone")
	out.BulkString("role")
	if d.IsReplica != nil && d.IsReplica() {
		out.BulkString("replica")
	} else {
		out.BulkString("master")
	}
	out.BulkString("modules")
	out.Array(0)
}

// RedactedHello is what logs may show of a HELLO: not the name and password behind AUTH.
func RedactedHello(args [][]byte) [][]byte {
	out := slices.Clone(args)
	for i := 2; i+2 < len(out); i++ {
		if strings.EqualFold(string(out[i]), "AUTH") {
			out[i+1], out[i+2] = []byte("(redacted)"), []byte("(redacted)")
			i += 2
		}
	}
	return out
}
