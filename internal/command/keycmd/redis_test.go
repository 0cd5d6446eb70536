package keycmd_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/testenv"
)

// TestAgainstRedis sends the same random commands to Redis and to us and compares every
// byte of the replies. Only what depends on the moment is left out: times are far away
// or over.
func TestAgainstRedis(t *testing.T) {
	p := cmdtest.NewPair(newDB(t), original.Redis(t, original.Options{}))
	p.Clock.SetWall(clock.Millis(time.Now().UnixMilli()))
	rng := rand.New(rand.NewPCG(7, 0))
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	key := func() string { return pick("a", "b", "c", "") }
	when := func() string {
		return pick("4102444800", "4102444801", "4102444800000", "4102444801000", "1", "0", "-1", "x", "", "1.0",
			"9223372036854775807", "-9223372036854775808", "9223372036854775", "-9223372036854775", "+5", "007")
	}
	option := func() string { return pick("NX", "XX", "GT", "LT", "nx", "gt", "FOO", "") }
	longest := strings.Repeat("x", 44) // that Redis embeds
	number := func() string { return pick("0", "1", "2", "15", "16", "-1", "x", "2147483648", "") }
	payload := func() string {
		return pick(payloadOfRedis, payloadOfRedis, withChecksum("\x00\xc1\x39\x30", 6),
			withChecksum("\x00\x03abc", 10),
			withChecksum("\x00\x3fab", 10), "", "junk", // a string that goes on behind the payload
			payloadOfRedis+"x", withChecksum("\xee", 10))
	}
	randomCall := func() (args []string) {
		switch rng.IntN(13) {
		case 0:
			args = []string{"SET", key(), pick("v", "5", "10000", "-0", longest, longest+"x")}
		case 1:
			args = []string{pick("DEL", "UNLINK", "EXISTS", "TOUCH"), key(), key(), key()}
		case 2, 3, 4:
			// A relative time that is in range ends at different times here and there.
			name := pick("EXPIREAT", "PEXPIREAT", "expireat")
			args = []string{name, key(), when()}
			for range rng.IntN(3) {
				args = append(args, option())
			}
		case 5:
			at := when()
			if strings.HasPrefix(at, "41") || strings.HasPrefix(at, "922") && len(at) < 19 || at == "1" {
				at = "0"
			}
			args = []string{pick("EXPIRE", "PEXPIRE"), key(), at, option()}
		case 6:
			args = []string{pick("EXPIRETIME", "PEXPIRETIME", "PERSIST", "TYPE"), key()}
		case 7:
			args = []string{"COPY", key(), key()}
			for range rng.IntN(3) {
				args = append(args, pick("REPLACE", "DB", "replace", number(), "DB"), number())
			}
		case 8:
			args = []string{pick("RENAME", "RENAMENX"), key(), key()}
		case 9:
			args = []string{"MOVE", key(), number()}
		case 10:
			args = []string{"OBJECT", pick("ENCODING", "encoding", "FOO"), key()}
		case 11:
			args = []string{"SELECT", pick("0", "0", "1", "2")}
		case 12:
			ttl := pick("0", "0", "4102444800000", "1", "-1", "x", "9223372036854775807", "")
			args = []string{"RESTORE", key(), ttl, payload(), "ABSTTL"}
			for range rng.IntN(3) {
				args = append(args, pick("REPLACE", "ABSTTL", "IDLETIME", "FREQ", "1", "256", "-1", "x", "REPLACE"))
			}
		}
		if rng.IntN(40) == 0 {
			args = args[:1+rng.IntN(len(args))] // too few arguments
		}
		return args
	}
	for range testenv.Number(t, "SPINEL_COMMANDS", 15_000) {
		args := randomCall()
		if len(args) == map[string]int{"SELECT": 1, "RESTORE": 4}[args[0]] {
			continue // our SELECT is a makeshift; without ABSTTL the time counts from now
		}
		p.Same(args...)
	}
	for _, n := range []string{"0", "1", "2", "15"} {
		p.Ask("SELECT", n)
		ours, theirs := p.Ask("KEYS", "*")
		if got, want := elements(t, ours), elements(t, theirs); !slices.Equal(got, want) {
			t.Errorf("database %s: redis has %q, we have %q", n, want, got)
		}
	}
}

// TestDumpOfRedis restores what Redis dumped. The other way is not for 7.0, which reads
// nothing newer than itself, but for a version in the footer that it knows.
func TestDumpOfRedis(t *testing.T) {
	r := original.Redis(t, original.Options{})
	db := newDB(t)
	for _, value := range []string{"", "v", "5", "-129", "70000", "9999999999", "007",
		strings.Repeat("abc", 1000), strings.Repeat("\x00\xff", 15)} {
		r.Do("SET", "k", value)
		db.Do("RESTORE", "k", "0", cmdtest.BulkOf(t, r.Do("DUMP", "k")), "REPLACE").Want("OK")
		db.Do("GET", "k").Want(value)

		ours := cmdtest.BulkOf(t, db.Do("DUMP", "k").Raw())
		older := withChecksum(ours[:len(ours)-10], 10)
		if got := r.Do("RESTORE", "k", "0", older, "REPLACE"); got != "+OK\r\n" {
			t.Errorf("%q: %q", ours, got)
		}
		if got, want := r.Do("GET", "k"), db.Do("GET", "k").Raw(); got != want {
			t.Errorf("redis restored %q, want %q", got, want)
		}
	}
}
