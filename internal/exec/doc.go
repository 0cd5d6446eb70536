// Package exec is the way of a request, from the bytes that a loop received to the
// replies that it sends.
//
// A turn of a loop goes through an Executor like this:
//
//	Begin      enter the gate: nobody is in exclusive mode now
//	Received   parse: every complete command of every ready connection becomes a
//	           request; its command is looked up and its keys are placed
//	Run        in windows of 32 requests: touch the keys' buckets, touch their records,
//	           then execute in order
//	Dirty      the loop sends what is in the sessions' writers
//	End        leave the gate
//
// Execution of one request is the function Executor.do: admit, queue if the connection
// is in a transaction, lock the stripes of the keys, run, journal, unlock. The order of
// its stages is the order of the sections of ARCHITECTURE.md.
//
// An Executor belongs to one loop and is not safe for concurrent use; its counters are
// read by others in exclusive mode only.
//
// # Time
//
// Reading the clock twice for each command would cost as much as the command. Fast
// commands are timed in runs of up to 16, each being charged its share; others, and all
// while the slow log wants durations below a millisecond, are timed one by one.
package exec
