package hash_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/spineldb/spinel/internal/hash"
)

// slowCRC64 and slowCRC16 follow the definitions bit by bit.
func slowCRC64(crc uint64, p []byte) uint64 {
	for _, b := range p {
		crc ^= uint64(b)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0x95ac9329ac4bc9b5
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

func slowCRC16(p []byte) uint16 {
	crc := uint16(0)
	for _, b := range p {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// The check values are what every implementation publishes for this input. The
// payload and its checksum are a reply to DUMP, of Redis 7.0.
func TestCheckValues(t *testing.T) {
	if got := hash.CRC64(0, []byte("123456789")); got != 0xe9c6d914c4b8d9ca {
		t.Errorf("CRC64 = %016x, want e9c6d914c4b8d9ca", got)
	}
	if got := hash.CRC64(7, nil); got != 7 {
		t.Errorf("CRC64 over nothing = %x, want its start", got)
	}
	if got := hash.CRC16([]byte("123456789")); got != 0x31c3 {
		t.Errorf("CRC16 = %04x, want 31c3", got)
	}
	dump := []byte("\x00\xc3\t4\x01aa\xe0'\x00\x01aa\n\x00")
	if got := hash.CRC64(0, dump); got != 0x6e241a4cd329dd63 {
		t.Errorf("CRC64 of a DUMP = %016x, want 6e241a4cd329dd63", got)
	}
}

// TestEveryLength compares with the definitions at every length around the
// width of a step, and continues a checksum at every place in between.
func TestEveryLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 70)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	for n := range len(data) + 1 {
		p := data[:n]
		if got, want := hash.CRC16(p), slowCRC16(p); got != want {
			t.Fatalf("CRC16 of %d bytes = %04x, want %04x", n, got, want)
		}
		want := slowCRC64(0, p)
		for cut := range n + 1 {
			if got := hash.CRC64(hash.CRC64(0, p[:cut]), p[cut:]); got != want {
				t.Fatalf("CRC64 of %d+%d bytes = %016x, want %016x", cut, n-cut, got, want)
			}
		}
	}
}

// The slots are the replies of CLUSTER KEYSLOT, Redis 7.0.
func TestSlot(t *testing.T) {
	for _, tt := range []struct {
		key, tag string
		slot     uint16
	}{
		{"", "", 0},
		{"foo", "foo", 12182},
		{"bar", "bar", 5061},
		{"123456789", "123456789", 12739},
		{"{user1000}.following", "user1000", 3443},
		{"{user1000}.followers", "user1000", 3443},
		{"foo{}{bar}", "foo{}{bar}", 8363},
		{"foo{{bar}}zap", "{bar", 4015},
		{"foo{bar}{zap}", "bar", 5061},
		{"foo{bar", "foo{bar", 15278},
		{"foo}bar{", "foo}bar{", 11073},
		{"}a{b}", "b", 3300},
		{"{}", "{}", 15257},
		{"a{b}c", "b", 3300},
		{"key:000000001234", "key:000000001234", 16382},
	} {
		if got := string(hash.Tag([]byte(tt.key))); got != tt.tag {
			t.Errorf("Tag(%q) = %q, want %q", tt.key, got, tt.tag)
		}
		if got := hash.Slot([]byte(tt.key)); got != tt.slot {
			t.Errorf("Slot(%q) = %d, want %d", tt.key, got, tt.slot)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	key := []byte("user:{1000}:followers")
	n := testing.AllocsPerRun(100, func() {
		hash.Slot(key)
		hash.CRC64(0, key)
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzAgainstDefinition(f *testing.F) {
	f.Add([]byte("123456789"), uint64(0))
	f.Fuzz(func(t *testing.T, p []byte, start uint64) {
		if got, want := hash.CRC64(start, p), slowCRC64(start, p); got != want {
			t.Fatalf("CRC64(%x, %q) = %x, want %x", start, p, got, want)
		}
		if got, want := hash.CRC16(p), slowCRC16(p); got != want {
			t.Fatalf("CRC16(%q) = %x, want %x", p, got, want)
		}
	})
}

func BenchmarkCRC64(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"64B", 64}, {"4KiB", 4 << 10}, {"1MiB", 1 << 20}} {
		b.Run(size.name, func(b *testing.B) {
			p := bytes.Repeat([]byte("x7"), size.n/2)
			b.SetBytes(int64(len(p)))
			crc := uint64(0)
			for b.Loop() {
				crc = hash.CRC64(crc, p)
			}
		})
	}
}

func BenchmarkSlot(b *testing.B) {
	key := []byte("key:000000001234")
	for b.Loop() {
		hash.Slot(key)
	}
}
