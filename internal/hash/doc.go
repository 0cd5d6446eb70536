// Package hash holds the checksums that Redis's formats and protocols fix: the
// CRC-64 that ends RDB files and DUMP payloads, and the CRC-16 that places keys
// in cluster slots. Both are defined by what other programs compute, so neither
// may ever change; tables that live in memory only use a seeded hash elsewhere.
//
// Both work by slicing: with one table per position, several input bytes are
// looked up independently of each other and combined, where the textbook loop
// waits for one load per byte. Table k tells what a byte contributes that has k
// more bytes behind it.
//
//	CRC64   16 tables of 256 x 8 bytes, 16 bytes a step
//	CRC16    8 tables of 256 x 2 bytes,  8 bytes a step
package hash
