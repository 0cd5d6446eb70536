package catalogcmd_test

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/txcmd"
)

// families are the commands that are compared with Redis, none of which is run.
func families() [][]*command.Spec {
	return [][]*command.Spec{txcmd.Family.Specs}
}
