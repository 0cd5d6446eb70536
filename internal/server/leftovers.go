package server

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spineldb/spinel/internal/clock"
)

// leftoverAge is how long nobody must have written to a temporary file before it counts as
// left behind, and how long after its start the server looks for such files.
const leftoverAge = time.Minute

// removeLeftovers removes the temporary snapshots, temp-PID.rdb, of processes that were
// killed while they saved. Redis leaves those of a server that was killed.
//
// That a process of this number does not run here is not enough: one in another container
// or on another machine may share the folder. But whoever saves writes all the time, so a
// file that has not changed for a minute is nobody's. Were it somebody's after all, whose
// disk has stood still, then his save fails and says so, and no snapshot is lost. A number
// that some other process has by now keeps its file.
func (s *Server) removeLeftovers() {
	dir := filepath.Dir(s.saver.Path())
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.log.Verbosef("Looking for temporary files: %v", err)
		return
	}
	before := time.UnixMilli(int64(clock.Now(s.clock))).Add(-leftoverAge)
	for _, entry := range entries {
		pid := leftoverOf(entry)
		if pid <= 0 || pid == os.Getpid() || isRunning(pid) {
			continue
		}
		if info, err := entry.Info(); err != nil || info.ModTime().After(before) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
			s.log.Warnf("Removing what a killed process left: %v", err)
			continue
		}
		s.log.Noticef("Removed %s, which a killed process left", entry.Name())
	}
}

// leftoverOf is the process that a file is a temporary snapshot of, 0 if it is none.
func leftoverOf(entry fs.DirEntry) int {
	name, isTemp := strings.CutPrefix(entry.Name(), "temp-")
	digits, isSnapshot := strings.CutSuffix(name, ".rdb")
	pid, err := strconv.Atoi(digits)
	if !isTemp || !isSnapshot || err != nil || strconv.Itoa(pid) != digits || !entry.Type().IsRegular() {
		return 0
	}
	return pid
}
