package debugcmd

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/dump"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	errNoDigest = &resp.Error{Code: "ERR", Text: "DEBUG does not know this type of value"}
	errTooMany  = &resp.Error{Code: "ERR", Text: "OOM in dictTryExpand"}
	errReload   = &resp.Error{
		Code: "ERR", Text: "DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
	}
	errInMulti = &resp.Error{Code: "ERR", Text: "DEBUG RELOAD is not possible within a transaction"}
	errLoad    = &resp.Error{Code: "ERR", Text: "Error trying to load the RDB dump, check server logs."}
)

// object describes a key's value in a line that tests read: its encoding, its length in
// an RDB file, and when it was last used. Where a value is in memory concerns nobody.
func (d Deps) object(c *command.Ctx) (err error) {
	c.Engine.Exclusive(func() {
		c.DB.KeepExpired = true // one that is still there is shown
		defer func() { c.DB.KeepExpired = false }()
		v, ok := c.DB.Peek(c.Args[2])
		if !ok {
			err = resp.ErrNoKey
			return
		}
		length, e := serializedLength(v)
		if e != nil {
			err = e
			return
		}
		lru, idle := int64(c.Now/1000)&lruMask, int64(0)
		if v.HasClock() && !keyspace.Policy(d.Keyspace.Tuning.Policy.Load()).LFU() {
			lru, idle = int64(v.Clock()), keyspace.Idle(v.Clock(), c.Now)
		}
		nodes := ""
		if v.Type() == record.List {
			nodes = nodesOf(v, d.Keyspace.Limits())
		}
		c.Out.Simple(fmt.Sprintf("Value at:0x0 refcount:1 encoding:%s serializedlength:%d lru:%d "+
			"lru_seconds_idle:%d%s", encoding(v), length, lru, idle, nodes))
	})
	return err
}

// lruMask is that of an access clock, which has 24 bits of seconds.
const lruMask = 1<<24 - 1

// serializedLength is the length of the value in an RDB file that is not compressed.
func serializedLength(v keyspace.Value) (int, error) {
	if v.Type() != record.String {
		w := dump.Writer{Version: rdb.VersionWritten}
		w.Strings.Compress = true
		cell := v.Cell()
		return len(w.Append(nil, &cell)), nil
	}
	s, err := v.Str()
	if err != nil {
		return 0, err
	}
	var buf [20]byte
	return len(rdb.AppendString(nil, s.Bytes(&buf), &rdb.StringEncoder{Compress: true})), nil
}

// encoding is what OBJECT ENCODING says.
func encoding(v keyspace.Value) string {
	const embeddedMax = 44
	switch {
	case v.Type() != record.String:
		return value.EncodingName(v.Record)
	case v.IsInt():
		return "int"
	case v.Encoding() == record.Raw || len(v.Bytes()) > embeddedMax:
		return "raw"
	default:
		return "embstr"
	}
}

// What POPULATE makes at most: more keys do not fit any machine, and it would take hours
// to find out; longer strings no client could write.
const (
	populateMax      = 1 << 32
	populateBytesMax = 512 << 20
)

// populate makes keys that are not there yet. Nobody is told, neither replicas nor the
// append-only file, and they do not count as changes since the last save.
func (d Deps) populate(c *command.Ctx) (err error) {
	c.JournalNothing()
	count, err := positive(c.Args, 2)
	if err != nil {
		return err
	}
	prefix, size := []byte("key"), int64(0)
	if len(c.Args) > 3 {
		prefix = c.Args[3]
	}
	if len(c.Args) > 4 {
		if size, err = positive(c.Args, 4); err != nil {
			return err
		}
	}
	if count > populateMax || size > populateBytesMax {
		return errTooMany
	}
	c.Engine.Exclusive(func() { err = makeKeys(c.DB, count, prefix, size) })
	c.DB.MarkDirty(-c.DB.Dirty())
	if err == nil {
		c.Out.OK()
	}
	return err
}

// makeKeys makes prefix:0, prefix:1 and so on, of value:0, value:1, cut or filled up
// with zero bytes if there is a size.
func makeKeys(t *keyspace.Txn, count int64, prefix []byte, size int64) error {
	key := append(append([]byte(nil), prefix...), ':')
	value := make([]byte, 0, max(size, 32))
	for i := range count {
		key = numtext.AppendInt(key[:len(prefix)+1], i)
		if t.Exists(key) {
			continue
		}
		value = numtext.AppendInt(append(value[:0], "value:"...), i)
		if size > 0 {
			n := int64(len(value))
			value = value[:size]
			if n < size {
				clear(value[n:])
			}
		}
		if err := t.SetString(key, value, keyspace.NoTTL); err != nil {
			return err
		}
	}
	return nil
}

// positive is an argument that may not be negative.
func positive(args command.Args, i int) (int64, error) {
	n, err := args.IntIn(i, 0, math.MaxInt64)
	if err != nil {
		return 0, resp.ErrNotPositive
	}
	return n, nil
}

// loadFile cannot run within a transaction, as reload cannot.
func (d Deps) loadFile(c *command.Ctx) error {
	if c.InMulti {
		return errInMulti
	}
	err := d.LoadFile(c)
	if reply, ok := errors.AsType[*resp.Error](err); ok {
		return reply
	}
	if err != nil {
		d.Log.Warn("DEBUG LOADAOF failed: " + err.Error())
		return errLoad
	}
	c.Out.OK()
	return nil
}

// flushSleep takes what is no number for 0, as Redis does.
func (d Deps) flushSleep(c *command.Ctx) error {
	micros, _ := numtext.ParseInt(c.Args[2])
	d.SlowWrites(time.Duration(micros) * time.Microsecond)
	c.Out.OK()
	return nil
}

// reload cannot run within a transaction: a load needs the locks that one holds.
func (d Deps) reload(c *command.Ctx) error {
	var o ReloadOptions
	for i := 2; i < len(c.Args); i++ {
		switch {
		case c.Args.Is(i, "MERGE"):
			o.Merge = true
		case c.Args.Is(i, "NOFLUSH"):
			o.NoFlush = true
		case c.Args.Is(i, "NOSAVE"):
			o.NoSave = true
		default:
			return errReload
		}
	}
	if c.InMulti {
		return errInMulti
	}
	err := d.Reload(c, o)
	if reply, ok := errors.AsType[*resp.Error](err); ok {
		return reply
	}
	if err != nil {
		d.Log.Warn("DEBUG RELOAD failed: " + err.Error())
		return errLoad
	}
	c.Out.OK()
	return nil
}
