package all_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/command/bitcmd"
	"github.com/spineldb/spinel/internal/command/stringcmd"
)

// newDB has every command; those that drive a subsystem have none to drive.
func newDB(t *testing.T) *cmdtest.DB {
	t.Helper()
	bulk := func() int64 { return 512 << 20 }
	return cmdtest.New(t, all.Families(all.Deps{
		Bit: bitcmd.Deps{MaxBulk: bulk}, String: stringcmd.Deps{MaxBulk: bulk},
	})...)
}

// A step is a call, its words, and the beginning of its reply.
type step struct{ call, want string }

const (
	wrongType = "-WRONGTYPE "
	least     = "-9223372036854775808"
	most      = "9223372036854775807"
	tooLong   = "-ERR string exceeds maximum allowed size"
	noOffset  = "-ERR bit offset is not an integer or out of range"
	noRange   = "-ERR value is out of range"
	noMemory  = "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
)

// faults are calls by which somebody brought down, or led astray, a server of this kind: one
// row for each CVE or bug about values. More of the same kind is beside the commands, in the
// tests whose names have an X or a Fault in them.
var faults = []struct {
	name  string
	steps []step
}{
	{"3A4 CVE-2018-12453: groups of what is no stream", []step{
		{"SET k v", "OK"}, {"XGROUP CREATE k g 0", wrongType}, {"XGROUP CREATE k g 0 MKSTREAM", wrongType},
		{"XGROUP DESTROY k g", wrongType}, {"XGROUP SETID k g 0", wrongType}, {"XACK k g 1-1", wrongType},
		{"XGROUP CREATECONSUMER k g c", wrongType}, {"XGROUP DELCONSUMER k g c", wrongType},
		{"XREADGROUP GROUP g c STREAMS k >", wrongType}, {"XINFO GROUPS k", wrongType}, {"GET k", "v"},
	}},
	{"3A11 CVE-2021-29477 and 3A12 CVE-2021-32625: a matrix that is too large", []step{
		{"SETRANGE a 423324 x", "423325"}, {"LCS a a", noMemory}, {"LCS a a LEN", noMemory},
		{"LCS a a IDX", noMemory},
	}},
	{"3A21 CVE-2021-32761: bits beyond 32 bits of offset", []step{
		{"SETBIT k 4294967296 1", noOffset}, {"GETBIT k 4294967296", noOffset}, {"GETBIT k 4294967295", "0"},
		{"BITFIELD k SET u8 4294967296 1", noOffset}, {"BITFIELD k GET u8 #536870912", noOffset}, {"EXISTS k", "0"},
	}},
	{"3A23 CVE-2021-41099: strings that grow beyond the limit", []step{
		{"SET k v", "OK"}, {"SETRANGE k 536870911 xx", tooLong}, {"SETRANGE k 536870912 x", tooLong},
		{"GET k", "v"},
	}},
	{"3A30 CVE-2022-35951: XAUTOCLAIM counts what no memory holds", []step{
		{"XADD x 1-1 f v", "1-1"}, {"XGROUP CREATE x g 0", "OK"}, {"XREADGROUP GROUP g c STREAMS x >", "[[x "},
		{"XAUTOCLAIM x g d 0 0 COUNT 8070450532247928833", "-ERR COUNT must be > 0"},
		{"XAUTOCLAIM x g d 0 0 COUNT 0", "-ERR COUNT must be > 0"},
	}},
	{"3A31 CVE-2022-35977: offsets and counts that overflow", []step{
		{"SETRANGE k " + most + " x", tooLong}, {"SETRANGE k -1 x", "-ERR offset is out of range"},
		{"RPUSH l 3 1 2", "3"}, {"SORT_RO l LIMIT 2 " + most, "[3]"},
		{"SORT_RO l LIMIT " + most + " " + most, "[]"}, {"SORT l LIMIT -5 2", "[1 2]"},
	}},
	{"3A34 CVE-2023-22458 and 3A35 CVE-2023-25155: as many random elements as nobody can count", []step{
		{"HSET h f v", "1"}, {"ZADD z 1 m", "1"}, {"SADD s m", "1"},
		{"HRANDFIELD h -9223372036854770000 WITHVALUES", noRange}, {"HRANDFIELD h " + least, noRange},
		{"ZRANDMEMBER z -9223372036854770000 WITHSCORES", noRange}, {"ZRANDMEMBER z " + least, noRange},
		{"SRANDMEMBER s " + least, noRange}, {"HRANDFIELD h " + least + " WITHVALUES", noRange},
	}},
	{"3A36 CVE-2023-28425: MSETNX with the same key twice", []step{
		{"MSETNX k v k v2", "1"}, {"GET k", "v2"}, {"MSETNX k v3 k2 v", "0"}, {"EXISTS k2", "0"},
	}},
	{"3A37 CVE-2023-28856: a field that could not be read again", []step{
		{"HSET h f 1 g x", "2"}, {"HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity"},
		{"HINCRBYFLOAT h f nan", "-ERR value is not a valid float"}, {"HINCRBYFLOAT h n -inf", "-ERR value is NaN"},
		{"HINCRBYFLOAT h g 1", "-ERR hash value is not a float"}, {"HGETALL h", "[f 1 g x]"},
	}},
	{"3A59 CVE-2025-26268: SCAN with a cursor of 64 bits", []step{
		{"SET k v", "OK"}, {"SCAN 9223372036854775808 MATCH *11*", "["},
		{"SCAN 18446744073709551616", "-ERR invalid cursor"},
	}},
	{"3B59: integers at their ends", []step{
		{"SET n 5", "OK"}, {"DECRBY n " + least, "-ERR decrement would overflow"}, {"GET n", "5"},
		{"RPUSH l a b a", "3"}, {"LPOS l a RANK " + least, noRange}, {"LPOS l a COUNT " + most, "[0 2]"},
		{"LREM l " + least + " a", noRange}, {"LREM l " + most + " a", "2"}, {"ZADD z 1 a 2 b", "2"},
		{"ZRANGE z -inf +inf BYSCORE LIMIT " + most + " " + most, "[]"},
		{"ZRANGE z -inf +inf BYSCORE LIMIT " + least + " 1", "[]"}, {"ZRANGE z " + least + " " + most, "[a b]"},
		{"EXPIRE n " + most, "-ERR invalid expire"}, {"EXPIRE n 9223372036854776", "-ERR invalid expire"},
		{"PEXPIRE n " + most, "-ERR invalid expire"}, {"EXPIREAT n " + most, "-ERR invalid expire"},
		{"EXPIRE n " + least, "-ERR invalid expire"}, {"GET n", "5"}, {"SCAN 0 COUNT " + most, "[0 ["},
		{"HSET h f v", "1"}, {"HEXPIRE h " + most + " FIELDS 1 f", "-ERR invalid expire"},
		{"HEXPIRE h 9 FIELDS " + most + " f", "-ERR "}, {"HEXPIRE h 9 FIELDS 0 f", "-ERR "},
		{"BITFIELD b INCRBY i64 0 " + most + " INCRBY i64 0 1", "[" + most + " " + least + "]"},
		{"XADD x 1-1 f v", "1-1"}, {"XTRIM x MAXLEN " + most, "0"}, {"XTRIM x MAXLEN -1", "-ERR The MAXLEN"},
		{"XTRIM x MAXLEN ~ 0 LIMIT " + most, "1"}, {"XTRIM x MINID ~ 9 LIMIT -1", "-ERR The LIMIT argument"},
	}},
}

