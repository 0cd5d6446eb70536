package listpack

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

// of builds a list element by element, by AppendElem and by Append, which must agree.
func of(t testing.TB, elems ...string) List {
	t.Helper()
	built := AppendHeader(nil)
	grown := AppendEmpty(nil)
	for _, text := range elems {
		e := Text([]byte(text))
		built = AppendElem(built, e)
		grown = append(grown, make([]byte, e.Size())...)
		if size := Append(grown, e); size != len(grown) {
			t.Fatalf("%q: the size is %d of %d", text, size, len(grown))
		}
	}
	built = Finish(built, 0, len(elems))
	if !bytes.Equal(built, grown) {
		t.Fatalf("built % x\ngrown % x", built, grown)
	}
	if err := Validate(built, true, nil); err != nil {
		t.Fatal(err)
	}
	return built
}

func texts(l List) []string {
	all := []string{}
	for at := l.First(); at != 0; {
		var e Elem
		e, at = l.Read(at)
		all = append(all, string(e.AppendTo(nil)))
	}
	return all
}

func same(t *testing.T, what string, l List, want ...string) {
	t.Helper()
	if err := Validate(l, true, nil); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got := texts(l); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s: %q, not %q", what, got, want)
	}
	if l.Len() != len(want) {
		t.Fatalf("%s: Len is %d of %d", what, l.Len(), len(want))
	}
}

