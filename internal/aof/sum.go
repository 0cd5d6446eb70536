package aof

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strconv"
)

// castagnoli has an instruction of its own on most processors.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	headMark   = "#CK:"
	lengthSize = 10
	headSize   = len(headMark) + lengthSize + 8 + 4 + 2 // bytes of a batch's first line
)

// A head is the first line of a batch.
type head struct {
	length int64 // of what follows
	sum    uint32
}

// sumOf is the sum of a batch at an offset of the file with a number.
func sumOf(batch []byte, seq, offset int64) uint32 {
	crc := ^uint32(0)
	for _, v := range [...]int64{seq, offset, int64(len(batch))} {
		for range 8 { // by hand: a buffer that crc32 is given would be garbage each time
			crc = castagnoli[byte(crc)^byte(v)] ^ crc>>8
			v >>= 8
		}
	}
	return crc32.Update(^crc, castagnoli, batch)
}

// BeginBatch appends room for the first line of a batch, which EndBatch fills.
func BeginBatch(dst []byte) []byte {
	return append(dst, make([]byte, headSize)...)
}

// EndBatch ends the batch that begins at byte start of b and is all that follows. It will
// be at an offset of the file with a number.
func EndBatch(b []byte, start int, seq, offset int64) {
	line, batch := b[start:start+headSize], b[start+headSize:]
	copy(line, headMark)
	at := len(headMark)
	var room [lengthSize]byte
	digits := strconv.AppendInt(room[:0], int64(len(batch)), 16)
	for range lengthSize - len(digits) {
		line[at] = '0'
		at++
	}
	at += copy(line[at:], digits)
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], sumOf(batch, seq, offset))
	at += hex.Encode(line[at:], sum[:])
	own := lineSum(line[:at])
	hex.Encode(line[at:], own[:])
	line[headSize-2], line[headSize-1] = '\r', '\n'
}

// lineSum is the lower half of a line's sum.
func lineSum(line []byte) [2]byte {
	sum := crc32.Checksum(line, castagnoli)
	return [2]byte{byte(sum >> 8), byte(sum)}
}

// parseHead reads a batch's first line, and says whether it is what was written.
func parseHead(line []byte) (h head, ok bool) {
	if len(line) < headSize || string(line[:len(headMark)]) != headMark ||
		line[headSize-2] != '\r' || line[headSize-1] != '\n' {
		return h, false
	}
	end := headSize - 2 - 4
	var own [4]byte
	sumOfLine := lineSum(line[:end])
	hex.Encode(own[:], sumOfLine[:])
	if string(own[:]) != string(line[end:end+4]) {
		return h, false
	}
	length, err := strconv.ParseInt(string(line[len(headMark):len(headMark)+lengthSize]), 16, 64)
	sum, sumErr := strconv.ParseUint(string(line[len(headMark)+lengthSize:end]), 16, 32)
	return head{length, uint32(sum)}, err == nil && sumErr == nil && length >= 0
}
