package aof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A File is what was found out of a file.
type File struct {
	FileInfo
	Size int64 // that can be read
	Torn bool  // there is more, to be cut off
}

// open opens a file to read it from an offset on.
func (d *Dir) open(info FileInfo, offset int64) (f io.ReadCloser, size int64, err error) {
	stat, err := d.FS.Stat(d.In(info.Name))
	if err != nil {
		return nil, 0, err
	}
	if f, err = d.FS.Open(d.In(info.Name)); err != nil {
		return nil, 0, err
	}
	if _, err = io.CopyN(io.Discard, f, offset); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, stat.Size(), nil
}

// loadBase loads the base: an RDB, commands, or commands behind an RDB, as Redis had them
// in a single file.
func (l *loading) loadBase(info FileInfo) error {
	start := l.Clock.Mono()
	f, size, err := l.Dir.open(info, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	end := int64(0)
	head := make([]byte, len(rdbMark))
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	from := io.MultiReader(bytes.NewReader(head[:n]), f)
	if isRDB := string(head[:n]) == rdbMark; isRDB || strings.HasSuffix(info.Name, baseRDBSuffix) {
		if end, err = l.loadRDB(info, from, size); err != nil {
			return err
		}
		if end < size {
			l.Log.Info("Reading the remaining AOF tail...")
			tail, _, err := l.Dir.open(info, end)
			if err != nil {
				return err
			}
			defer tail.Close()
			from = tail
		}
	}
	isLast := len(l.manifest.Incrs) == 0
	good, torn, err := l.loadCommands(info, from, end, size, isLast)
	switch {
	case err != nil:
		return err
	case torn && !isLast:
		reason := "the truncated file is not the last file"
		return &DamagedError{Path: l.Dir.In(info.Name), Offset: good, Reason: reason}
	case torn:
		l.torn = []File{{info, good, true}}
	}
	l.done += size
	l.Log.Info(fmt.Sprintf("DB loaded from base file %s: %.3f seconds", info.Name, l.seconds(start)))
	return nil
}

// rdbMark is what an RDB file begins with.
const rdbMark = "REDIS"

func (l *loading) loadRDB(info FileInfo, from io.Reader, size int64) (end int64, err error) {
	if l.legacy != "" || !strings.HasSuffix(info.Name, baseRDBSuffix) {
		l.Log.Info("Reading RDB preamble from AOF file...")
	} else {
		l.Log.Info("Reading RDB base file on AOF loading...")
	}
	end, err = l.Base(&counted{from, l, 0}, size, l.Dir.In(info.Name))
	if err != nil {
		l.Log.Warn(fmt.Sprintf("Error reading the RDB base file %s, AOF loading aborted", info.Name))
	}
	return end, err
}

// A counted reader tells how far it is.
type counted struct {
	io.Reader
	l *loading
	n int64
}

func (c *counted) Read(p []byte) (n int, err error) {
	if c.l.stopped() {
		return 0, ErrStopped
	}
	n, err = c.Reader.Read(p)
	c.n += int64(n)
	c.l.progress(c.n)
	return n, err
}

func (l *loading) stopped() bool {
	select {
	case <-l.Stop: // never, if it is nil
		return true
	default:
		return false
	}
}

// progress tells how far the file is read that is being read.
func (l *loading) progress(offset int64) {
	if l.Progress != nil {
		l.Progress(l.done+offset, l.total)
	}
}

// loadIncrs loads the incremental files and says what there is of each.
func (l *loading) loadIncrs() (files []File, err error) {
	m := l.manifest
	for i, info := range m.Incrs {
		good, torn, err := l.loadIncr(info, i == len(m.Incrs)-1)
		if err != nil {
			return nil, err
		}
		files = append(files, File{info, good, torn})
		isWhole, err := l.isWhole(i, good, torn)
		if err != nil {
			return nil, err
		}
		if isWhole {
			continue
		}
		for _, later := range m.Incrs[i+1:] {
			isSynced, err := l.Dir.wasSynced(later)
			if err != nil {
				return nil, err
			}
			if isSynced {
				reason := fmt.Sprintf("what follows, up to byte %d, is missing or torn, but %s goes on behind it",
					l.sizes[info.Name], later.Name)
				return nil, &DamagedError{Path: l.Dir.In(info.Name), Offset: good, Reason: reason}
			}
			files = append(files, File{later, 0, l.sizes[later.Name] > 0})
		}
		break
	}
	return files, nil
}

// loadIncr loads an incremental file.
func (l *loading) loadIncr(info FileInfo, isLast bool) (good int64, torn bool, err error) {
	start := l.Clock.Mono()
	f, size, err := l.Dir.open(info, 0)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	good, torn, err = l.loadCommands(info, f, 0, size, isLast)
	if err != nil {
		return 0, false, err
	}
	l.done += size
	l.Log.Info(fmt.Sprintf("DB loaded from incr file %s: %.3f seconds", info.Name, l.seconds(start)))
	return good, torn, nil
}

// isWhole says whether a file has all that the next one goes on behind.
func (l *loading) isWhole(i int, good int64, torn bool) (bool, error) {
	if torn || i == len(l.manifest.Incrs)-1 {
		return !torn, nil
	}
	next := l.manifest.Incrs[i+1]
	f, size, err := l.Dir.open(next, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	s := NewScanner(f, next.Seq, 0, size)
	err = s.Next()
	if _, isBreak := errors.AsType[*Break](err); err != nil && err != io.EOF && !isBreak {
		return false, err
	}
	return s.Before <= good, nil
}

// wasSynced says whether any of a file is known to have been synced, or is Redis's, which
// does not say so.
func (d *Dir) wasSynced(info FileInfo) (bool, error) {
	f, size, err := d.open(info, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	s := NewScanner(f, info.Seq, 0, size)
	for err = s.Next(); err == nil; err = s.Next() {
		if s.Synced > 0 || s.offset > s.end {
			return true, nil
		}
	}
	if _, isBreak := errors.AsType[*Break](err); err != io.EOF && !isBreak {
		return false, err
	}
	return s.Synced > 0, nil
}

// selectFirst goes in front of a file: each begins in database 0.
var selectFirst = []byte("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")

// loadCommands executes the commands of a file from an offset on. It returns how much of
// the file makes sense, and whether there is more.
func (l *loading) loadCommands(
	info FileInfo, r io.Reader, offset, size int64, isLast bool,
) (good int64, torn bool, err error) {
	s := NewScanner(r, info.Seq, offset, size)
	err = l.pump.take(selectFirst, len(selectFirst))
	for err == nil {
		if l.stopped() {
			return 0, false, ErrStopped
		}
		var raw []byte
		var closed int
		if raw, closed, err = s.Block(); err == nil {
			err = l.pump.take(raw, closed)
			l.progress(s.Offset())
		}
	}
	executed := l.pump.wait()
	l.pump.drop()
	if good = s.Offset(); s.tx.isOpen {
		good = s.tx.start
	}
	b, isBreak := errors.AsType[*Break](err)
	switch {
	case executed != nil:
		return 0, false, fmt.Errorf("%w reading the append only file %s", executed, l.Dir.In(info.Name))
	case isBreak:
		err = l.Dir.judge(info, b)
		_, torn = errors.AsType[*TornError](err)
		if !torn && (!isLast || !l.forgives(err, size-good)) {
			return 0, false, err
		}
		torn = true
	case err == io.EOF && s.tx.isOpen:
		l.Log.Warn("Revert incomplete MULTI/EXEC transaction from AOF file " + info.Name)
		torn = true
	case err != io.EOF:
		return 0, false, err
	}
	return good, torn, nil
}

// forgives says whether damage may be cut off like what is torn: at the end of the last
// file, if the options say so.
func (l *loading) forgives(err error, bytes int64) bool {
	damaged, ok := errors.AsType[*DamagedError](err)
	if !ok || !l.Truncated || bytes > l.CorruptTailMax {
		return false
	}
	l.Log.Warn(damaged.Error())
	return true
}

// judge reads a file again from a break on.
func (d *Dir) judge(info FileInfo, b *Break) error {
	f, _, err := d.open(info, b.Offset)
	if err != nil {
		return err
	}
	defer f.Close()
	err = b.Judge(f)
	if torn, ok := errors.AsType[*TornError](err); ok {
		torn.Path = d.In(info.Name)
	}
	if damaged, ok := errors.AsType[*DamagedError](err); ok {
		damaged.Path = d.In(info.Name)
	}
	return err
}
