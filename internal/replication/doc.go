// Package replication is what keeps copies of a server's data on others: the stream's
// history, its replicas, and the link to a master. It knows no commands.
//
// # The stream's name
//
// The journal's bytes are numbered, and a number means something only together with the name
// of the history that it belongs to: 40 hexadecimal digits, made anew whenever the stream
// takes a way of its own. After a promotion the stream has two names: a new one, and that of
// the former master's stream for what the two have in common.
//
//	bytes   0 ............... 7000 ............... 9120
//	ID2     4f1c... up to here   |
//	ID      ........................ 99ab... all of it
//
// A replica says which history it has and how far (PSYNC). If that is a part of ours, and
// what follows is still in the journal, it gets what it lacks; otherwise all of the data.
// History decides that, and is pure.
//
// # A replica
//
// Its connection stays a session of its loop. What it is sent is made as fast as it leaves,
// by the session's Feed, from two places:
//
//	outbox    the answer to PSYNC, newlines that keep the connection alive, the snapshot
//	cursor    the stream, from where the snapshot was cut or the replica stands
//
//	wait_bgsave --cut--> wait_bgsave --snapshot sent--> online
//	(no cursor)          (cursor set)                   (stream flows)
//
// Nobody has a copy of the stream but the journal. A snapshot goes to all replicas that wait
// when it is cut: straight from the walk (diskless), where the slowest of them holds the walk
// up and is dropped if it stands still; or by way of the snapshot file.
//
// # Invariants
//
//  1. A cursor is taken in exclusive mode, at the cut; or at a position in the backlog.
//  2. While there is no backlog the offset may stand still; so the history gets a new name
//     when the backlog comes or goes.
//  3. Nothing but the Feed writes to a replica's session once it has one. A command of the
//     replica that would be answered ends the connection.
//  4. The lock of Master is taken in turns and in exclusive mode, and takes no other but the
//     journal's, an outbox's and a loop's inbox.
package replication
