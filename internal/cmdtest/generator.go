package cmdtest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Templates are commands on all types, biased to edges, whose replies are the same in every
// server like Redis 7.0.
//
// A template is a command with places to be filled in:
//
//	{l} {h} {s} {z} {x} {b} {p}  a key that is a list, hash, set, sorted set, stream,
//	                             string of bits, HyperLogLog; now and then any key
//	{k}       any key           {e}  an element        {n}  a small count
//	{i} {j}   an index, {j} a small one
//	{L} {S}   a list's, a set's name for sure
//	{q}       a sorted set whose scores are all 0
//	{f}       a score           {r}  a bound of scores
//	{y}       a bound of lex    {id} a stream's ID     {c}  a consumer
//	{o}       a bit offset      {g}  a member of a geo set
//
// In front, ~ says that the order of the reply's elements is nobody's, and % that of its
// pairs, ! that the reply is not compared. What depends on chance, on time or on the
// order of a table is left out.
var Templates = strings.Split(strings.TrimSpace(`
SET {k} {e}
GET {k}
GETSET {k} {e}
APPEND {b} {e}
SETRANGE {b} {n} {e}
GETRANGE {b} {i} {i}
STRLEN {b}
INCR {k}
INCRBY {k} {i}
INCRBYFLOAT {k} {f}
SETNX {k} {e}
MSET {k} {e} {k} {e}
~MGET {k} {k} {k}
GETDEL {k}
LCS {b} {b}
LCS {b} {b} IDX WITHMATCHLEN
DEL {k} {k}
UNLINK {k}
EXISTS {k} {k} {k}
TYPE {k}
OBJECT ENCODING {h}
OBJECT ENCODING {z}
OBJECT ENCODING {l}
OBJECT ENCODING {s}
RENAME {k} {k}
RENAMENX {k} {k}
COPY {k} {k}
COPY {k} {k} REPLACE
MOVE {k} 1
EXPIREAT {k} 3999999999
EXPIREAT {k} 4000000000
PERSIST {k}
EXPIRETIME {k}
TOUCH {k} {k}
DBSIZE
SETBIT {b} {o} 1
SETBIT {b} {o} 0
GETBIT {b} {o}
BITCOUNT {b}
BITCOUNT {b} {i} {i}
BITCOUNT {b} {i} {i} BIT
BITPOS {b} 1
BITPOS {b} 0 {i}
BITPOS {b} 1 {i} {i}
BITPOS {b} 0 {i} {i} BIT
BITOP AND {b} {b} {b}
BITOP OR {b} {b} {b}
BITOP XOR {b} {b} {b} {b}
BITOP NOT {b} {b}
BITFIELD {b} SET u8 {o} {i} GET i5 {o}
BITFIELD {b} OVERFLOW SAT INCRBY i6 {o} {i} OVERFLOW FAIL INCRBY u3 #{n} {i}
BITFIELD_RO {b} GET u13 {o} GET i64 #1
PFADD {p} {e} {e} {e}
PFADD {p}
PFCOUNT {p}
PFCOUNT {p} {p} {p}
PFMERGE {p} {p} {p}
LPUSH {l} {e} {e} {e}
RPUSH {l} {e} {e} {e} {e}
LPUSHX {l} {e}
RPUSHX {l} {e} {e}
LPOP {l}
RPOP {l}
LPOP {l} {n}
RPOP {l} {n}
LLEN {l}
LINDEX {l} {i}
LSET {l} {i} {e}
LRANGE {l} {i} {i}
LRANGE {l} 0 -1
LTRIM {l} {n} -{n}
LREM {l} {n} {e}
LREM {l} -{n} {e}
LINSERT {l} BEFORE {e} {e}
LINSERT {l} AFTER {e} {e}
LPOS {l} {e}
LPOS {l} {e} RANK {j} COUNT {n}
LPOS {l} {e} COUNT 0 MAXLEN {n}
LMOVE {l} {l} LEFT RIGHT
LMOVE {l} {l} RIGHT LEFT
RPOPLPUSH {l} {l}
LMPOP 2 {l} {l} LEFT COUNT {n}
BLPOP {l} {l} 0.001
BRPOP {l} 0.001
BLMOVE {l} {l} LEFT LEFT 0.001
BLMPOP 0.001 2 {l} {l} RIGHT
HSET {h} {e} {e}
HSET {h} {e} {e} {e} {e} {e} {e}
HMSET {h} {e} {e} {e} {e}
HSETNX {h} {e} {e}
HGET {h} {e}
HMGET {h} {e} {e} {e}
%HGETALL {h}
~HKEYS {h}
~HVALS {h}
HLEN {h}
HSTRLEN {h} {e}
HEXISTS {h} {e}
HDEL {h} {e} {e}
HINCRBY {h} {e} {i}
HINCRBYFLOAT {h} {e} {f}
HRANDFIELD {h} 0
SADD {s} {e} {e} {e}
SADD {s} {i} {i} {i}
SREM {s} {e} {e}
SISMEMBER {s} {e}
SMISMEMBER {s} {e} {i} {e}
SCARD {s}
~SMEMBERS {s}
SMOVE {s} {s} {e}
~SINTER {s} {s}
~SINTER {s} {s} {s}
~SUNION {s} {s} {s}
~SDIFF {s} {s}
~SDIFF {s} {s} {s}
SINTERSTORE {s} {s} {s}
SUNIONSTORE {s} {s} {s}
SDIFFSTORE {s} {s} {s}
SINTERCARD 2 {s} {s} LIMIT {n}
~SPOP {s} 1000
ZADD {z} {f} {e} {f} {e}
ZADD {z} NX {f} {e}
ZADD {z} XX CH {f} {e}
ZADD {z} GT {f} {e}
ZADD {z} LT CH {f} {e}
ZADD {z} INCR {f} {e}
ZADD {q} 0 {e} 0 {e} 0 {e}
ZINCRBY {z} {f} {e}
ZREM {z} {e} {e}
ZCARD {z}
ZSCORE {z} {e}
ZMSCORE {z} {e} {e}
ZRANK {z} {e}
ZREVRANK {z} {e}
ZCOUNT {z} {r} {r}
ZLEXCOUNT {q} {y} {y}
ZRANGE {z} {i} {i}
ZRANGE {z} {i} {i} REV WITHSCORES
ZRANGE {z} {r} {r} BYSCORE LIMIT {i} {i}
ZRANGE {q} {y} {y} BYLEX
ZRANGE {z} 0 -1 WITHSCORES
ZREVRANGE {z} {i} {i}
ZRANGEBYSCORE {z} {r} {r} WITHSCORES
ZREVRANGEBYSCORE {z} {r} {r} LIMIT {n} {n}
ZRANGEBYLEX {q} {y} {y} LIMIT {n} {n}
ZREVRANGEBYLEX {q} {y} {y}
ZREMRANGEBYRANK {z} {i} {i}
ZREMRANGEBYSCORE {z} {r} {r}
ZREMRANGEBYLEX {q} {y} {y}
ZPOPMIN {z}
ZPOPMAX {z} {n}
ZMPOP 2 {z} {z} MIN COUNT {n}
BZPOPMIN {z} {z} 0.001
BZPOPMAX {z} 0.001
BZMPOP 0.001 1 {z} MAX
ZRANGESTORE {z} {z} {i} {i}
ZRANGESTORE {z} {z} {r} {r} BYSCORE REV LIMIT {n} {n}
ZUNIONSTORE {z} 2 {z} {z} WEIGHTS 0.5 3 AGGREGATE MAX
ZUNIONSTORE {z} 2 {z} {s}
ZINTERSTORE {z} 2 {z} {z} AGGREGATE MIN
ZDIFFSTORE {z} 2 {z} {z}
ZUNION 2 {z} {z} WITHSCORES
ZINTER 2 {z} {z} WITHSCORES
ZDIFF 2 {z} {z} WITHSCORES
ZINTERCARD 2 {z} {z} LIMIT {n}
GEOADD {z}g {lon} {lat} {g} {lon} {lat} {g}
GEODIST {z}g {g} {g} km
GEOPOS {z}g {g} {g}
GEOHASH {z}g {g} {g}
GEOSEARCH {z}g FROMMEMBER {g} BYRADIUS {n}000 km ASC WITHDIST
GEOSEARCH {z}g FROMLONLAT {lon} {lat} BYBOX {n}000 {n}000 km ASC COUNT {n} WITHCOORD WITHHASH
GEOSEARCHSTORE {z}g {z}g FROMLONLAT {lon} {lat} BYRADIUS {n}000 km
XADD {x} {id} {e} {e}
XADD {x} {id} {e} {e} {e} {e}
XADD {x} MAXLEN {n} {id} f {e}
XADD {x} MINID {id} {id} f {e}
XADD {x} NOMKSTREAM {id} f {e}
XLEN {x}
XRANGE {x} - +
XRANGE {x} {id} {id} COUNT {n}
XREVRANGE {x} + - COUNT {n}
XREVRANGE {x} ({id} {id}
XDEL {x} {id} {id}
XTRIM {x} MAXLEN {n}
XTRIM {x} MINID {id}
XREAD COUNT {n} STREAMS {x} {x} {id} {id}
XREAD COUNT {n} BLOCK 1 STREAMS {x} {id}
XGROUP CREATE {x} g1 {id} MKSTREAM
XGROUP CREATE {x} g2 0
XGROUP SETID {x} g1 {id}
XGROUP DESTROY {x} g2
!XGROUP CREATECONSUMER {x} g1 {c}
XGROUP DELCONSUMER {x} g1 {c}
XREADGROUP GROUP g1 {c} COUNT {n} STREAMS {x} >
XREADGROUP GROUP g2 {c} COUNT {n} NOACK STREAMS {x} >
XREADGROUP GROUP g1 {c} COUNT {n} STREAMS {x} {id}
XACK {x} g1 {id} {id} {id}
XPENDING {x} g1
XCLAIM {x} g1 {c} 0 {id} {id} TIME 1000 RETRYCOUNT {n}
XCLAIM {x} g1 {c} 0 {id} JUSTID
XAUTOCLAIM {x} g1 {c} 0 {id} COUNT {n} JUSTID
SORT {L} ALPHA
SORT {L} ALPHA DESC LIMIT {n} {n}
SORT {S} ALPHA STORE {L}
~SORT {L} BY nosort GET #
`), "\n")

