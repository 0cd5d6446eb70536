package catalogcmd_test

import (
	"slices"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/conncmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
)

// families are the commands that are compared with Redis. None of them is run, so they
// are given nothing to drive.
func families() [][]*command.Spec {
	return [][]*command.Spec{slices.Concat(
		conncmd.Family.With(conncmd.Deps{}),
		stringcmd.Family.With(stringcmd.Deps{}),
		txcmd.Family.Specs,
	)}
}
