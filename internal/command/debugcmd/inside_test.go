package debugcmd_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestInside(t *testing.T) {
	w := newWorld(t, open, everyType()...)
	w.Do("HSET", "h", "field", "12").Want("1")
	w.Do("DEBUG", "LISTPACK", "h").WantRaw("+Listpack structure printed on stdout\r\n")
	if log := w.log.String(); !strings.Contains(log, "2 entries: {at 6, 7 bytes, text") ||
		!strings.Contains(log, "{at 13, 2 bytes, int") {
		t.Errorf("the log: %s", log)
	}
	w.Do("HSET", "ex", "field", "12").Want("1")
	w.Do("HEXPIRE", "ex", "100", "FIELDS", "1", "field").Want("[1]")
	w.Do("DEBUG", "LISTPACK", "ex").WantRaw("+Listpack structure printed on stdout\r\n")
	if log := w.log.String(); !strings.Contains(log, "3 entries") {
		t.Errorf("the log: %s", log)
	}
	for i := range 5000 {
		w.Do("SADD", "s", fmt.Sprint("member", i))
		w.Do("RPUSH", "l", fmt.Sprint("element", i))
	}
	stats := w.Do("DEBUG", "HTSTATS-KEY", "s").Text()
	if !strings.Contains(stats, " number of elements: 5000\n") || strings.Contains(stats, "leaves: 1\n") {
		t.Errorf("a big set: %s", stats)
	}
	object := w.Do("DEBUG", "OBJECT", "l").Text()
	var nodes, size int
	var average float64
	at := strings.Index(object, "ql_nodes")
	_, err := fmt.Sscanf(object[max(at, 0):], "ql_nodes:%d ql_avg_node:%f ql_listpack_max:-2 "+
		"ql_compressed:0 ql_uncompressed_size:%d", &nodes, &average, &size)
	if err != nil || nodes < 2 || float64(nodes)*average < 4990 || size < 5000*12 {
		t.Errorf("%v: %s", err, object)
	}
	w.Keyspace.Limits().ListCompress.Store(1)
	for i := range 5000 {
		w.Do("RPUSH", "packed", fmt.Sprint("element", i))
	}
	packed := w.Do("DEBUG", "OBJECT", "packed").Text()
	if !strings.Contains(packed, "ql_compressed:1") || !strings.HasSuffix(packed, fmt.Sprint("size:", size)) {
		t.Errorf("compressed: %s", packed)
	}
}

// TestSkipChecksum: payloads whose checksum is wrong are looked at, and found wanting or
// not by what they hold.
func TestSkipChecksum(t *testing.T) {
	w := newWorld(t, open, everyType()...)
	w.Do("RPUSH", "l", "a", "b").Want("2")
	payload := []byte(strings.SplitN(w.Do("DUMP", "l").Raw(), "\r\n", 2)[1])
	payload = payload[:len(payload)-2]
	payload[len(payload)-1] ^= 1
	const wrong = "ERR DUMP payload version or checksum are wrong"
	w.Do("RESTORE", "k", "0", string(payload)).WantError(wrong)
	w.Do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1").Want("OK")
	w.Do("RESTORE", "k", "0", string(payload)).Want("OK")
	w.Do("LRANGE", "k", "0", "-1").Want("[a b]")
	payload[4] ^= 0x55 // a byte of the listpack's length
	w.Do("RESTORE", "bad", "0", string(payload)).WantError("ERR Bad data format")
	payload[len(payload)-9] = 99 // the version is looked at nevertheless
	w.Do("RESTORE", "bad", "0", string(payload)).WantError(wrong)
	w.Do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "0").Want("OK")
	w.Do("RESTORE", "k", "0", string(payload), "REPLACE").WantError(wrong)
	w.Do("EXISTS", "k", "bad").Want("1")
}
