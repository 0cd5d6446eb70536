package vfs

import (
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Mem is a file system in memory, for tests. It remembers which content and which
// names were synced, and so knows what a power failure would leave.
type Mem struct {
	mu    sync.Mutex
	dirs  map[string]bool
	names map[string]*memFile // as programs see them
	disk  map[string]*memFile // as they were at the last SyncDir of their folder
	ops   *Record             // what is done, if somebody wants to know
}

// A memFile is a file, whatever it is called at the moment.
type memFile struct {
	data   []byte
	synced []byte // data at the last Sync; never changed in place
}

// NewMem returns a file system with some folders and nothing in them.
func NewMem(dirs ...string) *Mem {
	m := &Mem{dirs: map[string]bool{}, names: map[string]*memFile{}, disk: map[string]*memFile{}}
	for _, d := range dirs {
		m.dirs[filepath.Clean(d)] = true
	}
	return m
}

// Put makes a file that is durable, over one of the same name.
func (m *Mem) Put(name string, content []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	f := &memFile{data: slices.Clone(content), synced: slices.Clone(content)}
	m.names[name], m.disk[name] = f, f
}

// Get returns what is in a file, and whether it is there.
func (m *Mem) Get(name string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.names[filepath.Clean(name)]
	if f == nil {
		return nil, false
	}
	return slices.Clone(f.data), true
}

// Names are the files in all folders, sorted.
func (m *Mem) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for name := range m.names {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// PowerFailure returns what is left after one at this moment, in the worst case:
// names as of their folder's last SyncDir, contents as of their last Sync.
func (m *Mem) PowerFailure() *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := NewMem()
	for d := range m.dirs {
		after.dirs[d] = true
	}
	for name, f := range m.disk {
		after.Put(name, f.synced)
	}
	return after
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open implements [FS].
func (m *Mem) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.names[filepath.Clean(name)]
	if f == nil {
		return nil, pathError("open", name, syscall.ENOENT)
	}
	return &memHandle{fs: m, f: f}, nil
}

// Create implements [FS].
func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clean := filepath.Clean(name)
	switch {
	case !m.dirs[filepath.Dir(clean)]:
		return nil, pathError("open", name, syscall.ENOENT)
	case m.names[clean] != nil || m.dirs[clean]:
		return nil, pathError("open", name, syscall.EEXIST)
	}
	f := &memFile{}
	m.names[clean] = f
	m.ops.add(op{kind: opCreate, name: clean, file: f})
	return &memHandle{fs: m, f: f, writable: true}, nil
}

// Append implements [FS].
func (m *Mem) Append(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.names[filepath.Clean(name)]
	if f == nil {
		return nil, pathError("open", name, syscall.ENOENT)
	}
	return &memHandle{fs: m, f: f, writable: true}, nil
}

// Mkdir implements [FS]. Folders are durable at once.
func (m *Mem) Mkdir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clean := filepath.Clean(name)
	switch {
	case m.names[clean] != nil:
		return pathError("mkdir", name, syscall.EEXIST)
	case !m.dirs[filepath.Dir(clean)]:
		return pathError("mkdir", name, syscall.ENOENT)
	}
	m.dirs[clean] = true
	m.ops.add(op{kind: opMkdir, name: clean})
	return nil
}

// ReadDir implements [FS].
func (m *Mem) ReadDir(name string) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir := filepath.Clean(name)
	if !m.dirs[dir] {
		return nil, pathError("open", name, syscall.ENOENT)
	}
	for n := range m.names {
		if filepath.Dir(n) == dir {
			names = append(names, filepath.Base(n))
		}
	}
	for d := range m.dirs {
		if filepath.Dir(d) == dir && d != dir {
			names = append(names, filepath.Base(d))
		}
	}
	slices.Sort(names)
	return names, nil
}

