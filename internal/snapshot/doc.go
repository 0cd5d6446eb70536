// Package snapshot saves the keyspace to its file, and loads it from there.
//
// # A save
//
//	cut        exclusive mode: all tables get a new version, sizes are noted
//	walk       buckets of an older version are copied, some at a time, under their
//	           stripe's lock; an executor that is about to change one copies it first
//	end        exclusive mode: the snapshot is forgotten
//	encode     at any time, outside of all locks: form, compression, checksum, write
//	replace    sync, close, rename over the old file, sync of the folder
//
//	executors --+                       +--> helper: encode, write --+
//	            +--> lanes --> queue ---+                            +--> temp-PID.rdb
//	walker    --+    64 KB     8 MB     +--> walker: when it's full -+
//
// What is copied is a raw form of a record (see chunk), at the price of a memory copy.
// A record of 64 KB or more is not even copied: it is lent, and written from where it
// is.
//
// # Invariants
//
//  1. The file is the keyspace as it was at the cut: every key once, nothing else. The
//     number of keys that were written is compared with that at the cut.
//  2. At the target's name there is always a whole file, the old or the new one,
//     whatever call fails and whenever the process or the machine stops.
//  3. A save that does not succeed leaves nothing: no temporary file, no lent record,
//     no snapshot that writers would have to serve.
//  4. Under a stripe's lock nothing is written, waited for or sent.
//
// # Cost
//
// Measured with 3 million keys of 16 and values of 64 bytes on two cores of a virtual
// machine (EPYC), nothing else running:
//
//	save          1.5 s, 1.7 s with compression
//	load          1.7 s
//	lock held     13 us in the median, 45 us in one step of a hundred
//	memory        4 MB of lanes, and 8 MB of queue; the latter grows when writers
//	              change more than can be written, see Saver.Congested
//
// docs/design/snapshot.md has the reasons.
package snapshot
