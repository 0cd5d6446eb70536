package replication

import (
	"strconv"
	"time"
)

// AppendInfo appends the fields of INFO replication that are about the server as a replica.
// offset is how much of the stream was executed. Exclusive mode.
func (l *Link) AppendInfo(dst []byte, offset int64) []byte {
	st := l.Status()
	up := "down"
	if st.State == Connected {
		up = "up"
	}
	dst = append(dst, "master_host:"+st.Target.Host+"\r\n"...)
	dst = appendField(dst, "master_port", int64(st.Target.Port))
	dst = append(dst, "master_link_status:"+up+"\r\n"...)
	dst = appendField(dst, "master_last_io_seconds_ago", seconds(st.IdleFor))
	dst = appendField(dst, "master_sync_in_progress", flag(st.State == Syncing))
	dst = appendField(dst, "slave_read_repl_offset", offset+l.unexecuted())
	dst = appendField(dst, "slave_repl_offset", offset)
	if st.State == Syncing {
		percent := 0.0
		if st.SyncSize > 0 {
			percent = float64(st.SyncRead) / float64(st.SyncSize) * 100
		}
		dst = appendField(dst, "master_sync_total_bytes", st.SyncSize)
		dst = appendField(dst, "master_sync_read_bytes", st.SyncRead)
		dst = appendField(dst, "master_sync_left_bytes", st.SyncSize-st.SyncRead)
		dst = append(dst, "master_sync_perc:"+strconv.FormatFloat(percent, 'f', 2, 64)+"\r\n"...)
		dst = appendField(dst, "master_sync_last_io_seconds_ago", seconds(st.SyncQuiet))
	}
	if st.State != Connected {
		dst = appendField(dst, "master_link_down_since_seconds", seconds(st.DownFor))
	}
	dst = appendField(dst, "slave_priority", Priority.Get(l.Options))
	dst = appendField(dst, "slave_read_only", flag(ReadOnly.Get(l.Options)))
	return appendField(dst, "replica_announced", flag(Announced.Get(l.Options)))
}

// unexecuted is how much of the stream has come and was not executed: it waits while writes do,
// or is part of something that is not whole. Exclusive mode.
func (l *Link) unexecuted() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stream == nil {
		return 0
	}
	return int64(len(l.stream.session.Query) + len(l.stream.session.Raw))
}

// seconds are whole ones, -1 for none.
func seconds(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return int64(d / time.Second)
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}
