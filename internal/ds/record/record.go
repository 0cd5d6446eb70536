// Package record is the layout of a key with its value in one block of an arena.
//
// # Layout
//
//	+------+-----+-----+--------+---------+---------------------------+
//	| kind | len | key | expiry | clock   | value                     |
//	+------+-----+-----+--------+---------+---------------------------+
//	  1      1/5         8 or 0   3 or 0
//
//	kind     bits 0-2 type, bits 3-5 encoding, bit 6 has an expiry, bit 7 has a clock
//	len      of the key; 255 means that four bytes follow (see dict.PutHead)
//	expiry   milliseconds since the epoch, little endian
//	clock    of the last access: seconds, or minutes and a logarithmic counter
//	value    of a string: a length of 1 to 5 bytes and the bytes, or an integer of
//	         1, 2, 4 or 8 bytes; of the others: a length and the value part (see Encoding)
//
// # Example
//
// The key "name" with the value "wei" and no expiry takes ten bytes:
//
//	08 04 6e 61 6d 65 03 77 65 69
//	kind: a string in bytes, key of 4, "name", value of 3, "wei"
//
// So the overhead of a short key is three bytes, and the integer 7 takes one byte.
//
// # Cost
//
// Every field is found without a loop. A Record is a pointer into an arena: it is
// valid while the stripe's lock is held and the block is not freed.
package record

import (
	"encoding/binary"
	"unsafe"

	"github.com/spineldb/spinel/internal/ds/dict"
	"github.com/spineldb/spinel/internal/mem"
)

// A Type is what kind of value a key holds.
type Type uint8

// The types, as many as fit in the kind byte.
const (
	String Type = iota
	List
	Set
	ZSet
	Hash
	Stream
)

// Name is the type as the TYPE command says it.
func (t Type) Name() string {
	return [...]string{"string", "list", "set", "zset", "hash", "stream", "?", "?"}[t&7]
}

// An Encoding says how the value of a type is laid out.
type Encoding uint8

// Encodings of strings.
const (
	Int8  Encoding = iota // little-endian integers
	Bytes                 // never changed in place
	Raw                   // changed in place once: APPEND, SETRANGE
	Int16
	Int32
	Int64
)

// Encodings of the other types. The value part is the packed bytes themselves, or the
// root of something bigger.
const (
	Packed   Encoding = iota // a listpack
	Intset                   // of sets
	PackedEx                 // of hashes: a listpack with the fields' expiries
	Rooted                   // the root of a quicklist, a hash table, a tree, a stream
	RootedEx                 // of hashes: the same, some field expires
)

const (
	typeMask  = 0x07
	encShift  = 3
	encMask   = 0x38
	hasExpiry = 0x40
	hasClock  = 0x80
)

// ExpirySize and ClockSize are what the two optional fields take.
const (
	ExpirySize = 8
	ClockSize  = 3
)

// A Record is a view of a block.
type Record struct{ p unsafe.Pointer }

// At is the record in a block.
func At(a *mem.Arena, r mem.Ref) Record { return Record{a.Ptr(r)} }

func (r Record) kind() uint8 { return *(*uint8)(r.p) }

// Key is the key. The bytes are the arena's.
func (r Record) Key() []byte { return dict.KeyOf(r.p) }

// Type is the type of the value.
func (r Record) Type() Type { return Type(r.kind() & typeMask) }

// Encoding is how the value is laid out.
func (r Record) Encoding() Encoding { return Encoding(r.kind() & encMask >> encShift) }

// HasExpiry says whether the key expires.
func (r Record) HasExpiry() bool { return r.kind()&hasExpiry != 0 }

// HasClock says whether accesses are noted.
func (r Record) HasClock() bool { return r.kind()&hasClock != 0 }

// headLen is the number of bytes before the optional fields.
func (r Record) headLen() int {
	n := int(*(*uint8)(unsafe.Add(r.p, 1)))
	if n == 255 {
		return 6 + int(binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(r.p, 2))[:]))
	}
	return 2 + n
}

// Expiry is the time in milliseconds since the epoch at which the key expires, or -1.
func (r Record) Expiry() int64 {
	if !r.HasExpiry() {
		return -1
	}
	return int64(binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(r.p, r.headLen()))[:]))
}

// SetExpiry changes the expiry of a record that has one.
func (r Record) SetExpiry(at int64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(r.p, r.headLen()))[:], uint64(at))
}

func (r Record) clockAt() unsafe.Pointer {
	n := r.headLen()
	if r.HasExpiry() {
		n += ExpirySize
	}
	return unsafe.Add(r.p, n)
}

// Plain says whether this is a string kept as bytes, never changed in place, with
// neither an expiry nor a clock.
func (r Record) Plain() bool { return r.kind() == uint8(String)|uint8(Bytes)<<encShift }

// Clock is the 24 bits of the access clock, 0 if there is none.
func (r Record) Clock() uint32 {
	if !r.HasClock() {
		return 0
	}
	b := (*[3]byte)(r.clockAt())
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
}

