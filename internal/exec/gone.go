package exec

import "sync"

// goneStreams are streams that a sweep or an eviction has removed, which clients wait for in
// groups. They are told by a task: whoever removes a key by itself has no executor, or has
// better things to do.
type goneStreams struct {
	mu   sync.Mutex
	keys []goneKey
}

type goneKey struct {
	db  int
	key []byte
}

// StreamGone notes a stream that is about to be removed, under its stripe's lock. It is the
// keyspace's to call.
func (sh *Shared) StreamGone(db int, key []byte) {
	g := &sh.gone
	g.mu.Lock()
	g.keys = append(g.keys, goneKey{db, append([]byte(nil), key...)})
	isFirst := len(g.keys) == 1
	g.mu.Unlock()
	switch {
	case !isFirst: // the task has not begun yet
	case sh.Background != nil:
		sh.Background(sh.tellOfGone)
	default:
		go sh.tellOfGone()
	}
}

// tellOfGone tells those who wait for streams that are gone. If there is such a stream again,
// with the group, they go on waiting.
func (sh *Shared) tellOfGone() {
	sh.gone.mu.Lock()
	keys := sh.gone.keys
	sh.gone.keys = nil
	sh.gone.mu.Unlock()

	x, done := sh.borrow()
	defer done()
	for _, k := range keys {
		x.serveKey(k.db, k.key)
	}
}
