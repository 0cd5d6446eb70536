package server

import "errors"

func background([]string, []byte) (bool, error) {
	return false, errors.New("daemonize is not supported on Windows; run it as a service")
}

func stopSelf() {}

func ignoreFileSize() {}

func raiseFileLimit(*Server) {}

// isRunning does not know, so no process counts as dead.
func isRunning(int) bool { return true }
