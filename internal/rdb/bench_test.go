package rdb

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/spineldb/spinel/internal/hash"
)

// benchEntries are keys of 16 bytes with values of 64 that LZF doesn't shrink.
func benchEntries(n int) (keys, values [][]byte) {
	for i := range n {
		keys = append(keys, fmt.Appendf(nil, "key:%012d", i))
		values = append(values, fmt.Appendf(nil, "%016x%016x%016x%016x",
			hash.CRC64(uint64(i), []byte("a-random-key-1")), hash.CRC64(uint64(i), []byte("b-random-key-2")),
			hash.CRC64(uint64(i), []byte("c-random-key-3")), hash.CRC64(uint64(i), []byte("d-random-key-4"))))
	}
	return keys, values
}

func BenchmarkEncode(b *testing.B) {
	keys, values := benchEntries(4096)
	for _, compress := range []bool{false, true} {
		b.Run(fmt.Sprintf("compress=%v", compress), func(b *testing.B) {
			e := &StringEncoder{Compress: compress}
			buf := make([]byte, 0, 1<<20)
			crc, size, i := uint64(0), 0, 0
			for b.Loop() {
				if cap(buf)-len(buf) < 1024 {
					crc = hash.CRC64(crc, buf)
					size += len(buf)
					buf = buf[:0]
				}
				buf = AppendExpire(buf, 4102444800123)
				buf = AppendString(AppendKey(buf, TypeString, keys[i%4096], e), values[i%4096], e)
				i++
			}
			b.ReportMetric(float64(size+len(buf))/float64(i), "bytes/record")
		})
	}
}

// benchFile is a file of such records, and how many it has.
func benchFile() ([]byte, int) {
	keys, values := benchEntries(50_000)
	e := &StringEncoder{}
	data := AppendHeader(nil, VersionWritten)
	for i := range keys {
		data = AppendString(AppendKey(data, TypeString, keys[i], e), values[i], e)
	}
	return AppendEOF(data, hash.CRC64(0, data)), len(keys)
}

func perRecord(b *testing.B, data []byte, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
	b.ReportMetric(float64(len(data))/float64(n), "bytes/record")
}

func BenchmarkNext(b *testing.B) {
	data, n := benchFile()
	r := NewReader(nil, Options{})
	var rec Record
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r.Reset(bytes.NewReader(data), Options{})
		for r.Next(&rec) == nil {
		}
	}
	perRecord(b, data, n)
}

// BenchmarkNextRaw is what the one thread costs that splits a file, and with
// decode what it and a worker cost together.
func BenchmarkNextRaw(b *testing.B) {
	data, n := benchFile()
	for _, decode := range []bool{false, true} {
		b.Run(fmt.Sprintf("decode=%v", decode), func(b *testing.B) {
			r := NewReader(nil, Options{})
			d := &Decoder{}
			var raw Raw
			var rec Record
			batch := make([]byte, 0, 1<<16)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				r.Reset(bytes.NewReader(data), Options{})
				for raw.Kind = 0; raw.Kind != KindEOF; {
					if len(batch) > 60_000 {
						batch = batch[:0]
					}
					var err error
					if batch, err = r.NextRaw(batch, &raw); err != nil {
						b.Fatal(err)
					}
					if decode && raw.Kind == KindKey {
						if err := d.DecodeKeyValue(&raw.Head, batch[raw.Start:raw.End], &rec); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			perRecord(b, data, n)
		})
	}
}

// BenchmarkPieces is a hash of 200,000 fields and a list of as many texts in nodes: what
// the thread costs that splits the file, and with decode what it and a worker cost.
func BenchmarkPieces(b *testing.B) {
	const n = 200_000
	keys, values := benchEntries(4096)
	e := &StringEncoder{}
	data := AppendLen(AppendKey(AppendHeader(nil, VersionLowest), TypeHash, []byte("hash"), e), n)
	for i := range n {
		data = AppendString(AppendString(data, keys[i%4096], e), values[i%4096], e)
	}
	data = AppendEOFUnchecked(data)
	for _, decode := range []bool{false, true} {
		b.Run(fmt.Sprintf("decode=%v", decode), func(b *testing.B) {
			r := NewReader(nil, Options{})
			var v Pieces
			var raw Raw
			var p Piece
			var batch []byte
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				r.Reset(bytes.NewReader(data), Options{Accept: Collections})
				for raw.Kind = 0; raw.Kind != KindEOF; {
					var err error
					if batch, err = r.NextRaw(batch[:0], &raw); err != nil {
						b.Fatal(err)
					}
					switch {
					case !decode || raw.Kind == KindEOF:
						continue
					case raw.Kind == KindKey:
						err = v.Begin(&raw, batch)
					default:
						err = v.Continue(&raw, batch)
					}
					for ok := err == nil; ok; {
						ok, err = v.Next(&p)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/element")
		})
	}
}
