package streamcmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
)

// TestFault3A77: a payload in which a pending entry is nobody's is refused, as by a Redis that
// checks payloads deeply.
func TestFault3A77PendingOfNobody(t *testing.T) {
	db := newDB(t)
	db.Do("XADD", "s", "1", "f", "v")
	db.Do("XGROUP", "CREATE", "s", "g", "0")
	db.Do("XREADGROUP", "GROUP", "g", "aa", "STREAMS", "s", ">")
	good := cmdtest.BulkOf(t, db.Do("DUMP", "s").Raw())
	good = good[:len(good)-10]
	const owned = "\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"
	if !strings.HasSuffix(good, owned) {
		t.Fatalf("%q", good)
	}
	bad := strings.TrimSuffix(good, owned) + "\x00"
	db.Do("RESTORE", "bad", "0", sealed(bad)).WantError("ERR Bad data format")
	db.Do("EXISTS", "bad").Want("0")
}
