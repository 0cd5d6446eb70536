//go:build linux

package e2e

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
	"github.com/spineldb/spinel/internal/testenv"
)

const (
	killWriters = 4
	killKeys    = 200 // of each writer, written in turn
	killBatch   = 20  // sent at a time
)

// A writer counts. Its n-th write is to its key n%killKeys, so what a snapshot holds of
// its keys says how many of its writes came before the cut, and a snapshot that is not of
// one moment cannot be explained by any number.
type writer struct {
	id   int
	sent atomic.Int64 // the last number that may have been executed
}

func (w *writer) key(n int64) string { return fmt.Sprintf("w%d:%d", w.id, n%killKeys) }

// value names its key and number, has a length of its own, and ends with a checksum.
func (w *writer) value(n int64) string {
	text := w.key(n) + "=" + strconv.FormatInt(n, 10) + ";" + strings.Repeat("x", int(n*7919%300))
	return fmt.Sprintf("%s;%08x", text, crc32.ChecksumIEEE([]byte(text)))
}

// write sends numbers in order until the connection breaks.
func (w *writer) write(addr string) {
	c, err := client.Dial("tcp", addr, clientOptions)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		from := w.sent.Load() + 1
		w.sent.Store(from + killBatch - 1)
		for n := from; n < from+killBatch; n++ {
			if c.Send("SET", w.key(n), w.value(n)) != nil {
				return
			}
		}
		for range killBatch {
			if _, err := c.Receive(); err != nil {
				return
			}
		}
	}
}

// check compares the writer's keys with what they were after some number of its writes,
// and makes it go on from there.
func (w *writer) check(c conn) {
	c.t.Helper()
	names := []string{"MGET"}
	for i := range int64(killKeys) {
		names = append(names, w.key(i))
	}
	values := c.do(names...).Elems
	last := int64(0)
	for _, v := range values {
		_, rest, _ := strings.Cut(v.Text, "=")
		number, _, _ := strings.Cut(rest, ";")
		n, _ := strconv.ParseInt(number, 10, 64)
		last = max(last, n)
	}
	if last > w.sent.Load() {
		c.t.Fatalf("writer %d: write %d is there, and only %d were sent", w.id, last, w.sent.Load())
	}
	for i, v := range values {
		n := last - (last-int64(i)+killKeys)%killKeys // the latest to this key
		if n <= 0 {
			if !v.IsNull() {
				c.t.Fatalf("%s is %q after %d writes, before it was written", w.key(int64(i)), v.Text, last)
			}
			continue
		}
		if want := w.value(n); v.Text != want {
			c.t.Fatalf("%s is not of one moment: after %d writes it is\n%q, want\n%q",
				w.key(n), last, v.Text, want)
		}
	}
	w.sent.Store(last)
}

// saver asks for one save after the other until the connection breaks, and counts those
// that it knows to be complete: the counter is in the data.
func saver(addr string, complete *atomic.Int64) {
	c, err := client.Dial("tcp", addr, clientOptions)
	if err != nil {
		return
	}
	defer c.Close()
	for number := complete.Load() + 1; ; number++ {
		if _, err := c.Do("SET", "saves", strconv.FormatInt(number, 10)); err != nil {
			return
		}
		if _, err := c.Do("BGSAVE"); err != nil {
			return
		}
		for {
			info, err := c.Do("INFO", "persistence")
			if err != nil {
				return
			}
			if strings.Contains(info.Text, "rdb_bgsave_in_progress:0") {
				if !strings.Contains(info.Text, "rdb_last_bgsave_status:ok") {
					return // what is wrong shows when the counter does not grow
				}
				break
			}
		}
		complete.Store(number)
	}
}

// TestKillDuringSave kills the server at random moments while it is written to and saves
// all the time. Whatever the moment, the file is a whole snapshot of one moment, not older
// than the last save that was reported complete, and what killed saves leave behind is in
// nobody's way.
func TestKillDuringSave(t *testing.T) {
	rounds := testenv.Number(t, "SPINEL_KILL_ROUNDS", 5)
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	writers := make([]*writer, killWriters)
	for i := range writers {
		writers[i] = &writer{id: i}
	}
	var complete atomic.Int64
	began := time.Now()
	for range rounds {
		p := start(t, dir, "--save", "", "--rdb-key-save-delay", "-3") // a save takes some 20 ms
		checkKilled(p.dial(), writers, &complete)
		var running sync.WaitGroup
		for _, w := range writers {
			running.Go(func() { w.write(p.addr()) })
		}
		running.Go(func() { saver(p.addr(), &complete) })
		time.Sleep(time.Duration(50+rng.IntN(200)) * time.Millisecond)
		p.kill()
		running.Wait()
	}
	took := time.Since(began)
	p := start(t, dir, "--save", "")
	checkKilled(p.dial(), writers, &complete)
	p.stop()
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rounds, %v each; %d saves were complete, %d were not and left a file",
		rounds, (took / time.Duration(rounds)).Round(time.Millisecond), complete.Load(), len(names)-1)
	if complete.Load() == 0 {
		t.Error("no save was ever complete: the test shows nothing")
	}
}

// checkKilled looks at what a server has found after a kill.
func checkKilled(c conn, writers []*writer, complete *atomic.Int64) {
	c.t.Helper()
	keys := int64(0)
	for _, w := range writers {
		w.check(c)
		keys += min(w.sent.Load(), killKeys)
	}
	number, _ := strconv.ParseInt(scalar(c.do("GET", "saves")), 10, 64)
	if number < complete.Load() {
		c.t.Fatalf("save %d was complete, and what is there is save %d", complete.Load(), number)
	}
	if number > 0 {
		keys++
	}
	complete.Store(number)
	if got := c.do("DBSIZE").Int; got != keys {
		c.t.Fatalf("DBSIZE is %d, and the writers' keys are %d", got, keys)
	}
}
