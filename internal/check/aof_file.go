package check

import (
	"bytes"
	"errors"
	"io"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/rdb"
)

// An outcome is what came of a file.
type outcome int

const (
	valid     outcome = iota
	empty             // there is nothing in it
	truncated         // and is sound now
	wentBack          // to a time
)

// checkFile checks a file, and mends it if that was asked for.
func (c *aofCheck) checkFile(f file) (outcome, error) {
	info, err := c.FS.Stat(f.path)
	if err != nil {
		return 0, c.said("Cannot stat file: %s, aborting...", f.name)
	}
	if f.size = info.Size(); f.size == 0 {
		return empty, nil
	}
	start := int64(0)
	if f.isRDB {
		if start, err = c.checkPreamble(f); err != nil {
			return 0, err
		}
	}
	r := reading{file: f, start: start, isTo: c.isTo, to: c.to}
	if err := r.read(c); err != nil {
		return 0, err
	}
	if r.past >= 0 {
		return c.goBack(f, r.past)
	}
	if r.bad != nil {
		c.sayf("0x%16x: %s", r.good, reason(r.bad))
		c.sayf("AOF %s format error", f.name)
	}
	if c.isTo && r.bad == nil {
		c.sayf("Truncate nothing in AOF %s to timestamp %d", f.name, c.to)
	}
	c.sayf("AOF analyzed: filename=%s, size=%d, ok_up_to=%d, ok_up_to_line=%d, diff=%d",
		f.name, f.size, r.good, r.lines+1, f.size-r.good)
	switch {
	case r.bad == nil:
		return valid, nil
	case c.salvage != "":
		return 0, c.save(f, start)
	case c.fix:
		return truncated, c.cut(f, &r)
	}
	if r.hasMore() {
		return 0, c.said("AOF %s is not valid, and there is more behind the damage. Use --salvage to copy "+
			"what makes sense.", f.name)
	}
	return 0, c.said("AOF %s is not valid. Use the --fix option to try fixing it.", f.name)
}

// checkPreamble checks the RDB that a file begins with, and returns where that ends.
func (c *aofCheck) checkPreamble(f file) (end int64, err error) {
	c.sayf("The AOF appears to start with an RDB preamble.\nChecking the RDB preamble to start:")
	in, err := c.FS.Open(f.path)
	if err != nil {
		return 0, c.said("Cannot open file %s: %v, aborting...", f.path, err)
	}
	defer in.Close()
	check := rdbCheck{p: c.Program}
	if !check.run(in, rdb.Options{Size: f.size, Trailing: true}) {
		return 0, c.said("RDB preamble of AOF file is not sane, aborting.")
	}
	check.figures()
	c.sayf("RDB preamble is OK, proceeding with AOF tail...")
	return check.reader.Offset(), nil
}

// A reading is what was found out of a file.
type reading struct {
	file
	start int64 // behind the RDB
	to    int64
	isTo  bool

	good  int64 // everything before makes sense
	lines int64 // that are before
	past  int64 // where the file would be cut to go back to a time, or -1
	bad   error // what is wrong at good: a *aof.TornError, a *aof.DamagedError
}

// reason is what is wrong, without the place.
func reason(err error) string {
	if damaged, ok := errors.AsType[*aof.DamagedError](err); ok {
		return damaged.Reason
	}
	if _, ok := errors.AsType[*aof.TornError](err); ok {
		return "unexpected end"
	}
	return err.Error()
}

// hasMore says whether something behind makes sense.
func (r *reading) hasMore() bool {
	damaged, ok := errors.AsType[*aof.DamagedError](r.bad)
	return ok && damaged.Behind
}

// open opens a file from an offset on.
func (c *aofCheck) open(f file, offset int64) (io.ReadCloser, error) {
	in, err := c.FS.Open(f.path)
	if err != nil {
		return nil, c.said("Cannot open file %s: %v, aborting...", f.path, err)
	}
	if _, err := io.CopyN(io.Discard, in, offset); err != nil {
		_ = in.Close() // it was only read
		return nil, c.said("Failed to read from AOF %s: %v, aborting...", f.name, err)
	}
	return in, nil
}

