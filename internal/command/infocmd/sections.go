package infocmd

import (
	"strconv"

	"github.com/spineldb/spinel/internal/observe"
)

func (r *report) server(dst []byte) []byte {
	g, b, f := r.figures(), &r.Build, fields(dst)
	now := r.Clock.Wall()
	f.text("redis_version", b.RedisVersion)
	f.text("server_name", "spinel")
	f.text("spinel_version", b.Version)
	f.text("redis_git_sha1", orZeros(b.GitSHA1, 8))
	f.flag("redis_git_dirty", b.GitDirty)
	f.text("redis_build_id", orZeros(b.BuildID, 16))
	f.text("redis_mode", "standalone")
	f.text("os", b.OS)
	f.int("arch_bits", strconv.IntSize)
	f.text("monotonic_clock", "POSIX clock_gettime")
	f.text("multiplexing_api", b.Multiplexing)
	f.text("atomicvar_api", "go-sync-atomic")
	f.text("gcc_version", "0.0.0")
	f.text("go_version", b.GoVersion)
	f.int("process_id", int64(b.PID))
	f.text("process_supervised", b.Supervised)
	f.text("run_id", b.RunID)
	f.int("tcp_port", int64(g.Port))
	f.int("server_time_usec", now)
	f.int("uptime_in_seconds", int64(g.Uptime.Seconds()))
	f.int("uptime_in_days", int64(g.Uptime.Hours()/24))
	f.int("hz", g.Hz)
	f.int("configured_hz", g.Hz)
	f.int("lru_clock", now/1_000_000&(1<<24-1))
	f.text("executable", b.Executable)
	f.text("config_file", g.ConfigFile)
	f.flag("io_threads_active", g.Loops > 1)
	if g.Shutdown > 0 {
		f.int("shutdown_in_milliseconds", g.Shutdown.Milliseconds())
	}
	for i, l := range g.Listeners {
		f.text("listener"+strconv.Itoa(i), l)
	}
	return f
}

// orZeros is a text, or as many zeros if it is not known.
func orZeros(text string, n int) string {
	if text != "" {
		return text
	}
	return "0000000000000000"[:n]
}

func (r *report) clients(dst []byte) []byte {
	g, f := r.figures(), fields(dst)
	c := &g.Clients
	f.int("connected_clients", int64(r.Sessions.Len())-g.Replication.Replicas)
	f.int("cluster_connections", 0)
	f.int("maxclients", c.Max)
	f.int("client_recent_max_input_buffer", c.LargestQuery)
	f.int("client_recent_max_output_buffer", c.LargestReply)
	f.int("blocked_clients", c.Blocked)
	f.int("tracking_clients", c.Tracking)
	f.int("pubsub_clients", c.PubSub)
	f.int("watching_clients", c.Watching)
	f.int("clients_in_timeout_table", c.Timeouts)
	f.int("total_watched_keys", c.WatchedKeys)
	f.int("total_blocking_keys", c.BlockedKeys)
	f.int("total_blocking_keys_on_nokey", c.BlockedNoKeys)
	return f
}

func (r *report) persistence(dst []byte) []byte {
	p, f := &r.figures().Persistence, fields(dst)
	f.flag("loading", p.Loading)
	f.flag("async_loading", p.LoadingBeside)
	f.int("current_cow_peak", p.SaveHeldPeak)
	f.int("current_cow_size", p.SaveHeldBytes)
	f.int("current_cow_size_age", 0)
	f.decimal("current_fork_perc", observe.Percent(p.SavedKeys, p.KeysToSave), 2)
	f.int("current_save_keys_processed", p.SavedKeys)
	f.int("current_save_keys_total", p.KeysToSave)
	f.int("rdb_changes_since_last_save", p.Changes)
	f.flag("rdb_bgsave_in_progress", p.Saving)
	f.int("rdb_last_save_time", p.LastSave)
	f.okay("rdb_last_bgsave_status", p.LastSaveOK)
	f.int("rdb_last_bgsave_time_sec", p.LastSaveTook)
	f.int("rdb_current_bgsave_time_sec", p.SavingFor)
	f.int("rdb_saves", p.Saves)
	f.int("rdb_last_cow_size", p.SaveHeldPeak)
	f.int("rdb_last_load_keys_expired", p.LoadedExpired)
	f.int("rdb_last_load_keys_loaded", p.LoadedKeys)
	r.appendOnly(&f)
	f.zeros("module_fork_in_progress", "module_fork_last_cow_size")
	if a := &p.AOF; a.Enabled {
		f.int("aof_current_size", a.Size)
		f.int("aof_base_size", a.BaseSize)
		f.flag("aof_pending_rewrite", false)
		f.int("aof_buffer_length", a.Buffered)
		f.flag("aof_pending_bio_fsync", a.Syncing)
		f.int("aof_delayed_fsync", a.Delayed)
	}
	if p.Loading {
		f.int("loading_start_time", p.LoadStart)
		f.int("loading_total_bytes", p.LoadTotal)
		f.int("loading_rdb_used_mem", r.Keyspace.Used())
		f.int("loading_loaded_bytes", p.LoadDone)
		f.decimal("loading_loaded_perc", observe.Percent(p.LoadDone, p.LoadTotal), 2)
		f.int("loading_eta_seconds", p.LoadETA)
	}
	return f
}

