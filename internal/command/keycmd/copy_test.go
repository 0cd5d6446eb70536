package keycmd_test

import "testing"

const (
	errSame   = "-ERR source and destination objects are the same"
	errSyntax = "-ERR syntax error"
	errInt    = "-ERR value is not an integer or out of range"
	errInt32  = "-ERR value is out of range, value must between -2147483648 and 2147483647"
	errIndex  = "-ERR DB index is out of range"
)

func TestX12(t *testing.T) {
	t.Run("COPY", testCopy)
	t.Run("MOVE", testMove)
	t.Run("RENAME", testRename)
}

func testCopy(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"SET a v", "OK"},
		step{"COPY a b", "1"},
		step{"GET b", "v"},
		step{"SET a w", "OK"}, // a copy of its own
		step{"GET b", "v"},
		step{"COPY a b", "0"},
		step{"GET b", "v"},
		step{"COPY a b REPLACE", "1"},
		step{"GET b", "w"},
		step{"COPY none b REPLACE", "0"},
		step{"GET b", "w"},
		step{"COPY a a", errSame},
		step{"COPY a a REPLACE", errSame},
		step{"COPY none none", errSame}, // before anybody looks whether it is there
		step{"COPY a a DB 0", errSame},
		step{"COPY a a DB 15", "1"},
		step{"COPY a a DB 15", "0"},
		step{"COPY a a replace db 15", "1"},
		step{"COPY a c DB 1 DB 0", "1"}, // the last word counts
		step{"GET c", "w"},
		step{"COPY a b DB", errSyntax},
		step{"COPY a b FOO", errSyntax},
		step{"COPY a b REPLACE FOO", errSyntax},
		step{"COPY a b DB 16", errIndex},
		step{"COPY a b DB -1", errIndex},
		step{"COPY a b DB x", errInt},
		step{"COPY a b DB 9223372036854775808", errInt},
		step{"COPY a b DB 2147483648", errInt32},
		step{"COPY a b DB -2147483649", errInt32},
		step{"COPY a", "-ERR wrong number of arguments for 'copy' command"},
		step{"SELECT 15", "OK"},
		step{"KEYS *", "[a]"},
		step{"GET a", "w"},
		step{"SELECT 1", "OK"},
		step{"KEYS *", "[]"},
	)
	db.WantJournal("SET a v", "COPY a b", "SET a w", "COPY a b REPLACE", "COPY a a DB 15",
		"COPY a a replace db 15", "COPY a c DB 1 DB 0")
}

func testMove(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"SET a 5", "OK"},
		step{"MOVE a 0", errSame},
		step{"MOVE none 0", errSame},
		step{"MOVE none 1", "0"},
		step{"MOVE a x", errInt},
		step{"MOVE a 16", errIndex},
		step{"MOVE a -1", errIndex},
		step{"MOVE a 2147483648", errInt32},
		step{"MOVE a 1", "1"},
		step{"EXISTS a", "0"},
		step{"SET a 6", "OK"},
		step{"MOVE a 1", "0"}, // one is there
		step{"GET a", "6"},
		step{"SELECT 1", "OK"},
		step{"GET a", "5"},
		step{"MOVE a 2", "1"},
	)
	db.WantJournal("SET a 5", "MOVE a 1", "SET a 6", "[1] MOVE a 2")
}

func testRename(t *testing.T) {
	db := newDB(t)
	run(t, db,
		step{"RENAME none none", "-ERR no such key"},
		step{"RENAMENX none none", "-ERR no such key"},
		step{"RENAME none a", "-ERR no such key"},
		step{"SET a v", "OK"},
		step{"RENAME a a", "OK"},
		step{"RENAMENX a a", "0"},
		step{"GET a", "v"},
		step{"RENAME a b", "OK"},
		step{"EXISTS a", "0"},
		step{"SET a w", "OK"},
		step{"RENAMENX a b", "0"},
		step{"GET b", "v"},
		step{"RENAME a b", "OK"},
		step{"GET b", "w"},
		step{"RENAMENX b c", "1"},
		step{"KEYS *", "[c]"},
	)
	db.WantJournal("SET a v", "RENAME a b", "SET a w", "RENAME a b", "RENAMENX b c")
}
