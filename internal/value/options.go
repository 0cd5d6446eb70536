package value

import (
	"math"

	"github.com/spineldb/spinel/internal/config"
)

// The options about encodings. What is kept in the other encoding already stays so until
// it is changed.
var (
	hashEntries = config.Int(config.Option{
		Name: "hash-max-listpack-entries", Aliases: []string{"hash-max-ziplist-entries"},
		Default: 512, Stress: []int64{0, 1, 512}, Live: true,
		Doc: `How many fields a hash may have to be kept as a listpack, which is smaller than a table
and slower when it is long.`,
	})
	hashValue = config.Memory(config.Option{
		Name: "hash-max-listpack-value", Aliases: []string{"hash-max-ziplist-value"},
		Default: 64, Live: true,
		Doc: `How many bytes the fields and values of a hash kept as a listpack may have.`,
	})
	listSize = config.Int(config.Option{
		Name: "list-max-listpack-size", Aliases: []string{"list-max-ziplist-size"},
		Default: -2, Min: math.MinInt32, Max: math.MaxInt32, Stress: []int64{-5, -2, 1, 4}, Live: true,
		Doc: `How much a node of a list holds: so many elements, or from -1 to -5 the bytes 4, 8, 16,
32 and 64 KB.`,
	})
	listCompress = config.Int(config.Option{
		Name: "list-compress-depth", Default: 0, Max: math.MaxInt32, Stress: []int64{0, 1, 3}, Live: true,
		Doc: `How many nodes at each end of a list are not compressed; 0 to compress none.`,
	})
	setIntset = config.Int(config.Option{
		Name: "set-max-intset-entries", Default: 512, Stress: []int64{0, 1, 512}, Live: true,
		Doc: `How many members a set of integers may have to be kept as a sorted array.`,
	})
	setEntries = config.Int(config.Option{
		Name: "set-max-listpack-entries", Default: 128, Stress: []int64{0, 1, 128}, Live: true,
		Doc: `How many members a set may have to be kept as a listpack.`,
	})
	setValue = config.Memory(config.Option{
		Name: "set-max-listpack-value", Default: 64, Live: true,
		Doc: `How many bytes the members of a set kept as a listpack may have.`,
	})
	zsetEntries = config.Int(config.Option{
		Name: "zset-max-listpack-entries", Aliases: []string{"zset-max-ziplist-entries"},
		Default: 128, Stress: []int64{0, 1, 128}, Live: true,
		Doc: `How many members a sorted set may have to be kept as a listpack.`,
	})
	zsetValue = config.Memory(config.Option{
		Name: "zset-max-listpack-value", Aliases: []string{"zset-max-ziplist-value"},
		Default: 64, Live: true,
		Doc: `How many bytes the members of a sorted set kept as a listpack may have.`,
	})
	streamBytes = config.Memory(config.Option{
		Name: "stream-node-max-bytes", Default: 4096, Live: true,
		Doc: `How many bytes a node of a stream may have; 0 for no limit.`,
	})
	streamEntries = config.Int(config.Option{
		Name: "stream-node-max-entries", Default: 100, Live: true,
		Doc: `How many entries a node of a stream may have; 0 for no limit.`,
	})
	hllSparse = config.Memory(config.Option{
		Name: "hll-sparse-max-bytes", Default: 3000, Live: true,
		Doc: `How many bytes a HyperLogLog may have in its sparse form.`,
	})
)

// Options are this package's options.
var Options = config.NewGroup("encodings", hashEntries, hashValue, listSize, listCompress, setIntset,
	setEntries, setValue, zsetEntries, zsetValue, streamBytes, streamEntries, hllSparse)

// Configure takes the options' values, now and whenever they change.
func (l *Limits) Configure(set *config.Set) {
	apply := func() {
		l.HashEntries.Store(hashEntries.Get(set))
		l.HashValue.Store(hashValue.Get(set))
		l.SetIntset.Store(setIntset.Get(set))
		l.SetEntries.Store(setEntries.Get(set))
		l.SetValue.Store(setValue.Get(set))
		l.ZSetEntries.Store(zsetEntries.Get(set))
		l.ZSetValue.Store(zsetValue.Get(set))
		l.ListSize.Store(listSize.Get(set))
		l.ListCompress.Store(listCompress.Get(set))
		l.StreamBytes.Store(streamBytes.Get(set))
		l.StreamEntries.Store(streamEntries.Get(set))
		l.HLLSparse.Store(hllSparse.Get(set))
	}
	apply()
	set.OnChange(hashEntries, apply, hashValue, listSize, listCompress, setIntset, setEntries, setValue,
		zsetEntries, zsetValue, streamBytes, streamEntries, hllSparse)
}
