package hashcmd_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const wrongType = "WRONGTYPE Operation against a key holding the wrong kind of value"

func TestSetAndGet(t *testing.T) {
	for _, entries := range []int64{512, 0} {
		db := newDB(t)
		db.Keyspace.Limits().HashEntries.Store(entries)
		db.RecordJournal()
		db.Do("HSET", "h", "a", "1", "b", "two").WantInt(2)
		db.Do("HSET", "h", "a", "2", "c", "", "", "empty").WantInt(2)
		db.Do("HSET", "h", "a").WantError("ERR wrong number of arguments for 'hset' command")
		db.Do("HSET", "h", "a", "1", "b").WantError("ERR wrong number of arguments for 'hset' command")
		db.Do("HMSET", "h", "a", "1", "b").WantError("ERR wrong number of arguments for 'hmset' command")
		db.Do("HMSET", "h", "d", "4", "d", "5").Want("OK")
		db.Do("HGET", "h", "a").Want("2")
		db.Do("HGET", "h", "").Want("empty")
		db.Do("HGET", "h", "none").WantNil()
		db.Do("HGET", "none", "a").WantNil()
		db.Do("HMGET", "h", "a", "x", "c", "d", "a").WantArray("2", "(nil)", "", "5", "2")
		db.Do("HMGET", "none", "a", "b").WantArray("(nil)", "(nil)")
		db.Do("HLEN", "h").WantInt(5)
		db.Do("HLEN", "none").WantInt(0)
		db.Do("HSTRLEN", "h", "b").WantInt(3)
		db.Do("HSTRLEN", "h", "a").WantInt(1)
		db.Do("HSTRLEN", "h", "x").WantInt(0)
		db.Do("HSTRLEN", "none", "x").WantInt(0)
		db.Do("HEXISTS", "h", "c").WantInt(1)
		db.Do("HEXISTS", "h", "x").WantInt(0)
		db.Do("HEXISTS", "none", "x").WantInt(0)
		db.Do("HSETNX", "h", "a", "9").WantInt(0)
		db.Do("HSETNX", "h", "e", "9").WantInt(1)
		db.Do("HDEL", "h", "a", "x", "b", "a").WantInt(2)
		db.Do("HDEL", "none", "a").WantInt(0)
		db.Do("HDEL", "h", "x").WantInt(0)
		db.Do("HDEL", "h", "c", "d", "e", "").WantInt(4)
		db.Do("EXISTS", "h").WantInt(0)
		db.WantJournal("HSET h a 1 b two", `HSET h a 2 c "" "" empty`, "HMSET h d 4 d 5", "HSETNX h e 9",
			"HDEL h a x b a", `HDEL h c d e ""`)
	}
}

func TestWhole(t *testing.T) {
	for _, entries := range []int64{512, 0} {
		db := newDB(t)
		db.Keyspace.Limits().HashEntries.Store(entries)
		db.Do("HGETALL", "none").WantRaw("*0\r\n")
		db.Do("HKEYS", "none").WantRaw("*0\r\n")
		db.Do("HSET", "h", "7", "x")
		db.Do("HGETALL", "h").WantRaw("*2\r\n$1\r\n7\r\n$1\r\nx\r\n")
		db.Do("HKEYS", "h").WantRaw("*1\r\n$1\r\n7\r\n")
		db.Do("HVALS", "h").WantRaw("*1\r\n$1\r\nx\r\n")
		db.Do("HRANDFIELD", "h").WantRaw("$1\r\n7\r\n")
		db.Do("HSCAN", "h", "0").WantRaw("*2\r\n$1\r\n0\r\n*2\r\n$1\r\n7\r\n$1\r\nx\r\n")
		db.Do("HSCAN", "h", "0", "NOVALUES").WantRaw("*2\r\n$1\r\n0\r\n*1\r\n$1\r\n7\r\n")
		db.Session.Out.Resp3 = true
		db.Do("HGETALL", "h").WantRaw("%1\r\n$1\r\n7\r\n$1\r\nx\r\n")
		db.Do("HGETALL", "none").WantRaw("%0\r\n")
		db.Do("HGET", "none", "x").WantRaw("_\r\n")
		db.Do("HRANDFIELD", "none").WantRaw("_\r\n")
		db.Do("HRANDFIELD", "h", "2", "WITHVALUES").WantRaw("*1\r\n*2\r\n$1\r\n7\r\n$1\r\nx\r\n")
		db.Do("HSCAN", "h", "0").WantRaw("*2\r\n$1\r\n0\r\n*2\r\n$1\r\n7\r\n$1\r\nx\r\n")
	}
}

