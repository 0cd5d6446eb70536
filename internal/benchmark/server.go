package benchmark

import (
	"net"
	"strings"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/cmdline"
)

// A serverConfig is what the report tells about the server, because it changes the figures
// most.
type serverConfig struct {
	save       string
	appendonly string
}

// ask makes the first connection: it finds out which of the server's addresses works, and
// what the server's configuration is. A server that does not tell, or has no such command,
// is one without a configuration; one that wants another password is an error.
func ask(o *options) (*serverConfig, net.Addr, error) {
	network, address := o.Address()
	where := o.Server.String()
	nc, err := net.Dial(network, address)
	if err != nil {
		return nil, nil, cmdline.Refusef("Could not connect to Redis at %s: %s", where, client.ErrorText(err))
	}
	defer nc.Close()
	target := nc.RemoteAddr()
	if network == "unix" {
		target = &net.UnixAddr{Name: o.Socket, Net: "unix"}
	}
	conn := client.New(nc, client.Options{})
	if auth := o.Auth(); auth != nil {
		reply, err := conn.Do(auth...)
		if err != nil {
			return nil, nil, networkError(err)
		}
		if reply.IsError() {
			return nil, nil, cmdline.Refusef("Node %s replied with error:\n%s", where, reply.Text)
		}
	}
	var server serverConfig
	for _, want := range []struct {
		name string
		to   *string
	}{{"save", &server.save}, {"appendonly", &server.appendonly}} {
		reply, err := conn.Do("CONFIG", "GET", want.name)
		if err == nil && reply.IsError() && strings.HasPrefix(reply.Text, "NOAUTH") {
			return nil, nil, cmdline.Refusef("Node %s replied with error:\n%s", where, reply.Text)
		}
		if err != nil || len(reply.Elems) != 2 {
			return nil, target, nil
		}
		*want.to = reply.Elems[1].Text
	}
	return &server, target, nil
}
