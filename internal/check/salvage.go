package check

import (
	"bufio"
	"errors"
	"io"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/resp"
)

// save copies what makes sense of a file: the RDB that it begins with, all commands before
// damage, and those behind it, which go to the database that was selected last: nobody knows
// what is missing. Transactions that do not end are left out.
func (c *aofCheck) save(f file, start int64) error {
	out, err := c.FS.Create(c.salvage)
	if err != nil {
		return c.said("Cannot create file %s: %v, aborting...", c.salvage, err)
	}
	s := saving{w: bufio.NewWriter(out)}
	err = s.all(c, f, start)
	if err == nil {
		err = errors.Join(s.w.Flush(), out.Sync())
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return c.said("Failed to salvage AOF %s: %v", f.name, err)
	}
	c.sayf("Salvaged %d commands of AOF %s into %s; %d bytes at %d places make no sense", s.commands, f.name,
		c.salvage, s.skipped, s.places)
	return errSalvaged
}

// errSalvaged ends the program when a copy was made.
var errSalvaged = errors.New("salvaged")

// A saving is a copy that is being made.
type saving struct {
	w        *bufio.Writer
	commands int
	places   int
	skipped  int64

	held   []byte // a transaction that has not ended
	inHeld int    // commands
}

func (s *saving) all(c *aofCheck, f file, start int64) error {
	in, err := c.FS.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := io.CopyN(s.w, in, start); err != nil {
		return err
	}
	scan := aof.NewScanner(in, f.seq, start, f.size)
	for {
		err := scan.Next()
		if err == nil {
			if err := s.take(scan.Args); err != nil {
				return err
			}
			continue
		}
		b, isBreak := errors.AsType[*aof.Break](err)
		if !isBreak {
			return orNil(err)
		}
		s.held, s.inHeld = s.held[:0], 0
		s.places++
		err = scan.Resume(b)
		if s.skipped += scan.Offset() - b.Offset; err == io.EOF {
			s.skipped += f.size - scan.Offset()
		}
		if err != nil {
			return orNil(err)
		}
	}
}

func orNil(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// take writes a command, or keeps it until its transaction ends.
func (s *saving) take(args [][]byte) error {
	before := len(s.held)
	s.held = resp.AppendCommand(s.held, args...)
	s.inHeld++
	if beginsMulti(args) || before > 0 && !endsMulti(args) {
		return nil
	}
	s.commands += s.inHeld
	_, err := s.w.Write(s.held)
	s.held, s.inHeld = s.held[:0], 0
	return err
}
