package aof

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"

	"github.com/spineldb/spinel/internal/clock"
)

// # Loading
//
// The files of a manifest are read in order: the base, then the incremental files. Only the
// end of the last one may be torn, unless what is in the files behind it was never synced:
// the disk may have got these first. A file that goes on behind more than there is of the
// previous one is not read either. What is torn is cut, if the options allow it; before
// everything else was understood no file is touched.
//
// One goroutine reads and verifies, others execute: see pump.

// A LoadConfig is what Load needs.
type LoadConfig struct {
	Dir     *Dir
	DataDir string // where an old single file would be, named Dir.Prefix
	Log     *slog.Logger
	Clock   clock.Clock

	// NewReplayer makes what executes the commands.
	NewReplayer func() Replayer
	// Base loads the RDB that r begins with, of a file of so many bytes, and says where its
	// end is: commands may follow. Keys whose time has come are to be loaded as well, since
	// the commands that follow are about them.
	Base func(r io.Reader, size int64, path string) (end int64, err error)

	Truncated      bool  // aof-load-truncated: cut off what is torn
	CorruptTailMax int64 // aof-load-corrupt-tail-max-size: and a damaged end of up to so many bytes

	Progress func(bytes, total int64) // may be nil
	Stop     <-chan struct{}          // gives the loading up when it is closed; may be nil
}

// A Replayer executes commands.
type Replayer interface {
	// Run executes the commands of data, which are whole, or has a copy of them executed. Its
	// error says why nothing further may be executed.
	Run(data []byte) error
	// Wait waits until everything is executed that Run was given.
	Wait() error
	Close()
}

// Loaded is what Load has found, and what it has left.
type Loaded struct {
	Found    bool      // there was something to load
	Manifest *Manifest // nil if there is none
	Files    []File    // the incremental files, with what is left of them: none is torn
	Legacy   string    // the path of an old single file, which is the manifest's base now
	Bytes    int64     // of all files
}

// ErrStopped means that the loading was given up as it was asked to.
var ErrStopped = errors.New("aof: the loading was given up")

// Load executes everything that the append-only file holds. A *DamagedError says where a
// file makes no sense, a *TornError where it ends before it should; *ManifestError and
// *MissingError tell of the manifest. After an error the data set holds a part of the
// file: the server must not go on with it, and nothing was cut.
func Load(c LoadConfig) (Loaded, error) {
	l := &loading{LoadConfig: c, start: c.Clock.Mono()}
	m, err := c.Dir.ReadManifest()
	if err != nil {
		return Loaded{}, err
	}
	if m, err = l.upgrade(m); err != nil {
		return Loaded{}, err
	}
	if m == nil {
		return Loaded{}, c.Dir.checkLost()
	}
	l.manifest = m
	if err := l.measure(); err != nil {
		return Loaded{}, err
	}
	if err := l.loadAll(); err != nil {
		return Loaded{}, l.advise(err)
	}
	found := m.Base != nil || len(m.Incrs) > 0
	if found {
		c.Log.Info(fmt.Sprintf("DB loaded from append only file: %.3f seconds", l.seconds(l.start)))
	}
	return Loaded{Found: found, Manifest: m, Files: l.files, Legacy: l.legacy, Bytes: l.total}, nil
}

// A loading is one Load.
type loading struct {
	LoadConfig
	manifest *Manifest
	legacy   string
	start    int64
	sizes    map[string]int64 // of files, by name
	total    int64
	done     int64 // bytes of the files before the one that is read
	pump     *pump
	torn     []File // the base, if it is
	files    []File // the incremental ones
}

// advise adds to an error what can be done about it.
func (l *loading) advise(err error) error {
	path := l.Dir.In(l.Dir.manifestName())
	if _, ok := errors.AsType[*TornError](err); ok {
		return fmt.Errorf("%w. You can make a copy of the folder and run redis-check-aof --fix %s, "+
			"or set aof-load-truncated to yes", err, path)
	}
	if _, ok := errors.AsType[*DamagedError](err); ok {
		return fmt.Errorf("%w. Nothing was changed. To see what can be saved, run redis-check-aof %s", err, path)
	}
	return err
}