// TestEncoding holds every encoding at its edges against its bytes, backlen included.
func TestEncoding(t *testing.T) {
	for _, tt := range []struct{ elem, want string }{
		{"0", "00 01"},
		{"127", "7f 01"},
		{"128", "c0 80 02"},
		{"-1", "df ff 02"},
		{"4095", "cf ff 02"},
		{"-4096", "d0 00 02"},
		{"4096", "f1 00 10 03"},
		{"-4097", "f1 ff ef 03"},
		{"32767", "f1 ff 7f 03"},
		{"-32768", "f1 00 80 03"},
		{"32768", "f2 00 80 00 04"},
		{"-32769", "f2 ff 7f ff 04"},
		{"8388607", "f2 ff ff 7f 04"},
		{"-8388608", "f2 00 00 80 04"},
		{"8388608", "f3 00 00 80 00 05"},
		{"2147483647", "f3 ff ff ff 7f 05"},
		{"-2147483648", "f3 00 00 00 80 05"},
		{"2147483648", "f4 00 00 00 80 00 00 00 00 09"},
		{"9223372036854775807", "f4 ff ff ff ff ff ff ff 7f 09"},
		{"-9223372036854775808", "f4 00 00 00 00 00 00 00 80 09"},
		{"9223372036854775808", "93" + hex.EncodeToString([]byte("9223372036854775808")) + "14"},
		{"", "80 01"},
		{"-0", "82 2d 30 03"},
		{"007", "83 30 30 37 04"},
		{"+1", "82 2b 31 03"},
		{"-", "81 2d 02"},
		{"abc", "83 61 62 63 04"},
		{rep(63), "bf" + hexRep(63) + "40"},
		{rep(64), "e0 40" + hexRep(64) + "42"},
		{rep(125), "e0 7d" + hexRep(125) + "7f"},
		{rep(126), "e0 7e" + hexRep(126) + "01 80"},
		{rep(4095), "ef ff" + hexRep(4095) + "20 81"},
		{rep(4096), "f0 00 10 00 00" + hexRep(4096) + "20 85"},
		{rep(16377), "f0 f9 3f 00 00" + hexRep(16377) + "7f fe"},
		{rep(16378), "f0 fa 3f 00 00" + hexRep(16378) + "00 ff ff"}, // two bytes would do
		{rep(2097145), "f0 f9 ff 1f 00" + hexRep(2097145) + "7f ff fe"},
		{rep(2097146), "f0 fa ff 1f 00" + hexRep(2097146) + "00 ff ff ff"},
	} {
		want, err := hex.DecodeString(strings.ReplaceAll(tt.want, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		l := of(t, tt.elem)
		if got := l.Raw(l.First(), l.End()); !bytes.Equal(got, want) {
			t.Errorf("%.20q is % .24x, not % .24x", tt.elem, got, want)
		}
		if got := EntrySize([]byte(tt.elem)); got != len(want) {
			t.Errorf("%.20q takes %d bytes, not %d", tt.elem, got, len(want))
		}
		if l.Last() != HeaderSize {
			t.Errorf("%.20q: the last element is at %d", tt.elem, l.Last())
		}
		same(t, "read", l, tt.elem)
	}
}

func rep(n int) string    { return strings.Repeat("x", n) }
func hexRep(n int) string { return strings.Repeat("78", n) }

func TestElem(t *testing.T) {
	for _, text := range []string{"", "0", "-17", "9223372036854775807", "abc", "12.5", "-0"} {
		e := Text([]byte(text))
		var buf [20]byte
		if got := string(e.Text(&buf)); got != text || e.Len() != len(text) || !e.Equal([]byte(text)) {
			t.Errorf("%q is %q of %d bytes", text, got, e.Len())
		}
		if e.Equal([]byte(text+"1")) || e.Equal(nil) != (text == "") {
			t.Errorf("%q equals others", text)
		}
	}
	if IntSize(math.MinInt64) != 10 || IntSize(5) != 2 {
		t.Error("IntSize")
	}
}

func TestPositions(t *testing.T) {
	all := []string{"a", "17", rep(100), "-5000", rep(5000), "", "7"}
	for n := range len(all) + 1 {
		l := of(t, all[:n]...)
		for i := -n - 2; i <= n+1; i++ {
			at := l.Seek(i)
			index := i
			if i < 0 {
				index += n
			}
			switch {
			case index < 0 || index >= n:
				if at != 0 {
					t.Fatalf("%d of %d is at %d", i, n, at)
				}
			case at == 0 || !l.Get(at).Equal([]byte(all[index])):
				t.Fatalf("%d of %d is at %d, wrongly", i, n, at)
			case l.Count(HeaderSize, at) != index || l.Skip(HeaderSize, index) != at:
				t.Fatalf("%d of %d is not %d from the first", i, n, index)
			}
		}
		if l.Skip(HeaderSize, n+3) != l.End() {
			t.Fatal("skipped over the end")
		}
		back := []string{}
		for at := l.Last(); at != 0; at = l.Prev(at) {
			back = append([]string{string(l.Get(at).AppendTo(nil))}, back...)
		}
		if fmt.Sprint(back) != fmt.Sprint(all[:n]) {
			t.Fatalf("backwards: %q", back)
		}
	}
}

func TestFind(t *testing.T) {
	l := of(t, "f1", "f2", "12", "f1", "", "12", "f1", "-7", rep(70), rep(5000))
	odd := of(t, "a", "b", "c")
	for _, tt := range []struct {
		l     List
		elem  string
		from  int // index
		skip  int
		index int // -1: not there
	}{
		{l, "f1", 0, 0, 0}, {l, "f1", 1, 0, 3}, {l, "f1", 0, 1, 0}, {l, "f1", 1, 1, 3},
		{l, "f2", 0, 0, 1}, {l, "f2", 0, 1, -1}, {l, "12", 0, 0, 2}, {l, "12", 3, 1, 5},
		{l, "", 0, 0, 4}, {l, "-7", 0, 0, 7}, {l, "-7", 0, 1, -1}, {l, rep(70), 0, 0, 8},
		{l, rep(71), 0, 0, -1}, {l, rep(5000), 0, 0, 9}, {l, rep(5000), 9, 3, 9}, {l, "012", 0, 0, -1},
		{odd, "c", 0, 1, 2}, {odd, "x", 0, 1, -1}, {odd, "5", 0, 1, -1}, {odd, "5", 1, 5, -1},
	} {
		at := tt.l.Find(Text([]byte(tt.elem)), tt.l.Seek(tt.from), tt.skip)
		if want := tt.index; want < 0 && at != 0 || want >= 0 && at != tt.l.Seek(want) {
			t.Errorf("%.10q from %d by %d is at %d", tt.elem, tt.from, tt.skip, at)
		}
	}
	if of(t).Find(Text([]byte("x")), 0, 0) != 0 {
		t.Error("found in an empty list")
	}
}

// TestFindForeign looks for integers that another writer encoded otherwise.
func TestFindForeign(t *testing.T) {
	l := AppendHeader(nil)
	l = append(l, 0x82, '1', '2', 3, 0xf4, 5, 0, 0, 0, 0, 0, 0, 0, 9)
	l = Finish(l, 0, 2)
	same(t, "foreign", l, "12", "5")
	foreign := List(l)
	first, second := foreign.First(), foreign.Last()
	if foreign.Find(Int(12), first, 0) != first || foreign.Find(Int(5), first, 0) != second {
		t.Error("not found")
	}
	if foreign.Find(Elem{Bytes: []byte("5")}, first, 0) != second {
		t.Error("not found by a text that was not recognized as an integer")
	}
}

// buffer is a list's bytes with room behind them that is not zero.
func buffer(l List, room int) []byte {
	return append(bytes.Clone(l), bytes.Repeat([]byte{0xee}, room)...)
}

func TestAll(t *testing.T) {
	elems := [][]byte{[]byte("x"), []byte("12345"), []byte(rep(200))}
	b := buffer(of(t, "1", "2"), SizeAll(elems))
	if AppendAll(b, elems) != len(b) {
		t.Fatal("AppendAll does not fill the room")
	}
	same(t, "AppendAll", b, "1", "2", "x", "12345", rep(200))
	b = buffer(of(t, "1", "2"), SizeAll(elems))
	if PrependAll(b, elems) != len(b) {
		t.Fatal("PrependAll does not fill the room")
	}
	same(t, "PrependAll", b, rep(200), "12345", "x", "1", "2")
}

// TestSplitJoin splits lists everywhere and joins them again.
func TestSplitJoin(t *testing.T) {
	all := []string{"a", "17", rep(100), "-5000", "", "7"}
	for n := range len(all) + 1 {
		whole := of(t, all...)
		at := whole.Skip(HeaderSize, n)
		left := bytes.Clone(whole)
		right := make([]byte, whole.RestSize(at))
		size := Split(right, left, at, len(all)-n)
		same(t, "left", left[:size], all[:n]...)
		same(t, "right", right, all[n:]...)

		joined := make([]byte, JoinedSize(left[:size], right))
		Join(joined, left[:size], right)
		if !bytes.Equal(joined, whole) {
			t.Fatalf("joined % x", joined)
		}
		copy(joined, left[:size]) // in place
		Join(joined, joined[:size:size], right)
		if !bytes.Equal(joined, whole) {
			t.Fatalf("joined in place % x", joined)
		}
	}
}

// TestManyElements crosses the number of elements that a header can count, both ways.
func TestManyElements(t *testing.T) {
	const most = 65534
	b := AppendHeader(nil)
	for i := range most {
		b = AppendElem(b, Int(int64(i)))
	}
	b = Finish(b, 0, most)
	if l := In(b); l.count() != most || l.Len() != most {
		t.Fatalf("%d elements", l.Len())
	}
	for i := range 3 {
		e := Int(int64(most + i))
		b = buffer(b, e.Size())
		Append(b, e)
		if l := In(b); l.count() != countUnknown || l.Len() != most+1+i {
			t.Fatalf("%d elements, header %d", l.Len(), l.count())
		}
	}
	if err := Validate(b, true, nil); err != nil {
		t.Fatal(err)
	}
	l := In(b)
	for _, i := range []int{0, 1, most, most + 2, -1, -2, -most - 3} {
		want := int64((i + most + 3) % (most + 3))
		if at := l.Seek(i); at == 0 || l.Get(at).Int != want {
			t.Fatalf("%d is not %d", i, want)
		}
	}
	if l.Seek(most+3) != 0 || l.Seek(-most-4) != 0 {
		t.Fatal("out of range")
	}
	n := most + 3
	for n > 1000 { // the count comes back when it is certain to fit
		k := min(n, 7777)
		size := Delete(b, HeaderSize, k)
		n -= k
		if In(b).Len() != n || len(In(b)) != size {
			t.Fatalf("%d elements, not %d", In(b).Len(), n)
		}
	}
	if In(b).count() != n {
		t.Fatalf("the header counts %d of %d", In(b).count(), n)
	}
}

func TestValidate(t *testing.T) {
	entry := func(count byte, raw string) string {
		return string([]byte{byte(len(raw) + EmptySize), 0, 0, 0, count, 0}) + raw + "\xff"
	}
	for _, tt := range []struct{ name, bytes, want string }{
		{"nothing", "", "fewer"},
		{"no end", "\x06\x00\x00\x00\x00\x00", "fewer"},
		{"total", "\x08\x00\x00\x00\x00\x00\xff", "8 bytes of 7"},
		{"huge total", "\xff\xff\xff\xff\x00\x00\xff", "4294967295 bytes of 7"},
		{"end", "\x07\x00\x00\x00\x00\x00\xfe", "the end is"},
		{"count", entry(2, "\x05\x01"), "counts 2 entries of 1"},
		{"early end", entry(1, "\xff\x01"), "no encoding"},
		{"encoding", entry(1, "\xf5\x01"), "no encoding"},
		{"length behind", entry(1, "\xe0"), "length is behind"},
		{"long length behind", entry(1, "\xf0\x00\x00\x00"), "length is behind"},
		{"long length huge", entry(1, "\xf0\xff\xff\xff\xff\x01"), "more than the 6"},
		{"text", entry(1, "\x83ab\x03"), "more than the 4"},
		{"integer", entry(1, "\xf4\x00\x00\x09"), "more than the 4"},
		{"no backlen", entry(1, "\x05"), "more than the 1"},
		{"backlen", entry(1, "\x05\x02"), "backlen of 1"},
		{"long backlen", entry(1, "\x05\x01\x80"), "entry 1"},
		{"backlen cut", entry(1, "\xe0\x7e"+rep(126)+"\x01"), "backlen is behind"},
	} {
		err := Validate([]byte(tt.bytes), true, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := Validate([]byte(entry(9, "\x05\x77")), false, nil); err != nil {
		t.Errorf("shallow: %v", err)
	}
	unknown := of(t, "a", "b")
	setCount(unknown, countUnknown)
	if err := Validate(unknown, true, nil); err != nil || unknown.Len() != 2 {
		t.Errorf("unknown count: %v, %d", err, unknown.Len())
	}
	stop, seen := errors.New("stop"), 0
	err := Validate(of(t, "a", "b", "c"), true, func(Elem) error {
		if seen++; seen == 2 {
			return stop
		}
		return nil
	})
	if err != stop || seen != 2 {
		t.Errorf("each: %v after %d", err, seen)
	}
}

func hashList(fields int) List {
	b := AppendHeader(nil)
	for i := range fields {
		b = AppendElem(b, Text([]byte("field:"+strconv.Itoa(i))))
		b = AppendElem(b, Text([]byte("value:"+strconv.Itoa(i))))
	}
	return Finish(b, 0, 2*fields)
}

func TestAllocNothing(t *testing.T) {
	l := hashList(20)
	block := append(bytes.Clone(l), make([]byte, 200)...)
	arg, big := []byte("field:19"), []byte("123456789")
	var text [20]byte
	var buf [64]byte
	args := [][]byte{arg, big}
	sum := 0
	for name, f := range map[string]func(){
		"Find":    func() { sum += l.Find(Text(arg), l.First(), 1) },
		"FindInt": func() { sum += l.Find(Text(big), l.First(), 1) },
		"Walk": func() {
			for at := l.First(); at != 0; at = l.Next(at) {
				e := l.Get(at)
				sum += len(e.Text(&text)) + len(e.AppendTo(buf[:0]))
			}
		},
		"Seek": func() { sum += l.Seek(-7) + l.Seek(5) },
		"Edit": func() {
			Insert(block, HeaderSize, Text(big))
			Replace(block, HeaderSize, Text(arg))
			Append(block, Int(-1))
			AppendAll(block, args)
			PrependAll(block, args)
			Delete(block, HeaderSize, 3)
			Delete(block, In(block).Seek(-3), 3)
		},
		"Build": func() {
			b := AppendElem(AppendElem(AppendHeader(buf[:0]), Text(arg)), Int(7))
			sum += len(Finish(b, 0, 2))
		},
		"Validate": func() {
			if Validate(l, true, nil) != nil {
				t.Error("not valid")
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	if !bytes.Equal(In(block), l) {
		t.Error("the edits did not cancel out")
	}
}
