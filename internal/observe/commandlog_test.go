package observe

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
)

// TestCommandLogTrims shows what an entry keeps; the sizes and texts were
// compared with Redis 7.0's.
func TestCommandLogTrims(t *testing.T) {
	z := func(n int) string { return strings.Repeat("z", n) }
	count := func(n int) (args []string) {
		for i := range n {
			args = append(args, strconv.Itoa(i))
		}
		return args
	}
	for _, tt := range []struct{ args, want []string }{
		{nil, nil},
		{[]string{"get", "\x00\n"}, []string{"get", "\x00\n"}},
		{count(32), count(32)},
		{count(33), append(count(31), "... (2 more arguments)")},
		{count(43), append(count(31), "... (12 more arguments)")},
		{[]string{z(128)}, []string{z(128)}},
		{[]string{z(129)}, []string{z(128) + "... (1 more bytes)"}},
		{[]string{z(300)}, []string{z(128) + "... (172 more bytes)"}},
	} {
		l := NewCommandLog(clock.NewManual(1_795_353_860_123), 0, 10)
		args := make([][]byte, len(tt.args))
		for i, a := range tt.args {
			args[i] = []byte(a)
		}
		l.Add(14, args, "127.0.0.1:53780", "me")
		for _, a := range args {
			clear(a) // the log keeps copies
		}
		e := l.Get(-1)[0]
		if !slices.Equal(e.Args, tt.want) || e.Argc != len(tt.args) {
			t.Errorf("%d args: %q, %d in all, want %q", len(tt.args), e.Args, e.Argc, tt.want)
		}
		if e.ID != 0 || e.Unix != 1_795_353_860 || e.Value != 14 || e.Addr != "127.0.0.1:53780" || e.Name != "me" {
			t.Errorf("entry %+v", e)
		}
	}
}

// TestCommandLogThreshold shows which values are wanted.
func TestCommandLogThreshold(t *testing.T) {
	l := NewCommandLogs(clock.NewManual(0))
	for _, tt := range []struct {
		threshold, value int64
		want             bool
	}{
		{10000, 9999, false},
		{10000, 10000, true},
		{0, 0, true},
		{Never, 0, false},
		{Never, 1 << 62, false},
	} {
		l.Slow.SetThreshold(tt.threshold)
		if got := l.Slow.Wants(tt.value); got != tt.want {
			t.Errorf("threshold %d wants %d: %v", tt.threshold, tt.value, got)
		}
	}
	if l.LargeRequest.Wants(1<<20-1) || !l.LargeReply.Wants(1<<20) {
		t.Error("the default size is not a mebibyte")
	}
}

// FuzzCommandLogAgainstModel replays bytes as operations on a log and on a
// slice that only grows.
//
// Each operation is two bytes: a verb, then an operand.
func FuzzCommandLogAgainstModel(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x02\x00\x03\x01\x02\x00\x04\x01\x05\x00\x05\x00\x06\x02\x00\x00\x07"))
	f.Fuzz(func(t *testing.T, program []byte) {
		l := NewCommandLog(clock.NewManual(0), 0, 3)
		var model []int64 // ids of what the log should hold, the oldest first
		limit, next := 3, int64(0)
		for op := range slices.Chunk(program, 2) {
			if len(op) < 2 {
				break
			}
			switch operand := int(op[1] % 8); op[0] % 3 {
			case 0:
				l.Add(next, [][]byte{op}, "", "")
				model = append(model, next)
				next++
			case 1:
				limit = operand
				l.SetMax(limit)
			case 2:
				l.Reset()
				model = nil
			}
			model = model[max(0, len(model)-limit):]
			for _, count := range []int{-1, 0, 1, int(op[1])} {
				want := slices.Clone(model)
				slices.Reverse(want)
				if count >= 0 {
					want = want[:min(count, len(want))]
				}
				var got []int64
				for _, e := range l.Get(count) {
					if e.ID != e.Value {
						t.Fatalf("entry %d has value %d", e.ID, e.Value)
					}
					got = append(got, e.ID)
				}
				if !slices.Equal(got, want) || l.Len() != len(model) {
					t.Fatalf("Get(%d) = %v of %d, want %v of %d", count, got, l.Len(), want, len(model))
				}
			}
		}
	})
}

// FuzzTrimArgs shows that an entry is small whatever a client sends.
func FuzzTrimArgs(f *testing.F) {
	f.Add([]byte(strings.Repeat(" ", 40)))
	f.Add([]byte(strings.Repeat("x", 400)))
	f.Fuzz(func(t *testing.T, line []byte) {
		args := bytes.Split(line, []byte(" "))
		kept := trimArgs(args)
		if len(kept) != min(len(args), entryArgsMax) {
			t.Fatalf("%d of %d args", len(kept), len(args))
		}
		for i, a := range kept {
			if len(a) > entryArgBytesMax+len("... (9223372036854775807 more bytes)") {
				t.Fatalf("arg %d has %d bytes", i, len(a))
			}
			if i < entryArgsMax-1 && len(args[i]) <= entryArgBytesMax && a != string(args[i]) {
				t.Fatalf("arg %d is %q, want %q", i, a, args[i])
			}
		}
	})
}

// TestCommandLogConcurrent writes, reads and shrinks at once, for the race
// detector, and shows that no id is given twice.
func TestCommandLogConcurrent(t *testing.T) {
	l := NewCommandLog(clock.System{}, 0, 64)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for i := range 500 {
				l.Add(int64(i), [][]byte{[]byte("x")}, "a", "n")
				l.SetThreshold(int64(i % 3))
			}
		})
	}
	wg.Go(func() {
		for i := range 200 {
			l.SetMax(32 + i%32)
			entries := l.Get(-1)
			for j := 1; j < len(entries); j++ {
				if entries[j].ID != entries[j-1].ID-1 {
					t.Errorf("entry %d follows %d", entries[j].ID, entries[j-1].ID)
				}
			}
		}
	})
	wg.Wait()
	l.Add(0, nil, "", "")
	if got := l.Get(1)[0].ID; got != 1500 {
		t.Errorf("the last id is %d, want 1500", got)
	}
}

// TestWantsAllocatesNothing holds the hot path's promise.
func TestWantsAllocatesNothing(t *testing.T) {
	l := NewCommandLogs(clock.System{})
	m := NewLatencyMonitor(clock.System{})
	n := testing.AllocsPerRun(1000, func() {
		if l.Slow.Wants(1) || l.LargeRequest.Wants(1) || l.LargeReply.Wants(1) {
			t.Error("wanted")
		}
		m.Observe("command", 1)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWants(b *testing.B) {
	l := NewCommandLog(clock.System{}, int64(10*time.Millisecond/time.Microsecond), 128)
	wanted := 0
	for i := int64(0); b.Loop(); i++ {
		if l.Wants(i & 1023) {
			wanted++
		}
	}
	if wanted != 0 {
		b.Fatal("wanted")
	}
}
