package netloop

import (
	"runtime"

	"github.com/spineldb/spinel/internal/config"
)

// Options of the network, which the server reads when it listens and accepts.
var (
	Bind = config.Strings(config.Option{
		Name: "bind", Default: []string{"*", "-::*"}, Live: true,
		Doc: `Addresses to listen on. A name that begins with a dash may be missing on this machine.
"*" is every IPv4 address, "::*" every IPv6 one.`,
	})
	Port = config.Int(config.Option{
		Name: "port", Default: 6379, Max: 65535, Live: true,
		Doc: `The TCP port; 0 for none.`,
	})
	Backlog = config.Int(config.Option{
		Name: "tcp-backlog", Default: 511, Max: 1 << 30,
		Doc: `How many connections the kernel accepts ahead of the server.`,
	})
	UnixSocket = config.String(config.Option{
		Name: "unixsocket",
		Doc:  `Path of a unix socket to listen on as well.`,
	})
	UnixSocketPerm = config.OctalMode(config.Option{
		Name: "unixsocketperm", Default: 0, Max: 0o777,
		Doc: `Permissions of the unix socket, set before it listens; 0 leaves what the umask gives.`,
	})
	Timeout = config.Int(config.Option{
		Name: "timeout", Default: 0, Max: 1<<31 - 1, Live: true,
		Doc: `Seconds after which an idle connection is closed; 0 for never.`,
	})
	KeepAlive = config.Int(config.Option{
		Name: "tcp-keepalive", Default: 300, Max: 1<<31 - 1, Live: true,
		Doc: `Seconds after which the kernel asks a silent peer whether it is still there; 0 for never.`,
	})
	ProtectedMode = config.Bool(config.Option{
		Name: "protected-mode", Default: true, Live: true,
		Doc: `Without a password, serve only this machine.`,
	})
	IOThreads = config.Int(config.Option{
		Name: "io-threads", Default: runtime.GOMAXPROCS(0), Min: 1, Max: loopsMax,
		Doc: `The most event loops that work at a time. Connections live on as few as the load needs,
so this is a bound and not a cost. The default is the number of processors.`,
	})
	IOThreadsDoReads = config.Bool(config.Option{
		Name: "io-threads-do-reads", Default: false,
		Doc: `Accepted for the sake of existing files: every event loop always reads, executes and writes.`,
	})
	IOBackend = config.Enum(config.Option{
		Name: "io-backend", Default: BackendAuto, Live: true,
		Doc: `How the event loops talk to the kernel: io_uring, epoll, or the portable network library.
auto takes io_uring where the kernel allows it and epoll otherwise; INFO tells which. It is chosen at
the start: CONFIG SET refuses another than that.`,
	}, config.Choice(BackendAuto, 0), config.Choice(BackendUring, 1), config.Choice(BackendEpoll, 2),
		config.Choice(BackendNet, 3))
	MaxClients = config.Int(config.Option{
		Name: "maxclients", Default: 10000, Min: 1, Max: 1<<31 - 1, Live: true,
		Doc: `How many connections may be open at a time.`,
	})
)

// Options are this package's.
var Options = config.NewGroup("network", Bind, Port, Backlog, UnixSocket, UnixSocketPerm, Timeout, KeepAlive,
	ProtectedMode, IOThreads, IOThreadsDoReads, IOBackend, MaxClients)

// Probe says which backend a Server of that Config.Backend would run on, and why not a
// faster one.
func Probe(want string) (backend, why string, err error) {
	s := &Server{}
	err = s.choose(want)
	return s.backend, s.why, err
}
