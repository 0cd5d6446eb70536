package aof

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/config"
)

// A Type is a letter that says what a file is for.
type Type byte

// The types of files.
const (
	Base    Type = 'b' // a data set, as an RDB file or as commands
	Incr    Type = 'i' // the commands since the base
	History Type = 'h' // not needed any more, to be removed
)

// A FileInfo is what a manifest says of a file.
type FileInfo struct {
	Name string
	Seq  int64 // its number among those of its type, from 1
	Type Type
}

// A Manifest names the files that make up a data set. Its zero value names none.
type Manifest struct {
	Base    *FileInfo  // nil if there is none
	Incrs   []FileInfo // in order
	History []FileInfo

	baseSeq int64 // the highest used so far
	incrSeq int64
}

// What names end with.
const (
	baseSuffix    = ".base.aof"
	baseRDBSuffix = ".base.rdb"
	incrSuffix    = ".incr.aof"
)

// lineMax is the length of the longest line that Redis reads, with its end.
const lineMax = 1024

// ParseManifest reads a manifest. Its error is a *ManifestError.
func ParseManifest(content []byte) (*Manifest, error) {
	m := &Manifest{}
	names := map[string]bool{}
	line, read := 0, 0
	for len(content) > 0 {
		line++
		text, rest, ended := bytes.Cut(content, []byte("\n"))
		if len(text) >= lineMax-1 || !ended {
			return nil, &ManifestError{line, clip(text), ErrManifestLongLine}
		}
		content = rest
		if len(text) > 0 && text[0] == '#' {
			continue
		}
		info, err := parseLine(text)
		if err == nil {
			err = m.add(info)
		}
		if err == nil && names[info.Name] {
			err = ErrManifestTwice
		}
		if err != nil {
			return nil, &ManifestError{line, clip(text), err}
		}
		names[info.Name] = true
		read++
	}
	if read == 0 {
		return nil, &ManifestError{Reason: ErrManifestEmpty}
	}
	if n := len(m.History); n > 0 && m.History[n-1].isIncr() {
		return nil, &ManifestError{Reason: ErrManifestHistory}
	}
	return m, nil
}

func clip(line []byte) string {
	if len(line) > 128 {
		line = line[:128]
	}
	return string(line)
}

// parseLine reads pairs of a key and a value. Keys that nobody knows yet are skipped.
func parseLine(text []byte) (info FileInfo, err error) {
	args, err := config.SplitArgs(bytes.Trim(text, " \t\r\n"))
	if err != nil || len(args) < 6 || len(args)%2 != 0 {
		return info, ErrManifestFormat
	}
	for i := 0; i < len(args); i += 2 {
		value := string(args[i+1])
		switch strings.ToLower(string(args[i])) {
		case "file":
			if value == "" || value == "." || value == ".." || strings.ContainsAny(value, "/\\\x00") {
				return info, ErrManifestPath
			}
			info.Name = value
		case "seq":
			if info.Seq, err = strconv.ParseInt(value, 10, 64); err != nil || info.Seq < 1 {
				return info, ErrManifestFormat
			}
		case "type":
			info.Type = Type(0)
			if len(value) == 1 {
				info.Type = Type(value[0])
			}
			if info.Type != Base && info.Type != Incr && info.Type != History {
				return info, ErrManifestType
			}
		}
	}
	if info.Name == "" || info.Seq == 0 || info.Type == 0 {
		return info, ErrManifestFormat
	}
	return info, nil
}

// isIncr says whether a file has an incremental file's name.
func (f *FileInfo) isIncr() bool { return strings.HasSuffix(f.Name, incrSuffix) }

// add adds a line. One bit is between i and h, and between loading a file and removing it. So
// what those who write manifests keep to is held against them: history is in front of the
// incremental files, and its last line is the base that was there first.
func (m *Manifest) add(info FileInfo) error {
	switch info.Type {
	case Base:
		if m.Base != nil {
			return ErrManifestTwoBases
		}
		m.Base = &info
		m.baseSeq = max(m.baseSeq, info.Seq)
	case Incr:
		if info.Seq <= m.incrSeq {
			return ErrManifestSequence
		}
		if strings.HasSuffix(info.Name, baseSuffix) || strings.HasSuffix(info.Name, baseRDBSuffix) {
			return ErrManifestType
		}
		m.Incrs = append(m.Incrs, info)
		m.incrSeq = info.Seq
	case History:
		if len(m.Incrs) > 0 {
			return ErrManifestHistory
		}
		m.History = append(m.History, info)
	}
	return nil
}

