package keycmd

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// Deps is what MIGRATE needs of the world outside.
type Deps struct {
	// Dial connects to another server.
	Dial func(host, port string, timeout time.Duration) (Peer, error)
	// After calls f when some time has passed.
	After func(d time.Duration, f func())
}

// A Peer is a connection to another server. Each Read, and each part of a Write, may take
// as long as the timeout.
type Peer interface {
	io.ReadWriteCloser
	SetTimeout(d time.Duration)
}

// Services are the commands of this package that need more than the data.
var Services = command.ServiceFamily[*Migrator]{Group: "generic"}

var _ = Services.Add(command.Spec{
	Name:    "MIGRATE",
	Summary: "Atomically transfer a key from a Redis instance to another one.",
	Since:   "2.6.0",
	Complexity: "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the " +
		"target instance. See the pages of these commands for time complexity. Also an O(N) data transfer " +
		"between the two instances is performed.",
	History: [][2]string{
		{"3.0.0", "Added the `COPY` and `REPLACE` options."},
		{"3.0.6", "Added the `KEYS` option."},
		{"4.0.7", "Added the `AUTH` option."},
		{"6.0.0", "Added the `AUTH2` option."},
	},
	Tips: []string{"nondeterministic_output"},
	Syntax: `host port:integer key_or_empty_string=(key|empty_string="") ` +
		`destination-db:integer timeout:integer [COPY{since 3.0.0}] [REPLACE{since 3.0.0}] [authentication=([AUTH=password{since 4.0.7}] | ` +
		`[AUTH2=username_password={username password}{since 6.0.0}])] [KEYS=key:key@1...{since 3.0.6}]`,
	Arity: -6,
	Flags: command.Write | command.MovableKeys,
	ACL:   command.CatKeyspace | command.CatDangerous,
	Keys: []command.KeySpec{
		{Flags: migrateKeyFlags, Index: 3, Step: 1},
		{Flags: migrateKeyFlags | command.Incomplete, Keyword: "KEYS", StartFrom: -2, LastKey: -1, Step: 1},
	},
	FindKeys: func(args command.Args) (refs []command.KeyRef, _ error) {
		o, err := parseMigrate(args)
		switch {
		case err == errMigrateKeys:
			return nil, command.ErrBadKeys
		case len(o.keys) == 0:
			o.firstKey, o.keys = 3, args[3:4]
		}
		for i := range o.keys {
			refs = append(refs, command.KeyRef{Index: o.firstKey + i, Flags: migrateKeyFlags})
		}
		return refs, nil
	},
}, (*Migrator).migrate)

const migrateKeyFlags = command.RW | command.Access | command.Delete

var (
	errMigrateKeys = &resp.Error{Code: "ERR",
		Text: "When using MIGRATE KEYS option, the key argument must be set to the empty string"}
	errMigrateLong = &resp.Error{Code: "ERR",
		Text: "the value is too long to be the argument of a command; the key was not moved"}
	errMigrateChanged = &resp.Error{Code: "ERR",
		Text: "a key was changed during MIGRATE: it was sent as it was before, and is still here"}

	errConnecting = &resp.Error{Code: "IOERR", Text: "error or timeout connecting to the client"}
	errWriting    = &resp.Error{Code: "IOERR", Text: "error or timeout writing to target instance"}
	errReading    = &resp.Error{Code: "IOERR", Text: "error or timeout reading to target instance"}
)

// migrateOptions are the arguments of MIGRATE.
type migrateOptions struct {
	peerID
	db            int64
	timeout       time.Duration
	copy, replace bool
	keys          [][]byte
	firstKey      int // argument
}

// migrateTimeout is the timeout in place of one that is not positive.
const migrateTimeout = time.Second

// timeoutMax is the longest timeout in milliseconds that a duration can hold.
const timeoutMax = int64(1<<63-1) / int64(time.Millisecond)

// parseMigrate reads the arguments. An error leaves the keys that were found before.
func parseMigrate(args command.Args) (o migrateOptions, err error) {
	o.host, o.port = string(args[1]), string(args[2])
	o.firstKey, o.keys = 3, args[3:4]
	for i := 6; i < len(args) && o.firstKey == 3; i++ {
		more := len(args) - i - 1
		switch {
		case args.Is(i, "COPY"):
			o.copy = true
		case args.Is(i, "REPLACE"):
			o.replace = true
		case args.Is(i, "AUTH") && more >= 1:
			i++
			o.hasAuth, o.user, o.password = true, "", string(args[i])
		case args.Is(i, "AUTH2") && more >= 2:
			i += 2
			o.hasAuth, o.user, o.password = true, string(args[i-1]), string(args[i])
		case args.Is(i, "KEYS") && len(args[3]) > 0:
			return o, errMigrateKeys
		case args.Is(i, "KEYS"):
			o.firstKey, o.keys = i+1, args[i+1:]
		default:
			return o, resp.ErrSyntax
		}
	}
	millis, err := args.Int(5)
	if err != nil {
		return o, err
	}
	if o.timeout = migrateTimeout; millis > 0 {
		o.timeout = time.Duration(min(millis, timeoutMax)) * time.Millisecond
	}
	o.db, err = args.Int(4)
	return o, err
}

