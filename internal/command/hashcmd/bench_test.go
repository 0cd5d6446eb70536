package hashcmd_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/hashcmd"
	"github.com/spineldb/spinel/internal/command/keycmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
)

func newDB(t testing.TB) *cmdtest.DB {
	t.Helper()
	return cmdtest.New(t, hashcmd.Family.Specs, keycmd.Family.Specs, txcmd.Family.Specs,
		cmdtest.Strings())
}

// fill makes a hash of n fields, of which each that is divided by past has an expiry.
func fill(db *cmdtest.DB, key string, n int, expiring bool) {
	for i := range n {
		field := "field:" + strconv.Itoa(i)
		db.Do("HSET", key, field, strings.Repeat("x", 32))
		if expiring && i%2 == 0 {
			db.Do("HEXPIRE", key, "1000", "FIELDS", "1", field)
		}
	}
}

var warm = []struct {
	name string
	args []string
}{
	{"HGet", []string{"HGET", "h", "field:7"}},
	{"HGetMissing", []string{"HGET", "h", "nothing"}},
	{"HSetOver", []string{"HSET", "h", "field:7", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"}},
	{"HMGet", []string{"HMGET", "h", "field:1", "field:3", "field:5", "field:7", "nothing"}},
	{"HIncrBy", []string{"HINCRBY", "h", "counter", "1"}},
	{"HExists", []string{"HEXISTS", "h", "field:7"}},
	{"HLen", []string{"HLEN", "h"}},
	{"HStrlen", []string{"HSTRLEN", "h", "field:7"}},
	{"HSetNX", []string{"HSETNX", "h", "field:7", "y"}},
	{"HDelMissing", []string{"HDEL", "h", "nothing"}},
	{"HTTL", []string{"HTTL", "h", "FIELDS", "1", "field:7"}},
	{"HExpire", []string{"HEXPIRE", "h", "1000", "FIELDS", "1", "field:6"}},
	{"HRandField", []string{"HRANDFIELD", "h"}},
	{"HRandFields", []string{"HRANDFIELD", "h", "-5", "WITHVALUES"}},
	{"HScan", []string{"HSCAN", "h", "0"}},
	{"HGetAll", []string{"HGETALL", "h"}},
}

var shapes = []struct {
	name     string
	fields   int
	expiring bool
}{
	{"packed", 16, false}, {"packedex", 16, true}, {"rooted", 2000, false}, {"rootedex", 2000, true},
}

func BenchmarkCommands(b *testing.B) {
	for _, shape := range shapes {
		for _, cmd := range warm {
			if cmd.name == "HGetAll" && shape.fields > 100 {
				continue
			}
			b.Run(cmd.name+"/"+shape.name, func(b *testing.B) {
				db := newDB(b)
				fill(db, "h", shape.fields, shape.expiring)
				db.Bench(b, cmd.args...)
			})
		}
	}
}

// BenchmarkNew adds a field and removes it again.
func BenchmarkNew(b *testing.B) {
	for _, shape := range shapes {
		b.Run(shape.name, func(b *testing.B) {
			db := newDB(b)
			fill(db, "h", shape.fields, shape.expiring)
			one := "*4\r\n$4\r\nHSET\r\n$1\r\nh\r\n$8\r\nnewfield\r\n$5\r\nvalue\r\n" +
				"*3\r\n$4\r\nHDEL\r\n$1\r\nh\r\n$8\r\nnewfield\r\n"
			all := []byte(strings.Repeat(one, 32))
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += 32 {
				db.Raw(all)
			}
		})
	}
}
