package server

import (
	"runtime"

	"github.com/spineldb/spinel/internal/command/infocmd"
)

// processFigures has nothing to say here.
func processFigures() infocmd.Process { return infocmd.Process{} }

// systemName is the system's name.
func systemName() string { return runtime.GOOS + " " + runtime.GOARCH }