// SetClock sets the access clock of a record that has one.
func (r Record) SetClock(c uint32) {
	b := (*[3]byte)(r.clockAt())
	b[0], b[1], b[2] = byte(c), byte(c>>8), byte(c>>16)
}

// valueAt is where the value begins.
func (r Record) valueAt() int {
	n := r.headLen()
	k := r.kind()
	if k&hasExpiry != 0 {
		n += ExpirySize
	}
	if k&hasClock != 0 {
		n += ClockSize
	}
	return n
}

// IsInt says whether a string is kept as an integer.
func (r Record) IsInt() bool {
	e := r.Encoding()
	return e != Bytes && e != Raw && r.Type() == String
}

// IsRooted says whether the value is more than the record: its part in it is a root.
func (r Record) IsRooted() bool { return r.Type() != String && r.Encoding() >= Rooted }

// Int is the value of a string kept as an integer.
func (r Record) Int() int64 {
	p := unsafe.Add(r.p, r.valueAt())
	switch r.Encoding() {
	case Int8:
		return int64(*(*int8)(p))
	case Int16:
		return int64(int16(binary.LittleEndian.Uint16((*[2]byte)(p)[:])))
	case Int32:
		return int64(int32(binary.LittleEndian.Uint32((*[4]byte)(p)[:])))
	default:
		return int64(binary.LittleEndian.Uint64((*[8]byte)(p)[:]))
	}
}

// Bytes is the value of a string kept as bytes, or the value part of another type. The
// bytes are the arena's and may be changed in place.
func (r Record) Bytes() []byte {
	at := r.valueAt()
	n, size := readLen(unsafe.Add(r.p, at))
	return unsafe.Slice((*byte)(unsafe.Add(r.p, at+size)), n)
}

// Size is the number of bytes of the block in use.
func (r Record) Size() int {
	at := r.valueAt()
	if r.IsInt() {
		return at + intSize(r.Encoding())
	}
	n, size := readLen(unsafe.Add(r.p, at))
	return at + size + n
}

// A length of up to 251 is one byte. Longer ones are a byte that says how many follow:
// 252 two, 253 three, 254 four, little endian.
const (
	len1Max = 251
	len2    = 252 // 252 + 16 bits
	len3    = 253 // 253 + 24 bits
	len4    = 254 // 254 + 32 bits
)

// lenSize is the number of bytes that length n takes.
func lenSize(n int) int {
	switch {
	case n <= len1Max:
		return 1
	case n < 1<<16:
		return 3
	case n < 1<<24:
		return 4
	default:
		return 5
	}
}

func readLen(p unsafe.Pointer) (n, size int) {
	b := *(*uint8)(p)
	if b <= len1Max {
		return int(b), 1
	}
	q := (*[5]byte)(p)
	switch b {
	case len2:
		return int(q[1]) | int(q[2])<<8, 3
	case len3:
		return int(q[1]) | int(q[2])<<8 | int(q[3])<<16, 4
	default:
		return int(binary.LittleEndian.Uint32(q[1:])), 5
	}
}

func putLen(p unsafe.Pointer, n int) {
	if n <= len1Max {
		*(*uint8)(p) = uint8(n)
		return
	}
	q := (*[5]byte)(p)
	switch {
	case n < 1<<16:
		q[0], q[1], q[2] = len2, byte(n), byte(n>>8)
	case n < 1<<24:
		q[0], q[1], q[2], q[3] = len3, byte(n), byte(n>>8), byte(n>>16)
	default:
		q[0] = len4
		binary.LittleEndian.PutUint32(q[1:], uint32(n))
	}
}

// IntEncoding is the smallest encoding that holds n.
func IntEncoding(n int64) Encoding {
	switch {
	case n == int64(int8(n)):
		return Int8
	case n == int64(int16(n)):
		return Int16
	case n == int64(int32(n)):
		return Int32
	default:
		return Int64
	}
}

func intSize(e Encoding) int {
	switch e {
	case Int8:
		return 1
	case Int16:
		return 2
	case Int32:
		return 4
	default:
		return 8
	}
}

// A Shape is everything about a record but its bytes: enough to know its size.
type Shape struct {
	Key    []byte
	Type   Type
	Expiry int64 // -1 for none
	Clocks bool  // the record has an access clock
	Clock  uint32
}

func (s *Shape) size() int {
	n := dict.HeadSize(len(s.Key)) + len(s.Key)
	if s.Expiry >= 0 {
		n += ExpirySize
	}
	if s.Clocks {
		n += ClockSize
	}
	return n
}

// SizeBytes is the size of a record of n bytes of string.
func (s *Shape) SizeBytes(n int) int { return s.size() + lenSize(n) + n }

// SizeInt is the size of a record of the integer n.
func (s *Shape) SizeInt(n int64) int { return s.size() + intSize(IntEncoding(n)) }

