// Package netloop moves bytes between sockets and sessions. It knows nothing of
// commands or keys: a [Handler], one for each loop, does what is to be done.
//
// # Loops and turns
//
// A loop is a goroutine locked to a thread, with a way to the kernel of its own (a
// poller). It goes round in turns:
//
//	wait         nothing is held; an idle loop sleeps until a socket, an inbox or a tick
//	Begin        the handler enters its gate
//	gather       Received, Space+Filled, EOF for every ready connection
//	inbox        Woken for sessions that other threads woke; connections that arrive
//	Tick         if it is due
//	Refill       for sessions whose reply is made in pieces, if little of it is unsent
//	Run          everything received is executed; replies are in each s.Out
//	Dirty        each session's replies are sent with one call, closings are obeyed
//	moves        connections are handed to other loops
//	End          the handler leaves its gate
//
// All calls to a handler happen on the loop's thread between Begin and End. Closed
// is never called between Received and Run of the same turn.
//
// # Backends
//
//	uring   a standing receive for each connection into buffers shared by all; a turn
//	        costs one system call for all clients. Linux 6.1 and newer, if allowed.
//	epoll   level-triggered; one receive for each ready connection, one send for each
//	        that has replies. All receives of a turn lie one behind the other.
//	net     package net, with goroutines that read and write; everywhere.
//
// Idle connections own no buffer in the first two, and one of 4 KB in the third.
//
// A connection that was made elsewhere, to another server, is handed over by Adopt.
//
// # Invariants
//
//  1. Only the owner's thread touches a conn, except for owner and woken. The owner
//     changes only at the end of a turn, when the old one knows of no operation
//     under way, and under the new owner's inbox lock.
//  2. An event reaches the connection that it was meant for or none: the kernel
//     knows connections by slot and generation.
//  3. Memory that the kernel may still write to or read from is not given back: a
//     connection's end is reported (Closed) when its last operation has ended.
//  4. At most one send is under way for a connection. Later replies stay in s.Out.
//  5. A wake-up is never lost: whoever puts something into an inbox sets pending and
//     then looks at sleeping, the loop sets sleeping and then looks at pending.
//  6. Nothing is allocated for a request.
//
// # Elasticity
//
// Clients live on as few loops as the load needs, since a loop that is not needed
// makes the others' batches smaller. Loops measure the processor time that they want
// (have or stand in line for); a policy spreads the clients of a saturated loop and
// gathers those of calm ones. A further loop is a trial: if more is not done with it
// than without, it is given up again. A loop's thread is made when it is first needed,
// and sleeps without a timer when it has no clients.
//
// A loop is a goroutine that is bound to its thread. What Go's scheduler makes of that
// stands in yield.go.
//
// # Bounds
//
// Each turn: 512 events (epoll), 16 KB of a connection, 64 KB if it is busy, 1 MB of a
// big argument, 1 MB sent to a connection, 4 MB read in all, 128 connections accepted,
// 64 moved, 256 KB of replies that are made in pieces. What is left over comes in the next
// turn. How many bytes may wait for a client that does not read is the handler's to decide,
// by s.Out.Len() + Link.Unsent().
//
// # Counters
//
// This package counts s.BytesIn and s.BytesOut; everything else in a session is the
// handler's.
package netloop