func TestWrongType(t *testing.T) {
	db := newDB(t)
	db.RecordJournal()
	db.Do("SET", "s", "x")
	for _, call := range []string{"HSET s a b", "HMSET s a b", "HSETNX s a b", "HGET s a", "HMGET s a",
		"HGETALL s", "HKEYS s", "HVALS s", "HLEN s", "HSTRLEN s a", "HEXISTS s a", "HDEL s a", "HINCRBY s a 1",
		"HINCRBYFLOAT s a 1", "HRANDFIELD s", "HRANDFIELD s 1", "HSCAN s 0", "HEXPIRE s 1 FIELDS 1 a",
		"HPEXPIRE s 1 FIELDS 1 a", "HEXPIREAT s 1 FIELDS 1 a", "HPEXPIREAT s 1 FIELDS 1 a", "HTTL s FIELDS 1 a",
		"HPTTL s FIELDS 1 a", "HEXPIRETIME s FIELDS 1 a", "HPEXPIRETIME s FIELDS 1 a", "HPERSIST s FIELDS 1 a",
		"HGETEX s FIELDS 1 a", "HSETEX s FIELDS 1 a b", "HGETDEL s FIELDS 1 a",
	} {
		db.Do(strings.Fields(call)...).WantError(wrongType)
	}
	db.WantJournal("SET s x")
}

// Rows X4 and fixes 28 and 36 of Redis: a sum that is no number is refused, and the field
// stays readable.
func TestIncrementX4(t *testing.T) {
	for _, entries := range []int64{512, 0} {
		db := newDB(t)
		db.Keyspace.Limits().HashEntries.Store(entries)
		db.RecordJournal()
		db.Do("HINCRBY", "h", "n", "5").WantInt(5)
		db.Do("HINCRBY", "h", "n", "-7").WantInt(-2)
		db.Do("HSET", "h", "max", "9223372036854775807", "min", "-9223372036854775808", "s", "x", "sp", " 1")
		db.Do("HINCRBY", "h", "max", "1").WantError("ERR increment or decrement would overflow")
		db.Do("HINCRBY", "h", "min", "-1").WantError("ERR increment or decrement would overflow")
		db.Do("HINCRBY", "h", "max", "-9223372036854775808").WantInt(-1)
		db.Do("HINCRBY", "h", "s", "1").WantError("ERR hash value is not an integer")
		db.Do("HINCRBY", "h", "sp", "1").WantError("ERR hash value is not an integer")
		db.Do("HINCRBY", "h", "n", "x").WantError("ERR value is not an integer or out of range")
		db.Do("HINCRBY", "none", "n", "x").WantError("ERR value is not an integer or out of range")
		db.Do("HINCRBYFLOAT", "h", "f", "10.5").Want("10.5")
		db.Do("HINCRBYFLOAT", "h", "f", "-0.5").Want("10")
		db.Do("HINCRBYFLOAT", "h", "n", "1e3").Want("998")
		db.Do("HINCRBYFLOAT", "h", "s", "1").WantError("ERR hash value is not a float")
		db.Do("HINCRBYFLOAT", "h", "f", "abc").WantError("ERR value is not a valid float")
		db.Do("HINCRBYFLOAT", "h", "f", "inf").WantError("ERR value is NaN or Infinity")
		db.Do("HINCRBYFLOAT", "h", "f", "-inf").WantError("ERR value is NaN or Infinity")
		db.Do("HINCRBYFLOAT", "h", "f", "nan").WantError("ERR value is not a valid float")
		db.Do("HSET", "h", "big", "1e4932")
		db.Do("HINCRBYFLOAT", "h", "big", "1e4932").WantError("ERR increment would produce NaN or Infinity")
		db.Do("HGET", "h", "big").Want("1e4932")
		db.Do("HGET", "h", "f").Want("10")
		db.Do("EXISTS", "none").WantInt(0)
		db.WantJournal("HINCRBY h n 5", "HINCRBY h n -7",
			`HSET h max 9223372036854775807 min -9223372036854775808 s x sp " 1"`,
			"HINCRBY h max -9223372036854775808", "HSET h f 10.5", "HSET h f 10", "HSET h n 998", "HSET h big 1e4932")
	}
}

