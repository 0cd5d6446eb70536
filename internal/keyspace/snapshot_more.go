package keyspace

import "github.com/spineldb/spinel/internal/clock"

// What package snapshot needs to know besides the snapshot itself.

// IsDuplicate says whether Loader.Add refused an item because its key is there already.
func IsDuplicate(err error) bool { return err == errDuplicate }

// ForgetDetached keeps what was flushed before a cut, and is not freed yet, out of the
// snapshot: freeing saves, and these tables still save as they did for an earlier
// snapshot. It is called in exclusive mode, before BeginSnapshot.
func (ks *Keyspace) ForgetDetached() {
	for i := range ks.stripes {
		for _, tb := range ks.stripes[i].lazy {
			tb.dict.Before = nil
		}
	}
}

// LoadedClock is the access clock of a key that comes from a file, which may say for
// how many seconds it was idle or what its access counter is; -1 if not.
func (ks *Keyspace) LoadedClock(idle, freq int64, now clock.Millis) uint32 {
	switch {
	case ks.policy().lfu() && freq >= 0:
		return minutes(now)<<8 | uint32(freq)&255
	case !ks.policy().lfu() && idle >= 0:
		return uint32(int64(now)/1000-idle) & clockMask
	}
	return ks.fresh(now)
}
