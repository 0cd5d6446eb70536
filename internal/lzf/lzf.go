// Package lzf compresses and decompresses strings in the LZF format that RDB
// files and DUMP payloads carry.
//
// A stream is a row of items, each opened by a control byte:
//
//	000nnnnn                     n+1 literal bytes (1-32) follow
//	lllddddd dddddddd            repeat l+2 bytes (3-8) from d+1 bytes back
//	111ddddd llllllll dddddddd   repeat l+9 bytes (9-264) from d+1 bytes back
//
// d counts up to 8,191, high bits first. A repetition may overlap what it
// writes: from 1 back, 50 long, is the last byte 50 more times. For example
// "\x01aa\xe0'\x00\x01aa", 9 bytes, is 'a' 52 times.
//
// A stream doesn't say how long its content is; whoever stores it does. Nothing
// in it is a checksum either, so decoding proves that a stream is well formed
// and nothing more.
//
// Costs: compression makes one pass, and looks up one candidate per position in
// a table of the latest places of three-byte sequences. Decompression is a copy.
package lzf

const (
	maxLiterals = 32   // bytes in one literal item
	maxDistance = 8192 // how far back a repetition can reach, in bytes
	minMatch    = 3    // bytes worth a repetition item of two bytes
	maxMatch    = 264  // bytes in the longest repetition item, which takes three

	// maxExpansion is how many bytes one byte of input can become: the longest
	// repetition divided by its size. What claims more is damaged, or a bomb.
	maxExpansion = maxMatch / 3
)