// Row X5, and fixes 34 and 35 of Redis.
func TestRandomX5(t *testing.T) {
	for _, entries := range []int64{512, 0} {
		db := newDB(t)
		db.Keyspace.Limits().HashEntries.Store(entries)
		fill(db, "h", 50, false)
		const between = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
		for _, tt := range []struct{ call, want string }{
			{"HRANDFIELD h -9223372036854775808", between},
			{"HRANDFIELD none -9223372036854775808 WITHVALUES", between},
			{"HRANDFIELD h -9223372036854770000 WITHVALUES", "ERR value is out of range"},
			{"HRANDFIELD h 9223372036854770000 WITHVALUES", "ERR value is out of range"},
			{"HRANDFIELD h -9223372036854775807", "ERR the reply would be too large"},
			{"HRANDFIELD h x", "ERR value is not an integer or out of range"},
			{"HRANDFIELD h 1 VALUES", "ERR syntax error"},
			{"HRANDFIELD h 1 WITHVALUES x", "ERR syntax error"},
			{"HRANDFIELD none 9223372036854775807 WITHVALUES", "ERR value is out of range"},
		} {
			db.Do(strings.Fields(tt.call)...).WantError(tt.want)
		}
		db.Do("HRANDFIELD", "none", "-3").WantArray()
		db.Do("HRANDFIELD", "h", "0").WantArray()
		for _, tt := range []struct{ count, fields, differ int }{
			{1, 1, 1}, {10, 10, 10}, {16, 16, 16}, {17, 17, 17}, {49, 49, 49}, {50, 50, 50}, {900, 50, 50},
			{-1, 1, 1}, {-400, 400, 2},
		} {
			got := strings.Fields(strings.Trim(db.Do("HRANDFIELD", "h", strconv.Itoa(tt.count)).Text(), "[]"))
			differ := map[string]bool{}
			for _, field := range got {
				differ[field] = true
				db.Do("HEXISTS", "h", field).WantInt(1)
			}
			if len(got) != tt.fields || len(differ) < tt.differ {
				t.Errorf("%d: %d fields, %d different ones", tt.count, len(got), len(differ))
			}
			pairs := strings.Fields(strings.Trim(
				db.Do("HRANDFIELD", "h", strconv.Itoa(tt.count), "withvalues").Text(), "[]"))
			if len(pairs) != 2*tt.fields {
				t.Errorf("%d: %d fields and values", tt.count, len(pairs))
			}
			for i := 0; i < len(pairs); i += 2 {
				db.Do("HGET", "h", pairs[i]).Want(pairs[i+1])
			}
		}
	}
}

// HRANDFIELD with a positive count takes every field equally often, however it draws.
func TestRandomFieldsAreFair(t *testing.T) {
	for _, entries := range []int64{512, 0} {
		for _, count := range []int{2, 9, 20} {
			db := newDB(t)
			db.Keyspace.Limits().HashEntries.Store(entries)
			fill(db, "h", 30, false)
			const calls = 3000
			times := map[string]int{}
			for range calls {
				reply := db.Do("HRANDFIELD", "h", strconv.Itoa(count)).Text()
				for _, f := range strings.Fields(strings.Trim(reply, "[]")) {
					times[f]++
				}
			}
			want := float64(calls*count) / 30
			for field, n := range times {
				if d := float64(n) - want; d*d > 36*want {
					t.Errorf("count %d: %s came %d times, want about %.0f", count, field, n, want)
				}
			}
			if len(times) != 30 {
				t.Errorf("count %d: %d fields came", count, len(times))
			}
		}
	}
}

