package rdb

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/hash"
)

// unhex reads bytes as a hex editor shows them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantHex(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("%s:\n got % x\nwant %s", what, got, want)
	}
}

func TestAppendLen(t *testing.T) {
	for _, tt := range []struct {
		n    uint64
		want string
	}{
		{0, "00"},
		{63, "3f"},
		{64, "40 40"},
		{16383, "7f ff"},
		{16384, "80 00 00 40 00"},
		{math.MaxUint32, "80 ff ff ff ff"},
		{math.MaxUint32 + 1, "81 00 00 00 01 00 00 00 00"},
		{math.MaxUint64, "81 ff ff ff ff ff ff ff ff"},
	} {
		got := AppendLen(nil, tt.n)
		wantHex(t, strconv.FormatUint(tt.n, 10), got, tt.want)
		if lenForm(got[0]) != len(got) || lenBytes(tt.n) != len(got) || parseLen(got) != tt.n {
			t.Errorf("%d reads as %d from %d bytes", tt.n, parseLen(got), lenForm(got[0]))
		}
	}
}

// The forms are what redis-server 7.0.15 writes for the same values, but for the
// compressed string: our LZF finds one literal less.
var stringForms = []struct{ s, want string }{
	{"", "00"},
	{"hello", "05 68656c6c6f"},
	{"0", "c0 00"},
	{"127", "c0 7f"},
	{"-128", "c0 80"},
	{"128", "c1 80 00"},
	{"-129", "c1 7f ff"},
	{"32767", "c1 ff 7f"},
	{"-32768", "c1 00 80"},
	{"32768", "c2 00 80 00 00"},
	{"2147483647", "c2 ff ff ff 7f"},
	{"-2147483648", "c2 00 00 00 80"},
	{"2147483648", "0a 32313437343833363438"},    // too big,
	{"-2147483649", "0b 2d32313437343833363439"}, // too small,
	{"007", "03 303037"},                         // and texts that formatting the number
	{"-0", "02 2d30"},                            // would not give back
	{"+1", "02 2b31"},
	{" 1", "02 2031"},
	{"1.0", "03 312e30"},
	{strings.Repeat("a", 20), "14 " + strings.Repeat("61", 20)}, // too short for LZF
	{strings.Repeat("a", 52), "c3 05 34 00 61 e02a00"},
	{"abcdefghijklmnopqrstuvwxyz", "1a 6162636465666768696a6b6c6d6e6f707172737475767778797a"},
}

func TestAppendString(t *testing.T) {
	e := &StringEncoder{Compress: true}
	for _, tt := range stringForms {
		got := AppendString([]byte("before"), []byte(tt.s), e)
		wantHex(t, strconv.Quote(tt.s), got, hex.EncodeToString([]byte("before"))+tt.want)
	}
	e.Compress = false
	got := AppendString(nil, bytes.Repeat([]byte("a"), 52), e)
	wantHex(t, "rdbcompression no", got, "34"+strings.Repeat("61", 52))
}

// AppendInt is AppendString of the number's text.
func TestAppendIntIsItsText(t *testing.T) {
	e := &StringEncoder{Compress: true}
	for shift := range 64 {
		for delta := range int64(3) {
			for _, v := range []int64{1<<shift + delta - 1, -1<<shift + delta - 1} {
				got, want := AppendInt(nil, v), AppendString(nil, strconv.AppendInt(nil, v, 10), e)
				if !bytes.Equal(got, want) {
					t.Errorf("%d: % x, its text % x", v, got, want)
				}
			}
		}
	}
}

