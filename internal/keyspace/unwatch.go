package keyspace

// Unwatch removes w from its keys, for a command that has declared none: what is locked
// is nothing, or everything.
func (t *Txn) Unwatch(w *Watch) {
	if t.LockedAll() {
		t.UnwatchLocked(w)
	} else {
		t.ks.Unwatch(w)
	}
}