func TestFaults(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			db := newDB(t)
			for _, s := range f.steps {
				got := db.Do(strings.Fields(s.call)...).Text()
				if got != s.want && (strings.HasSuffix(s.want, "]") || !strings.HasPrefix(got, s.want)) {
					t.Errorf("%s: %.200s, want %s", s.call, got, s.want)
				}
			}
		})
	}
}

// TestFault3A13 and 3A17: with limits that nobody should set, packed values that are large stay
// whole on every way there is (CVE-2021-29478, CVE-2021-32628, CVE-2021-32687).
func TestFault3A13LargePacked(t *testing.T) {
	db := newDB(t)
	limits := db.Keyspace.Limits()
	for _, l := range []*atomic.Int64{&limits.SetIntset, &limits.HashEntries, &limits.ZSetEntries} {
		l.Store(1 << 40)
	}
	members, fields, scored := []string{"SADD", "s"}, []string{"HSET", "h"}, []string{"ZADD", "z"}
	for i := range 50_000 {
		members = append(members, fmt.Sprint(i*i*1_000_003))
	}
	for i := range 2000 {
		fields = append(fields, fmt.Sprint("f", i), fmt.Sprint(i))
		scored = append(scored, fmt.Sprint(i), fmt.Sprint("m", i))
	}
	db.Do(members...).WantInt(50_000)
	db.Do(fields...).WantInt(2000)
	db.Do(scored...).WantInt(2000)
	for key, encoding := range map[string]string{"s": "intset", "h": "listpack", "z": "listpack"} {
		dump := db.Do("DUMP", key).Text()
		copied := db.Do("COPY", key, "copy", "REPLACE").Raw()
		for until := time.Now().Add(10 * time.Second); copied == "" && time.Now().Before(until); {
			time.Sleep(time.Millisecond) // a task copies what is big
			copied = string(db.Tick())
		}
		if copied != ":1\r\n" {
			t.Fatalf("COPY %s: %q", key, copied)
		}
		db.Do("RESTORE", "again", "0", dump, "REPLACE").Want("OK")
		for _, k := range []string{key, "copy", "again"} {
			db.Do("OBJECT", "ENCODING", k).Want(encoding)
			if db.Do("DUMP", k).Text() != dump {
				t.Errorf("%s: %s is another value", key, k)
			}
		}
	}
}

