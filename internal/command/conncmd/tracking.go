package conncmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var clientTracking = command.Sub[Deps]{Spec: command.Spec{
	Name:       "TRACKING",
	Summary:    "Enable or disable server assisted client side caching support",
	Since:      "6.0.0",
	Complexity: "O(1). Some options may introduce additional complexity.",
	Syntax: `status=(ON|OFF) [REDIRECT=client-id:integer] [PREFIX=prefix]{multiple_token} [BCAST]
		[OPTIN] [OPTOUT] [NOLOOP]`,
	Arity: -3,
	Flags: anytime,
	ACL:   command.CatConnection,
}, Run: tracking}

var errNoTracking = resp.Errorf("Client side caching is not supported by this server")

// tracking can only be switched off, which it is.
func tracking(_ Deps, c *command.Ctx) error {
	for i := 3; i < len(c.Args); i++ {
		switch {
		case c.Args.Is(i, "BCAST"), c.Args.Is(i, "OPTIN"), c.Args.Is(i, "OPTOUT"), c.Args.Is(i, "NOLOOP"):
		case (c.Args.Is(i, "REDIRECT") || c.Args.Is(i, "PREFIX")) && i+1 < len(c.Args):
			i++
		default:
			return resp.ErrSyntax
		}
	}
	on, err := onOff(c.Args, 2)
	if err != nil {
		return err
	}
	if on {
		return errNoTracking
	}
	c.Out.OK()
	return nil
}

var clientCaching = command.Sub[Deps]{Spec: command.Spec{
	Name:       "CACHING",
	Summary:    "Instruct the server about tracking or not keys in the next request",
	Since:      "6.0.0",
	Complexity: "O(1)",
	Syntax:     "mode=(YES|NO)",
	Arity:      3,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: func(Deps, *command.Ctx) error { return errNotTracking }}

var errNotTracking = resp.Errorf("CLIENT CACHING can be called only when the client is in tracking mode " +
	"with OPTIN or OPTOUT mode enabled")

// noRedirection is the ID that stands for no client.
const noRedirection = -1

var clientGetRedir = command.Sub[Deps]{Spec: command.Spec{
	Name:       "GETREDIR",
	Summary:    "Get tracking notifications redirection client ID if any",
	Since:      "6.0.0",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: func(_ Deps, c *command.Ctx) error {
	c.Out.Int(noRedirection)
	return nil
}}

var clientTrackingInfo = command.Sub[Deps]{Spec: command.Spec{
	Name:       "TRACKINGINFO",
	Summary:    "Return information about server assisted client side caching for the current connection",
	Since:      "6.2.0",
	Complexity: "O(1)",
	Arity:      2,
	Flags:      anytime,
	ACL:        command.CatConnection,
}, Run: func(_ Deps, c *command.Ctx) error {
	c.Out.Map(3)
	c.Out.BulkString("flags")
	c.Out.Set(1)
	c.Out.BulkString("off")
	c.Out.BulkString("redirect")
	c.Out.Int(noRedirection)
	c.Out.BulkString("prefixes")
	c.Out.Array(0)
	return nil
}}
