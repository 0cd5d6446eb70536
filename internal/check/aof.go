package check

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/aof"
)

// An aofCheck is one run of check-aof.
type aofCheck struct {
	*Program
	fix     bool
	to      int64  // the time to go back to
	isTo    bool   // there is one
	salvage string // the copy
}

// AOF is the program check-aof.
func (p *Program) AOF(args []string) (code int) {
	if p.isVersion(args) {
		return 0
	}
	c := aofCheck{Program: p}
	path := ""
	switch {
	case len(args) == 1:
		path = args[0]
	case len(args) == 2 && args[0] == "--fix":
		c.fix, path = true, args[1]
	case len(args) == 3 && args[0] == "--salvage":
		c.salvage, path = args[1], args[2]
	case len(args) == 3 && args[0] == "--truncate-to-timestamp":
		to, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return p.failf("Invalid timestamp, aborting...")
		}
		c.to, c.isTo, path = to, true, args[2]
	default:
		return p.failf("Usage: %s [--fix|--truncate-to-timestamp $timestamp|--salvage $copy] "+
			"<file.manifest|file.aof>", p.Name)
	}
	head, err := c.head(path)
	if err != nil {
		return p.failf("Cannot open file %s: %v", path, err)
	}
	if err := c.check(path, head); err != nil {
		if err == errSalvaged {
			return 0
		}
		if err != errSaid {
			p.sayf("%v", err)
		}
		return 1
	}
	return 0
}

// errSaid means that everything about it was said.
var errSaid = errors.New("")

// said says something, and is the error that ends the program.
func (c *aofCheck) said(format string, args ...any) error {
	c.sayf(format, args...)
	return errSaid
}

// headMax is how much of a file tells what it is.
const headMax = 4096

func (c *aofCheck) head(path string) ([]byte, error) {
	f, err := c.FS.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, headMax))
}

// isManifest says whether the first line that is no comment is one of a manifest.
func isManifest(path string, head []byte) bool {
	for line := range bytes.Lines(head) {
		if line[0] != '#' {
			return bytes.HasPrefix(line, []byte("file"))
		}
	}
	return strings.HasSuffix(path, ".manifest")
}

func isRDB(head []byte) bool { return bytes.HasPrefix(head, []byte("REDIS")) }

func (c *aofCheck) check(path string, head []byte) error {
	if isManifest(path, head) {
		return c.checkAll(path)
	}
	c.sayf("Start checking Old-Style AOF")
	f := file{path: path, name: filepath.Base(path), isLast: true, isRDB: isRDB(head)}
	f.seq = seqIn(f.name)
	return c.report("AOF", f)
}

// seqIn is the number in the name of a file, which the sums of its batches include; 0 if it
// has none.
func seqIn(name string) int64 {
	for _, suffix := range []string{".incr.aof", ".base.aof"} {
		rest, ok := strings.CutSuffix(name, suffix)
		if !ok {
			continue
		}
		if n, err := strconv.ParseInt(rest[strings.LastIndexByte(rest, '.')+1:], 10, 64); err == nil {
			return n
		}
	}
	return 0
}

// checkAll checks the files that a manifest names.
func (c *aofCheck) checkAll(path string) error {
	name := filepath.Base(path)
	d := aof.Dir{FS: c.FS, Path: filepath.Dir(path), Prefix: strings.TrimSuffix(name, ".manifest")}
	content, err := c.FS.Open(path)
	if err != nil {
		return err
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	m, err := aof.ParseManifest(text)
	if err != nil {
		return c.said("%v", err)
	}
	c.sayf("Start checking Multi Part AOF")
	if b := m.Base; b != nil {
		head, err := c.head(d.In(b.Name))
		if err != nil {
			return c.said("Cannot open file %s: %v, aborting...", d.In(b.Name), err)
		}
		f := file{path: d.In(b.Name), name: b.Name, seq: b.Seq, isLast: len(m.Incrs) == 0, isRDB: isRDB(head)}
		form := "RESP"
		if f.isRDB {
			form = "RDB"
		}
		c.sayf("Start to check BASE AOF (%s format).", form)
		if err := c.report("BASE AOF", f); err != nil {
			return err
		}
	}
	if len(m.Incrs) > 0 {
		c.sayf("Start to check INCR files.")
	}
	for i, info := range m.Incrs {
		f := file{path: d.In(info.Name), name: info.Name, seq: info.Seq, isLast: i == len(m.Incrs)-1}
		if err := c.report("INCR AOF", f); err != nil {
			return err
		}
	}
	c.sayf("All AOF files and manifest are valid")
	return nil
}

// A file is one that is checked.
type file struct {
	path   string
	name   string
	seq    int64
	isLast bool // nothing goes on behind it
	isRDB  bool // it begins with an RDB
	size   int64
}

// report checks a file and says how it is.
func (c *aofCheck) report(what string, f file) error {
	done, err := c.checkFile(f)
	if err != nil {
		return err
	}
	switch done {
	case valid:
		c.sayf("%s %s is valid", what, f.name)
	case empty:
		c.sayf("%s %s is empty", what, f.name)
	case truncated:
		c.sayf("Successfully truncated AOF %s", f.name)
	case wentBack:
		c.sayf("Successfully truncated AOF %s to timestamp %d", f.name, c.to)
	}
	return nil
}

// confirmed asks whether to go on.
func (c *aofCheck) confirmed() bool {
	fmt.Fprint(c.Stdout, "Continue? [y/N]: ")
	answer, _ := bufio.NewReader(c.Stdin).ReadString('\n')
	return strings.HasPrefix(strings.ToLower(answer), "y")
}
