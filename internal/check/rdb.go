package check

import (
	"errors"
	"fmt"
	"io"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/rdb"
)

// RDB is the program check-rdb.
func (p *Program) RDB(args []string) (code int) {
	if p.isVersion(args) {
		return 0
	}
	if len(args) != 1 {
		fmt.Fprintf(p.Stderr, "Usage: %s <rdb-file-name>\n", p.Name)
		return 1
	}
	info, err := p.FS.Stat(args[0])
	if err != nil {
		return p.failf("Cannot open file %s: %v", args[0], err)
	}
	f, err := p.FS.Open(args[0])
	if err != nil {
		return p.failf("Cannot open file %s: %v", args[0], err)
	}
	defer f.Close()
	c := rdbCheck{p: p}
	c.infof("Checking RDB file %s", args[0])
	if !c.run(f, rdb.Options{Size: info.Size()}) {
		return 1
	}
	c.infof("\\o/ RDB looks OK! \\o/")
	c.figures()
	return 0
}

// An rdbCheck reads one RDB file, and decodes everything in it.
type rdbCheck struct {
	p       *Program
	reader  *rdb.Reader
	rec     rdb.Record
	inKey   bool // the error is about rec
	doing   string
	keys    int
	expires int
	expired int
}

func (c *rdbCheck) offset() int64 {
	if c.reader == nil {
		return 0
	}
	return c.reader.Offset()
}

func (c *rdbCheck) infof(format string, args ...any) {
	c.p.sayf("[offset %d] %s", c.offset(), fmt.Sprintf(format, args...))
}

func (c *rdbCheck) figures() {
	c.p.sayf("[info] %d keys read", c.keys)
	c.p.sayf("[info] %d expires", c.expires)
	c.p.sayf("[info] %d already expired", c.expired)
}

// run reads a file to its end, and says what is wrong with it.
func (c *rdbCheck) run(r io.Reader, o rdb.Options) (ok bool) {
	o.Accept = rdb.Collections | rdb.Functions | rdb.Modules
	c.reader = rdb.NewReader(r, o)
	for {
		c.inKey, c.doing = false, "read-type"
		err := c.reader.Next(&c.rec)
		if err == nil {
			err = c.record()
		}
		if err != nil {
			c.fail(err)
			return false
		}
		if c.rec.Kind == rdb.KindEOF {
			break
		}
	}
	if c.reader.Checked() {
		c.infof("Checksum OK")
	} else {
		c.infof("RDB file was saved with checksum disabled: no check performed.")
	}
	return true
}

// record looks at what was read.
func (c *rdbCheck) record() error {
	switch c.rec.Kind {
	case rdb.KindAux:
		c.infof("AUX FIELD %s = '%s'", c.rec.Key, c.rec.Value)
	case rdb.KindSelectDB:
		c.infof("Selecting DB ID %d", c.rec.DB)
	case rdb.KindModuleAux:
		c.infof("MODULE AUX for: %s", rdb.ModuleName(c.rec.Module))
	case rdb.KindKey:
		c.keys++
		if c.rec.ExpireMS != rdb.None {
			c.expires++
			if c.rec.ExpireMS < int64(clock.Now(c.p.Clock)) {
				c.expired++
			}
		}
		c.inKey, c.doing = true, "read-object-value"
		var piece rdb.Piece
		for {
			more, err := c.reader.NextPiece(&piece)
			if errors.Is(err, rdb.ErrEmpty) { // is passed over when it is loaded
				c.infof("key '%s' has no elements", c.rec.Key)
				return nil
			}
			if err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// fail says what is wrong in the form of Redis's program.
func (c *rdbCheck) fail(err error) {
	at, what := c.offset(), err.Error()
	if corrupt, ok := errors.AsType[*rdb.CorruptError](err); ok {
		at, what = corrupt.Offset, fmt.Sprintf("%s: %v", corrupt.What, corrupt.Err)
		if errors.Is(err, rdb.ErrTruncated) {
			what = "Unexpected EOF reading RDB file: " + what
		}
	}
	if unsupported, ok := errors.AsType[*rdb.UnsupportedTypeError](err); ok {
		at = unsupported.Offset
	}
	c.p.sayf("--- RDB ERROR DETECTED ---")
	c.p.sayf("[offset %d] %s", at, what)
	c.p.sayf("[additional info] While doing: %s", c.doing)
	if c.inKey {
		c.p.sayf("[additional info] Reading key '%s'", c.rec.Key)
		c.p.sayf("[additional info] Reading type %d (%s)", c.rec.Type, typeName(c.rec.Type))
	}
	c.figures()
}

// typeNames are what Redis's program calls them.
var typeNames = [...]string{
	"string", "list-linked", "set-hashtable", "zset-v1", "hash-hashtable", "zset-v2", "module-value",
	"module-value", "", "hash-zipmap", "list-ziplist", "set-intset", "zset-ziplist", "hash-ziplist",
	"quicklist", "stream", "hash-listpack", "zset-listpack", "quicklist-v2", "stream-v2", "set-listpack",
	"stream-v3",
}

func typeName(t rdb.Type) string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return "unknown"
}
