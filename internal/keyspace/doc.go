// Package keyspace holds all keys of all databases, in stripes that lock, allocate
// and expire by themselves.
//
// # Placement
//
// A key's placement is a seeded 64-bit hash; in cluster mode its first 14 bits are the
// slot. The first 6 bits choose one of 64 stripes, the rest orders the keys within it
// (see ds/dict). A SCAN cursor is a placement.
//
//	placement  | 6 stripe | position in the stripe's table ...
//	cluster    | 14 slot            | hash ...
//
// A stripe owns a lock, an arena, a table for each database, the watches on its keys
// and its part of a snapshot. Nothing in it is shared with another stripe.
//
// # Locks
//
// Taken in this order, released in any:
//
//	gates         < stripe[i].mu      exclusive mode first waits for the executors
//	pool.mu       < stripe[i].mu      of the eviction, which removes its victims
//	stripe[i].mu  < stripe[j].mu      for i < j
//	stripe[i].mu  < journal.mu        so that the journal keeps each key's order
//	journal.mu    < nothing           it calls no one
//
// Holding a stripe's lock, code may not do I/O, wait, or allocate without bound.
//
// # Exclusive mode
//
// Every executor has a Gate, which it enters for a batch of requests and leaves
// afterwards. Exclusive closes all gates, waits until nobody is inside, and then holds
// every stripe: FLUSHALL, SWAPDB, the cut of a snapshot, and whatever looks at other
// loops' sessions run so. Background work holds one stripe at a time, for some tens of
// microseconds, and is kept out by the stripes' locks.
//
// # Transactions
//
// A Txn is what a command works with: a database, the stripes that are locked, the
// time. It is an executor's own and reused. Changes that commands make go through it.
// Every change, those of sweeps, eviction and loading too, must in this order give a
// running snapshot the bucket as it was, change it, tell the watches, and count as dirty.
package keyspace
