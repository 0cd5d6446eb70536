package rdb

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// redisDumps are replies of redis-server 7.0.15 to DUMP.
var redisDumps = []struct{ payload, value string }{
	{"\x00\x05world\n\x00\x19\xd1<\x84\xd0\xa9r\xc2", "world"},
	{"\x00\xc3\t4\x01aa\xe0'\x00\x01aa\n\x00c\xdd)\xd3L\x1a$n", strings.Repeat("a", 52)},
	{"\x00\xc0\x7f\n\x00\r\xb5\xeb1RT\xc5\x14", "127"},
	{"\x00\n2147483648\n\x00\xe7\xb1)\xa3L\x1dv\xee", "2147483648"},
}

func TestDumpsOfRedis(t *testing.T) {
	var d Decoder
	var rec Record
	for _, tt := range redisDumps {
		dump, err := ParseDump([]byte(tt.payload))
		if err != nil || dump.Version != 10 || dump.Type != TypeString {
			t.Errorf("%q: %+v, %v", tt.payload, dump, err)
			continue
		}
		err = d.DecodeDump(dump, &rec)
		if err != nil || string(rec.Value) != tt.value || rec.IsInt != (tt.value == "127") {
			t.Errorf("%q: %q, %v, %v", tt.payload, rec.Value, rec.IsInt, err)
		}
	}
}

// The footer is computed over what follows start, and no bit of it is idle.
func TestDumpRoundTrip(t *testing.T) {
	e := &StringEncoder{Compress: true}
	var d Decoder
	var rec Record
	for _, form := range stringForms {
		payload := append([]byte("$99\r\n"), byte(TypeString))
		payload = AppendDumpFooterOf(AppendString(payload, []byte(form.s), e), 5, VersionWritten)[5:]
		dump, err := ParseDump(payload)
		if err == nil {
			err = d.DecodeDump(dump, &rec)
		}
		if err != nil || string(rec.Value) != form.s || dump.Version != VersionWritten {
			t.Errorf("%q: %q, %v", form.s, rec.Value, err)
		}
		for bit := range len(payload) * 8 {
			payload[bit/8] ^= 1 << (bit % 8)
			if _, err := ParseDump(payload); err != ErrDump {
				t.Errorf("%q with bit %d flipped: %v", form.s, bit, err)
			}
			payload[bit/8] ^= 1 << (bit % 8)
		}
		for n := range payload {
			if _, err := ParseDump(payload[:n]); err != ErrDump {
				t.Errorf("%q cut at %d: %v", form.s, n, err)
			}
		}
	}
}

func TestParseDump(t *testing.T) {
	const noSum = "\x00\x00\x00\x00\x00\x00\x00\x00"
	for _, tt := range []struct {
		payload string
		want    error
	}{
		{"\x00\x01a\x0b\x00" + noSum, nil}, // a checksum of 0 is none
		{"\x00\x01a\x10\x00" + noSum, nil}, // version 16
		{"\x00\x01a\x51\x00" + noSum, nil}, // Valkey's 81
		{"\x00\x01a\x11\x00" + noSum, ErrDump},
		{"\x00\x01a\x52\x00" + noSum, ErrDump},
		{"\x00\x01a\x0b\x01" + noSum, ErrDump}, // the version has two bytes
		{"\x00\x01a\x00\x00" + noSum, ErrDump},
		{"\x0b\x00" + noSum, ErrDump}, // nothing but a footer
		{"", ErrDump},
	} {
		if _, err := ParseDump([]byte(tt.payload)); err != tt.want {
			t.Errorf("%q: %v, want %v", tt.payload, err, tt.want)
		}
	}
}

// A right checksum proves nothing: the value is looked at as if there were none.
func TestDecodeDumpRefuses(t *testing.T) {
	var d Decoder
	var rec Record
	for _, tt := range []struct {
		version Version
		payload string
		want    string
	}{
		{11, "\x00", "rdb: byte 1: value: truncated"},
		{11, "\x00\x05four", "rdb: byte 6: value: truncated"},
		{11, "\x00\x04four!", "rdb: byte 6: end of value: bytes after the end"},
		{11, "\x00\xc2\x01\x02\x03", "rdb: byte 5: value: truncated"},
		{11, "\x00\xc3\x01\x80\x20\x00\x00\x00a", "rdb: byte 1: value length: 1 compressed bytes can't become 536870912"},
		{11, "\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff", "rdb: byte 10: value: truncated"},
		{11, "\x01\x01\x01a", `rdb: byte 0: values of type list-linked (1) are not supported`},
		{80, "\x16\x01\x01a", `rdb: byte 0: values of type hash-2 (22) are not supported`},
		{11, "\x16\x01\x01a", "rdb: byte 0: value type: 22 is none in version 11"},
	} {
		err := d.DecodeDump(Dump{tt.version, Type(tt.payload[0]), []byte(tt.payload[1:])}, &rec)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q:\n got %v\nwant %s", tt.payload, err, tt.want)
		}
	}
}

// FuzzParseDump takes any payload, with the checksum it has and with none. What
// is decoded and encoded again decodes to the same.
func FuzzParseDump(f *testing.F) {
	for _, tt := range redisDumps {
		f.Add([]byte(tt.payload))
	}
	e := &StringEncoder{Compress: true}
	f.Fuzz(func(t *testing.T, payload []byte) {
		forged := slices.Clone(payload)
		if n := len(forged); n >= 8 {
			clear(forged[n-8:])
		}
		var d Decoder
		var rec Record
		for _, p := range [][]byte{payload, forged} {
			dump, err := ParseDump(p)
			if err != nil {
				continue
			}
			err = d.DecodeDump(dump, &rec)
			_, isCorrupt := errors.AsType[*CorruptError](err)
			_, isUnsupported := errors.AsType[*UnsupportedTypeError](err)
			if err != nil {
				if !isCorrupt && !isUnsupported {
					t.Fatalf("%v is neither of the two errors", err)
				}
				continue
			}
			value := bytes.Clone(rec.Value)
			again := AppendString([]byte{byte(dump.Type)}, value, e)
			dump, err = ParseDump(AppendDumpFooterOf(again, 0, VersionWritten))
			if err == nil {
				err = d.DecodeDump(dump, &rec)
			}
			if err != nil || !bytes.Equal(rec.Value, value) {
				t.Fatalf("%q becomes %q, %v", value, rec.Value, err)
			}
		}
	})
}
