package aof

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// # Loading
//
// The files of a manifest are read in order. Only the end of the last one may be torn,
// unless what is in the files behind it was never synced: the disk may have got these
// first. A file that goes on behind more than there is of the previous one is not read
// either. Whoever loads decides whether what is torn is cut.

// A File is what a Loader has found out of a file.
type File struct {
	FileInfo
	Size int64 // that can be read
	Torn bool  // there is more, to be cut off
}

// LoadIncrs reads the incremental files of a manifest and calls fn with every command, of
// which the words are valid during the call. A transaction that does not end is left out,
// with its MULTI. It returns the files with what is good of them.
//
// A *DamagedError says where a file makes no sense, and nothing may be cut. The error of
// fn ends the loading and is returned.
func (d *Dir) LoadIncrs(m *Manifest, fn func(args [][]byte) error) (files []File, err error) {
	for i, info := range m.Incrs {
		good, size, torn, err := d.loadIncr(info, fn)
		if err != nil {
			return files, err
		}
		files = append(files, File{info, good, torn != nil})
		isWhole, err := d.isWhole(m, i, good, torn)
		if err != nil {
			return files, err
		}
		if isWhole {
			continue
		}
		for _, later := range m.Incrs[i+1:] {
			isSynced, laterSize, err := d.wasSynced(later)
			if err != nil {
				return files, err
			}
			if isSynced {
				return files, &DamagedError{Path: d.In(info.Name), Offset: good,
					Reason: fmt.Sprintf("what follows, up to byte %d, is missing or torn, but %s goes on behind it",
						size, later.Name)}
			}
			files = append(files, File{later, 0, laterSize > 0})
		}
		return files, nil
	}
	return files, nil
}

// isWhole says whether a file has all that the next one goes on behind.
func (d *Dir) isWhole(m *Manifest, i int, good int64, torn *TornError) (bool, error) {
	if torn != nil || i == len(m.Incrs)-1 {
		return torn == nil, nil
	}
	next := m.Incrs[i+1]
	f, size, err := d.open(next)
	if err != nil {
		return false, err
	}
	defer f.Close()
	s := NewScanner(f, next.Seq, 0, size)
	err = s.Next()
	var b *Break
	if err != nil && err != io.EOF && !errors.As(err, &b) {
		return false, err
	}
	return s.Before <= good, nil
}

// wasSynced says whether any of a file is known to have been synced, or is Redis's, which
// does not say so.
func (d *Dir) wasSynced(info FileInfo) (synced bool, size int64, err error) {
	f, size, err := d.open(info)
	if err != nil {
		return false, 0, err
	}
	defer f.Close()
	s := NewScanner(f, info.Seq, 0, size)
	for err = s.Next(); err == nil; err = s.Next() {
		if s.Synced > 0 || s.offset > s.end {
			return true, size, nil
		}
	}
	var b *Break
	if err != io.EOF && !errors.As(err, &b) {
		return false, size, err
	}
	return s.Synced > 0, size, nil
}

func (d *Dir) open(info FileInfo) (f io.ReadCloser, size int64, err error) {
	stat, err := d.FS.Stat(d.In(info.Name))
	if err != nil {
		return nil, 0, err
	}
	f, err = d.FS.Open(d.In(info.Name))
	return f, stat.Size(), err
}

// loadIncr reads one file.
func (d *Dir) loadIncr(
	info FileInfo, fn func([][]byte) error,
) (good, size int64, torn *TornError, err error) {
	f, size, err := d.open(info)
	if err != nil {
		return 0, 0, nil, err
	}
	defer f.Close()
	s := NewScanner(f, info.Seq, 0, size)
	g := grouper{fn: fn}
	for {
		at := s.Offset()
		if err = s.Next(); err != nil {
			break
		}
		if err = g.take(at, s.Args); err != nil {
			return 0, size, nil, err
		}
	}
	var b *Break
	switch {
	case errors.As(err, &b):
		err = d.judge(info, b)
		if !errors.As(err, &torn) {
			return 0, size, nil, err
		}
	case err == io.EOF && g.isOpen:
		torn = &TornError{Path: d.In(info.Name), Good: s.Offset(), Size: size}
	case err != io.EOF:
		return 0, size, nil, err
	default:
		return size, size, nil, nil
	}
	good = torn.Good
	if g.isOpen {
		good = min(good, g.start)
	}
	torn.Good = good
	return good, size, torn, nil
}

// judge reads a file again from a break on.
func (d *Dir) judge(info FileInfo, b *Break) error {
	f, _, err := d.open(info)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.CopyN(io.Discard, f, b.Offset); err != nil {
		return err
	}
	err = b.Judge(f)
	var torn *TornError
	var damaged *DamagedError
	switch {
	case errors.As(err, &torn):
		torn.Path = d.In(info.Name)
	case errors.As(err, &damaged):
		damaged.Path = d.In(info.Name)
	}
	return err
}

// A grouper passes commands on, those of a transaction when it ends.
type grouper struct {
	fn     func([][]byte) error
	isOpen bool
	start  int64 // of the MULTI
	queue  [][][]byte
}

func (g *grouper) take(at int64, args [][]byte) error {
	switch {
	case !g.isOpen && isCalled(args, "MULTI"):
		g.isOpen, g.start = true, at
	case !g.isOpen:
		return g.fn(args)
	}
	kept := make([][]byte, len(args))
	for i, a := range args {
		kept[i] = append([]byte(nil), a...)
	}
	g.queue = append(g.queue, kept)
	if !isCalled(args, "EXEC") {
		return nil
	}
	for _, args := range g.queue {
		if err := g.fn(args); err != nil {
			return err
		}
	}
	g.isOpen, g.queue = false, g.queue[:0]
	return nil
}

func isCalled(args [][]byte, name string) bool {
	return len(args) == 1 && strings.EqualFold(string(args[0]), name)
}

// Repair cuts off what is torn.
func (d *Dir) Repair(files []File) error {
	for _, f := range files {
		if !f.Torn {
			continue
		}
		out, err := d.FS.Append(d.In(f.Name))
		if err != nil {
			return err
		}
		err = out.Truncate(f.Size)
		if err == nil {
			err = out.Sync()
		}
		if err = errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
	return nil
}
