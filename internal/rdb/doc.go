// Package rdb reads and writes the bytes of RDB files and DUMP payloads.
//
// It is a codec and nothing else: it opens no file, starts no goroutine and
// knows no keyspace. Encoders append to a []byte that the caller writes out;
// a Reader takes any io.Reader. docs/format/rdb.md describes every byte.
//
// # A file
//
//	REDIS0011                                     magic and version
//	fa name value ...                             AUX fields, both strings
//	fe db  fb keys expires                        SELECTDB, RESIZEDB
//	[fc ms8] [f8 idle] [f9 freq] type key value   one key; then the next
//	ff crc8                                       EOF, CRC-64 of all before it
//
// For example a key "k" with the value "5" that expires at 4102444800123:
//
//	fc   7b d8 c3 2c bb 03 00 00   00     01 6b   c0 05
//	ms   little endian             type   "k"     5 as an int8
//
// # Invariants of what we write
//
//  1. A string takes the form that Redis would choose: integer, LZF or plain.
//  2. Lengths take the shortest of their four forms.
//  3. Nothing stands between an expiry, idle time or frequency and its type byte.
//
// # What is believed when reading
//
// Nothing. A length allocates no memory: buffers grow as bytes arrive, up to
// twice of them, and an LZF string by what its input can hold. Counts are
// hints to the caller, and one that can't be true where the size is known is an error.
// Every error names the byte it is about. The checksum
// comes last, so records handed out before KindEOF are well formed but not yet
// known to be what was written: who replaces data by them waits for KindEOF.
//
// # Values
//
// A string is a part of its Record. Any other value is a row of pieces: packed bytes that
// hold all of it, or nodes, elements, a stream's groups. A large one comes in parts,
// which end between two elements, so that nobody needs a buffer of its size:
//
//	file      key hash(4) 1,000,000 f v f v f v ... f v f v
//	NextRaw   |--- KindKey ---|--- KindPart ---|--- KindPart ---|   about 1 MB each
//	Pieces    f v, f v, ...    f v, ...          f v, ...           checked, in order
//
// The parts of one value go to the same Pieces in order; those of others may go elsewhere.
//
// # Cost
//
//	encoding         one append per field; LZF for strings beyond 20 bytes
//	Reader           one copy from the source, checksum in blocks, no allocation
//	Reader.NextRaw   finds where a record ends without looking at its content,
//	                 so that other threads can decode: Decoder, Pieces
//	Pieces           nothing is copied that stands in the raw bytes as it is; packed
//	                 sets, hashes and sorted sets are sorted by hash to find duplicates,
//	                 a group's pending entries kept (17 bytes each) to find their owners
//
// # Adding a type
//
// A value type is a line in layouts, which is enough to find its end. What its elements
// mean is a case in Pieces.elementPiece; how it is written, an appender in collection.go.
package rdb
