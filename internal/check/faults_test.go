package check

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/vfs"
)

// checkRDB is what check-rdb says of a file.
func checkRDB(content []byte) (out string, code int) {
	mem := vfs.NewMem(".")
	mem.Put("d.rdb", content)
	return run(mem, (*Program).RDB, "", "d.rdb")
}

// P14: any bit of an RDB. It is refused, with its place.
func TestP14FlippedRDB(t *testing.T) {
	content, err := os.ReadFile("../rdb/testdata/redis-7.0.15.rdb")
	if err != nil {
		t.Fatal(err)
	}
	if out, code := checkRDB(content); code != 0 {
		t.Fatal(out)
	}
	for at := range content {
		for bit := range 8 {
			if len(content) > 4096 && bit != at%8 {
				continue
			}
			flipped := bytes.Clone(content)
			flipped[at] ^= 1 << bit
			out, code := checkRDB(flipped)
			if code != 1 || !strings.Contains(out, "--- RDB ERROR DETECTED ---\n[offset ") {
				t.Fatalf("bit %d of byte %d: code %d\n%s", bit, at, code, out)
			}
		}
	}
}

// body makes a file of records that are behind the head.
func body(checksum bool, records ...byte) []byte {
	b := append(rdb.AppendHeader(nil, rdb.VersionWritten), records...)
	if !checksum {
		return rdb.AppendEOFUnchecked(b)
	}
	return rdb.AppendEOF(b, hash.CRC64(0, b))
}

// P17: files that a careless or hostile program has made: passed over or refused, as Redis
// does, and no count in them is believed.
func TestP17HostileRDB(t *testing.T) {
	set := []byte{0, 1, 'k', 1, 'v'}
	for _, tt := range []struct {
		name    string
		content []byte
		code    int
		want    string
	}{
		{"no checksum", body(false, set...), 0, "RDB file was saved with checksum disabled"},
		{"an opcode that nobody knows", body(true, 0xe0), 1, "[offset 9]"},
		{"a field that nobody knows", body(true, append([]byte{0xfa, 1, 'x', 1, 'y'}, set...)...), 0, "AUX FIELD x = 'y'"},
		{"a slot out of range", body(true, 0xf4, 0x80, 0, 0, 0x40, 0, 1, 1), 1, "--- RDB ERROR DETECTED ---"},
		{"a huge number of keys", body(true, append([]byte{0xfb, 0x80, 0xff, 0xff, 0xff, 0xff, 0}, set...)...), 0, "1 keys read"},
		{"a list of four billion elements", body(true, 1, 1, 'k', 0x80, 0xff, 0xff, 0xff, 0xff), 1, "RDB ERROR"},
		{"a string of two gigabytes", body(true, 0, 1, 'k', 0x80, 0x7f, 0xff, 0xff, 0xff), 1, "RDB ERROR"},
		{"a list without elements", body(true, 1, 1, 'k', 0), 0, "has no elements"},
		{"a score that is none", body(true, 3, 1, 'k', 1, 1, 'm', 253), 1, "Reading key 'k'"},
		{"an intset out of order", body(true, append([]byte{11, 1, 'k', 12, 2, 0, 0, 0, 2, 0, 0, 0}, 2, 0, 1, 0)...), 1, "of key"},
		{"a type that there is not", body(true, 200, 1, 'k'), 1, "value type"},
		{"a version that is newer", append([]byte("REDIS0999"), set...), 1, "version"},
		{"a key of length 2^63", body(true, 0, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0), 1, "RDB ERROR"},
	} {
		out, code := checkRDB(tt.content)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%s: code %d, want %d and %q in\n%s", tt.name, code, tt.code, tt.want, out)
		}
	}
}

// P18: a compressed string that says it is 500 MB, of some bytes. What is not there takes no
// memory.
func TestP18Bomb(t *testing.T) {
	b := []byte{0, 1, 'k', 0xc3, 10, 0x80}
	b = binary.BigEndian.AppendUint32(b, 500<<20)
	b = append(b, 0, 'x', 0xe0, 0xff, 0, 0xe0, 0xff, 0, 0xe0, 0xff)
	content := body(true, b...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, code := checkRDB(content)
	runtime.ReadMemStats(&after)
	if code != 1 {
		t.Error(out)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("%d MB were allocated", n>>20)
	}
}
