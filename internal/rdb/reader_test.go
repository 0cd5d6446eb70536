package rdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/spineldb/spinel/internal/hash"
)

// An entry is a key as a test sees it.
type entry struct {
	db         int
	key, value string
	expire     int64
	idle       int64
	freq       int16
}

func plainEntry(key, value string) entry { return entry{0, key, value, None, None, None} }

func entryOf(rec *Record) entry {
	return entry{rec.DB, string(rec.Key), string(rec.Value), rec.ExpireMS, rec.IdleSeconds, rec.Freq}
}

// file writes entries, which are sorted by database.
func file(v Version, compress bool, entries []entry) []byte {
	e := &StringEncoder{Compress: compress}
	b := AppendInfo(AppendHeader(nil, v), &Info{RedisVersion: "7.2.4", CTime: 1700000000})
	db := -1
	for _, x := range entries {
		if x.db != db {
			db = x.db
			b = AppendResizeDB(AppendSelectDB(b, db), uint64(len(entries)), 0)
		}
		if x.expire != None {
			b = AppendExpire(b, x.expire)
		}
		if x.idle != None {
			b = AppendIdle(b, uint64(x.idle))
		}
		if x.freq != None {
			b = AppendFreq(b, uint8(x.freq))
		}
		b = AppendString(AppendKey(b, TypeString, []byte(x.key), e), []byte(x.value), e)
	}
	return AppendEOF(b, hash.CRC64(0, b))
}

// sampleEntries has every form of string, expiry and attribute.
func sampleEntries() []entry {
	var all []entry
	for i, form := range stringForms {
		all = append(all, plainEntry("form:"+strconv.Itoa(i), form.s), plainEntry(form.s+"!", "x"))
	}
	return append(all,
		plainEntry("-17", "numeric key"),
		plainEntry(strings.Repeat("long key ", 30), strings.Repeat("long value ", 300)),
		entry{3, "expires", "x", 4102444800123, None, None},
		entry{3, "expired before 1970", "x", -5, None, None},
		entry{3, "idle", "x", None, 70000, None},
		entry{70, "freq", "x", 1, None, 200},
	)
}

// read reads data with Next and with NextRaw, which must agree about everything.
func read(t testing.TB, data []byte, opts Options) ([]entry, error) {
	t.Helper()
	if opts.BufferBytes == 0 {
		opts.BufferBytes = 4096 // the default takes long to allocate, thousands of times
	}
	a, errA := readNext(bytes.NewReader(data), opts)
	b, errB := readRaw(bytes.NewReader(data), opts)
	if !slices.Equal(a, b) || fmt.Sprint(errA) != fmt.Sprint(errB) {
		t.Fatalf("Next and NextRaw differ: %d and %d keys\n%v\n%v\n% x", len(a), len(b), errA, errB, clip(data))
	}
	return a, errA
}

func clip(data []byte) []byte { return data[:min(len(data), 400)] }

func readNext(src io.Reader, opts Options) (all []entry, err error) {
	r := NewReader(src, opts)
	var rec Record
	for {
		if err = r.Next(&rec); err != nil {
			break
		}
		if rec.Kind == KindKey {
			all = append(all, entryOf(&rec))
		}
	}
	if again := r.Next(&rec); again != err {
		return all, fmt.Errorf("an error doesn't stay: %w, then %w", err, again)
	}
	if err == io.EOF {
		err = nil
	}
	return all, err
}

func readRaw(src io.Reader, opts Options) (all []entry, err error) {
	r := NewReader(src, opts)
	d := &Decoder{StringBytesMax: opts.StringBytesMax}
	batch := []byte("before")
	var raw Raw
	var rec Record
	for {
		if batch, err = r.NextRaw(batch, &raw); err != nil {
			break
		}
		if raw.Kind == KindAux || raw.Kind == KindKey {
			if err = d.DecodeKeyValue(&raw.Head, batch[raw.Start:raw.End], &rec); err != nil {
				break
			}
			if raw.Kind == KindKey {
				all = append(all, entryOf(&rec))
			}
		}
	}
	if !bytes.HasPrefix(batch, []byte("before")) {
		return all, errors.New("NextRaw changed what the buffer held")
	}
	if err == io.EOF {
		err = nil
	}
	return all, err
}

