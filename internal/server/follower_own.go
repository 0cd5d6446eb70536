package server

import (
	"sync"

	"github.com/spineldb/spinel/internal/command"
)

// # A replica's own keys
//
// A replica that clients may write to has keys that its master does not know, and will not say
// of that their time has come. Those that were given one are remembered, and removed here.

// ownMax bounds how many are remembered; further ones stay until the next full synchronization.
const ownMax = 1 << 20

type ownKeys struct {
	mu  sync.Mutex
	all map[ownKey]struct{}
}

type ownKey struct {
	db   int
	name string
}

// wrote notes the keys that a client may have given an expiry. It is called under their locks.
func (o *ownKeys) wrote(effects []command.Effect) {
	for i := range effects {
		e := &effects[i]
		at := 1
		switch string(e.Args[0]) {
		case "RENAME", "RENAMENX", "COPY":
			at = 2
		case "SET", "PEXPIREAT", "RESTORE", "GETEX":
		default:
			continue
		}
		if at >= len(e.Args) {
			continue
		}
		o.mu.Lock()
		if o.all == nil {
			o.all = map[ownKey]struct{}{}
		}
		if len(o.all) < ownMax {
			o.all[ownKey{e.DB, string(e.Args[at])}] = struct{}{}
		}
		o.mu.Unlock()
	}
}

// len is how many are remembered.
func (o *ownKeys) len() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int64(len(o.all))
}

// ownCron removes those whose time has come, and forgets those that have none.
func (f *follower) ownCron() {
	o := &f.own
	o.mu.Lock()
	all := make([]ownKey, 0, len(o.all))
	for k := range o.all {
		all = append(all, k)
	}
	o.mu.Unlock()
	for _, k := range all {
		if f.active.Load() && f.keyspace.ExpireKey(k.db, []byte(k.name)) {
			continue
		}
		o.mu.Lock()
		delete(o.all, k)
		o.mu.Unlock()
	}
}
