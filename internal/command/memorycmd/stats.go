package memorycmd

import (
	"fmt"
	"strings"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/observe"
)

// A picture is everything that is known about the memory, at one moment.
type picture struct {
	Figures
	parts    keyspace.MemoryParts
	clients  int64
	used     int64 // what maxmemory is compared with
	overhead int64
	keys     int64
	dbs      []keyspace.Info
}

func (d Deps) look(c *command.Ctx) picture {
	p := picture{
		Figures: d.Figures(),
		parts:   c.DB.MemoryParts(),
		clients: d.Keyspace.Buffers.Load(),
		dbs:     c.DB.Info(),
	}
	p.used = p.parts.Live + p.clients
	p.Peak = max(p.Peak, p.used)
	p.overhead = p.parts.Tables + p.clients
	for _, db := range p.dbs {
		p.keys += db.Keys
	}
	return p
}

func (p *picture) dataset() int64 { return p.used - p.overhead }

// stats replies with the fields of Redis 7.2. Fields of what this server has not got
// (cluster links, scripts) are 0. What replicas and the append-only file hold is the
// journal's, which is no part of the total.
func (d Deps) stats(c *command.Ctx) error {
	p := d.look(c)
	reply, n := c.Out.MapLater(), 0
	number := func(name string, v int64) {
		c.Out.BulkString(name)
		c.Out.Int(v)
		n++
	}
	double := func(name string, v float64) {
		c.Out.BulkString(name)
		c.Out.Double(v)
		n++
	}
	number("peak.allocated", p.Peak)
	number("total.allocated", p.used)
	number("startup.allocated", p.Startup)
	number("replication.backlog", p.Backlog)
	number("clients.slaves", p.Replicas)
	number("clients.normal", p.clients)
	number("cluster.links", 0)
	number("aof.buffer", p.Unwritten)
	number("lua.caches", 0)
	number("functions.caches", 0)
	for db, info := range p.dbs {
		if info.Keys == 0 {
			continue
		}
		c.Out.BulkString(fmt.Sprintf("db.%d", db))
		c.Out.Map(3)
		c.Out.BulkString("overhead.hashtable.main")
		c.Out.Int(c.DB.TableBytes(db))
		c.Out.BulkString("overhead.hashtable.expires") // an expiry is part of its record
		c.Out.Int(0)
		c.Out.BulkString("overhead.hashtable.slot-to-keys") // a slot is a range of the table
		c.Out.Int(0)
		n++
	}
	number("overhead.total", p.overhead)
	number("keys.count", p.keys)
	perKey := int64(0)
	if p.keys > 0 {
		perKey = p.parts.Live / p.keys
	}
	number("keys.bytes-per-key", perKey)
	number("dataset.bytes", p.dataset())
	double("dataset.percentage", observe.Percent(p.dataset(), p.used))
	double("peak.percentage", observe.Percent(p.used, p.Peak))
	number("allocator.allocated", p.parts.Live)
	number("allocator.active", p.parts.Held)
	number("allocator.resident", p.parts.Held)
	double("allocator-fragmentation.ratio", observe.Ratio(p.parts.Held, p.parts.Live))
	number("allocator-fragmentation.bytes", p.parts.Held-p.parts.Live)
	double("allocator-rss.ratio", 1)
	number("allocator-rss.bytes", 0)
	double("rss-overhead.ratio", observe.Ratio(p.Resident, p.parts.Held))
	number("rss-overhead.bytes", p.Resident-p.parts.Held)
	double("fragmentation", observe.Ratio(p.Resident, p.used))
	number("fragmentation.bytes", p.Resident-p.used)
	c.Out.End(reply, n)
	return nil
}

// mallocStats is a report for people.
func (d Deps) mallocStats(c *command.Ctx) error {
	p := d.look(c)
	var b strings.Builder
	fmt.Fprintf(&b, "Arenas:    %d, one for each stripe of the keyspace\n", keyspace.Stripes)
	fmt.Fprintf(&b, "Live:      %d bytes in blocks that are in use\n", p.parts.Live)
	fmt.Fprintf(&b, "  tables:  %d bytes\n", p.parts.Tables)
	fmt.Fprintf(&b, "  records: %d bytes, %d keys with their values\n", p.parts.Live-p.parts.Tables, p.keys)
	fmt.Fprintf(&b, "Held:      %d bytes of pages, %d of them free within spans or not yet given back\n",
		p.parts.Held, p.parts.Held-p.parts.Live)
	fmt.Fprintf(&b, "Clients:   %d bytes in buffers\n", p.clients)
	fmt.Fprintf(&b, "Resident:  %d bytes of the whole process\n", p.Resident)
	c.Out.Verbatim("txt", b.String())
	return nil
}

// From where on the doctor finds something worth saying.
const (
	tinyBytes        = 5 << 20  // below, every ratio is dominated by what is fixed
	wasteBytes       = 10 << 20 // less is not worth anybody's time
	peakRatio        = 1.5
	heldRatio        = 1.1
	residentRatio    = 1.4
	clientBytesTotal = 32 << 20
)

// doctor says what stands out. Its form of address is Redis's, the advice is ours.
func (d Deps) doctor(c *command.Ctx) error {
	p := d.look(c)
	var found []string
	note := func(ratio float64, extra int64, limit float64, text string) {
		if ratio > limit && extra > wasteBytes {
			found = append(found, fmt.Sprintf(text, extra>>20))
		}
	}
	note(observe.Ratio(p.Peak, p.used), p.Peak-p.used, peakRatio,
		"Peak: some time ago %d MB more were in use than now. If the process still looks big, MEMORY PURGE "+
			"gives back what is free.")
	note(observe.Ratio(p.parts.Held, p.parts.Live), p.parts.Held-p.parts.Live, heldRatio,
		"Free pages: %d MB are held that no key uses. They are given back little by little; MEMORY PURGE "+
			"does it now. What remains lies between blocks in use and serves new keys.")
	note(observe.Ratio(p.Resident, p.parts.Held+p.clients), p.Resident-p.parts.Held-p.clients, residentRatio,
		"Process: %d MB are neither keys nor buffers of clients. A snapshot under way, large replies and the "+
			"Go runtime count here.")
	if p.clients > clientBytesTotal {
		found = append(found, fmt.Sprintf("Clients: their buffers take %d MB. CLIENT LIST shows whose: look for "+
			"large qbuf and omem.", p.clients>>20))
	}
	text := "Hi Sam, I can't find any memory issue: there is nothing unusual about this instance's memory.\n"
	switch {
	case p.used < tinyBytes:
		text = "Hi Sam, this instance is empty or is using very little memory: there is nothing yet to diagnose.\n"
	case len(found) > 0:
		text = "Sam, I detected a few issues in this instance's memory:\n\n * " +
			strings.Join(found, "\n\n * ") + "\n"
	}
	c.Out.Verbatim("txt", text)
	return nil
}
