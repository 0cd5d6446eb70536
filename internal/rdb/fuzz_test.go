package rdb

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/spineldb/spinel/internal/hash"
)

// FuzzReader reads any bytes as a file, in both modes and with two sizes of
// buffer, which must agree; then the same with the checksum put right. What is
// read is written again and reads the same.
func FuzzReader(f *testing.F) {
	f.Add(file(VersionWritten, true, sampleEntries()))
	f.Add(file(10, false, sampleEntries()))
	f.Add([]byte("VALKEY080\xf4\x01\x02\x03\xfa\x01a\x01b\x00\x01k\xc3\x05\x34\x00a\xe0\x2a\x00\xff"))
	if data, err := os.ReadFile("testdata/redis-7.0.15.rdb"); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fixed := slices.Clone(data)
		if n := len(fixed); n > 9 {
			fixed = AppendEOF(fixed[:n-9], hash.CRC64(0, fixed[:n-9]))
		}
		for _, data := range [][]byte{data, fixed} {
			a, errA := read(t, data, Options{BufferBytes: 64, StringBytesMax: 1 << 20})
			b, errB := read(t, data, Options{BufferBytes: 2048, StringBytesMax: 1 << 20, Size: int64(len(data))})
			if (errA == nil) != (errB == nil) || !slices.Equal(a, b) {
				t.Fatalf("the two readers differ: %d and %d keys\n%v\n%v", len(a), len(b), errA, errB)
			}
			if errA != nil {
				_, isCorrupt := errors.AsType[*CorruptError](errA)
				_, isUnsupported := errors.AsType[*UnsupportedTypeError](errA)
				if !isCorrupt && !isUnsupported {
					t.Fatalf("%v is neither of the two errors", errA)
				}
				continue
			}
			again, err := read(t, file(VersionWritten, true, a), Options{})
			if err != nil || !slices.Equal(again, a) {
				t.Fatalf("written again, %d keys are %d: %v", len(a), len(again), err)
			}
		}
	})
}

// FuzzDecodeKeyValue decodes any raw bytes: a worker is not to trust the thread
// that found them. What it accepts is used up exactly.
func FuzzDecodeKeyValue(f *testing.F) {
	e := &StringEncoder{Compress: true}
	for _, form := range stringForms {
		f.Add(AppendString(AppendString(nil, []byte(form.s), e), []byte(form.s), e))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d := Decoder{StringBytesMax: 1 << 20}
		head := Head{Kind: KindKey, Offset: 1000}
		var rec, again Record
		if err := d.DecodeKeyValue(&head, raw, &rec); err != nil {
			corrupt, ok := errors.AsType[*CorruptError](err)
			if !ok || corrupt.Offset < 1000 || corrupt.Offset > 1000+int64(len(raw)) {
				t.Fatalf("%v doesn't lie in %d bytes from 1000 on", err, len(raw))
			}
			return
		}
		if rec.IsInt && !bytes.Equal(AppendInt(nil, rec.Int), AppendString(nil, rec.Value, e)) {
			t.Fatalf("%d is %q", rec.Int, rec.Value)
		}
		for n := range raw {
			if d2 := (Decoder{}); d2.DecodeKeyValue(&head, raw[:n], &again) == nil {
				t.Fatalf("%d of %d bytes decode as well", n, len(raw))
			}
		}
	})
}