// Redacted is a call of MIGRATE as others may see it: without the password.
func Redacted(args command.Args) [][]byte {
	out := slices.Clone(args)
	for i := 6; i < len(args) && !args.Is(i, "KEYS"); i++ {
		n := 0
		switch {
		case args.Is(i, "AUTH"):
			n = 1
		case args.Is(i, "AUTH2"):
			n = 2
		}
		for ; n > 0 && i+1 < len(args); n-- {
			i++
			out[i] = []byte("(redacted)")
		}
	}
	return out
}

// migrate sends keys to another server and removes them here. The client waits; the keys
// are held meanwhile, so that what is removed is what was sent.
func (m *Migrator) migrate(c *command.Ctx) error {
	o, err := parseMigrate(c.Args)
	if err != nil {
		return err
	}
	o.keys = slices.Clone(o.keys)
	some := false
	for i, key := range o.keys {
		_, ok := look(c, key)
		some = some || ok
		o.keys[i] = slices.Clone(key)
	}
	if !some {
		c.Out.Simple("NOKEY")
		return nil
	}
	g := &migration{m: m, o: o, asking: c.DB.Cluster()}
	t := command.Task{Run: g.run}
	if !o.copy {
		t.Hold, t.HoldAll = o.keys, true
	}
	return c.Detach(t)
}

// A migration is one MIGRATE under way.
type migration struct {
	m       *Migrator
	o       migrateOptions
	asking  bool // the target knows these keys as another node's
	sending []parcel
}

// A parcel is a key that is sent.
type parcel struct {
	key, payload []byte
	ttl          int64           // in milliseconds, 0 for none
	watch        *keyspace.Watch // set off by a change that holding the key does not prevent
	arrived      bool            // the target has said so
}

func (g *migration) run(w command.Worker, out *resp.Writer) error {
	if err := w.Locked(g.o.keys, g.pack); err != nil {
		return err
	}
	if len(g.sending) == 0 {
		out.Simple("NOKEY")
		return nil
	}
	err := g.m.send(g)
	if !g.o.copy {
		if e := w.Locked(g.o.keys, g.remove); err == nil {
			err = e
		}
	}
	if err == nil {
		out.OK()
	}
	return err
}

// pack makes the payloads, all of one moment.
func (g *migration) pack(c *command.Ctx) error {
	d := dumpers.Get().(*dumper)
	defer dumpers.Put(d)
	for _, key := range g.o.keys {
		v, ok := c.DB.Peek(key)
		if !ok {
			continue
		}
		p := parcel{key: key}
		if v.HasExpiry() {
			p.ttl = max(v.Expiry()-int64(c.Now), 1)
		}
		if p.payload, ok = d.append(nil, v); !ok {
			for i := range g.sending {
				if w := g.sending[i].watch; w != nil {
					c.DB.UnwatchLocked(w)
				}
			}
			return errMigrateLong
		}
		if !g.o.copy {
			p.watch = c.DB.Watch(nil, [][]byte{key})
		}
		g.sending = append(g.sending, p)
	}
	return nil
}

// remove removes the keys that have arrived, which goes to the journal as DEL. One that is
// gone already had its time come, or was evicted, after it was sent.
func (g *migration) remove(c *command.Ctx) (err error) {
	gone := [][]byte{wordDel}
	for i := range g.sending {
		p := &g.sending[i]
		changed := p.watch.Fired()
		c.DB.UnwatchLocked(p.watch)
		switch {
		case !p.arrived || !c.DB.Exists(p.key):
		case changed:
			err = errMigrateChanged
		default:
			c.DB.Delete(p.key)
			gone = append(gone, p.key)
		}
	}
	if len(gone) > 1 {
		c.JournalAs(gone...)
	}
	return err
}

// isTimeout says whether an error is one of a connection that took too long.
func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// appendRestore appends the command that makes a key at the target, up to the payload.
func (g *migration) appendRestore(dst []byte, p *parcel) []byte {
	n, name := 4, "RESTORE"
	if g.o.replace {
		n++
	}
	if g.asking {
		name = "RESTORE-ASKING"
	}
	dst = numtext.AppendInt(append(dst, '*'), int64(n))
	dst = resp.AppendBulk(append(dst, "\r\n"...), name)
	dst = resp.AppendBulk(dst, p.key)
	return resp.AppendBulk(dst, numtext.AppendInt(nil, p.ttl))
}
