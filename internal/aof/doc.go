// Package aof is the append-only file: what it looks like, how it is read, and how a file
// that was torn by a crash is told from one that is damaged.
//
// # Layout
//
// Redis 7's: a folder with a manifest that names at most one base file, which holds a data
// set, and incremental files, which hold the commands since then, in order.
//
//	appendonlydir/appendonly.aof.manifest
//	appendonlydir/appendonly.aof.2.base.rdb
//	appendonlydir/appendonly.aof.5.incr.aof
//	appendonlydir/appendonly.aof.6.incr.aof     the one that is written
//
// An incremental file is commands as clients send them, and lines that begin with a #,
// which Redis skips. What is written at once is a batch, and begins with such a line:
//
//	#CK:<length, 10 digits><sum, 8 digits><sum of the line, 4 digits>\r\n    hexadecimal
//	#SY:<offset>\r\n      in a batch: everything before was synced when this was written
//	#PV:<size>\r\n        in a file's first batch: the previous one's, when this was begun
//	#TS:<seconds>\r\n     what follows was written at this time of day, or later
//
// The sum is CRC-32C of the file's number and the batch's offset and length, 8 bytes each,
// little endian, and of the batch. So a batch is known to be what was written, there. The
// line's own sum, the lower half of CRC-32C of the digits before it, says whether its
// length can be believed.
//
// # What a reader may conclude
//
//  1. A batch whose sum holds is whole. A transaction is never in two.
//  2. Commands outside of batches are Redis's: they are taken as Redis takes them.
//  3. A batch that the file's end cuts, or of which a part of a sector is zeros, never came
//     to the disk as a whole, and what is behind it was not synced either: the file is torn
//     there. Nobody was told that it was durable.
//  4. Unless a batch behind says that everything there was synced: then it is damage, as
//     it is if all of the batch is there and its sum does not hold. Nothing may be cut.
package aof
