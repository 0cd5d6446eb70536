package aof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/spineldb/spinel/internal/journal"
	"github.com/spineldb/spinel/internal/vfs"
)

// A store is what a server has: a journal, a folder, and a log. Its data set is the
// commands that were executed.
type store struct {
	t        *testing.T
	dir      Dir
	journal  journal.Journal
	manifest *Manifest
	log      *Log
	commands []string
	at       []int64 // mark of the journal behind each command
}

func newStore(t *testing.T, fs vfs.FS) (*store, error) {
	s := &store{t: t, dir: Dir{fs, "/data", "a"}, manifest: &Manifest{}}
	info := s.manifest.NewIncr("a")
	if err := s.dir.CreateIncr(info); err != nil {
		return nil, err
	}
	if err := s.dir.WriteManifest(s.manifest); err != nil {
		return nil, err
	}
	log, err := Open(&s.dir, &s.journal, info, 0)
	s.log = log
	return s, err
}

// execute appends a command, or a transaction of some.
func (s *store) execute(rng *rand.Rand) {
	n := 1
	if rng.IntN(4) == 0 {
		n = 2 + rng.IntN(3)
	}
	var group []journal.Effect
	for range n {
		words := []string{"SET", fmt.Sprint(len(s.commands)), strings.Repeat("v", rng.IntN(900))}
		s.commands = append(s.commands, strings.Join(words, " "))
		e := journal.Effect{}
		for _, w := range words {
			e.Args = append(e.Args, []byte(w))
		}
		group = append(group, e)
	}
	if n > 1 {
		group = append([]journal.Effect{{Args: [][]byte{[]byte("MULTI")}}}, group...)
		group = append(group, journal.Effect{Args: [][]byte{[]byte("EXEC")}})
	}
	s.journal.Append(group)
	for range n {
		s.at = append(s.at, s.journal.Tail())
	}
}

// rewrite puts everything so far into a new base.
func (s *store) rewrite(during func()) error {
	if !s.log.Postpone() {
		if s.manifest.Incrs[len(s.manifest.Incrs)-1].Seq == s.log.Seq() {
			m := s.manifest.Clone()
			if err := s.dir.CreateIncr(m.NewIncr("a")); err != nil {
				return err
			}
			if err := s.dir.WriteManifest(m); err != nil {
				return err
			}
			s.manifest = m
		}
		if err := s.log.Prepare(s.manifest.Incrs[len(s.manifest.Incrs)-1]); err != nil {
			return err
		}
	}
	s.log.Cut()
	var base []byte
	for _, c := range s.commands {
		base = append(base, command(strings.Split(c, " ")...)...)
	}
	during()
	temp := s.dir.In("temp-base")
	if err := s.dir.FS.Remove(temp); err != nil && !strings.Contains(err.Error(), "no such file") {
		return err
	}
	f, err := s.dir.FS.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write(base)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	m := s.manifest.Clone()
	newBase := m.NewBase("a", false, 1)
	if err := s.dir.FS.Rename(temp, s.dir.In(newBase.Name)); err != nil {
		return err
	}
	if err := s.dir.FS.SyncDir(s.dir.Path); err != nil {
		return err
	}
	if err := s.dir.WriteManifest(m); err != nil {
		return err
	}
	s.manifest = m
	s.log.Rebased()
	return s.dir.RemoveHistory(s.manifest)
}

// loaded is what a server would have after a start, which cuts what is torn.
func loaded(t *testing.T, fs vfs.FS) (commands []string, files []File, err error) {
	got := loadDir(t, fs, func(c *LoadConfig) { c.Dir.Path = "/data" })
	for i, c := range got.commands {
		if _, inDB0, isOther := strings.Cut(c, ": "); isOther {
			got.commands[i] = inDB0
		}
	}
	return got.commands, got.Files, got.err
}

func isPrefix(short, long []string) bool {
	return len(short) <= len(long) && strings.Join(short, "\n") == strings.Join(long[:len(short)], "\n")
}