func TestScan(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct{ call, want string }{
		{"HSCAN h x", "ERR invalid cursor"},
		{"HSCAN none x", "ERR invalid cursor"},
		{"HSCAN h 0 COUNT 0", "ERR syntax error"},
		{"HSCAN h 0 COUNT x", "ERR value is not an integer or out of range"},
		{"HSCAN h 0 COUNT", "ERR syntax error"},
		{"HSCAN h 0 MATCH", "ERR syntax error"},
		{"HSCAN h 0 TYPE hash", "ERR syntax error"},
		{"HSCAN h 0 NOVALUES x", "ERR syntax error"},
	} {
		db.Do("HSET", "h", "a", "b")
		db.Do(strings.Fields(tt.call)...).WantError(tt.want)
	}
	db.Do("HSCAN", "none", "0", "COUNT", "x").WantRaw("*2\r\n$1\r\n0\r\n*0\r\n")
	db.Do("HSCAN", "h", "").WantArray("0", "[a b]") // as with C's strtoul
	db.Do("HSCAN", "h", "-0").WantArray("0", "[a b]")
	fill(db, "big", 3000, false)
	for _, options := range []string{"", "NOVALUES", "COUNT 100", "MATCH field:*7 COUNT 50 NOVALUES"} {
		names := map[string]bool{}
		cursor, calls := "0", 0
		for calls == 0 || cursor != "0" {
			reply := db.Do(append([]string{"HSCAN", "big", cursor}, strings.Fields(options)...)...).Text()
			var rest string
			cursor, rest, _ = strings.Cut(reply[1:len(reply)-1], " ")
			words := strings.Fields(strings.Trim(rest, "[]"))
			step := 2
			if strings.Contains(options, "NOVALUES") {
				step = 1
			}
			for i := 0; i < len(words); i += step {
				names[words[i]] = true
				if step == 2 && words[i+1] != strings.Repeat("x", 32) {
					t.Fatalf("%s has the value %s", words[i], words[i+1])
				}
			}
			calls++
		}
		want := 3000
		if strings.Contains(options, "MATCH") {
			want = 300
		}
		if len(names) != want || calls < 2 {
			t.Errorf("%s: %d fields in %d calls", options, len(names), calls)
		}
	}
}

// A key that is watched changes with its fields, and not by being read.
func TestWatch(t *testing.T) {
	for _, entries := range []int64{512, 0} {
		db := newDB(t)
		db.Keyspace.Limits().HashEntries.Store(entries)
		for _, tt := range []struct {
			call    string
			touches bool
		}{
			{"HSET h a 1", true}, {"HDEL h x", false}, {"HDEL h a", true}, {"HSETNX h b 1", false},
			{"HGET h a", false}, {"HEXPIRE h 100 FIELDS 1 a", true}, {"HEXPIRE h 100 XX FIELDS 1 a", false},
			{"HEXPIRE h 0 FIELDS 1 a", true}, {"HPERSIST h FIELDS 1 a", false}, {"HGETEX h FIELDS 1 a", false},
			{"HGETEX h EX 5 FIELDS 1 a", true}, {"HGETDEL h FIELDS 1 a", true}, {"HGETDEL h FIELDS 1 x", false},
			{"HSETEX h FNX FIELDS 1 a 1", false}, {"HSETEX h FIELDS 1 a 1", true}, {"HINCRBY h a 1", true},
			{"HSET h2 a 1", false},
		} {
			db.Do("DEL", "h")
			db.Do("HSET", "h", "a", "1", "b", "2")
			other := db.NewClient()
			other.Do("WATCH", "h").Want("OK")
			db.Do(strings.Fields(tt.call)...)
			other.Do("MULTI").Want("OK")
			if touched := other.Do("EXEC").Text() == "(nil)"; touched != tt.touches {
				t.Errorf("%s: touched %v", tt.call, touched)
			}
			other.Close()
		}
	}
}

func TestAllocNothing(t *testing.T) {
	for _, shape := range shapes {
		db := newDB(t)
		fill(db, "h", shape.fields, shape.expiring)
		for _, cmd := range warm {
			if cmd.name == "HGetAll" && shape.fields > 100 {
				continue // several buffers
			}
			if n := db.AllocsPerRun(cmd.args...); n != 0 {
				t.Errorf("%s/%s allocates %v times", cmd.name, shape.name, n)
			}
		}
	}
}

// A big hash is made field by field without an allocation.
func TestAllocNewFields(t *testing.T) {
	db := newDB(t)
	db.Keyspace.Limits().HashEntries.Store(0)
	fill(db, "h", 100, false)
	n := 0
	calls := make([][]string, 300)
	for i := range calls {
		calls[i] = []string{"HSET", "h", fmt.Sprint("new:", i), "value"}
	}
	for _, call := range calls {
		if db.AllocsPerRun(call...) != 0 {
			n++
		}
	}
	if n > 0 {
		t.Errorf("%d of %d new fields allocate", n, len(calls))
	}
}
