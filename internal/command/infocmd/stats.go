package infocmd

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

func (r *report) stats(dst []byte) []byte {
	g, ks, f := r.figures(), &r.Keyspace.Stats, fields(dst)
	f.int("total_connections_received", r.Sessions.Accepted.Load())
	f.int("total_commands_processed", g.Processed)
	f.int("instantaneous_ops_per_sec", g.Rates.Commands)
	f.int("total_net_input_bytes", g.BytesIn)
	f.int("total_net_output_bytes", g.BytesOut)
	f.zeros("total_net_repl_input_bytes", "total_net_repl_output_bytes")
	f.decimal("instantaneous_input_kbps", float64(g.Rates.BytesIn)/1024, 2)
	f.decimal("instantaneous_output_kbps", float64(g.Rates.BytesOut)/1024, 2)
	f.decimal("instantaneous_input_repl_kbps", 0, 2)
	f.decimal("instantaneous_output_repl_kbps", 0, 2)
	f.int("rejected_connections", r.Sessions.Refused.Load())
	f.int("sync_full", g.Replication.Full)
	f.int("sync_partial_ok", g.Replication.PartialOK)
	f.int("sync_partial_err", g.Replication.PartialRefused)
	f.int("expired_keys", ks.Expired.Load())
	f.int("expired_subkeys", ks.ExpiredFields.Load())
	f.decimal("expired_stale_perc", float64(ks.ExpiredStalePerc.Load())/100, 2)
	f.int("expired_time_cap_reached_count", ks.ExpiredTimeCap.Load())
	f.int("expire_cycle_cpu_milliseconds", ks.ExpireCycleMicros.Load()/1000)
	f.int("evicted_keys", ks.Evicted.Load())
	f.int("evicted_clients", g.ClientsEvicted)
	f.int("total_eviction_exceeded_time", ks.EvictionExceeded.Load()/1000)
	f.int("current_eviction_exceeded_time", 0)
	f.int("keyspace_hits", g.Hits)
	f.int("keyspace_misses", g.Misses)
	f.int("pubsub_channels", g.Clients.Channels)
	f.int("pubsub_patterns", g.Clients.Patterns)
	f.int("pubsubshard_channels", g.Clients.ShardChannels)
	f.zeros("latest_fork_usec")
	// What Redis would have forked for.
	f.int("total_forks", g.Persistence.Saves+g.Persistence.AOF.Rewrites)
	f.int("migrate_cached_sockets", int64(g.Migrating))
	f.int("slave_expires_tracked_keys", g.Replication.OwnExpires)
	f.zeros("active_defrag_hits", "active_defrag_misses",
		"active_defrag_key_hits", "active_defrag_key_misses",
		"total_active_defrag_time", "current_active_defrag_time")
	f.int("tracking_total_keys", g.Clients.TrackedKeys)
	f.int("tracking_total_items", g.Clients.TrackedItems)
	f.int("tracking_total_prefixes", g.Clients.TrackedPrefix)
	f.int("unexpected_error_replies", g.Replication.Unexpected)
	f.int("total_error_replies", g.ErrorTotal)
	f.int("dump_payload_sanitizations", 0)
	f.int("total_reads_processed", g.Reads)
	f.int("total_writes_processed", g.Writes)
	f.zeros("io_threaded_reads_processed", "io_threaded_writes_processed")
	f.int("client_query_buffer_limit_disconnections", g.QueryOver)
	f.int("client_output_buffer_limit_disconnections", g.OutputOver)
	f.zeros("reply_buffer_shrinks", "reply_buffer_expands")
	f.int("eventloop_cycles", g.Turns)
	f.int("acl_access_denied_auth", g.AuthDenied)
	f.int("acl_access_denied_cmd", g.CommandsDenied)
	f.int("acl_access_denied_key", g.KeysDenied)
	f.int("acl_access_denied_channel", g.ChannelsDenied)
	return f
}

// commandStats has a line for each command that was called or refused.
func (r *report) commandStats(dst []byte) []byte {
	g, f := r.figures(), fields(dst)
	for _, s := range r.Table().Specs() {
		if s.ID >= len(g.Commands) {
			continue
		}
		n := g.Commands[s.ID]
		if n == (CommandCounts{}) {
			continue
		}
		micros, each := n.Nanos/1000, 0.0
		if n.Calls > 0 {
			each = float64(n.Nanos) / 1000 / float64(n.Calls)
		}
		f.text("cmdstat_"+safe(s.FullName()), "calls="+strconv.FormatInt(n.Calls, 10)+
			",usec="+strconv.FormatInt(micros, 10)+",usec_per_call="+strconv.FormatFloat(each, 'f', 2, 64)+
			",rejected_calls="+strconv.FormatInt(n.Rejected, 10)+",failed_calls="+strconv.FormatInt(n.Failed, 10))
	}
	return f
}

// safe is a name without the characters that divide fields and lines.
func safe(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("#:\r\n", r) {
			return '_'
		}
		return r
	}, name)
}

func (r *report) errorStats(dst []byte) []byte {
	g, f := r.figures(), fields(dst)
	for _, code := range slices.Sorted(maps.Keys(g.Errors)) {
		f.text("errorstat_"+safe(code), "count="+strconv.FormatInt(g.Errors[code], 10))
	}
	return f
}

// latencyStats has a line of percentiles for each command that was called.
func (r *report) latencyStats(dst []byte) []byte {
	g, f := r.figures(), fields(dst)
	shown := percentiles.Get(r.Options)
	if g.Histograms == nil {
		return f
	}
	for _, s := range r.Table().Specs() {
		h := g.Histograms.Of(s.ID)
		if h == nil {
			continue
		}
		var line []byte
		for i, p := range shown {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(appendPercentile(append(line, 'p'), p), '=')
			line = strconv.AppendFloat(line, float64(h.Percentile(p))/1000, 'f', 3, 64)
		}
		f.text("latency_percentiles_usec_"+safe(s.FullName()), string(line))
	}
	return f
}
