package listpack

import (
	"fmt"
	"testing"
)

var sink int

// BenchmarkFind looks for the last field of a hash.
func BenchmarkFind(b *testing.B) {
	for _, fields := range []int{8, 64, 512} {
		b.Run(fmt.Sprint(fields), func(b *testing.B) {
			l := hashList(fields)
			last := []byte(fmt.Sprintf("field:%d", fields-1))
			for b.Loop() {
				sink += l.Find(Text(last), l.First(), 1)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(fields), "ns/field")
			b.ReportMetric(float64(len(l))/float64(fields), "B/field")
		})
	}
}

// BenchmarkFindInt looks for a member that a set of integers has not.
func BenchmarkFindInt(b *testing.B) {
	list := AppendHeader(nil)
	for i := range 128 {
		list = AppendElem(list, Int(int64(i*1000)))
	}
	l := List(Finish(list, 0, 128))
	for b.Loop() {
		sink += l.Find(Int(77), l.First(), 0)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/elem")
}

// BenchmarkWalk reads all elements, as a reply does, by both means.
func BenchmarkWalk(b *testing.B) {
	l := hashList(64)
	b.Run("Value", func(b *testing.B) {
		for b.Loop() {
			for at := l.First(); at != 0; at = l.Next(at) {
				text, v := l.Value(at)
				sink += len(text) + int(v)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/elem")
	})
	b.Run("Get", func(b *testing.B) {
		for b.Loop() {
			for at := l.First(); at != 0; at = l.Next(at) {
				e := l.Get(at)
				sink += len(e.Bytes) + int(e.Int)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/elem")
	})
	b.Run("Read", func(b *testing.B) {
		for b.Loop() {
			for at := l.First(); at != 0; {
				var e Elem
				e, at = l.Read(at)
				sink += len(e.Bytes) + int(e.Int)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/elem")
	})
}

// BenchmarkPushPop is a queue of 64 elements: in at the tail, out at the head.
func BenchmarkPushPop(b *testing.B) {
	block := append([]byte(hashList(32)), make([]byte, 400)...)
	arg := []byte("value:1234")
	for b.Loop() {
		Append(block, Text(arg))
		Delete(block, HeaderSize, 1)
	}
}

func BenchmarkReplace(b *testing.B) {
	block := append([]byte(hashList(32)), make([]byte, 100)...)
	args := [2][]byte{[]byte("17"), []byte("value:1234")}
	at := In(block).Seek(21)
	for i := 0; b.Loop(); i++ {
		Replace(block, at, Text(args[i&1]))
	}
}

func BenchmarkValidate(b *testing.B) {
	l := hashList(64)
	for b.Loop() {
		if Validate(l, true, nil) != nil {
			b.Fatal("not valid")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/elem")
}