// A Generator makes commands of templates.
type Generator struct{ Rand *rand.Rand }

// Fill makes a command of a template.
func (g *Generator) Fill(template string) (call []string) {
	for _, word := range strings.Fields(strings.TrimLeft(template, "~%!")) {
		call = append(call, g.fill(word))
	}
	return call
}

// GeneratedKeys are the keys of each type, four of them.
var GeneratedKeys = func() (keys []string) {
	for _, t := range "lhszxbp" {
		for i := range 4 {
			keys = append(keys, fmt.Sprintf("%c%d", t, i))
		}
	}
	for i := range 4 {
		keys = append(keys, fmt.Sprintf("z%dg", i))
	}
	return keys
}()

func (g *Generator) pick(words ...string) string { return words[g.Rand.IntN(len(words))] }

// fill fills in the places of a word.
func (g *Generator) fill(word string) string {
	for {
		i := strings.IndexByte(word, '{')
		if i < 0 {
			return word
		}
		j := strings.IndexByte(word, '}')
		word = word[:i] + g.place(word[i+1:j]) + word[j+1:]
	}
}

func (g *Generator) place(name string) string {
	r := g.Rand
	switch name {
	case "l", "h", "s", "z", "x", "b", "p":
		if r.IntN(30) == 0 {
			return g.place("k")
		}
		return name + strconv.Itoa(r.IntN(4))
	case "L", "S": // without any key: SORT makes a sorted set a skiplist in 7.0
		return strings.ToLower(name) + strconv.Itoa(r.IntN(4))
	case "q": // a sorted set whose scores are all 0, as ranges of lex want it
		return name + strconv.Itoa(r.IntN(4))
	case "k":
		return GeneratedKeys[r.IntN(len(GeneratedKeys))]
	case "e":
		return g.element()
	case "n":
		return strconv.Itoa(r.IntN(8))
	case "i":
		if r.IntN(20) == 0 {
			return g.pick("9223372036854775807", "-9223372036854775808", "65536", "-32769", "2147483648")
		}
		return g.place("j")
	case "j":
		return strconv.Itoa(r.IntN(16) - 8)
	case "f":
		return g.pick("0", "1", "-1", "1.5", "3", "inf", "-inf", "1e300", "0.1", "17", "-2.25", "3.0e3",
			"12345678901")
	case "r":
		return g.pick("-inf", "+inf", "0", "(0", "1", "(1", "(1.5", "17", "-1", "(3", "inf", "0.1")
	case "y":
		return g.pick("-", "+", "[a", "(a", "[b", "(m", "[zz", "[", "(", "[5", "x")
	case "id":
		return g.pick("0", "0-1", "1-1", "1-2", "2-1", "3-7", "5-0", "5-1", "7-3", "9-9", "10", "12-1",
			"15-2", "20-20",
			"0-0", "99-1", "18446744073709551615-18446744073709551615")
	case "c":
		return g.pick("alice", "bob", "c")
	case "o":
		if r.IntN(30) == 0 {
			return g.pick("-1", "4294967296", "x", "65537")
		}
		return strconv.Itoa(r.IntN(200))
	case "g":
		return g.pick("rome", "oslo", "quito", "perth", "null")
	case "lon":
		return g.pick("12.5", "-78.5", "10.75", "115.86", "0", "180", "-179.99")
	case "lat":
		return g.pick("41.9", "-0.18", "59.91", "-31.95", "0", "85", "-85")
	}
	panic("no place is called " + name)
}

// element is a value, field or member.
func (g *Generator) element() string {
	switch g.Rand.IntN(16) {
	case 0:
		return strings.Repeat("x", g.Rand.IntN(100))
	case 1:
		return g.pick("", "\x00", "\r\n", "-0", "+1", "01", " 1", "1 ", "1e3", "nan", "3.0")
	case 2:
		return g.pick("127", "128", "-128", "-129", "32767", "32768", "8388607", "8388608", "2147483647",
			"2147483648",
			"4096", "-4097", "9223372036854775807", "9223372036854775808", "-9223372036854775808")
	case 3, 4, 5:
		return strconv.Itoa(g.Rand.IntN(10))
	default:
		return g.pick("a", "b", "c", "d", "e", "foo", "bar", "hello world", "m1", "m2", "m3", "m4", "m5", "m6",
			"m7")
	}
}
