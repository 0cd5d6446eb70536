package rdb

import "math"

// A Version is the number in a file's header or a DUMP payload's footer. From 80
// on it is Valkey's, below it is Redis's: some type and opcode numbers mean
// different things in the two families.
type Version int

const (
	// VersionLowest is the lowest that we write: that of Redis 7.0, which every Redis
	// and Valkey since then reads.
	VersionLowest Version = 10

	// VersionWritten is that of Redis 7.2, the first with packed sets of texts and with
	// when a consumer was active.
	VersionWritten Version = 11

	// VersionFieldExpiry is the lowest in which fields of a hash can expire: that of
	// Redis 7.4. Valkey doesn't read it.
	VersionFieldExpiry Version = 12

	versionRedisMax  Version = 16
	versionValkeyMin Version = 80
	versionValkeyMax Version = 81

	versionChecksum Version = 5 // the first one with a footer behind EOF
)

// IsValkey says which family's numbering applies.
func (v Version) IsValkey() bool { return v >= versionValkeyMin }

// isKnown says whether v's types and opcodes are in the tables below.
func (v Version) isKnown() bool {
	return v >= 1 && v <= versionRedisMax || v >= versionValkeyMin && v <= versionValkeyMax
}

// A Type is the byte in front of a key or a DUMP payload that says how its value
// is laid out. It is not the type that the user sees: a hash has seven.
type Type byte

// The types that we write. Those that we only read have no name outside.
const (
	TypeString  Type = 0
	TypeList    Type = 1
	TypeSet     Type = 2
	typeZSet1   Type = 3
	TypeHash    Type = 4
	TypeZSet2   Type = 5
	typeModule2 Type = 7

	typeHashZipmap       Type = 9
	typeListZiplist      Type = 10
	TypeSetIntset        Type = 11
	typeZSetZiplist      Type = 12
	typeHashZiplist      Type = 13
	typeQuicklist        Type = 14
	typeStream1          Type = 15
	TypeHashListpack     Type = 16
	TypeZSetListpack     Type = 17
	TypeQuicklist2       Type = 18
	TypeStream2          Type = 19
	TypeSetListpack      Type = 20
	TypeStream3          Type = 21
	typeHashMetaRC       Type = 22
	typeHashListpackExRC Type = 23
	TypeHashMeta         Type = 24
	TypeHashListpackEx   Type = 25
	typeStream4          Type = 26
	typeStream5          Type = 27
)

// types names the value types as redis-check-rdb does, with the Redis version
// that brought each. Before that version its number is not a type at all.
var types = [...]struct {
	name  string
	since Version
}{
	0:  {"string", 1},
	1:  {"list-linked", 1},
	2:  {"set-hashtable", 1},
	3:  {"zset-v1", 1},
	4:  {"hash-hashtable", 1},
	5:  {"zset-v2", 8},
	6:  {"module-pre-release", 8},
	7:  {"module-value", 8},
	9:  {"hash-zipmap", 1},
	10: {"list-ziplist", 1},
	11: {"set-intset", 1},
	12: {"zset-ziplist", 1},
	13: {"hash-ziplist", 1},
	14: {"quicklist", 7},
	15: {"stream", 9},
	16: {"hash-listpack", 10},
	17: {"zset-listpack", 10},
	18: {"quicklist-v2", 10},
	19: {"stream-v2", 10},
	20: {"set-listpack", 11},
	21: {"stream-v3", 11},
	22: {"hash-metadata-rc", 12},
	23: {"hash-listpack-ex-rc", 12},
	24: {"hash-metadata", 12},
	25: {"hash-listpack-ex", 12},
	26: {"stream-v4", 13},
	27: {"stream-v5", 14},
	28: {"array", 14},
	29: {"hash-template-listpack", 15},
	30: {"hash-template-listpack-ref", 15},
	31: {"hash-template", 15},
	32: {"hash-template-ref", 15},
	33: {"bitmap", 16},
}

// valkeyTypes are the numbers that Valkey gave out itself; up to 21 the two agree.
var valkeyTypes = [...]struct {
	name  string
	since Version
}{
	0: {"hash-2", 80},
	1: {"path-hash", 81},
}

const valkeyTypesFrom = 22

// typeName returns what t stands for in version v, or "" if it stands for nothing.
func (v Version) typeName(t Type) string {
	table, i := types[:], int(t)
	if v.IsValkey() && i >= valkeyTypesFrom {
		table, i = valkeyTypes[:], i-valkeyTypesFrom
	}
	if i >= len(table) || v < table[i].since {
		return ""
	}
	return table[i].name
}

// The opcodes are counted down from the top, the types up from 0.
const (
	opTemplate    = 242 // Redis 15: hash templates; Valkey 81: update
	opKeyMeta     = 243 // Redis 13: key metadata; Valkey 80: slot import
	opSlotInfo    = 244
	opFunction2   = 245
	opFunctionPre = 246
	opModuleAux   = 247
	opIdle        = 248
	opFreq        = 249
	opAux         = 250
	opResizeDB    = 251
	opExpireMS    = 252
	opExpire      = 253
	opSelectDB    = 254
	opEOF         = 255
)

const (
	clusterSlots = 16384

	// dbMax keeps database numbers in an int of any machine. How many databases
	// there really are is for the caller to compare.
	dbMax = math.MaxInt32

	// StringBytesMax is the longest string unless the caller allows another
	// limit: the default of proto-max-bulk-len.
	StringBytesMax = 512 << 20
)
