package replication

import (
	"strconv"
)

// A Report is what ROLE shows of a replica that is online.
type Report struct {
	Host   string
	Port   int64
	Offset int64 // acknowledged
}

// Online are the replicas that are, oldest first.
func (m *Master) Online() (all []Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.replicas {
		if r.state == online {
			all = append(all, Report{r.host(), r.port, r.ackOffset})
		}
	}
	return all
}

// A Laggard is a replica that has not acknowledged everything.
type Laggard struct {
	Name, State string
	Behind      int64 // bytes
	LagSeconds  int64 // since it last said something
}

// InSync is which replicas that are online have not acknowledged everything, and how many are
// online. Those that came by SYNC never acknowledge.
func (m *Master) InSync() (lagging []Laggard, online int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, end := m.Clock.Mono(), m.Journal.Appended()
	for _, r := range m.replicas {
		if !r.isOnline() || r.old {
			continue
		}
		if online++; r.ackOffset != end {
			lagging = append(lagging, Laggard{r.name(), r.state.text(), end - r.ackOffset, (now - r.ackAt) / 1e9})
		}
	}
	return lagging, online
}

// AppendInfo appends the fields of INFO replication that are about the server as a master.
// failover is the state of one.
func (m *Master) AppendInfo(dst []byte, failover string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Clock.Mono()
	dst = appendField(dst, "connected_slaves", int64(len(m.replicas)))
	if optMinReplicas.Get(m.Options) > 0 && optMaxLag.Get(m.Options) > 0 {
		dst = appendField(dst, "min_slaves_good_slaves", m.good.Load())
	}
	shown := 0
	for _, r := range m.replicas {
		if r.state.text() == "" {
			continue
		}
		lag := int64(0)
		if r.state == online {
			lag = (now - r.ackAt) / 1e9
		}
		dst = append(dst, "slave"+strconv.Itoa(shown)+":ip="+r.host()+",port="...)
		dst = strconv.AppendInt(dst, r.port, 10)
		dst = append(append(dst, ",state="...), r.state.text()...)
		dst = strconv.AppendInt(append(dst, ",offset="...), r.ackOffset, 10)
		dst = append(strconv.AppendInt(append(dst, ",lag="...), lag, 10), "\r\n"...)
		shown++
	}
	dst = append(dst, "master_failover_state:"+failover+"\r\n"...)
	dst = append(dst, "master_replid:"+m.history.ID+"\r\nmaster_replid2:"+m.history.ID2+"\r\n"...)
	second := int64(-1)
	if m.history.ID2End >= 0 {
		second = m.history.ID2End + 1
	}
	first, next := m.Journal.Backlog()
	dst = appendField(dst, "master_repl_offset", next)
	dst = appendField(dst, "second_repl_offset", second)
	active, from, length := int64(0), int64(0), int64(0)
	if m.kept > 0 {
		active, from, length = 1, first+1, next-first
	}
	dst = appendField(dst, "repl_backlog_active", active)
	dst = appendField(dst, "repl_backlog_size", OptBacklogSize.Get(m.Options))
	dst = appendField(dst, "repl_backlog_first_byte_offset", from)
	return appendField(dst, "repl_backlog_histlen", length)
}

func appendField(dst []byte, name string, n int64) []byte {
	dst = strconv.AppendInt(append(append(dst, name...), ':'), n, 10)
	return append(dst, "\r\n"...)
}

// MemoryHeld is what the replication buffers take: those of the backlog, and of all.
func (m *Master) MemoryHeld() (backlog, all int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == 0 {
		return 0, 0
	}
	first, next := m.Journal.Backlog()
	return min(next-first, m.kept), next - first
}
