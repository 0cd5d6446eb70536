//go:build linux

package replication

import (
	"testing"
)

// A script is what happens to a master a with its replicas b and c, of which nobody should
// need all data again.
type script struct {
	t       *testing.T
	a, b, c *machine
	seed    uint64
}

// write has a master execute random commands, far less than a backlog.
func (s *script) write(master *machine) {
	s.t.Helper()
	s.seed++
	w := &writer{node: master.node, rng: newRandom(s.t, s.seed)}
	w.gen.Rand = w.rng
	w.write(100)
	_, _ = w.conn.Do("SELECT", "0")
}

// must ends the test if something could not be done.
func (s *script) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// in waits until replicas have what their master has.
func (s *script) in(master *machine, replicas ...*machine) {
	s.t.Helper()
	for _, r := range replicas {
		until(s.t, r.name+" has a link", func() bool { return r.info("master_link_status") == "up" })
		same(s.t, master.node, r.node)
	}
}

// promote makes a master of a replica. Nothing is added to the stream of the old one any more,
// or the two would have different histories.
func (s *script) promote(r *machine) {
	s.t.Helper()
	if !s.a.hasEnded() {
		s.a.do("CLIENT", "PAUSE", "100000", "WRITE")
		s.in(s.a, r)
	}
	if got := r.do("REPLICAOF", "NO", "ONE"); got != "OK" {
		s.t.Fatal(got)
	}
}

// follow makes the replica of a master.
func (s *script) follow(r, master *machine) {
	s.t.Helper()
	r.follow(master.node)
	r.do("CLIENT", "UNPAUSE")
}

// failover hands the role over.
func (s *script) failover(from, to *machine) {
	s.t.Helper()
	if got := from.do("FAILOVER", "TO", "127.0.0.1", to.port, "TIMEOUT", "10000"); got != "OK" {
		s.t.Fatal(got)
	}
	until(s.t, to.name+" is the master", func() bool { return to.info("role") == "master" })
	until(s.t, from.name+" is through", func() bool {
		return from.info("master_failover_state") == "no-failover"
	})
}

var scripts = []struct {
	name string
	play func(s *script)
}{
	{"links cut", func(s *script) {
		for range 3 {
			s.write(s.a)
			s.a.proxy.sever()
			s.write(s.a)
		}
		s.in(s.a, s.b, s.c)
	}},
	{"nobody reached for a time", func(s *script) {
		s.a.proxy.shut(true)
		s.write(s.a)
		s.a.proxy.shut(false)
		s.in(s.a, s.b, s.c)
	}},
	{"a replica shut down and started", func(s *script) {
		s.must(s.b.shutDown("SAVE"))
		s.write(s.a)
		s.must(s.b.start(s.a))
		s.in(s.a, s.b, s.c)
	}},
	{"a replica killed behind its snapshot", func(s *script) {
		s.b.do("SAVE")
		s.write(s.a)
		s.in(s.a, s.b)
		s.b.kill()
		s.write(s.a)
		s.must(s.b.start(s.a))
		s.in(s.a, s.b, s.c)
	}},
	{"the master shut down and started", func(s *script) {
		s.must(s.a.shutDown("SAVE"))
		s.must(s.a.start(nil))
		s.write(s.a)
		s.in(s.a, s.b, s.c)
	}},
	{"all shut down and started", func(s *script) {
		s.must(s.a.shutDown("SAVE"))
		s.must(s.b.shutDown("SAVE"))
		s.must(s.c.shutDown("SAVE"))
		s.must(s.c.start(s.a))
		s.must(s.b.start(s.a))
		s.must(s.a.start(nil))
		s.write(s.a)
		s.in(s.a, s.b, s.c)
	}},
	{"from the master to a replica, and back", func(s *script) {
		s.follow(s.c, s.b)
		s.write(s.a)
		s.in(s.a, s.b, s.c)
		s.follow(s.c, s.a)
		s.write(s.a)
		s.in(s.a, s.b, s.c)
	}},
	{"a replica promoted, its sister and its master behind it", func(s *script) {
		s.promote(s.b)
		s.write(s.b)
		s.follow(s.c, s.b)
		s.follow(s.a, s.b)
		s.write(s.b)
		s.in(s.b, s.a, s.c)
	}},
	{"the middle of a chain promoted", func(s *script) {
		s.follow(s.c, s.b)
		s.in(s.a, s.b, s.c)
		s.promote(s.b)
		s.write(s.b)
		s.in(s.b, s.c)
		s.follow(s.a, s.b)
		s.in(s.b, s.a, s.c)
	}},
	{"the end of a chain promoted", func(s *script) {
		s.follow(s.c, s.b)
		s.in(s.a, s.b, s.c)
		s.promote(s.c)
		s.write(s.c)
		s.follow(s.b, s.c)
		s.follow(s.a, s.b)
		s.in(s.c, s.b, s.a)
	}},
	{"roles handed over, and back", func(s *script) {
		s.failover(s.a, s.b)
		s.follow(s.c, s.b)
		s.write(s.b)
		s.in(s.b, s.a, s.c)
		s.failover(s.b, s.a)
		s.follow(s.c, s.a)
		s.write(s.a)
		s.in(s.a, s.b, s.c)
	}},
	{"roles handed over within a chain", func(s *script) {
		s.follow(s.c, s.b)
		s.in(s.a, s.b, s.c)
		s.failover(s.a, s.b)
		s.write(s.b)
		s.in(s.b, s.a, s.c)
	}},
	{"the old master shut down, and a replica when it comes", func(s *script) {
		s.must(s.a.shutDown("SAVE"))
		s.promote(s.b)
		s.follow(s.c, s.b)
		s.write(s.b)
		s.must(s.a.start(s.b))
		s.in(s.b, s.a, s.c)
	}},
	{"the middle of a chain shut down and started", func(s *script) {
		s.follow(s.c, s.b)
		s.in(s.a, s.b, s.c)
		s.must(s.b.shutDown("SAVE"))
		s.write(s.a)
		s.must(s.b.start(s.a))
		s.write(s.a)
		s.in(s.a, s.b, s.c)
	}},
}

// What is done to servers day by day moves no data but those that are new.
func TestNoNeedlessFullSync(t *testing.T) {
	t.Parallel()
	for i, tt := range scripts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A PING that the old master has and nobody else would be a history of its own.
			all := newMachines(t, "abc", "--repl-ping-replica-period", "3600", "--repl-timeout", "3600")
			s := &script{t, all[0], all[1], all[2], uint64(100 * i)}
			s.must(s.a.start(nil))
			s.must(s.b.start(s.a))
			s.must(s.c.start(s.a))
			s.write(s.a)
			s.in(s.a, s.b, s.c)
			before := fulls(all)
			tt.play(s)
			if n := fulls(all) - before; before != 2 || n > 0 {
				t.Errorf("all data were sent %d times, and then %d times again", before, n)
			}
		})
	}
}
