package keyspace

import "github.com/spineldb/spinel/internal/config"

// Options of the keyspace.
var (
	Databases = config.Int(config.Option{
		Name: "databases", Default: 16, Min: 1, Max: 1 << 14,
		Doc: `The number of databases, of which SELECT chooses one.`,
	})
	MaxMemory = config.MemoryPercent(config.Option{
		Name: "maxmemory", Default: 0, Live: true,
		Doc: `The most bytes that keys, values and clients' buffers may take; 0 for no limit.`,
	})
	MaxMemoryPolicy = config.Enum(config.Option{
		Name: "maxmemory-policy", Default: "noeviction", Live: true,
		Doc: `What happens at maxmemory: which keys are removed, or that writes are refused.`,
	}, config.Choice("volatile-lru", VolatileLRU), config.Choice("volatile-lfu", VolatileLFU),
		config.Choice("volatile-random", VolatileRandom), config.Choice("volatile-ttl", VolatileTTL),
		config.Choice("allkeys-lru", AllKeysLRU), config.Choice("allkeys-lfu", AllKeysLFU),
		config.Choice("allkeys-random", AllKeysRandom), config.Choice("noeviction", NoEviction))
	MaxMemorySamples = config.Int(config.Option{
		Name: "maxmemory-samples", Default: 5, Min: 1, Max: 64, Stress: []int64{1, 64}, Live: true,
		Doc: `How many keys the LRU, LFU and TTL policies look at to evict one.
More samples choose a better victim and cost more: 5 is a good default, 10 is close to exact.`,
	})
	MaxMemoryTenacity = config.Int(config.Option{
		Name: "maxmemory-eviction-tenacity", Default: 10, Max: 100, Live: true,
		Doc: `How long a write may be held up by eviction: up to 10, so many times 50 microseconds;
at 100 as long as it takes.`,
	})
	LFULogFactorOption = config.Int(config.Option{
		Name: "lfu-log-factor", Default: 10, Max: 1<<31 - 1, Live: true,
		Doc: `How many accesses it takes to raise the access counter of a key.`,
	})
	LFUDecayOption = config.Int(config.Option{
		Name: "lfu-decay-time", Default: 1, Max: 1<<31 - 1, Live: true,
		Doc: `Minutes after which the access counter of a key loses one; 0 for never.`,
	})
	ExpireEffort = config.Int(config.Option{
		Name: "active-expire-effort", Default: 1, Min: 1, Max: 10, Live: true,
		Doc: `How much time the removal of keys whose time has come may take, from 1 to 10.`,
	})
	LazyEviction = config.Bool(config.Option{
		Name: "lazyfree-lazy-eviction", Default: false, Live: true,
		Doc: `Evicted keys are journalled as UNLINK. Their memory is freed in pieces either way.`,
	})
	LazyExpiration = config.Bool(config.Option{
		Name: "lazyfree-lazy-expire", Default: false, Live: true,
		Doc: `Expired keys are journalled as UNLINK. Their memory is freed in pieces either way.`,
	})
	LazyServerDel = config.Bool(config.Option{
		Name: "lazyfree-lazy-server-del", Default: false, Live: true,
		Doc: `Values that commands replace are freed in the background. They are freed in pieces either way.`,
	})
	LazyUserDel = config.Bool(config.Option{
		Name: "lazyfree-lazy-user-del", Default: false, Live: true,
		Doc: `DEL behaves as UNLINK.`,
	})
	LazyUserFlush = config.Bool(config.Option{
		Name: "lazyfree-lazy-user-flush", Default: false, Live: true,
		Doc: `FLUSHALL and FLUSHDB behave as with ASYNC unless told otherwise.`,
	})
	LazyReplicaFlush = config.Bool(config.Option{
		Name: "replica-lazy-flush", Aliases: []string{"slave-lazy-flush"}, Default: false, Live: true,
		Doc: `Kept for replication.`,
	})
)

// ConfigOptions are this package's options.
var ConfigOptions = config.NewGroup("memory", Databases, MaxMemory, MaxMemoryPolicy, MaxMemorySamples,
	MaxMemoryTenacity, LFULogFactorOption, LFUDecayOption, ExpireEffort, LazyEviction, LazyExpiration,
	LazyServerDel, LazyUserDel, LazyUserFlush, LazyReplicaFlush)

// Configure takes the options' values, now and whenever they change. memory is the
// machine's, of which maxmemory may be a percentage.
func (ks *Keyspace) Configure(set *config.Set, memory int64) {
	apply := func() {
		t := &ks.Tuning
		t.MaxMemory.Store(MaxMemory.Get(set, memory))
		t.Policy.Store(int32(MaxMemoryPolicy.Get(set)))
		t.Samples.Store(int32(MaxMemorySamples.Get(set)))
		t.Tenacity.Store(int32(MaxMemoryTenacity.Get(set)))
		t.LFULogFactor.Store(int32(LFULogFactorOption.Get(set)))
		t.LFUDecayTime.Store(int32(LFUDecayOption.Get(set)))
		t.ExpireEffort.Store(int32(ExpireEffort.Get(set)))
		t.LazyExpire.Store(LazyExpiration.Get(set))
		t.LazyEvict.Store(LazyEviction.Get(set))
		if MaxMemoryPolicy.Get(set).Clocks() {
			t.TrackClock.Store(true)
		}
	}
	apply()
	ks.values.Limits.Configure(set)
	set.OnChange(MaxMemory, apply, MaxMemoryPolicy, MaxMemorySamples, MaxMemoryTenacity, LFULogFactorOption,
		LFUDecayOption, ExpireEffort, LazyExpiration, LazyEviction)
}