// AppendText appends the manifest's content: the base, history, incremental files, as
// Redis orders them.
func (m *Manifest) AppendText(dst []byte) []byte {
	if m.Base != nil {
		dst = m.Base.appendLine(dst)
	}
	for i := range m.History {
		dst = m.History[i].appendLine(dst)
	}
	for i := range m.Incrs {
		dst = m.Incrs[i].appendLine(dst)
	}
	return dst
}

func (f *FileInfo) appendLine(dst []byte) []byte {
	dst = append(dst, "file "...)
	if plain(f.Name) {
		dst = append(dst, f.Name...)
	} else {
		dst = config.AppendQuoted(dst, f.Name)
	}
	return fmt.Appendf(dst, " seq %d type %c\n", f.Seq, f.Type)
}

// plain says whether a name is read back if it is written as it is.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\'' || c == '\\' {
			return false
		}
	}
	return name != ""
}

// NewBase makes the file of the next base the manifest's, in place of the one that it
// had, which becomes history together with all incremental files before the last keep.
func (m *Manifest) NewBase(prefix string, isRDB bool, keep int) FileInfo {
	ext := baseSuffix
	if isRDB {
		ext = baseRDBSuffix
	}
	var info FileInfo
	for info.Name == "" || m.isHistory(info.Name) {
		m.baseSeq++
		info = FileInfo{prefix + "." + strconv.FormatInt(m.baseSeq, 10) + ext, m.baseSeq, Base}
	}
	gone := max(len(m.Incrs)-keep, 0)
	switch {
	case m.Base != nil:
		m.retire(*m.Base)
	case gone > 0 && len(m.History) == 0: // there is none to end the history, see add
		m.retire(FileInfo{prefix + ".0" + baseSuffix, 1, Base})
	}
	m.Base = &info
	for _, f := range m.Incrs[:gone] {
		m.retire(f)
	}
	m.Incrs = append([]FileInfo(nil), m.Incrs[gone:]...)
	return info
}

// retire puts a file in front of those to be removed, as Redis does.
func (m *Manifest) retire(f FileInfo) {
	f.Type = History
	m.History = append([]FileInfo{f}, m.History...)
}

// abandon says that a base was made that the manifest does not name, as far as is known:
// the disk's may. No other base may have its name.
func (m *Manifest) abandon(base FileInfo) {
	m.baseSeq = max(m.baseSeq, base.Seq)
	m.retire(base)
}

// NewIncr adds the next incremental file.
func (m *Manifest) NewIncr(prefix string) FileInfo {
	info := m.nextIncr(prefix)
	m.addIncr(info)
	return info
}

// nextIncr is the next incremental file, which is not the manifest's yet. It is none that
// waits to be removed.
func (m *Manifest) nextIncr(prefix string) FileInfo {
	for seq := m.incrSeq + 1; ; seq++ {
		name := prefix + "." + strconv.FormatInt(seq, 10) + incrSuffix
		if !m.isHistory(name) {
			return FileInfo{name, seq, Incr}
		}
	}
}

func (m *Manifest) addIncr(info FileInfo) {
	m.Incrs = append(m.Incrs, info)
	m.incrSeq = info.Seq
}

func (m *Manifest) isHistory(name string) bool {
	return slices.ContainsFunc(m.History, func(f FileInfo) bool { return f.Name == name })
}

// Clone returns a copy that shares nothing.
func (m *Manifest) Clone() *Manifest {
	c := *m
	if m.Base != nil {
		base := *m.Base
		c.Base = &base
	}
	c.Incrs = append([]FileInfo(nil), m.Incrs...)
	c.History = append([]FileInfo(nil), m.History...)
	return &c
}
