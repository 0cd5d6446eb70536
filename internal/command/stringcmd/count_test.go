package stringcmd_test

import "testing"

func TestCount(t *testing.T) {
	db := newDB(t)
	db.Do("INCR", "k").WantInt(1)
	db.Do("INCRBY", "k", "99").WantInt(100)
	db.Do("DECR", "k").WantInt(99)
	db.Do("DECRBY", "k", "-1").WantInt(100)
	db.Do("INCRBY", "k", "0").WantInt(100)
	db.Do("GET", "k").Want("100")
	db.WantJournal("INCR k", "INCRBY k 99", "DECR k", "DECRBY k -1", "INCRBY k 0")
	db.Do("DECR", "new").WantInt(-1)
	for _, n := range []string{"0", "127", "128", "32768", "-129", "2147483648", "9223372036854775806"} {
		db.Do("SET", "k", n, "EX", "10") // through every width of integer, in place or not
		db.Do("INCR", "k")
		db.Do("DECR", "k").Want(n)
		db.Do("PTTL", "k").Want("10000")
	}
	db.Do("SET", "k", "1")
	db.Do("APPEND", "k", "2") // kept as bytes now
	db.Do("ENCODING", "k").Want("bytes")
	db.Do("INCR", "k").WantInt(13)
	db.Do("ENCODING", "k").Want("int")
}

// X4: at the ends of the range a counter is refused and stays as it is.
func TestX4CountersAtTheEnds(t *testing.T) {
	const (
		greatest = "9223372036854775807"
		least    = "-9223372036854775808"
		overflow = "ERR increment or decrement would overflow"
	)
	db := newDB(t)
	for _, tt := range []struct{ value, command, by, want string }{
		{greatest, "INCR", "", overflow},
		{greatest, "INCRBY", "1", overflow},
		{greatest, "INCRBY", greatest, overflow},
		{greatest, "DECRBY", "-1", overflow},
		{least, "DECR", "", overflow},
		{least, "DECRBY", "1", overflow},
		{least, "INCRBY", least, overflow},
		{"-2", "DECRBY", greatest, overflow},
		{"1", "DECRBY", least, "ERR decrement would overflow"},
		{"1", "INCRBY", "9223372036854775808", "ERR value is not an integer or out of range"},
		{"1", "INCRBY", "1.0", "ERR value is not an integer or out of range"},
		{"1", "DECRBY", "", "ERR wrong number of arguments for 'decrby' command"},
		{"", "INCR", "", "ERR value is not an integer or out of range"},
		{" 1", "INCR", "", "ERR value is not an integer or out of range"},
		{"1.5", "DECR", "", "ERR value is not an integer or out of range"},
		{"9223372036854775808", "INCR", "", "ERR value is not an integer or out of range"},
	} {
		db.Do("SET", "k", tt.value)
		args := []string{tt.command, "k"}
		if tt.by != "" {
			args = append(args, tt.by)
		}
		db.Do(args...).WantError(tt.want)
		db.Do("GET", "k").Want(tt.value)
	}
	db.Do("SET", "k", least)
	db.Do("INCRBY", "k", greatest).WantInt(-1)
	db.Do("SET", "k", "-1")
	db.Do("INCRBY", "k", least).WantError(overflow)
	db.Do("SET", "k", "0")
	db.Do("INCRBY", "k", least).Want(least)
}

func TestIncrByFloat(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct{ value, by, want string }{
		{"", "0.1", "0.1"},
		{"10.50", "0.1", "10.6"},
		{"5.0e3", "2.0e2", "5200"},
		{"3", "-5", "-2"},
		{"0.1", "0.2", "0.3"},
		{"1", "1.25", "2.25"},
		{"-1", "1", "0"},
		{"3.0", "1.000000000000000005", "4.00000000000000001"},
	} {
		db.Do("DEL", "k")
		if tt.value != "" {
			db.Do("SET", "k", tt.value, "EX", "10")
		}
		db.Do("INCRBYFLOAT", "k", tt.by).Want(tt.want)
		db.Do("GET", "k").Want(tt.want)
		if tt.value != "" {
			db.Do("PTTL", "k").Want("10000")
		}
	}
	db.Do("SET", "n", "1")
	db.WantJournal(append(journalOfFloats(), "SET n 1")...)
	for _, bad := range []string{"abc", "", " 1", "1 ", "nan", "1,5"} {
		db.Do("INCRBYFLOAT", "n", bad).WantError("ERR value is not a valid float")
		db.Do("SET", "bad", bad)
		db.Do("INCRBYFLOAT", "bad", "1").WantError("ERR value is not a valid float")
		db.Do("GET", "bad").Want(bad)
	}
}

func journalOfFloats() []string {
	return []string{
		"SET k 0.1 KEEPTTL", "DEL k",
		"SET k 10.50 PXAT 1700000010000", "SET k 10.6 KEEPTTL", "DEL k",
		"SET k 5.0e3 PXAT 1700000010000", "SET k 5200 KEEPTTL", "DEL k",
		"SET k 3 PXAT 1700000010000", "SET k -2 KEEPTTL", "DEL k",
		"SET k 0.1 PXAT 1700000010000", "SET k 0.3 KEEPTTL", "DEL k",
		"SET k 1 PXAT 1700000010000", "SET k 2.25 KEEPTTL", "DEL k",
		"SET k -1 PXAT 1700000010000", "SET k 0 KEEPTTL", "DEL k",
		"SET k 3.0 PXAT 1700000010000", "SET k 4.00000000000000001 KEEPTTL",
	}
}

// X4: no counter becomes infinite or not a number.
func TestX4FloatsStayFinite(t *testing.T) {
	const refused = "ERR increment would produce NaN or Infinity"
	db := newDB(t)
	for _, tt := range []struct{ value, by string }{
		{"1", "inf"},
		{"1", "-Infinity"},
		{"inf", "-inf"},
		{"1e4932", "1e4932"},
	} {
		db.Do("SET", "k", tt.value)
		db.Do("INCRBYFLOAT", "k", tt.by).WantError(refused)
		db.Do("GET", "k").Want(tt.value)
	}
	db.Do("SET", "k", "1e308")
	db.Do("INCRBYFLOAT", "k", "1e308") // a long double holds it
	db.Do("INCRBYFLOAT", "k", "-1e308")
	db.Do("INCRBYFLOAT", "k", "-1e308").Want("0")
}
