package rdb

// A Kind says what a Record is about.
type Kind uint8

const (
	// KindAux is a field about the file: Key is its name, Value its value.
	// Unknown ones are to be ignored.
	KindAux Kind = iota + 1

	// KindSelectDB says that the following keys are in database DB.
	KindSelectDB

	// KindResizeDB says that the selected database has Keys keys, of which
	// Expires expire. It is a hint, and may be a lie.
	KindResizeDB

	// KindSlotInfo is the same hint for one cluster slot, Slot.
	KindSlotInfo

	// KindKey is a key with its value, or with the first part of it.
	KindKey

	// KindPart is the next part of the value of the last key. Only NextRaw gives parts.
	KindPart

	// KindFunction is a library of functions: Value is its code. (Functions)
	KindFunction

	// KindModuleAux says that the module Module has data here. (Modules)
	KindModuleAux

	// KindEOF is the end. The checksum, if there is one, was right.
	KindEOF
)

// None is the ExpireMS, IdleSeconds or Freq of a key that has none. No other
// value stands for absence: an expiry may lie long before 1970.
const None = -1

// A Head is what a record says without its strings being decoded.
type Head struct {
	// Offset is the place in the file of Raw's first byte, or for a record
	// without raw bytes that of its opcode.
	Offset int64

	ExpireMS    int64 // milliseconds since 1970
	IdleSeconds int64
	Keys        uint64 // of KindResizeDB and KindSlotInfo
	Expires     uint64
	Module      uint64  // of KindModuleAux; ModuleName decodes it
	Version     Version // of the file, which says what Type means
	DB          int     // that is selected
	Slot        uint16
	Freq        int16 // 0 to 255
	Kind        Kind
	Type        Type
}

// A Record is one decoded record. Its slices belong to whoever decoded it, and
// are valid until that one's next call.
type Record struct {
	Head
	Key   []byte
	Value []byte // of a string, or of an AUX field
	Int   int64  // what Value spells, if IsInt
	IsInt bool   // the value is stored as an integer
}

// A Raw is one record whose strings are still encoded, as bytes [Start, End) of
// the buffer that NextRaw returned.
type Raw struct {
	Head
	Start, End int

	// More says that the value goes on: the next record is a KindPart. A string is
	// always whole.
	More bool
}
