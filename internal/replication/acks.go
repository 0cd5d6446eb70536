package replication

import (
	"cmp"
	"slices"
)

// An ackTable is what replicas that are online have acknowledged, the most first. It does not
// change.
type ackTable struct {
	stream []int64 // executed
	files  []int64 // on their disks
}

// reached is how many of the offsets are as much as one.
func reached(offsets []int64, offset int64) int {
	n := 0
	for n < len(offsets) && offsets[n] >= offset {
		n++
	}
	return n
}

// Acked is how many replicas have executed the stream up to an offset.
func (m *Master) Acked(offset int64) int { return reached(m.acks.Load().stream, offset) }

// AckedOnDisk is how many have it in their append-only files, on their disks.
func (m *Master) AckedOnDisk(offset int64) int { return reached(m.acks.Load().files, offset) }

// count brings up to date what is counted of replicas. mu is held.
func (m *Master) count(now int64) {
	t := &ackTable{}
	good, lag := int64(0), optMaxLag.Get(m.Options)
	for _, r := range m.replicas {
		if r.state != online {
			continue
		}
		t.stream = append(t.stream, r.ackOffset)
		t.files = append(t.files, r.fackOff)
		if (now-r.ackAt)/1e9 <= lag {
			good++
		}
	}
	descending := func(a, b int64) int { return cmp.Compare(b, a) }
	slices.SortFunc(t.stream, descending)
	slices.SortFunc(t.files, descending)
	m.acks.Store(t)
	m.good.Store(good)
	least := optMinReplicas.Get(m.Options)
	m.Scarce(least > 0 && lag > 0 && good < least)
}

// Recount is count when an option has changed, or the server has just been made.
func (m *Master) Recount() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count(m.Clock.Mono())
}

// TooFew says whether writes are to be refused as there are too few good replicas.
func (m *Master) TooFew() bool {
	least := optMinReplicas.Get(m.Options)
	return least > 0 && optMaxLag.Get(m.Options) > 0 && m.good.Load() < least && !m.Follows()
}