// Whatever a power failure leaves, at any moment, with writes, syncs and rewrites in any
// order: the server starts, has everything up to some command, all that was synced, no
// half of a transaction, and goes on from there.
func TestPowerFailure(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 8 {
		mem := vfs.NewMem("/data")
		s, err := newStore(t, mem)
		if err != nil {
			t.Fatal(err)
		}
		record := mem.Record()
		type promise struct{ calls, commands int }
		var promises []promise
		sync := func() {
			if err := errors.Join(s.log.Flush(), s.log.Sync()); err != nil {
				t.Fatal(err)
			}
			promises = append(promises, promise{record.Len(), len(s.commands)})
		}
		for range 25 {
			for range rng.IntN(3) {
				s.execute(rng)
			}
			switch rng.IntN(8) {
			case 0, 1:
				sync()
			case 2:
				if err := s.rewrite(func() {
					s.execute(rng)
					if rng.IntN(2) == 0 {
						sync()
					}
				}); err != nil {
					t.Fatal(err)
				}
			default:
				if err := s.log.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 150 {
			n := rng.IntN(record.Len() + 1)
			image := record.Crash(n, rng.IntN)
			got, _, err := loaded(t, image)
			if err != nil {
				t.Fatalf("behind call %d: %v", n, err)
			}
			k := len(got)
			isHalf := k > 0 && k < len(s.at) && s.at[k-1] == s.at[k]
			if !isPrefix(got, s.commands) || isHalf {
				t.Fatalf("behind call %d: %d commands, which are no beginning", n, len(got))
			}
			for _, p := range promises {
				if p.calls <= n && len(got) < p.commands {
					t.Fatalf("behind call %d: %d commands, but %d were synced", n, len(got), p.commands)
				}
			}
			if again, files, err := loaded(t, image); err != nil || len(again) != len(got) {
				t.Fatalf("loaded again: %d commands, then %d, %v, %v", len(got), len(again), files, err)
			}
		}
	}
}

// A write that failed and the one that is made in its place leave no mixture.
func TestPowerFailureAfterFailedWrite(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 30 {
		mem := vfs.NewMem("/data")
		faults := &vfs.Faults{FS: mem, Err: errors.New("no space left on device")}
		s, err := newStore(t, faults)
		if err != nil {
			t.Fatal(err)
		}
		record := mem.Record()
		for i := range 6 {
			for range 1 + rng.IntN(5) {
				s.execute(rng)
			}
			if i%2 == 0 {
				faults.FailNext("write")
			}
			_ = s.log.Flush()
		}
		for n := range record.Len() + 1 {
			for range 10 {
				if got, _, err := loaded(t, record.Crash(n, rng.IntN)); err != nil || !isPrefix(got, s.commands) {
					t.Fatalf("behind call %d: %d commands, %v", n, len(got), err)
				}
			}
		}
	}
}

// A call that fails once costs nothing that was acknowledged, neither then nor after a
// crash, and a rewrite brings back what a failed sync has put in doubt.
func TestEveryCallFails(t *testing.T) {
	for at := 1; ; at++ {
		rng := rand.New(rand.NewPCG(2, 2))
		mem := vfs.NewMem("/data")
		s, err := newStore(t, mem)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.log.Close(); err != nil {
			t.Fatal(err)
		}
		faults := &vfs.Faults{FS: mem, At: at, Err: io.ErrShortWrite}
		s.dir.FS = faults
		if s.log, err = Open(&s.dir, &s.journal, s.manifest.Incrs[0], 0); err != nil {
			continue // nothing has begun
		}
		failed := 0
		for i := range 12 {
			s.execute(rng)
			err := errors.Join(s.log.Flush(), s.log.Sync())
			if i == 4 || i == 8 {
				err = errors.Join(err, s.rewrite(func() { s.execute(rng) }))
			}
			if err != nil {
				failed++
			}
			promised := 0
			for _, position := range s.at {
				if position <= s.log.Synced() {
					promised++
				}
			}
			got, _, loadErr := loaded(t, mem.PowerFailure())
			if loadErr != nil || len(got) < promised || !isPrefix(got, s.commands) {
				t.Fatalf("call %d of %q fails, step %d: %d commands of %d promised, %v", at, faults.Calls(), i,
					len(got), promised, loadErr)
			}
		}
		if err := s.rewrite(func() {}); err != nil {
			t.Fatalf("call %d fails: a rewrite at the end: %v", at, err)
		}
		if err := errors.Join(s.log.Flush(), s.log.Sync(), s.log.Err()); err != nil {
			t.Fatalf("call %d fails: at the end: %v", at, err)
		}
		if got, _, err := loaded(t, mem.PowerFailure()); err != nil || len(got) != len(s.commands) {
			t.Fatalf("call %d fails: %d commands of %d at the end, %v", at, len(got), len(s.commands), err)
		}
		if err := s.log.Close(); err != nil {
			t.Fatal(err)
		}
		if failed == 0 {
			if len(faults.Calls()) < 60 {
				t.Errorf("only %d calls were tried", len(faults.Calls()))
			}
			return
		}
	}
}

// Loops that flush and a goroutine that syncs, all at once.
func TestFlushersAndSyncer(t *testing.T) {
	mem := vfs.NewMem("/data")
	s, err := newStore(t, mem)
	if err != nil {
		t.Fatal(err)
	}
	var loops sync.WaitGroup
	for w := range 3 {
		loops.Add(1)
		go func() {
			defer loops.Done()
			for i := range 500 {
				args := [][]byte{[]byte("SET"), fmt.Append(nil, w), fmt.Append(nil, i)}
				s.journal.Append([]journal.Effect{{DB: w, Args: args}})
				mine := s.journal.Tail()
				if err := s.log.Flush(); err != nil || s.log.Written() < mine {
					t.Errorf("flushed up to %d of %d, %v", s.log.Written(), mine, err)
				}
			}
		}()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 50 {
			before := s.log.Written()
			if err := s.log.Sync(); err != nil || s.log.Synced() < before {
				t.Errorf("synced up to %d of %d, %v", s.log.Synced(), before, err)
			}
		}
	}()
	loops.Wait()
	<-done
	if err := s.log.Close(); err != nil {
		t.Fatal(err)
	}
	got, _, err := loaded(t, mem.PowerFailure())
	if err != nil || len(got) != 1500 {
		t.Errorf("%d commands, %v", len(got), err)
	}
	next := [3]int{}
	for _, c := range got {
		var w, i int
		if _, err := fmt.Sscanf(c, "SET %d %d", &w, &i); err != nil || i != next[w] {
			t.Fatalf("%q, want %d: %v", c, next[w], err)
		}
		next[w]++
	}
}

// A transaction that does not end, as Redis may leave one, is left out and cut off.
func TestOpenTransaction(t *testing.T) {
	mem := vfs.NewMem("/data")
	m := &Manifest{}
	info := m.NewIncr("a")
	content := bytes.Join([][]byte{command("SET", "a", "1"), command("MULTI"), command("SET", "a", "2")}, nil)
	mem.Put("/data/"+info.Name, content)
	mem.Put("/data/a.manifest", m.AppendText(nil))
	got, files, err := loaded(t, mem)
	size := int64(len(command("SET", "a", "1")))
	if err != nil || len(got) != 1 || files[0].Size != size {
		t.Errorf("%q, %v, %v", got, files, err)
	}
	if left, _ := mem.Get("/data/" + info.Name); int64(len(left)) != size {
		t.Errorf("%q is left", left)
	}
}