// writeHead writes everything before the value and returns where the value begins.
func (s *Shape) writeHead(p unsafe.Pointer, e Encoding) unsafe.Pointer {
	kind := uint8(s.Type) | uint8(e)<<encShift
	if s.Expiry >= 0 {
		kind |= hasExpiry
	}
	if s.Clocks {
		kind |= hasClock
	}
	n := dict.PutHead(unsafe.Slice((*byte)(p), dict.HeadSize(len(s.Key))+len(s.Key)), kind, s.Key)
	p = unsafe.Add(p, n)
	if s.Expiry >= 0 {
		binary.LittleEndian.PutUint64((*[8]byte)(p)[:], uint64(s.Expiry))
		p = unsafe.Add(p, ExpirySize)
	}
	if s.Clocks {
		b := (*[3]byte)(p)
		b[0], b[1], b[2] = byte(s.Clock), byte(s.Clock>>8), byte(s.Clock>>16)
		p = unsafe.Add(p, ClockSize)
	}
	return p
}

// WriteBytes writes a record of a string of n bytes into a block of at least
// SizeBytes(n) bytes, and returns the place of the n bytes, to be filled in.
func (s *Shape) WriteBytes(a *mem.Arena, r mem.Ref, e Encoding, n int) []byte {
	p := s.writeHead(a.Ptr(r), e)
	putLen(p, n)
	return unsafe.Slice((*byte)(unsafe.Add(p, lenSize(n))), n)
}

// WriteInt writes a record of the integer n into a block of at least SizeInt(n) bytes.
func (s *Shape) WriteInt(a *mem.Arena, r mem.Ref, n int64) {
	e := IntEncoding(n)
	putInt(s.writeHead(a.Ptr(r), e), e, n)
}

func putInt(p unsafe.Pointer, e Encoding, n int64) {
	switch e {
	case Int8:
		*(*int8)(p) = int8(n)
	case Int16:
		binary.LittleEndian.PutUint16((*[2]byte)(p)[:], uint16(n))
	case Int32:
		binary.LittleEndian.PutUint32((*[4]byte)(p)[:], uint32(n))
	default:
		binary.LittleEndian.PutUint64((*[8]byte)(p)[:], uint64(n))
	}
}

// SetBytes changes the value to bytes of the given encoding in place. The caller
// knows that the block has room.
func (r Record) SetBytes(e Encoding, v []byte) {
	p := unsafe.Add(r.p, r.valueAt())
	putLen(p, len(v))
	copy(unsafe.Slice((*byte)(unsafe.Add(p, lenSize(len(v)))), len(v)), v)
	r.setEncoding(e)
}

// SetInt changes the value to an integer in place. The caller knows that the block
// has room.
func (r Record) SetInt(n int64) {
	e := IntEncoding(n)
	putInt(unsafe.Add(r.p, r.valueAt()), e, n)
	r.setEncoding(e)
}

// Stretch changes the length of a string kept as bytes to n in place, moving its bytes
// if the length field changes size, and returns them. New bytes are zero. The caller
// knows that the block has room.
func (r Record) Stretch(n int) []byte {
	p := unsafe.Add(r.p, r.valueAt())
	old, oldSize := readLen(p)
	size := lenSize(n)
	all := unsafe.Slice((*byte)(unsafe.Add(p, min(size, oldSize))), max(n, old)+4)
	if size != oldSize {
		to, from := size-min(size, oldSize), oldSize-min(size, oldSize)
		copy(all[to:to+min(n, old)], all[from:from+min(n, old)])
	}
	putLen(p, n)
	b := unsafe.Slice((*byte)(unsafe.Add(p, size)), n)
	if n > old {
		clear(b[old:])
	}
	r.setEncoding(Raw)
	return b
}

// SizeWith is the number of bytes that the block would use with a value part of n bytes.
func (r Record) SizeWith(n int) int { return r.valueAt() + lenSize(n) + n }

// Resize changes the length of a value part to n in place, moving it if the length field
// changes size, and returns it. What new bytes are is arbitrary. The caller knows that
// the block has room.
func (r Record) Resize(e Encoding, n int) []byte {
	p := unsafe.Add(r.p, r.valueAt())
	old, oldSize := readLen(p)
	size := lenSize(n)
	if size != oldSize {
		keep := min(n, old)
		copy(unsafe.Slice((*byte)(unsafe.Add(p, size)), keep), unsafe.Slice((*byte)(unsafe.Add(p, oldSize)), keep))
	}
	putLen(p, n)
	r.setEncoding(e)
	return unsafe.Slice((*byte)(unsafe.Add(p, size)), n)
}

// CopyResized writes the record into another block with a value part of n bytes of
// another encoding, which begins with the bytes that r's has, and returns it.
func (r Record) CopyResized(a *mem.Arena, to mem.Ref, e Encoding, n int) []byte {
	at := r.valueAt()
	old := r.Bytes()
	w := Record{a.Ptr(to)}
	copy(unsafe.Slice((*byte)(w.p), at), unsafe.Slice((*byte)(r.p), at))
	p := unsafe.Add(w.p, at)
	putLen(p, n)
	w.setEncoding(e)
	b := unsafe.Slice((*byte)(unsafe.Add(p, lenSize(n))), n)
	copy(b, old[:min(n, len(old))])
	return b
}

func (r Record) setEncoding(e Encoding) {
	*(*uint8)(r.p) = r.kind()&^encMask | uint8(e)<<encShift
}
