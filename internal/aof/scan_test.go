package aof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/spineldb/spinel/internal/vfs"
)

const testSeq = 7

func command(words ...string) (b []byte) {
	b = fmt.Appendf(b, "*%d\r\n", len(words))
	for _, w := range words {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b
}

// batch is one at an offset, with a synced mark unless that is 0.
func batch(offset, synced int64, commands ...[]byte) []byte {
	b := BeginBatch(nil)
	if synced > 0 {
		b = fmt.Appendf(b, "#SY:%d\r\n", synced)
	}
	b = append(b, bytes.Join(commands, nil)...)
	EndBatch(b, 0, testSeq, offset)
	return b
}

// load reads a file, and says how it ends.
func load(content []byte) (commands []string, err error) {
	s := NewScanner(bytes.NewReader(content), testSeq, 0, int64(len(content)))
	for {
		if err = s.Next(); err != nil {
			break
		}
		commands = append(commands, string(bytes.Join(s.Args, []byte(" "))))
	}
	var b *Break
	if errors.As(err, &b) {
		err = b.Judge(bytes.NewReader(content[b.Offset:]))
	}
	return commands, err
}

// sample is a file of some batches of which the last mark says that all before the last
// two were synced, and its commands.
func sample(rng *rand.Rand, size int) (content []byte, commands []string) {
	var starts []int64
	for i := 0; len(content) < size; i++ {
		var b [][]byte
		for range 1 + rng.IntN(3) {
			words := []string{"SET", fmt.Sprint("key:", i), strings.Repeat("v", rng.IntN(60))}
			commands = append(commands, strings.Join(words, " "))
			b = append(b, command(words...))
		}
		synced := int64(0)
		if i >= 2 {
			synced = starts[i-1]
		}
		starts = append(starts, int64(len(content)))
		content = append(content, batch(int64(len(content)), synced, b...)...)
	}
	return content, commands
}

func TestScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	content, commands := sample(rng, 200_000)
	s := NewScanner(iotest.HalfReader(bytes.NewReader(content)), testSeq, 0, int64(len(content)))
	for i, want := range commands {
		if err := s.Next(); err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
		if got := string(bytes.Join(s.Args, []byte(" "))); got != want {
			t.Fatalf("command %d is %q, want %q", i, got, want)
		}
	}
	if err := s.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if s.Synced == 0 || s.Offset() != int64(len(content)) {
		t.Errorf("synced %d, offset %d", s.Synced, s.Offset())
	}
}

// Redis's own files: without batches, with times, or behind batches of ours.
func TestScanForeign(t *testing.T) {
	set, incr := command("SET", "a", "1"), command("INCR", "a")
	ours := batch(0, 0, set)
	for _, tt := range []struct {
		name     string
		content  []byte
		commands int
		want     string // of the error
	}{
		{"empty", nil, 0, "EOF"},
		{"commands", bytes.Join([][]byte{set, incr}, nil), 2, "EOF"},
		{"times", bytes.Join([][]byte{[]byte("#TS:1700000000\r\n"), set, []byte("#x\r\n"), incr}, nil), 2, "EOF"},
		{"behind ours", bytes.Join([][]byte{ours, incr, incr}, nil), 3, "EOF"},
		{"ours again", bytes.Join([][]byte{ours, incr, batch(int64(len(ours)+len(incr)), 0, set)}, nil), 3, "EOF"},
		{"torn", append(bytes.Clone(set), incr[:9]...), 1, "Unexpected end of file reading the append only file : whole up to byte 27 of 36"},
		{"torn behind ours", bytes.Join([][]byte{ours, incr, set[:20]}, nil), 2, "Unexpected end of file"},
		{"X P16: a length that leads past others", []byte(strings.Replace(string(set)+string(incr)+string(incr),
			"$1\r\n1", "$3000000\r\n1", 1)), 0, "a length leads past other commands"},
		{"a count that leads past others", []byte(strings.Replace(string(set)+string(incr), "*3", "*3000", 1)), 0,
			"Bad file format"},
		{"no command", []byte("SET a 1\r\n"), 0, "Bad file format reading the append only file : byte 0: expected *"},
		{"no words", []byte("*0\r\n"), 0, "a command of no words"},
		{"length below zero", []byte("*1\r\n$-1\r\n"), 0, "a length below zero"},
		{"number", []byte("*1\r\n$x\r\n"), 0, "a length that is no number"},
		{"line", []byte("*1\n$1\na\n"), 0, "does not end with CR and LF"},
		{"long line", []byte("*" + strings.Repeat("1", 5000)), 0, "a line is too long"},
		{"argument's end", []byte("*1\r\n$1\r\nabc\r\n"), 0, "does not end where its length says"},
	} {
		commands, err := load(tt.content)
		if len(commands) != tt.commands || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d commands and %v, want %d and %q", tt.name, len(commands), err, tt.commands, tt.want)
		}
	}
}

