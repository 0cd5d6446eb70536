package rdb

import (
	"errors"
	"fmt"
)

// An ObjectType is what the user sees a value as.
type ObjectType uint8

const (
	ObjectString ObjectType = iota
	ObjectList
	ObjectSet
	ObjectZSet
	ObjectHash
	ObjectStream
	ObjectModule
)

// String is the name that TYPE gives.
func (o ObjectType) String() string {
	return [...]string{"string", "list", "set", "zset", "hash", "stream", "module"}[o]
}

// An Object is what a value says about itself before its content.
type Object struct {
	Type ObjectType

	// Count is how many elements come, of a list or stream how many nodes. It is 0 if
	// that isn't said, and it may be a lie: it is no reason to allocate memory.
	Count uint64

	// Module is the number of the module whose value it is. ModuleName decodes it.
	Module uint64
}

// A PieceKind says what a Piece is.
type PieceKind uint8

const (
	// PieceElement is one element. Field is the list's element, the set's or sorted
	// set's member, the hash's field; Value, Score and ExpireMS go with it, where there
	// are none Value is nil and ExpireMS None. Whether an element comes twice is for who
	// builds to find out: ErrDuplicate.
	PieceElement PieceKind = iota + 1

	// PieceListpack is a whole set, hash or sorted set of Count elements, as a
	// listpack: Packed. It is sound: nothing comes twice, scores are numbers, and a
	// sorted set is sorted.
	PieceListpack

	// PieceListpackEx is the same of a hash whose fields may expire: field, value and
	// the time in milliseconds or 0, in the order of the times, those with none last.
	PieceListpackEx

	// PieceIntset is a whole set of Count elements, as an intset.
	PieceIntset

	// PieceNode is Count elements of a list, as a listpack.
	PieceNode

	// PieceStreamNode is entries of a stream: ID and a listpack. That it is a listpack
	// was checked, not that it holds entries.
	PieceStreamNode

	// PieceStream is what a stream knows besides its entries: Stream.
	PieceStream

	// PieceGroup is a consumer group; its pending entries come next, then its
	// consumers.
	PieceGroup

	// PiecePending is a pending entry of that group. They come in the order of their
	// IDs.
	PiecePending

	// PieceConsumer is a consumer of the group; which entries it owns comes next.
	PieceConsumer

	// PieceOwned says that the consumer owns the group's pending entry ID. Each one has
	// exactly one owner.
	PieceOwned

	// PieceNack says that the group's pending entry ID has been given back and has no
	// owner. (Redis 8.8)
	PieceNack

	// PieceProducer is who has sent entries that XADD must not add twice, which come
	// next. (Redis 8.6)
	PieceProducer

	// PieceProduced is one of them: Field is the producer's name for entry ID.
	PieceProduced
)

// A Piece is a part of a value. Its slices are valid until the next one is asked for,
// and as long as the raw bytes are. What doesn't belong to its kind is arbitrary.
type Piece struct {
	Kind     PieceKind
	Packed   []byte
	Count    int // elements in Packed
	Field    []byte
	Value    []byte
	Score    float64
	ExpireMS int64 // when the field expires, or None

	ID       StreamID
	Stream   StreamMeta
	Group    StreamGroup
	Pending  StreamPending
	Consumer StreamConsumer
}

// A StreamID is the ID of a stream's entry.
type StreamID struct{ MS, Seq uint64 }

// Less orders IDs.
func (a StreamID) Less(b StreamID) bool { return a.MS < b.MS || a.MS == b.MS && a.Seq < b.Seq }

// A StreamMeta is what a stream knows besides its entries.
type StreamMeta struct {
	Length     uint64 // entries
	Last       StreamID
	First      StreamID
	MaxDeleted StreamID
	Added      uint64 // entries, those that are gone included
	Groups     uint64 // that come next

	// Old says that First, MaxDeleted, Added and the groups' EntriesRead aren't known,
	// as those of streams before Redis 7.0.
	Old bool
}

// EntriesReadUnknown is the EntriesRead of a group that doesn't know.
const EntriesReadUnknown = -1

// A StreamGroup is a consumer group.
type StreamGroup struct {
	Name        []byte
	Last        StreamID // that was delivered
	EntriesRead int64
	Pending     uint64 // entries that come next
}

// A StreamPending is an entry that was delivered and not yet acknowledged.
type StreamPending struct {
	ID          StreamID
	DeliveredMS int64
	Deliveries  uint64
}

// A StreamConsumer is a consumer of a group.
type StreamConsumer struct {
	Name     []byte
	SeenMS   int64
	ActiveMS int64  // SeenMS if the version doesn't have it; -1 is never
	Pending  uint64 // entries that it owns, which come next
}

var (
	// ErrEmpty means that a collection has no elements, which no key may have. Redis
	// passes over such a key of a file, and refuses such a payload. It is returned as it
	// is; an empty part of a value that is not empty, and a zipmap, are CorruptErrors.
	ErrEmpty = errors.New("the value is empty")

	// ErrDuplicate means that an element comes twice. Pieces find that in packed values;
	// of other elements it is found when the value is built, which Pieces.Blame is told.
	ErrDuplicate = errors.New("an element comes twice")

	errPackedTwice = fmt.Errorf("listpack with dup elements: %w", ErrDuplicate)

	errScore      = errors.New("not a number")
	errOdd        = errors.New("the number of entries is wrong")
	errUnsorted   = errors.New("not in order")
	errContainer  = errors.New("neither an element nor a listpack")
	errExpiry     = errors.New("no time is that")
	errNodeID     = errors.New("an ID has 16 bytes")
	errPlain      = errors.New("no element that is a node by itself is empty")
	errEmptyNode  = errors.New("the node is empty")
	errNotPending = errors.New("the group has no such pending entry")
	errTwoOwners  = errors.New("the pending entry has an owner already")
	errNoOwner    = errors.New("a pending entry has no owner")
	errOpcode     = errors.New("no module value begins with this opcode")
)
