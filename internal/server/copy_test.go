package server

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// fields is the number of fields of a hash that is copied in some dozens of pieces.
const fields = 20_000

func makeHash(c *conn, key string) {
	c.t.Helper()
	for i := 0; i < fields; i += 1000 {
		var words strings.Builder
		fmt.Fprintf(&words, "HSET %s", key)
		for j := range 1000 {
			fmt.Fprintf(&words, " field:%d %0100d", i+j, i+j)
		}
		c.do(words.String())
	}
}

// hlen is the number of fields of a hash that nobody should see a part of.
func hlen(c *conn, key string) {
	c.t.Helper()
	if r, err := c.Do("HLEN", key); err != nil || r.Int != 0 && r.Int != fields {
		c.t.Errorf("%s has %d fields, %v", key, r.Int, err)
	}
}

// Whatever else goes on, nobody sees a part of a copy, and the server ends when it is told
// to, in the middle of one.
func TestCopyBesideAll(t *testing.T) {
	r := start(t, "save \"\"")
	names := []string{"a", "b", "c", "d"}
	first := r.dial()
	makeHash(first, "original")
	until := time.Now().Add(800 * time.Millisecond)
	var wg sync.WaitGroup
	loop := func(seed uint64, fn func(rng *rand.Rand, c *conn)) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 9))
			for time.Now().Before(until) {
				c := r.dial()
				for range 40 {
					fn(rng, c)
				}
				_ = c.Close()
			}
		})
	}
	name := func(rng *rand.Rand) string { return names[rng.IntN(len(names))] }
	for i := range uint64(2) {
		loop(i, func(rng *rand.Rand, c *conn) {
			switch rng.IntN(3) {
			case 0:
				c.do("COPY original " + name(rng) + " REPLACE")
			case 1:
				c.do("COPY " + name(rng) + " " + name(rng) + " DB 1")
			default:
				c.do("RENAME " + name(rng) + " " + name(rng))
			}
		})
	}
	loop(3, func(rng *rand.Rand, c *conn) {
		hlen(c, name(rng))
		if rng.IntN(10) == 0 {
			c.do("DEL " + name(rng))
		}
	})
	loop(4, func(rng *rand.Rand, c *conn) {
		switch rng.IntN(40) {
		case 0:
			c.do("BGSAVE")
		case 1:
			c.do("DEBUG RELOAD")
		case 2:
			c.do("SWAPDB 1 2")
		case 3:
			c.do("SELECT 1")
			c.do("FLUSHDB")
			c.do("SELECT 0")
		case 4:
			leaving := r.dial()
			_ = leaving.Send("COPY", "original", "e", "REPLACE")
			if err := leaving.Flush(); err != nil {
				t.Error(err)
			}
			_ = leaving.Close()
		}
		time.Sleep(time.Millisecond)
	})
	wg.Wait()
	for first.info("rdb_bgsave_in_progress") != "0" {
		time.Sleep(time.Millisecond)
	}
	if got := first.do("DEBUG RELOAD"); got != "OK" {
		t.Errorf("DEBUG RELOAD: %s", got)
	}
	for _, key := range append(names, "original") {
		hlen(first, key)
	}
	_ = first.Send("COPY", "original", "last")
	if err := first.Flush(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	r.Close()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v to end", took)
	}
}
