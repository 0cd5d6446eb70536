// Package all is the list of all families of commands, and the one place that knows
// them together.
package all

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/bitcmd"
	"github.com/spineldb/spinel/internal/command/catalogcmd"
	"github.com/spineldb/spinel/internal/command/configcmd"
	"github.com/spineldb/spinel/internal/command/conncmd"
	"github.com/spineldb/spinel/internal/command/debugcmd"
	"github.com/spineldb/spinel/internal/command/geocmd"
	"github.com/spineldb/spinel/internal/command/hashcmd"
	"github.com/spineldb/spinel/internal/command/hllcmd"
	"github.com/spineldb/spinel/internal/command/infocmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/latencycmd"
	"github.com/spineldb/spinel/internal/command/listcmd"
	"github.com/spineldb/spinel/internal/command/memorycmd"
	"github.com/spineldb/spinel/internal/command/replcmd"
	"github.com/spineldb/spinel/internal/command/servercmd"
	"github.com/spineldb/spinel/internal/command/setcmd"
	"github.com/spineldb/spinel/internal/command/streamcmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/command/zsetcmd"
	"github.com/spineldb/spinel/internal/config"
)

// Deps are what the families drive.
type Deps struct {
	Bit         bitcmd.Deps
	Catalog     catalogcmd.Deps
	Config      configcmd.Deps
	Conn        conncmd.Deps
	Debug       debugcmd.Deps
	Info        infocmd.Deps
	Key         *keycmd.Migrator
	Latency     latencycmd.Deps
	Memory      memorycmd.Deps
	Replication replcmd.Deps
	Server      servercmd.Deps
	String      stringcmd.Deps
}

// Families are all commands, bound to what they drive.
func Families(d Deps) [][]*command.Spec {
	return [][]*command.Spec{
		bitcmd.Family.With(d.Bit),
		catalogcmd.Family.With(d.Catalog),
		configcmd.Family.With(d.Config),
		conncmd.Family.With(d.Conn),
		debugcmd.Family.With(d.Debug),
		geocmd.Family.Specs,
		hashcmd.Family.Specs,
		hllcmd.Family.Specs,
		infocmd.Family.With(d.Info),
		keycmd.Family.Specs,
		keycmd.Services.With(d.Key),
		latencycmd.Family.With(d.Latency),
		listcmd.Family.Specs,
		memorycmd.Family.With(d.Memory),
		replcmd.Family.With(d.Replication),
		servercmd.Family.With(d.Server),
		setcmd.Family.Specs,
		streamcmd.Family.Specs,
		stringcmd.Family.With(d.String),
		txcmd.Family.Specs,
		zsetcmd.Family.Specs,
	}
}

// Options are the options that families declare.
func Options() []*config.Group {
	return []*config.Group{configcmd.Options, debugcmd.Options, infocmd.Options, latencycmd.Options}
}