// TestFault3B62: what commands keep is theirs. The buffer that they came in is used again,
// also between the commands of one batch (dragonfly #6621).
func TestFault3B62Aliases(t *testing.T) {
	db := newDB(t)
	buffer := make([]byte, 0, 64<<10)
	for round := range 50 {
		buffer = buffer[:0]
		for i := range 100 {
			name := fmt.Sprintf("%d-%d", round, i)
			for _, call := range []string{"SET s:%s v%s", "RPUSH l %s %s", "HSET h %s %s", "SADD s %s m%s",
				"ZADD z 1 %s 1 z%s", "XADD x:%s * f %s"} {
				words := strings.Fields(fmt.Sprintf(call, name, name))
				buffer = fmt.Appendf(buffer, "*%d\r\n", len(words))
				for _, word := range words {
					buffer = fmt.Appendf(buffer, "$%d\r\n%s\r\n", len(word), word)
				}
			}
		}
		db.Raw(buffer)
		clear(buffer[:cap(buffer)])
	}
	for round := range 50 {
		for i := range 100 {
			name := fmt.Sprintf("%d-%d", round, i)
			db.Do("GET", "s:"+name).Want("v" + name)
			db.Do("LINDEX", "l", fmt.Sprint(2*(round*100+i)+1)).Want(name)
			db.Do("HGET", "h", name).Want(name)
			db.Do("SMISMEMBER", "s", name, "m"+name).Want("[1 1]")
			db.Do("ZMSCORE", "z", name, "z"+name).Want("[1 1]")
			if got := db.Do("XRANGE", "x:"+name, "-", "+").Text(); !strings.HasSuffix(got, " [f "+name+"]]]") {
				t.Errorf("x:%s: %s", name, got)
			}
		}
	}
}
