package observe

import (
	"errors"
	"os"
)

// A logFile is a log file that may be moved or removed while it is written, as
// logrotate does. Before each line it looks whether its path still leads to the
// file that is open, and if not opens what is there or creates it.
//
// Redis opens and closes the file for every line, which comes to the same and
// costs three system calls more.
type logFile struct {
	path string
	file *os.File
	info os.FileInfo // of file, to recognize it
}

func openLogFile(path string) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &logFile{path, file, info}, nil
}

// write appends a line. If the path leads elsewhere and nothing can be opened
// there, the old file gets it: better there than nowhere.
func (f *logFile) write(line []byte) error {
	var reopenErr, closeErr error
	if now, err := os.Stat(f.path); err != nil || !os.SameFile(now, f.info) {
		var next *logFile
		if next, reopenErr = openLogFile(f.path); reopenErr == nil {
			closeErr = f.file.Close()
			*f = *next
		}
	}
	_, err := f.file.Write(line)
	return errors.Join(reopenErr, closeErr, err)
}

func (f *logFile) close() error { return f.file.Close() }