// Every single bit of a file: whatever flips, the commands are the same or the file is
// refused. It is never taken for torn, which would cost what is behind.
func TestEveryFlippedBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	content, commands := sample(rng, 3000)
	want := strings.Join(commands, "\n")
	for i := range len(content) * 8 {
		content[i/8] ^= 1 << (i % 8)
		got, err := load(content)
		var damaged *DamagedError
		if !errors.As(err, &damaged) && (err != io.EOF || strings.Join(got, "\n") != want) {
			t.Fatalf("bit %d of byte %d: %d commands and %v", i%8, i/8, len(got), err)
		}
		content[i/8] ^= 1 << (i % 8)
	}
}

// A file cut anywhere is torn there, and its batches are whole or missing.
func TestCutAnywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	content, commands := sample(rng, 3000)
	for n := range len(content) {
		got, err := load(content[:n])
		var torn *TornError
		if err != io.EOF && !errors.As(err, &torn) {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if len(got) > len(commands) || strings.Join(got, "\n") != strings.Join(commands[:len(got)], "\n") {
			t.Fatalf("cut at %d: other commands came out", n)
		}
		if torn != nil {
			again, err := load(content[:torn.Good])
			if err != io.EOF || len(again) != len(got) {
				t.Fatalf("cut at %d, and then at %d as it says: %d commands and %v", n, torn.Good, len(again), err)
			}
		}
	}
}

// Whatever a power failure leaves of a file that is written and synced in turn, it is
// read up to some batch, none that was synced is missing, and it is not called damaged.
func TestEveryImage(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 12 {
		mem := vfs.NewMem("/d")
		mem.Put("/d/f", nil)
		record := mem.Record()
		f, err := mem.Append("/d/f")
		if err != nil {
			t.Fatal(err)
		}
		var commands []string
		size, synced := int64(0), int64(0)
		durable := map[int]int{0: 0} // calls made -> commands that are
		for i := range 20 {
			var b [][]byte
			for range 1 + rng.IntN(3) {
				words := []string{"SET", fmt.Sprint("k", i), strings.Repeat("v", rng.IntN(1200))}
				commands = append(commands, strings.Join(words, " "))
				b = append(b, command(words...))
			}
			mark := int64(0)
			if rng.IntN(2) == 0 {
				mark = synced
			}
			n, err := f.Write(batch(size, mark, b...))
			if err != nil {
				t.Fatal(err)
			}
			size += int64(n)
			if rng.IntN(4) == 0 {
				if err := f.Sync(); err != nil {
					t.Fatal(err)
				}
				synced = size
				durable[record.Len()] = len(commands)
			}
		}
		for range 300 {
			n := rng.IntN(record.Len() + 1)
			image, ok := record.Crash(n, rng.IntN).Get("/d/f")
			if !ok {
				t.Fatal("the file is gone")
			}
			got, err := load(image)
			var damaged *DamagedError
			if errors.As(err, &damaged) {
				t.Fatalf("behind %d calls: %v\n%q", n, err, image)
			}
			if strings.Join(got, "\n") != strings.Join(commands[:len(got)], "\n") {
				t.Fatalf("behind %d calls: other commands came out", n)
			}
			for at, count := range durable {
				if at <= n && len(got) < count {
					t.Fatalf("behind %d calls: %d commands, but %d were synced", n, len(got), count)
				}
			}
		}
	}
}

// A hole where everything was synced is damage: the disk has lost it.
func TestHoleInSynced(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	content, _ := sample(rng, 5000)
	clear(content[1024:1536])
	if _, err := load(content); err == nil || !strings.Contains(err.Error(), "where everything was synced") {
		t.Errorf("%v", err)
	}
}

// A batch of another place or another file is not taken.
func TestMisplaced(t *testing.T) {
	b := batch(100, 0, command("SET", "a", "1"))
	if _, err := load(b); err == nil || !strings.Contains(err.Error(), "the sum of a batch does not hold") {
		t.Errorf("another offset: %v", err)
	}
	s := NewScanner(bytes.NewReader(b), testSeq+1, 100, 100+int64(len(b)))
	if err := s.Next(); err == nil {
		t.Errorf("another file's batch was read")
	}
}

// Anything at all is read without a crash, and a file that is read to its end is read
// again if it is written as it was understood.
func FuzzScan(f *testing.F) {
	content, _ := sample(rand.New(rand.NewPCG(6, 6)), 300)
	f.Add(content)
	f.Add(append(command("SET", "a", "1"), "#TS:1\r\n*1\r\n$300000\r\nx\r\n"...))
	f.Fuzz(func(t *testing.T, content []byte) {
		commands, err := load(content)
		if err == nil {
			t.Fatal("no end")
		}
		var torn *TornError
		if errors.As(err, &torn) {
			again, err := load(content[:torn.Good])
			if err != io.EOF || len(again) != len(commands) {
				t.Fatalf("torn at %d, and cut there: %d commands and %v", torn.Good, len(again), err)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	content, commands := sample(rand.New(rand.NewPCG(7, 7)), 1<<20)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		s := NewScanner(bytes.NewReader(content), testSeq, 0, int64(len(content)))
		for s.Next() == nil {
		}
	}
	b.ReportMetric(float64(len(commands)), "commands/op")
}