// What is written is read again, whatever the size of the buffer and of the
// pieces in which the source gives it.
func TestRoundTrip(t *testing.T) {
	want := sampleEntries()
	for _, compress := range []bool{false, true} {
		data := file(VersionWritten, compress, want)
		for _, size := range []int{64, 65, 100, 1000, 0} {
			got, err := read(t, data, Options{BufferBytes: size, Size: int64(len(data))})
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("buffer of %d: %v, %d of %d keys", size, err, len(got), len(want))
			}
			got, err = readNext(iotest.OneByteReader(bytes.NewReader(data)), Options{BufferBytes: size})
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("buffer of %d, byte by byte: %v, %d of %d keys", size, err, len(got), len(want))
			}
		}
	}
}

// The same for values larger than the buffer, and their memory isn't kept.
func TestLargeValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 9<<20)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	zeros := string(make([]byte, len(noise)))
	want := []entry{plainEntry("noise", string(noise)), plainEntry("zeros", zeros), plainEntry("k", "v")}
	data := file(VersionWritten, true, want)
	got, err := read(t, data, Options{})
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %d keys", err, len(got))
	}
	r := NewReader(bytes.NewReader(data), Options{})
	var rec Record
	for err = error(nil); err == nil; err = r.Next(&rec) {
	}
	if cap(r.scratch) > scratchKeptBytesMax || cap(r.dec.value) > scratchKeptBytesMax {
		t.Errorf("%d and %d bytes are kept", cap(r.scratch), cap(r.dec.value))
	}
}

// Every record of a file, in both modes' common form.
func TestKinds(t *testing.T) {
	b := AppendAux(AppendHeader(nil, VersionWritten), "name", "value")
	b = AppendResizeDB(AppendSelectDB(b, 5), 100000, 7)
	b = append(b, opSlotInfo)
	b = AppendLen(AppendLen(AppendLen(b, 16383), 9), 2)
	b = append(b, opExpire, 0x10, 0, 0, 0) // seconds, as versions before 3 wrote it
	b = AppendInt(AppendKey(b, TypeString, []byte("n"), &StringEncoder{}), -300)
	b = AppendEOF(b, hash.CRC64(0, b))

	r := NewReader(bytes.NewReader(b), Options{})
	var rec Record
	var got []string
	for r.Next(&rec) == nil {
		got = append(got, fmt.Sprintf("%d @%d db%d slot%d %d/%d %d %q=%q %v %d", rec.Kind, rec.Offset, rec.DB,
			rec.Slot, rec.Keys, rec.Expires, rec.ExpireMS, rec.Key, rec.Value, rec.IsInt, rec.Int))
	}
	want := []string{
		`1 @10 db0 slot0 0/0 -1 "name"="value" false 0`,
		`2 @21 db5 slot0 0/0 -1 ""="" false 0`,
		`3 @23 db5 slot0 100000/7 -1 ""="" false 0`,
		`4 @30 db5 slot16383 9/2 -1 ""="" false 0`,
		`5 @41 db5 slot0 0/0 16000 "n"="-300" true -300`,
		`9 @46 db5 slot0 0/0 -1 ""="" false 0`,
	}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("record %d of %q isn't %s", i, got, want[i])
		}
	}
	if len(got) != len(want) || !r.Checked() || r.Version() != 11 || r.Offset() != int64(len(b)) {
		t.Errorf("%d records, checked %v, version %d, %d of %d bytes",
			len(got), r.Checked(), r.Version(), r.Offset(), len(b))
	}
}