// read reads the commands of the file.
func (r *reading) read(c *aofCheck) error {
	in, err := c.open(r.file, r.start)
	if err != nil {
		return err
	}
	defer in.Close()
	s := aof.NewScanner(in, r.seq, r.start, r.size)
	r.past, r.good = -1, r.start
	s.OnTime = func(unix, offset int64) {
		if r.isTo && unix > r.to && r.past < 0 {
			r.past = offset
		}
	}
	inMulti := false
	for {
		err = s.Next()
		if r.past >= 0 {
			return nil
		}
		if err != nil {
			break
		}
		if inMulti = inMulti && !endsMulti(s.Args) || beginsMulti(s.Args); !inMulti {
			r.good, r.lines = s.Offset(), s.Lines
		}
	}
	return r.judge(c, s, err, inMulti)
}

func beginsMulti(args [][]byte) bool {
	return len(args) == 1 && bytes.EqualFold(args[0], []byte("MULTI"))
}

func endsMulti(args [][]byte) bool {
	return len(args) == 1 &&
		(bytes.EqualFold(args[0], []byte("EXEC")) || bytes.EqualFold(args[0], []byte("DISCARD")))
}

// judge finds out what the end of the reading means.
func (r *reading) judge(c *aofCheck, s *aof.Scanner, err error, inMulti bool) error {
	b, isBreak := errors.AsType[*aof.Break](err)
	switch {
	case isBreak:
		rest, err := c.open(r.file, b.Offset)
		if err != nil {
			return err
		}
		defer rest.Close()
		r.bad = b.Judge(rest)
		return nil
	case err != io.EOF:
		return c.said("Failed to read from AOF %s: %v, aborting...", r.name, err)
	case inMulti:
		//lint:ignore ST1005 Redis's words
		r.bad = errors.New("Reached EOF before reading EXEC for MULTI")
	default:
		r.good, r.lines = s.Offset(), s.Lines
	}
	return nil
}

// cut cuts off what is behind the last good command, after asking.
func (c *aofCheck) cut(f file, r *reading) error {
	if !f.isLast {
		return c.said("Failed to truncate AOF %s because it is not the last file", f.name)
	}
	if r.hasMore() {
		return c.said("Failed to truncate AOF %s because there is more behind the damage that makes sense. "+
			"Use --salvage to copy it.", f.name)
	}
	c.sayf("This will shrink the AOF %s from %d bytes, with %d bytes, to %d bytes",
		f.name, f.size, f.size-r.good, r.good)
	if !c.confirmed() {
		return c.said("Aborting...")
	}
	if err := c.truncate(f, r.good); err != nil {
		return c.said("Failed to truncate AOF %s", f.name)
	}
	return nil
}

func (c *aofCheck) truncate(f file, size int64) error {
	out, err := c.FS.Append(f.path)
	if err != nil {
		return err
	}
	if err = out.Truncate(size); err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// goBack cuts a file where a time is past.
func (c *aofCheck) goBack(f file, at int64) (outcome, error) {
	switch {
	case at == 0:
		return 0, c.said("AOF %s has nothing before timestamp %d, aborting...", f.name, c.to)
	case !f.isLast:
		return 0, c.said("Failed to truncate AOF %s to timestamp %d to offset %d because it is not the last "+
			"file.\nIf you insist, please delete all files after this file according to the manifest file and delete "+
			"the corresponding records in manifest file manually. Then re-run redis-check-aof.", f.name, c.to, at)
	}
	if err := c.truncate(f, at); err != nil {
		return 0, c.said("Failed to truncate AOF %s to timestamp %d", f.name, c.to)
	}
	return wentBack, nil
}
