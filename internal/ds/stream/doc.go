// Package stream is the value of a stream: entries with growing IDs in packed nodes,
// and the consumer groups that read them.
//
// # Layout
//
//	root    [figures][tail][nodes][groups]               what the owner keeps
//	                   |      |       |
//	                   |      |       +-- ranktree: name -> group's block
//	                   |      +---------- ranktree: master ID -> node
//	                   +----------------- the last node
//
//	node    +------+-----------+-------------------------------------+
//	        | leaf | master ID | listpack                            |
//	        +------+-----------+-------------------------------------+
//	          4      16          bytes
//
// The listpack is Redis's, to the byte. It begins with the master entry, whose fields
// those that follow need not repeat:
//
//	live, deleted, n, field 1 ... field n, 0                         master entry
//	flags, ms, seq, value 1 ... value n, elements                    the same fields
//	flags, ms, seq, k, field 1, value 1 ... value k, elements        others
//
// Ms and seq are the distance from the master ID, elements is how many come before it
// in the entry. A deleted entry stays, with a flag.
//
// The last node is not in the index: a stream of few entries has no index, and to
// append is to touch one node. It is the only one with room to grow.
//
// # Example
//
// The entry 5-1 with the field "a" and the value "1" is this listpack of 28 bytes. The
// next one with that field adds ten:
//
//	1c 00 00 00  0a 00                           28 bytes, 10 elements
//	01 01  00 01  01 01  81 61 02  00 01         one live, none deleted, one field: "a"
//	02 01  00 01  00 01  01 01  04 01  ff        the same fields, 5-1 is the master ID, 1
//
// # Groups
//
//	pending    ID -> time of delivery, number of deliveries, consumer's number
//	owned      consumer's number, ID
//	consumers  consumer's number, name -> times seen and active, number of pending
//	names      name -> consumer's number
//	times      time of delivery, ID; in groups whose entries are claimed by their age
//
// These are ranktrees, so that a million pending entries or a hundred thousand
// consumers are no special case. A consumer is a number in them, as its name is long.
// The number Nobody owns what nobody has.
//
// # Snapshots
//
// Nodes and the leaves of the first three trees of a group are leaves in the sense of
// package leaf: a snapshot notes them and reads them later (Freeze). The indexes and names are not,
// so changes to them get a heap without an epoch.
//
// # Invariants
//
//  1. IDs grow within a node and from node to node, and Last is not less than any.
//  2. No node is without live entries; if there is any node, there is a tail.
//  3. A node's counts are those of its entries, and Length is the sum of the live.
//  4. First is the ID of the first live entry, or zero.
//  5. Pending and owned have the same entries, except while a group is loaded, and a
//     consumer's figure is the number of those it owns.
//  6. times has the same entries as pending, or is not kept and empty.
//
// # Cost
//
//	Append     a copy into the last node; 15 copies of a node while it fills
//	Range      O(log nodes), then a walk through a node
//	Delete     the same, and a mark
//	Trim       O(1) a node, and a walk through one more
//	Put, Ack   O(log pending) in two trees, or three with times, O(log consumers) in one
//	memory     21 bytes an entry with the same field as others and a value of ten, 61 a
//	           pending entry, or 87 with times, 61 a consumer with a short name
//
// A Stream and a Group are views: who changes one stores the stream's root, the group
// stores itself. Nothing here allocates on the Go heap but AppendLeaves. If there is no
// memory, an operation returns mem.ErrExhausted and leaves the stream valid, and as it
// was, unless it says otherwise.
package stream
