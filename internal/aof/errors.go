package aof

import "fmt"

// A DamagedError is content that is not what was written. Nothing may be cut.
type DamagedError struct {
	Path   string // set by who opened the file
	Offset int64  // of what could not be read, or of the batch that it is in
	Reason string
	Behind bool // there is more behind it that makes sense
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("Bad file format reading the append only file %s: byte %d: %s",
		e.Path, e.Offset, e.Reason)
}

// A TornError is a file whose end never came to the disk.
type TornError struct {
	Path string
	Good int64 // everything before is whole
	Size int64 // of the file
}

func (e *TornError) Error() string {
	return fmt.Sprintf("Unexpected end of file reading the append only file %s: whole up to byte %d of %d",
		e.Path, e.Good, e.Size)
}

// A ManifestError is a manifest that cannot be understood.
type ManifestError struct {
	Line   int // counted from 1; 0 is none in particular
	Text   string
	Reason error
}

func (e *ManifestError) Error() string {
	if e.Line == 0 {
		return e.Reason.Error()
	}
	return fmt.Sprintf("%v: line %d: %q", e.Reason, e.Line, e.Text)
}

func (e *ManifestError) Unwrap() error { return e.Reason }

// A reason is a text of Redis's, which begins with a capital.
type reason string

func (r reason) Error() string { return string(r) }

// The reasons of a ManifestError, in Redis's words as far as it has them.
var (
	ErrManifestEmpty    error = reason("Found an empty AOF manifest")
	ErrManifestFormat   error = reason("Invalid AOF manifest file format")
	ErrManifestLongLine error = reason("The AOF manifest file contains too long line")
	ErrManifestPath     error = reason("File can't be a path, just a filename")
	ErrManifestType     error = reason("Unknown AOF file type")
	ErrManifestTwoBases error = reason("Found duplicate base file information")
	ErrManifestSequence error = reason("Found a non-monotonic sequence number")
	ErrManifestTwice    error = reason("Found the same AOF file twice")
	ErrManifestHistory  error = reason("Found a history AOF file where none can be")
)