// Every damaged or foreign file is refused, at the byte and for the reason given.
func TestRefused(t *testing.T) {
	const head = "REDIS0011"
	for _, tt := range []struct{ data, want string }{
		{"", "byte 0: header: truncated"},
		{"REDI", "byte 4: header: truncated"},
		{"VALKEY08", "byte 8: header: truncated"},
		{"*1\r\n$4\r\nPING\r\n", "byte 0: header: this is not an RDB file"},
		{"VCS\x01\x01\x00\x01compressed", "byte 0: header: the whole file is compressed"},
		{"REDIS00x1\xff", `byte 5: version: "00x1" is not a number`},
		{"REDIS0000\xff", "byte 5: version: 0 is none of this family"},
		{"REDIS0080\xff", "byte 5: version: 80 is none of this family"},
		{"VALKEY011\xff", "byte 6: version: 11 is none of this family"},
		{"REDIS0017\xff", "byte 5: version: 17: version is newer than this program reads"},
		{"VALKEY082\xff", "byte 6: version: 82: version is newer than this program reads"},
		{head, "byte 9: opcode: truncated"},
		{head + "\xff", "byte 10: checksum: truncated"},
		{head + "\xff1234567", "byte 17: checksum: truncated"},
		{head + "\xff12345678", "byte 10: checksum: checksum mismatch: the file says 3837363534333231, its content gives "},
		{head + "\xff\x00\x00\x00\x00\x00\x00\x00\x00x", "byte 18: end of file: bytes after the end"},
		{"REDIS0004\xffx", "byte 10: end of file: bytes after the end"},
		{head + "\x08\x00\x00", "byte 9: value type: 8 is none in version 11"},
		{head + "\x21\x00\x00", "byte 9: value type: 33 is none in version 11"},
		{head + "\x18\x00\x00", "byte 9: value type: 24 is none in version 11"},
		{"VALKEY080\x17\x00\x00", "byte 9: value type: 23 is none in version 80"},
		{"VALKEY080\x18\x00\x00", "byte 9: value type: 24 is none in version 80"},
		{head + "\x63\x00\x00", "byte 9: value type: 99 is none in version 11"},
		{head + "\x00\x03ke", "byte 13: key: truncated"},
		{head + "\x00\x84", "byte 10: key length: no length begins with this byte"},
		{head + "\x00\xc4", "byte 10: key length: no length begins with this byte"},
		{head + "\x00\x01k\x81\x00\x00\x00\x00\x20\x00\x00\x01",
			`byte 12: value length of key "k" in database 0: 536870913 is more than the limit of 536870912 bytes`},
		{head + "\x00\x01k\x80\x1f\xff\xff\xffabc", `byte 20: value of key "k" in database 0: truncated`},
		{head + "\x00\x01k\xc3\x01\x40\x59a", `byte 12: value length of key "k" in database 0: 1 compressed bytes can't become 89`},
		{head + "\x00\x01k\xc3\x02\x00ab", `byte 12: value length of key "k" in database 0: an empty string is compressed`},
		{head + "\x00\x01k\xc3\xc0\x00ab", `byte 12: value length of key "k" in database 0: no length begins with`},
		{head + "\x00\x01k\xc3\x02\x05\x09a", `byte 12: value of key "k" in database 0: lzf: `},
		{head + "\xfa\xc3\x02\x05\x09a\x00", "byte 10: AUX name: lzf: "},
		{head + "\xfa\x01a\xc3\x02\x05\x09a", "byte 12: value: lzf: "},
		{head + "\xfe\xc0\x00", "byte 10: database number: no length begins with this byte"},
		{head + "\xfe\x80\x80\x00\x00\x00", "byte 10: database number: 2147483648 is out of range"},
		{head + "\xfc1234567", "byte 17: expiry: truncated"},
		{head + "\xfd123", "byte 13: expiry: truncated"},
		{head + "\xfc12345678\xfe\x00", "byte 18: opcode: an expiry, idle time or frequency without its key"},
		{head + "\xf9\x00\xff\x00\x00\x00\x00\x00\x00\x00\x00", "byte 11: opcode: an expiry, idle time"},
		{head + "\xf8\x81\xff\xff\xff\xff\xff\xff\xff\xff", "byte 10: idle time: 18446744073709551615 seconds"},
		{head + "\xf4\x80\x00\x00\x40\x00\x01\x00", "byte 10: slot: 16384 is not below 16384"},
		{head + "\xf5\x01x", "byte 9: functions (opcode 245) are not supported by this version"},
		{head + "\xf6\x01x", "byte 9: functions of a release candidate of Redis 7.0 (opcode 246) are not"},
		{head + "\xf7\x81\x4d\x32\x3a\x35\xa7\x00\x00\x01\x02\x02\x00",
			"byte 9: data of module TTI6NacAA (opcode 247) are not supported"},
		{"REDIS0013\xf3\x01", "byte 9: key metadata (opcode 243) are not supported"},
		{"VALKEY080\xf3\x01", "byte 9: slot imports (opcode 243) are not supported"},
		{"REDIS0015\xf2\x01", "byte 9: hash templates (opcode 242) are not supported"},
		{"VALKEY081\xf2\x01", "byte 9: updates during the save (opcode 242) are not supported"},
		{head + "\xfe\x02\x12\xc1\x39\x30",
			`byte 11: key "12345" in database 2: values of type quicklist-v2 (18) are not supported by this version`},
		{head + "\x01\x00", `byte 9: key "" in database 0: values of type list-linked (1) are not supported`},
		{"REDIS0016\x21\x01k", `byte 9: key "k" in database 0: values of type bitmap (33) are not supported`},
		{"VALKEY080\x16\x01k", `byte 9: key "k" in database 0: values of type hash-2 (22) are not supported`},
	} {
		_, err := read(t, []byte(tt.data), Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "rdb: "+tt.want) {
			t.Errorf("%q:\n got %v\nwant rdb: %s", tt.data, err, tt.want)
			continue
		}
		corrupt, isCorrupt := errors.AsType[*CorruptError](err)
		unsupported, isUnsupported := errors.AsType[*UnsupportedTypeError](err)
		switch {
		case isCorrupt:
			corrupt.Path = "dump.rdb"
		case isUnsupported:
			unsupported.Path = "dump.rdb"
		}
		if !strings.HasPrefix(err.Error(), "rdb: dump.rdb: byte ") {
			t.Errorf("%q: with its path: %v", tt.data, err)
		}
		if strings.HasSuffix(tt.want, "truncated") != errors.Is(err, ErrTruncated) ||
			strings.Contains(tt.want, "checksum mismatch") != errors.Is(err, ErrChecksum) ||
			strings.Contains(tt.want, "newer") != errors.Is(err, ErrVersion) {
			t.Errorf("%q: %v wraps the wrong error", tt.data, err)
		}
	}
}

