package bitcmd_test

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// FuzzBitField gives BITFIELD arguments of any kind, and then compares one field with a
// number read bit by bit, and its sum with one that cannot overflow.
func FuzzBitField(f *testing.F) {
	f.Add("SET u8 0 255 GET i5 #3 OVERFLOW FAIL INCRBY i64 7 -1", uint16(3), uint8(7), int64(100))
	f.Add("overflow sat incrby u63 #1 9223372036854775807", uint16(70), uint8(63), int64(-1))
	f.Add("GET u64 0", uint16(1), uint8(64), int64(-9223372036854775808))
	f.Fuzz(func(t *testing.T, call string, at uint16, width uint8, by int64) {
		db := newDB(t)
		db.Do("SET", "k", "some text in which bits are set")
		db.Do(append([]string{"BITFIELD", "k"}, strings.Fields(call)...)...)
		at %= 1000
		kind, bits := "i", uint(width%64+1)
		if width&128 != 0 && bits < 64 {
			kind = "u"
		}
		name, offset := fmt.Sprint(kind, bits), strconv.Itoa(int(at))
		text := db.Do("GET", "k").Text()
		was := new(big.Int)
		for i := uint(at); i < uint(at)+bits; i++ {
			was.Lsh(was, 1)
			if i/8 < uint(len(text)) && text[i/8]>>(7-i%8)&1 == 1 {
				was.SetBit(was, 0, 1)
			}
		}
		least, most := new(big.Int), new(big.Int).Lsh(big.NewInt(1), bits)
		if kind == "i" {
			most.Rsh(most, 1)
			least.Neg(most)
			if was.Cmp(most) >= 0 {
				was.Sub(was, new(big.Int).Lsh(big.NewInt(1), bits))
			}
		}
		most.Sub(most, big.NewInt(1))
		got := db.Do("BITFIELD_RO", "k", "GET", name, offset).Text()
		if want := "[" + was.String() + "]"; got != want {
			t.Fatalf("%s at %s of %q: got %s, want %s", name, offset, text, got, want)
		}
		sum := new(big.Int).Add(was, big.NewInt(by))
		want, sat := sum.String(), sum
		if sum.Cmp(most) > 0 {
			want, sat = "(nil)", most
		} else if sum.Cmp(least) < 0 {
			want, sat = "(nil)", least
		}
		increment := strconv.FormatInt(by, 10)
		got = db.Do("BITFIELD", "k", "OVERFLOW", "FAIL", "INCRBY", name, offset, increment, "OVERFLOW", "SAT",
			"SET", name, offset, was.String(), "INCRBY", name, offset, increment, "GET", name, offset).Text()
		old := was
		if want != "(nil)" {
			old = sum
		}
		if want := fmt.Sprintf("[%s %s %s %s]", want, old, sat, sat); got != want {
			t.Fatalf("%s at %s, %s and %d: got %s, want %s", name, offset, was, by, got, want)
		}
	})
}
