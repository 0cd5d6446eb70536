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
// buffer, which must agree; then the same with the checksum put right, and with values
// of all types and parts of several sizes. What is read is written again and reads the
// same.
func FuzzReader(f *testing.F) {
	f.Add(file(VersionWritten, true, sampleEntries()))
	f.Add(file(10, false, sampleEntries()))
	for _, v := range []Version{4, 11, 14, 81} {
		f.Add(goldenFile(v))
	}
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
			a, errA := read(t, data, Options{BufferBytes: 64, StringBytesMax: 1 << 14})
			b, errB := read(t, data, Options{BufferBytes: 2048, StringBytesMax: 1 << 14, Size: int64(len(data))})
			if (errA == nil) != (errB == nil) || !slices.Equal(a, b) {
				t.Fatalf("the two readers differ: %d and %d keys\n%v\n%v", len(a), len(b), errA, errB)
			}
			wantPlaced(t, errA, 0, len(data))
			objects, err := readObjects(t, data, Options{BufferBytes: 512, StringBytesMax: 1 << 14})
			if wantPlaced(t, err, 0, len(data)); err == nil {
				wantRewritten(t, data, objects)
			}
			if errA != nil {
				continue
			}
			again, err := read(t, file(VersionWritten, true, a), Options{})
			if err != nil || !slices.Equal(again, a) {
				t.Fatalf("written again, %d keys are %d: %v", len(a), len(again), err)
			}
		}
	})
}

// wantPlaced sees that err, if it is one, is one of the two that name a place, which is
// among n bytes from base on or behind them.
func wantPlaced(t *testing.T, err error, base, n int) {
	t.Helper()
	at := int64(base)
	if corrupt, ok := errors.AsType[*CorruptError](err); ok {
		at = corrupt.Offset
	} else if unsupported, ok := errors.AsType[*UnsupportedTypeError](err); ok {
		at = unsupported.Offset
	} else if err != nil {
		t.Fatalf("%v is neither of the two errors", err)
	}
	if at < int64(base) || at > int64(base+n) {
		t.Fatalf("%v doesn't lie in %d bytes from %d on", err, n, base)
	}
}

// FuzzDecodeValue decodes any bytes as the value of a payload. What it accepts is no more
// than the bytes can hold, and written again it is the same.
func FuzzDecodeValue(f *testing.F) {
	for _, g := range goldens {
		f.Add(byte(g.t), g.version.IsValkey(), []byte(g.value))
	}
	f.Fuzz(func(t *testing.T, typ byte, valkey bool, value []byte) {
		v := Version(14)
		if valkey {
			v = 80
		}
		if typ == byte(TypeString) {
			return
		}
		o, err := undump(t, v, Type(typ), string(value))
		if err == ErrEmpty {
			return
		}
		if wantPlaced(t, err, 0, 1+len(value)); err != nil {
			return
		}
		size := 0
		for _, item := range o.items {
			size += len(item)
		}
		if size > 100*(len(value)+lzfExpansionMax*len(value)) {
			t.Fatalf("%d bytes become %d", len(value), size)
		}
		b := append(append(header(v), typ, 0), value...)
		wantRewritten(t, AppendEOFUnchecked(b), []object{o})
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
		d := Decoder{StringBytesMax: 1 << 14}
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