// With the size of the file known, a length past its end is refused at once.
func TestLengthPastTheFile(t *testing.T) {
	data := []byte("REDIS0011\x00\x01k\x80\x10\x00\x00\x00abc")
	_, err := read(t, data, Options{Size: int64(len(data))})
	want := `rdb: byte 12: value length of key "k" in database 0: ` +
		`truncated: it says 268435456 bytes, and 3 are left of the file`
	if err == nil || err.Error() != want || !errors.Is(err, ErrTruncated) {
		t.Errorf("got %v", err)
	}
}

// Versions of both families whose contents are understood are read.
func TestVersions(t *testing.T) {
	want := []entry{plainEntry("k", "v")}
	for v := Version(1); v <= 99; v++ {
		header := fmt.Sprintf("REDIS%04d", int(v))
		if v.IsValkey() {
			header = fmt.Sprintf("VALKEY%03d", int(v))
		}
		b := append([]byte(header), "\xfe\x00\x00\x01k\x01v"...)
		sum := hash.CRC64(0, b)
		if v >= 5 {
			b = AppendEOF(b, sum)
		} else {
			b = append(b, opEOF)
		}
		got, err := read(t, b, Options{})
		readable := v <= 16 || v == 80 || v == 81
		if readable != (err == nil) || readable && !slices.Equal(got, want) {
			t.Errorf("version %d: %v, %v", v, got, err)
		}
	}
}

// Every bit of a file, flipped, is noticed; nothing about it is harmless.
func TestEveryBitFlip(t *testing.T) {
	data := file(VersionWritten, true, append(sampleEntries()[:24], entry{1, "e", "v", 1 << 41, 5, 7}))
	for _, opts := range []Options{{}, {Trailing: true}, {Size: int64(len(data)), BufferBytes: 64}} {
		for bit := range len(data) * 8 {
			data[bit/8] ^= 1 << (bit % 8)
			_, err := read(t, data, opts)
			data[bit/8] ^= 1 << (bit % 8)
			if err == nil {
				t.Errorf("bit %d of byte %d flipped (%+v): no error", bit%8, bit/8, opts)
			}
		}
	}
}

// The same file cut at any byte is noticed, as what it is.
func TestEveryTruncation(t *testing.T) {
	data := file(VersionWritten, true, sampleEntries())
	for n := range data {
		for _, size := range []int64{0, int64(n)} {
			_, err := read(t, data[:n], Options{Size: size})
			if !errors.Is(err, ErrTruncated) {
				t.Errorf("%d of %d bytes: %v", n, len(data), err)
			}
		}
	}
}