// Rename implements [FS].
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.names[filepath.Clean(from)]
	switch {
	case f == nil || !m.dirs[filepath.Dir(filepath.Clean(to))]:
		return pathError("rename", from, syscall.ENOENT)
	case m.dirs[filepath.Clean(to)]:
		return pathError("rename", to, syscall.EEXIST)
	}
	delete(m.names, filepath.Clean(from))
	m.names[filepath.Clean(to)] = f
	m.ops.add(op{kind: opRename, name: filepath.Clean(from), to: filepath.Clean(to), file: f})
	return nil
}

// Remove implements [FS].
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names[filepath.Clean(name)] == nil {
		return pathError("remove", name, syscall.ENOENT)
	}
	delete(m.names, filepath.Clean(name))
	m.ops.add(op{kind: opRemove, name: filepath.Clean(name)})
	return nil
}

// SyncDir implements [FS].
func (m *Mem) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir := filepath.Clean(name)
	if !m.dirs[dir] {
		return pathError("open", name, syscall.ENOENT)
	}
	for n := range m.disk {
		if filepath.Dir(n) == dir && m.names[n] == nil {
			delete(m.disk, n)
		}
	}
	for n, f := range m.names {
		if filepath.Dir(n) == dir {
			m.disk[n] = f
		}
	}
	m.ops.add(op{kind: opSyncDir, name: dir})
	return nil
}

// Stat implements [FS].
func (m *Mem) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clean := filepath.Clean(name)
	if m.dirs[clean] {
		return memInfo{name: filepath.Base(clean), dir: true}, nil
	}
	if f := m.names[clean]; f != nil {
		return memInfo{name: filepath.Base(clean), size: int64(len(f.data))}, nil
	}
	return nil, pathError("stat", name, syscall.ENOENT)
}

// A memHandle is an open file.
type memHandle struct {
	fs       *Mem
	f        *memFile
	at       int // where the next read begins
	writable bool
	closed   bool
}

// Read implements [io.Reader].
func (h *memHandle) Read(p []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.closed {
		return 0, fs.ErrClosed
	}
	if h.at >= len(h.f.data) {
		return 0, io.EOF
	}
	n := copy(p, h.f.data[h.at:])
	h.at += n
	return n, nil
}

// Write implements [io.Writer].
func (h *memHandle) Write(p []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	switch {
	case h.closed:
		return 0, fs.ErrClosed
	case !h.writable:
		return 0, fs.ErrPermission
	}
	h.fs.ops.add(op{kind: opWrite, file: h.f, at: len(h.f.data), data: slices.Clone(p)})
	h.f.data = append(h.f.data, p...)
	return len(p), nil
}

// Truncate implements [File].
func (h *memHandle) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	switch {
	case h.closed:
		return fs.ErrClosed
	case !h.writable || size < 0:
		return syscall.EINVAL
	}
	h.fs.ops.add(op{kind: opTruncate, file: h.f, at: int(size)})
	h.f.data = resized(slices.Clone(h.f.data), int(size))
	return nil
}

// resized cuts b, or fills it up with zeros.
func resized(b []byte, n int) []byte {
	for len(b) < n {
		b = append(b, 0)
	}
	return b[:n]
}

// Sync implements [File].
func (h *memHandle) Sync() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.closed {
		return fs.ErrClosed
	}
	h.f.synced = slices.Clone(h.f.data)
	h.fs.ops.add(op{kind: opSync, file: h.f})
	return nil
}

// loseSync has the record forget what was not synced, as a disk that fails does. Programs go
// on seeing it.
func (h *memHandle) loseSync() {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	h.fs.ops.add(op{kind: opLoseSync, file: h.f})
}

// Close implements [io.Closer].
func (h *memHandle) Close() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.closed {
		return fs.ErrClosed
	}
	h.closed = true
	return nil
}

// A memInfo is what Stat tells.
type memInfo struct {
	name string
	size int64
	dir  bool
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) Sys() any           { return nil }

func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// String lists the files, for the messages of failing tests.
func (m *Mem) String() string { return strings.Join(m.Names(), " ") }
