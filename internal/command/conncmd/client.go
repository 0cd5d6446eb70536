package conncmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

var _ = Family.Add(command.Spec{
	Name:       "CLIENT",
	Summary:    "A container for client connection commands",
	Since:      "2.4.0",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
	Flags:      command.Container,
}, nil,
	clientCaching, clientCapa, clientGetName, clientGetRedir, clientHelp, clientID, clientImportSource,
	clientInfo, clientKill, clientList, clientNoEvict, clientNoTouch, clientPause, clientReply, clientSetInfo,
	clientSetName, clientTracking, clientTrackingInfo, clientUnblock, clientUnpause)

// wrongUse is the reply to a subcommand with more arguments than it knows, which its
// arity does not refuse.
func wrongUse(c *command.Ctx) error {
	return resp.Errorf("unknown subcommand or wrong number of arguments for '" + string(c.Args[1]) +
		"'. Try CLIENT HELP.")
}

// onOff reads argument i.
func onOff(args command.Args, i int) (bool, error) {
	switch {
	case args.Is(i, "ON"):
		return true, nil
	case args.Is(i, "OFF"):
		return false, nil
	}
	return false, resp.ErrSyntax
}

var clientID = command.Sub[Deps]{Spec: command.Spec{
	Name:       "ID",
	Summary:    "Returns the client ID for the current connection",
	Since:      "5.0.0",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: func(_ Deps, c *command.Ctx) error {
	c.Out.Int(int64(c.Session.ID))
	return nil
}}

var clientGetName = command.Sub[Deps]{Spec: command.Spec{
	Name:       "GETNAME",
	Summary:    "Get the current connection name",
	Since:      "2.6.9",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: func(_ Deps, c *command.Ctx) error {
	if c.Session.Name == "" {
		c.Out.Null()
	} else {
		c.Out.BulkString(c.Session.Name)
	}
	return nil
}}

var clientSetName = command.Sub[Deps]{Spec: command.Spec{
	Name:       "SETNAME",
	Summary:    "Set the current connection name",
	Since:      "2.6.9",
	Complexity: "O(1)",
	Syntax:     "connection-name",
	Arity:      3,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: setName}

var errBadName = resp.Errorf("Client names cannot contain spaces, newlines or special characters.")

func setName(_ Deps, c *command.Ctx) error {
	if !isPlain(c.Args[2]) {
		return errBadName
	}
	c.Session.Name = string(c.Args[2])
	c.Out.OK()
	return nil
}

var clientSetInfo = command.Sub[Deps]{Spec: command.Spec{
	Name:       "SETINFO",
	Summary:    "Sets information specific to the client or connection.",
	Since:      "7.2.0",
	Complexity: "O(1)",
	Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
	Syntax:     "attr=(LIB-NAME=libname|LIB-VER=libver)",
	Arity:      4,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: setInfo}

func setInfo(_ Deps, c *command.Ctx) error {
	var field *string
	switch {
	case c.Args.Is(2, "LIB-NAME"):
		field = &c.Session.LibName
	case c.Args.Is(2, "LIB-VER"):
		field = &c.Session.LibVersion
	default:
		return resp.Errorf("Unrecognized option '" + string(c.Args[2]) + "'")
	}
	if !isPlain(c.Args[3]) {
		return resp.Errorf(string(c.Args[2]) + " cannot contain spaces, newlines or special characters.")
	}
	*field = string(c.Args[3])
	c.Out.OK()
	return nil
}

var clientNoEvict = command.Sub[Deps]{Spec: command.Spec{
	Name:       "NO-EVICT",
	Summary:    "Set client eviction mode for the current connection",
	Since:      "7.0.0",
	Complexity: "O(1)",
	Syntax:     "enabled=(ON|OFF)",
	Arity:      3,
	Flags:      anytime | command.Admin,
	ACL:        command.CatConnection,
}, Run: func(_ Deps, c *command.Ctx) error {
	return toggle(c, &c.Session.NoEvict)
}}

var clientNoTouch = command.Sub[Deps]{Spec: command.Spec{
	Name:       "NO-TOUCH",
	Summary:    "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.",
	Since:      "7.2.0",
	Complexity: "O(1)",
	Syntax:     "enabled=(ON|OFF)",
	Arity:      3,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: func(_ Deps, c *command.Ctx) error {
	return toggle(c, &c.Session.NoTouch)
}}

func toggle(c *command.Ctx, flag *bool) error {
	on, err := onOff(c.Args, 2)
	if err != nil {
		return err
	}
	*flag = on
	c.Out.OK()
	return nil
}

var clientReply = command.Sub[Deps]{Spec: command.Spec{
	Name:       "REPLY",
	Summary:    "Instruct the server whether to reply to commands",
	Since:      "3.2.0",
	Complexity: "O(1)",
	Syntax:     "(ON|OFF|SKIP)",
	Arity:      3,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: reply}

// reply answers only ON. SKIP is about the next command, and does nothing while replies
// are off. The executor looks at the mode as it was before a command, and only if that
// was not ReplyOn again behind it: so after ReplyOn the next command is the first that
// can be skipped, and otherwise it is the one after this.
func reply(_ Deps, c *command.Ctx) error {
	s := c.Session
	switch {
	case c.Args.Is(2, "ON"):
		s.ReplyMode = session.ReplyOn
		c.Out.OK()
	case c.Args.Is(2, "OFF"):
		s.ReplyMode = session.ReplyOff
	case c.Args.Is(2, "SKIP"):
		switch s.ReplyMode {
		case session.ReplyOn:
			s.ReplyMode = session.ReplySkip
		case session.ReplySkip:
			s.ReplyMode = session.ReplySkipNext
		}
	default:
		return resp.ErrSyntax
	}
	return nil
}

// What a client may say that it understands, as bits of Session.Capa.
const capaRedirect = 1 << 0

var clientCapa = command.Sub[Deps]{Spec: command.Spec{
	Name:       "CAPA",
	Summary:    "A client claims its capability.",
	Since:      "8.0.0",
	Complexity: "O(1)",
	Syntax:     "capability...",
	Arity:      -3,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: capa}

// capa takes note of the capabilities that it knows. Others are no error, so that
// clients can claim what future servers will ask for.
func capa(_ Deps, c *command.Ctx) error {
	for i := 2; i < len(c.Args); i++ {
		if c.Args.Is(i, "REDIRECT") {
			c.Session.Capa |= capaRedirect
		}
	}
	c.Out.OK()
	return nil
}

var clientImportSource = command.Sub[Deps]{Spec: command.Spec{
	Name:       "IMPORT-SOURCE",
	Summary:    "Mark this client as an import source when server is in import mode.",
	Since:      "8.1.0",
	Complexity: "O(1)",
	Syntax:     "enabled=(ON|OFF)",
	Arity:      3,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: importSource}

var errNotImporting = resp.Errorf("Server is not in import mode")

// importSource refuses ON, because there is no import mode.
func importSource(_ Deps, c *command.Ctx) error {
	on, err := onOff(c.Args, 2)
	if err != nil {
		return err
	}
	if on {
		return errNotImporting
	}
	c.Session.ImportSource = false
	c.Out.OK()
	return nil
}

var clientUnblock = command.Sub[Deps]{Spec: command.Spec{
	Name:       "UNBLOCK",
	Summary:    "Unblock a client blocked in a blocking command from a different connection",
	Since:      "5.0.0",
	Complexity: "O(log N) where N is the number of client connections",
	Syntax:     "client-id:integer [(TIMEOUT|ERROR)]",
	Arity:      -3,
	Flags:      anytime | command.Admin | command.Exclusive,
	ACL:        command.CatConnection,
}, Run: unblock}

var errUnblockReason = resp.Errorf("CLIENT UNBLOCK reason should be TIMEOUT or ERROR")

func unblock(d Deps, c *command.Ctx) error {
	switch {
	case len(c.Args) > 4:
		return wrongUse(c)
	case len(c.Args) == 4 && !c.Args.Is(3, "TIMEOUT") && !c.Args.Is(3, "ERROR"):
		return errUnblockReason
	}
	id, err := c.Args.Int(2)
	if err != nil {
		return err
	}
	s := d.Sessions.Find(uint64(id))
	withError := len(c.Args) == 4 && c.Args.Is(3, "ERROR")
	c.Out.OneIf(s != nil && s.Wait != nil && s.Wait.Unblock(withError))
	return nil
}