func (l *loading) seconds(since int64) float64 { return float64(l.Clock.Mono()-since) / 1e9 }

// A MissingError is a file that the manifest names and that is not there.
type MissingError struct {
	Name string
	Err  error
}

func (e *MissingError) Error() string {
	text := e.Err.Error()
	if errors.Is(e.Err, fs.ErrNotExist) {
		text = "No such file or directory" // as scripts expect it
	} else if no, ok := errors.AsType[syscall.Errno](e.Err); ok {
		text = no.Error()
	}
	return fmt.Sprintf("Unable to obtain the AOF file %s length. stat: %s", e.Name, text)
}

func (e *MissingError) Unwrap() error { return e.Err }

// A LostManifestError is a folder with a file that was written to, and no manifest: without
// it nobody knows what belongs together.
type LostManifestError struct {
	Path string // of the manifest
	File string // of the file
}

func (e *LostManifestError) Error() string {
	return fmt.Sprintf("The AOF manifest file %s is missing, but there is %s", e.Path, e.File)
}

// checkLost looks for incremental files without a manifest. One is not written to before a
// manifest that names it is durable, so one that is not empty has lost its manifest.
func (d *Dir) checkLost() error {
	names, err := d.FS.ReadDir(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := d.FS.Stat(d.In(d.tempManifest())); err == nil {
		return nil // the first manifest was about to get its name: see keeper_rewrite.go
	}
	for _, name := range names {
		if !strings.HasPrefix(name, d.Prefix+".") || !strings.HasSuffix(name, incrSuffix) {
			continue
		}
		info, err := d.FS.Stat(d.In(name))
		if err != nil {
			return err
		}
		if info.Size() > 0 {
			return &LostManifestError{d.In(d.manifestName()), name}
		}
	}
	return nil
}

// measure sees that all files are there.
func (l *loading) measure() error {
	l.sizes = map[string]int64{}
	files := l.manifest.Incrs
	if l.manifest.Base != nil {
		files = append([]FileInfo{*l.manifest.Base}, files...)
	}
	for _, f := range files {
		info, err := l.Dir.FS.Stat(l.Dir.In(f.Name))
		if err == nil && info.IsDir() {
			err = syscall.EISDIR
		}
		if err != nil {
			return &MissingError{f.Name, err}
		}
		l.sizes[f.Name] = info.Size()
		l.total += info.Size()
	}
	return nil
}

// loadAll loads the files, and cuts what is torn when all of them make sense.
func (l *loading) loadAll() error {
	l.pump = newPump(l.NewReplayer())
	defer l.pump.close()
	if b := l.manifest.Base; b != nil {
		if err := l.loadBase(*b); err != nil {
			return err
		}
	}
	files, err := l.loadIncrs()
	if err != nil {
		return err
	}
	if err := l.cut(append(l.torn, files...)); err != nil {
		return err
	}
	for i := range files {
		files[i].Torn = false
	}
	l.files = files
	return nil
}

// cut cuts off what is torn, if that is allowed.
func (l *loading) cut(files []File) error {
	for _, f := range files {
		switch {
		case !f.Torn:
		case !l.Truncated:
			return &TornError{Path: l.Dir.In(f.Name), Good: f.Size, Size: l.sizes[f.Name]}
		default:
			l.Log.Warn(fmt.Sprintf("!!! Warning: short read while loading the AOF file %s!!!", f.Name))
			l.Log.Warn(fmt.Sprintf("!!! Truncating the AOF %s at offset %d !!!", f.Name, f.Size))
		}
	}
	if err := l.Dir.Repair(files); err != nil {
		return err
	}
	for _, f := range files {
		if f.Torn {
			l.Log.Warn(fmt.Sprintf("AOF %s loaded anyway because aof-load-truncated is enabled", f.Name))
		}
	}
	return nil
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
