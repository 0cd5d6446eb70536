package server

import (
	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/snapshot"
)

// Gates hold commands back, in this order. Each looks only at its own subsystem.

// memoryGate evicts before a command, and refuses those that would need more memory
// if there is none.
type memoryGate struct{ ks *keyspace.Keyspace }

func (g memoryGate) Admit(_ *session.Session, _ *command.Spec, flags command.Flags, _ int64) error {
	if g.ks.Tuning.MaxMemory.Load() == 0 {
		return nil
	}
	if g.ks.Evict() == keyspace.Failed && flags&command.DenyOOM != 0 {
		return resp.ErrOOM
	}
	return nil
}

// misconfGate refuses writes while the last snapshot failed, or the append-only file cannot be
// written to.
type misconfGate struct {
	saver  *snapshot.Saver
	keeper *aof.Keeper
}

var errMisconf = &resp.Error{Code: "MISCONF", Text: "Redis is configured to save RDB snapshots, but it's " +
	"currently unable to persist to disk. Commands that may modify the data set are disabled, because " +
	"this instance is configured to report errors during writes if RDB snapshotting fails " +
	"(stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error."}

func (g misconfGate) Admit(_ *session.Session, spec *command.Spec, flags command.Flags, _ int64) error {
	if flags&command.Write == 0 && spec.Name != "PING" {
		return nil
	}
	if g.saver.WritesStopped() {
		return errMisconf
	}
	if err := g.keeper.Failing(); err != nil {
		return err
	}
	return nil
}

// loadingGate refuses what needs the data while they are being loaded.
type loadingGate struct{ loading func() bool }

func (g loadingGate) Admit(_ *session.Session, spec *command.Spec, _ command.Flags, _ int64) error {
	if spec.Flags&command.Loading == 0 && g.loading() {
		return resp.ErrLoading
	}
	return nil
}
