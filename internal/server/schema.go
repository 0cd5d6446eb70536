package server

import (
	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/snapshot"
	"github.com/spineldb/spinel/internal/value"
)

// Schema is every option of a server.
func Schema() *config.Schema {
	groups := []*config.Group{netloop.Options, options, acl.Options, keyspace.ConfigOptions, exec.Options,
		value.Options, snapshot.Options, aof.Options, replication.MasterOptions,
		replication.ReplicaOptions, config.Kept, config.Refused}
	return config.NewSchema(append(groups, all.Options()...)...)
}