// Where bytes may follow, the end is found without asking the source for more
// than the file has, and what was read of them is handed on.
func TestTrailing(t *testing.T) {
	data := file(VersionWritten, true, sampleEntries())
	for _, behind := range []string{"", "*1\r\n$4\r\nPING\r\n"} {
		whole := append(slices.Clone(data), behind...)
		r := NewReader(bytes.NewReader(whole), Options{Trailing: true})
		var rec Record
		for rec.Kind != KindEOF {
			if err := r.Next(&rec); err != nil {
				t.Fatal(err)
			}
		}
		if string(r.Buffered()) != behind || r.Offset() != int64(len(data)) {
			t.Errorf("%q is left at %d", r.Buffered(), r.Offset())
		}
	}

	// A socket that would never answer a read beyond the file.
	dry := errors.New("read too far")
	for _, src := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data))} {
		got, err := readNext(io.MultiReader(src, iotest.ErrReader(dry)), Options{Trailing: true})
		if err != nil || len(got) != len(sampleEntries()) {
			t.Errorf("%d keys, %v", len(got), err)
		}
	}
}

// What goes wrong in the source is not taken for damage.
func TestSourceErrors(t *testing.T) {
	disk := errors.New("input/output error")
	data := file(VersionWritten, true, sampleEntries())
	for n := range data {
		_, err := readNext(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(disk)), Options{})
		_, isCorrupt := errors.AsType[*CorruptError](err)
		if !errors.Is(err, disk) || isCorrupt {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	if _, err := readNext(stuck{}, Options{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a source that gives nothing: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// rdbchecksum no, on either side.
func TestChecksumOff(t *testing.T) {
	data := file(VersionWritten, true, sampleEntries())
	n := len(data) - 9
	r := NewReader(bytes.NewReader(AppendEOFUnchecked(slices.Clone(data[:n]))), Options{})
	var rec Record
	var err error
	for err == nil {
		err = r.Next(&rec)
	}
	if err != io.EOF || r.Checked() {
		t.Errorf("without a checksum: %v, checked %v", err, r.Checked())
	}
	data[len(data)-1] ^= 1
	if _, err := read(t, data, Options{SkipChecksum: true}); err != nil {
		t.Errorf("with a wrong one, not looked at: %v", err)
	}
}

// A limit other than the default holds for plain and compressed strings.
func TestStringBytesMax(t *testing.T) {
	for _, compress := range []bool{false, true} {
		data := file(VersionWritten, compress, []entry{plainEntry("k", strings.Repeat("a", 1000))})
		if _, err := read(t, data, Options{StringBytesMax: 1000}); err != nil {
			t.Error(err)
		}
		if _, err := read(t, data, Options{StringBytesMax: 999}); err == nil {
			t.Error("a string beyond the limit is read")
		}
	}
}

// A length allocates no memory: 512 MB are claimed, and three bytes follow.
func TestLengthsAllocateNothing(t *testing.T) {
	r := NewReader(nil, Options{})
	var rec Record
	for _, claim := range []string{
		"\x80\x20\x00\x00\x00abc",
		"\xc3\x80\x1f\x00\x00\x00\x80\x20\x00\x00\x00abc",
	} {
		data := []byte("REDIS0011\xfb\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x01k" + claim)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r.Reset(bytes.NewReader(data), Options{})
		for r.Next(&rec) == nil {
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 64<<10 {
			t.Errorf("%d bytes are allocated for %q", got, claim)
		}
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	data := file(VersionWritten, true, sampleEntries())
	src := bytes.NewReader(data)
	opts := Options{BufferBytes: 512}
	r := NewReader(src, opts)
	var rec Record
	if n := testing.AllocsPerRun(100, func() {
		src.Reset(data)
		r.Reset(src, opts)
		for r.Next(&rec) == nil {
		}
	}); n != 0 || rec.Kind != KindEOF {
		t.Errorf("Next allocates %v times a file", n)
	}

	d := &Decoder{}
	var raw Raw
	var batch []byte
	if n := testing.AllocsPerRun(100, func() {
		src.Reset(data)
		r.Reset(src, opts)
		batch = batch[:0]
		for raw.Kind = 0; raw.Kind != KindEOF; {
			var err error
			if batch, err = r.NextRaw(batch, &raw); err != nil {
				t.Fatal(err)
			}
			if raw.Kind != KindKey {
				continue
			}
			if err := d.DecodeKeyValue(&raw.Head, batch[raw.Start:raw.End], &rec); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("NextRaw and DecodeKeyValue allocate %v times a file", n)
	}
}
