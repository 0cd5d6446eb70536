// Package check is the programs check-rdb and check-aof: they read the files of a server that
// is not running, and say whether they are sound, in the words of Redis's programs of these
// names, as scripts read them.
//
//	check-rdb dump.rdb                        every record, every value, the checksum
//	check-aof FILE.manifest                   the files of an append-only file, in order
//	check-aof FILE                            one of them, or one of an older version
//	check-aof --fix FILE                      cuts an end off that makes no sense, after asking
//	check-aof --truncate-to-timestamp T FILE  goes back to a time
//	check-aof --salvage COPY FILE             copies what makes sense, on both sides of damage
//
// Only an end is ever cut: if anything behind a place makes sense, it may be all that is left
// of it, and --fix refuses. --salvage changes nothing but the copy, which it creates.
//
// The exit code is 0 if all is well, or was made so, and 1 if not.
package check

import (
	"fmt"
	"io"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/vfs"
)

// A Program is what both programs are made with.
type Program struct {
	Name    string // it was started under
	Version string // to say
	FS      vfs.FS
	Clock   clock.Clock
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
}

func (p *Program) sayf(format string, args ...any) {
	fmt.Fprintf(p.Stdout, format+"\n", args...)
}

// failf says why it ends, and is the exit code.
func (p *Program) failf(format string, args ...any) (code int) {
	p.sayf(format, args...)
	return 1
}

// isVersion says whether the arguments only ask for the version, and says it.
func (p *Program) isVersion(args []string) bool {
	if len(args) == 1 && (args[0] == "-v" || args[0] == "--version") {
		p.sayf("%s %s", p.Name, p.Version)
		return true
	}
	return false
}
