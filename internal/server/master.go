package server

import (
	"crypto/rand"
	"io"
	"os"

	"github.com/spineldb/spinel/internal/aof"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/infocmd"
	"github.com/spineldb/spinel/internal/command/replcmd"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/replication"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
	"github.com/spineldb/spinel/internal/snapshot"
)

// newMaster makes what the server is to its replicas.
func (s *Server) newMaster() *replication.Master {
	return replication.NewMaster(replication.MasterConfig{
		Journal: s.journal, Options: s.config, Clock: s.clock, Log: s.slog, Random: rand.Reader,
		Snapshots: replicaSnapshots{s.saver}, Open: openSource, PID: os.Getpid(),
		Follows:     s.follows,
		FailingOver: func() bool { return s.follower.FailoverState() != replication.NoFailover },
		FileWanted:  func() bool { return len(snapshot.SavePoints(s.config)) > 0 },
		Paused:      func() bool { return s.sessions.Pause.Mode(s.clock.Mono()) != session.PauseOff },
		Background:  s.inBackground,
		Reached:     func() { s.shared.Reached() },
		Scarce: func(on bool) {
			if s.shared != nil { // else it is being made
				s.shared.Attend(exec.AttendReplicas, on)
			}
		},
	})
}

// follows says whether this server is a replica.
func (s *Server) follows() bool { return s.follower.active.Load() }

// tooFewReplicas says whether writes are to be refused for want of replicas; not by a replica,
// whose clients' writes are nobody else's.
func (s *Server) tooFewReplicas() bool { return !s.follows() && s.master.TooFew() }

// replicationDeps is what the commands of replication drive.
func (s *Server) replicationDeps() replcmd.Deps {
	return replcmd.Deps{
		Master: s.master, Follower: s.follower,
		Refuses: s.follower.refusesReplicas, TakeOver: s.follower.takeOver,
		Acknowledge: s.follower.link.Acknowledge,
		Synced: func() (int64, bool) {
			mark, _ := s.keeper.Synced()
			return mark, s.keeper.Mode() != aof.Off
		},
	}
}

// replicate appends a command that nobody executed to the stream of replicas.
func (s *Server) replicate(args command.Args) {
	if s.follows() {
		return // the stream is the master's
	}
	s.journal.AppendLink(resp.AppendCommand(nil, args...))
	s.shared.FeedSoon()
}

// changeReplID gives the stream another name, which no replica knows.
func (s *Server) changeReplID() {
	s.master.ChangeHistory(func(h *replication.History) { h.Renew(rand.Reader) })
}

// describe says what a snapshot continues: nothing, if a replica's data are not its master's.
func (s *Server) describe(info *rdb.Info) {
	if !s.follows() || s.follower.standing.Load() {
		s.master.Describe(info)
	}
}

// replicaSnapshots makes snapshots for replicas.
type replicaSnapshots struct{ *snapshot.Saver }

func (r replicaSnapshots) Save(cut func(*rdb.Info), saved func(path string) error) error {
	return r.SaveFor(cut, saved)
}

func (r replicaSnapshots) Cancel() { r.CancelReplicas() }

// A sourceFile is a snapshot file that is sent to a replica.
type sourceFile struct {
	*os.File
	size int64
}

func openSource(path string) (replication.Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return sourceFile{f, info.Size()}, nil
}

var _ io.ReadCloser = sourceFile{}

// Size implements replication.Source.
func (f sourceFile) Size() int64 { return f.size }

// replicationInfo is the section of INFO.
func (s *Server) replicationInfo(dst []byte) []byte {
	if s.follows() {
		_, offset := s.follower.Standing()
		dst = s.follower.link.AppendInfo(append(dst, "role:slave\r\n"...), offset)
	} else {
		dst = append(dst, "role:master\r\n"...)
	}
	return s.master.AppendInfo(dst, s.follower.FailoverState().String())
}

// dropped tells replicas of a key that was not loaded since its time had come: they have it.
func (s *Server) dropped(info *rdb.Info, db int, key []byte) {
	s.master.Resume(info)
	s.journal.Append([]journal.Effect{{DB: db, Args: [][]byte{[]byte("DEL"), key}}})
}

// replicasGate refuses writes while too few replicas take them.
type replicasGate struct{ tooFew func() bool }

var errNoReplicas = &resp.Error{Code: "NOREPLICAS", Text: "Not enough good replicas to write."}

func (g replicasGate) Admit(_ *session.Session, _ *command.Spec, flags command.Flags, _ int64) error {
	if flags&command.Write != 0 && g.tooFew() {
		return errNoReplicas
	}
	return nil
}

// replicationFigures are those of INFO that stand in other sections.
func (s *Server) replicationFigures() infocmd.Replication {
	backlog, all := s.master.MemoryHeld()
	return infocmd.Replication{
		Replicas: int64(s.master.Replicas()), Full: s.master.Full.Load(), PartialOK: s.master.PartialOK.Load(),
		PartialRefused: s.master.PartialRefused.Load(), BacklogBytes: backlog, BufferBytes: all,
		Unexpected: s.follower.unexpected.Load(), OwnExpires: s.follower.own.len(),
	}
}