// appendOnly is what is shown of the append-only file in any case.
func (r *report) appendOnly(f *fields) {
	a := &r.figures().Persistence.AOF
	f.flag("aof_enabled", a.Enabled)
	f.flag("aof_rewrite_in_progress", a.Rewriting)
	f.flag("aof_rewrite_scheduled", a.Scheduled)
	f.int("aof_last_rewrite_time_sec", a.LastTook)
	f.int("aof_current_rewrite_time_sec", a.TakesFor)
	f.okay("aof_last_bgrewrite_status", a.LastOK)
	f.int("aof_rewrites", a.Rewrites)
	f.int("aof_rewrites_consecutive_failures", a.Failures)
	f.okay("aof_last_write_status", a.WriteOK)
	f.zeros("aof_last_cow_size")
}

func (r *report) cpu(dst []byte) []byte {
	p, f := &r.figures().Process, fields(dst)
	f.seconds("used_cpu_sys", p.SystemCPU)
	f.seconds("used_cpu_user", p.UserCPU)
	f.seconds("used_cpu_sys_children", p.SystemChild)
	f.seconds("used_cpu_user_children", p.UserChild)
	f.seconds("used_cpu_sys_main_thread", p.SystemMain)
	f.seconds("used_cpu_user_main_thread", p.UserMain)
	return f
}

// modules is empty: nothing can be loaded into this server.
func (r *report) modules(dst []byte) []byte { return dst }

func (r *report) cluster(dst []byte) []byte {
	f := fields(dst)
	f.int("cluster_enabled", 0)
	return f
}

func (r *report) keyspace(dst []byte) []byte {
	f := fields(dst)
	for db, info := range r.c.DB.Info() {
		if info.Keys > 0 {
			f.text("db"+strconv.Itoa(db), "keys="+strconv.FormatInt(info.Keys, 10)+
				",expires="+strconv.FormatInt(info.Expires, 10)+",avg_ttl=0")
		}
	}
	return f
}

func (r *report) memory(dst []byte) []byte {
	g, f := r.figures(), fields(dst)
	parts, clients := r.c.DB.MemoryParts(), r.Keyspace.Buffers.Load()
	used := parts.Live + clients
	peak, overhead := max(g.Memory.Peak, used), parts.Tables+clients
	rss := g.Process.ResidentBytes
	f.bytes("used_memory", used)
	f.bytes("used_memory_rss", rss)
	f.bytes("used_memory_peak", peak)
	f.percent("used_memory_peak_perc", observe.Percent(used, peak))
	f.int("used_memory_overhead", overhead)
	f.int("used_memory_startup", g.Memory.Startup)
	f.int("used_memory_dataset", used-overhead)
	f.percent("used_memory_dataset_perc", observe.Percent(used-overhead, used))
	f.int("allocator_allocated", parts.Live)
	f.int("allocator_active", parts.Held)
	f.int("allocator_resident", parts.Held)
	f.bytes("total_system_memory", r.Build.MemoryBytes)
	f.zeros("used_memory_lua", "used_memory_vm_eval")
	f.human("used_memory_lua_human", 0)
	f.zeros("used_memory_scripts_eval", "number_of_cached_scripts", "number_of_functions", "number_of_libraries",
		"used_memory_vm_functions")
	f.bytes("used_memory_vm_total", 0)
	f.zeros("used_memory_functions")
	f.bytes("used_memory_scripts", 0)
	f.bytes("maxmemory", r.Keyspace.Tuning.MaxMemory.Load())
	policy, _ := r.Options.Text("maxmemory-policy")
	f.text("maxmemory_policy", policy)
	f.decimal("allocator_frag_ratio", observe.Ratio(parts.Held, parts.Live), 2)
	f.int("allocator_frag_bytes", parts.Held-parts.Live)
	f.decimal("allocator_rss_ratio", 1, 2)
	f.int("allocator_rss_bytes", 0)
	f.decimal("rss_overhead_ratio", observe.Ratio(rss, parts.Held), 2)
	f.int("rss_overhead_bytes", rss-parts.Held)
	f.decimal("mem_fragmentation_ratio", observe.Ratio(rss, used), 2)
	f.int("mem_fragmentation_bytes", rss-used)
	f.zeros("mem_not_counted_for_evict") // of used_memory: the journal is not in it to begin with
	f.int("mem_replication_backlog", g.Replication.BacklogBytes)
	f.int("mem_total_replication_buffers", g.Replication.BufferBytes)
	f.int("mem_clients_slaves", g.Replication.BufferBytes-g.Replication.BacklogBytes)
	f.int("mem_clients_normal", clients)
	f.zeros("mem_cluster_links")
	f.int("mem_aof_buffer", g.Persistence.AOF.Buffered)
	f.int("mem_go_runtime", g.Memory.Other)
	f.text("mem_allocator", "spinel-arena")
	f.zeros("active_defrag_running")
	f.int("lazyfree_pending_objects", r.Keyspace.Stats.LazyFreePending.Load())
	f.int("lazyfreed_objects", r.Keyspace.Stats.LazyFreed.Load())
	return f
}