// The gap that appendCompressed leaves closes rightly at every change of a
// length's form.
func TestCompressedHeads(t *testing.T) {
	e := &StringEncoder{Compress: true}
	d := &Decoder{}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{21, 63, 64, 100, 5000, 16383, 16384, 70000, 2_000_000} {
		for _, period := range []int{1, 7, 300, n / 2} {
			s := make([]byte, n)
			for i := range s {
				s[i] = byte(rng.Uint32())
				if i >= max(period, 1) {
					s[i] = s[i-max(period, 1)]
				}
			}
			got := AppendString([]byte("before"), s, e)
			if string(got[:6]) != "before" {
				t.Fatal("what stood before is overwritten")
			}
			var rec Record
			err := d.DecodeDump(Dump{Version: VersionWritten, Body: got[6:]}, &rec)
			if err != nil || !bytes.Equal(rec.Value, s) {
				t.Errorf("%d bytes of period %d: %v", n, period, err)
			}
			if period == 1 && (got[6] != stringLZF || len(got) > n) {
				t.Errorf("%d equal bytes: % x... takes %d", n, got[6:8], len(got)-6)
			}
		}
	}
}

// The bytes of the records in docs/format/rdb.md.
func TestAppendRecords(t *testing.T) {
	e := &StringEncoder{}
	for _, tt := range []struct {
		what string
		got  []byte
		want string
	}{
		{"header", AppendHeader(nil, VersionWritten), "52454449 53 30303131"},
		{"header of 7.0", AppendHeader(nil, 10), "52454449 53 30303130"},
		{"AUX", AppendAux(nil, "redis-ver", "7.2.4"), "fa 09 72656469732d766572 05 372e322e34"},
		{"AUX", AppendAuxInt(nil, "redis-bits", 64), "fa 0a 72656469732d62697473 c040"},
		{"SELECTDB", AppendSelectDB(nil, 300), "fe 412c"},
		{"RESIZEDB", AppendResizeDB(nil, 100, 3), "fb 4064 03"},
		{"expiry", AppendExpire(nil, 4102444800123), "fc 7bd8c32cbb030000"},
		{"idle time", AppendIdle(nil, 70000), "f8 8000011170"},
		{"frequency", AppendFreq(nil, 255), "f9 ff"},
		{"key", AppendKey(nil, TypeString, []byte("k"), e), "00 01 6b"},
		{"numeric key", AppendKey(nil, TypeString, []byte("-5"), e), "00 c0fb"},
		{"EOF", AppendEOFUnchecked(nil), "ff 0000000000000000"},
	} {
		wantHex(t, tt.what, tt.got, tt.want)
	}
}

// AppendEOF continues the sum over its own opcode.
func TestAppendEOF(t *testing.T) {
	body := AppendInfo(AppendHeader(nil, VersionWritten), &Info{RedisVersion: "7.2.4", CTime: 1})
	whole := AppendEOF(body, hash.CRC64(0, body))
	sum := hash.CRC64(0, whole[:len(whole)-8])
	if whole[len(body)] != opEOF || hash.CRC64(sum, whole[len(whole)-8:]) != 0 {
		t.Errorf("% x doesn't end in its checksum %016x", whole, sum)
	}
}

func TestEncodingAllocatesNothing(t *testing.T) {
	e := &StringEncoder{Compress: true}
	buf := make([]byte, 0, 4096)
	key, value := []byte("some:key:of:23:bytes:ok"), bytes.Repeat([]byte("compressible "), 20)
	info := &Info{RedisVersion: "7.2.4", ReplID: strings.Repeat("7", 40), CTime: 1, UsedMemBytes: 1 << 40}
	allocs := testing.AllocsPerRun(100, func() {
		b := AppendInfo(AppendHeader(buf[:0], VersionWritten), info)
		b = AppendResizeDB(AppendSelectDB(b, 3), 1, 1)
		b = AppendFreq(AppendIdle(AppendExpire(b, 1<<40), 5), 9)
		b = AppendString(AppendKey(b, TypeString, key, e), value, e)
		b = AppendInt(AppendKey(b, TypeString, key, e), math.MinInt64)
		AppendDumpFooterOf(AppendEOF(b, 1), 0, VersionWritten)
	})
	if allocs != 0 {
		t.Errorf("encoding allocates %v times", allocs)
	}
}
