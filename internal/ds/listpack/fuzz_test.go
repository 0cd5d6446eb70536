package listpack

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A program is the bytes that a fuzz target draws its decisions from.
type program []byte

func (p *program) next() byte {
	if len(*p) == 0 {
		return 0
	}
	c := (*p)[0]
	*p = (*p)[1:]
	return c
}

// elem draws an element, mostly from what is at the edge between two encodings.
func (p *program) elem() string {
	edges := []int64{
		0, 127, 128, 4095, 4096, 1<<15 - 1, 1 << 15, 1<<23 - 1, 1 << 23, 1<<31 - 1, 1 << 31, 1<<63 - 1,
	}
	lengths := []int{0, 1, 62, 63, 64, 124, 125, 126, 127, 4092, 4095, 4096, 16377, 16378}
	kind, c := p.next(), p.next()
	switch kind % 4 {
	case 0:
		return strconv.FormatInt(edges[int(c)%len(edges)]-int64(kind>>4), 10)
	case 1:
		return strconv.FormatInt(-edges[int(c)%len(edges)]-1+int64(kind>>4), 10)
	case 2:
		return strings.Repeat(string('a'+rune(kind>>6)), lengths[int(c)%len(lengths)])
	}
	return string('a'+rune(c%8)) + strconv.Itoa(int(c))
}

// at is the position of the element with an index, or the end.
func (l List) at(i int) int { return l.Skip(HeaderSize, i) }

// FuzzAgainstModel runs a program of changes on a list and on a slice of strings.
// Behind the room that a change needs there are bytes that it must not touch.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 1, 0, 1, 2, 0, 2, 9, 3, 0, 4, 0, 0, 5, 1, 6, 0, 7, 3, 8, 9})
	f.Add(bytes.Repeat([]byte{0, 2, 11, 2, 1, 2, 12, 4, 1, 0}, 12))
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		input := make([]byte, 200)
		for i := range input {
			input[i] = byte(r.Uint32())
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		p := program(input[:min(len(input), 400)])
		var model []string
		list := List(AppendEmpty(nil))
		for len(p) > 0 {
			list, model = step(t, &p, list, model)
			checkAgainst(t, &p, list, model)
		}
	})
}

// step draws a change and makes it to both.
func step(t *testing.T, p *program, l List, model []string) (List, []string) {
	const guard = 16
	op, i := p.next()%9, int(p.next())%(len(model)+1)
	text := p.elem()
	e := Text([]byte(text))
	room := 0
	change := func(b []byte) int { return len(l) }
	switch op {
	case 0, 1:
		room, change = e.Size(), func(b []byte) int { return Insert(b, l.at(i), e) }
		model = slices.Insert(model, i, text)
	case 2:
		room, change = e.Size(), func(b []byte) int { return Append(b, e) }
		model = append(model, text)
	case 3:
		room, change = e.Size(), func(b []byte) int { return Prepend(b, e) }
		model = slices.Insert(model, 0, text)
	case 4:
		if i < len(model) {
			room = e.Size() - l.SizeAt(l.at(i))
			change = func(b []byte) int { return Replace(b, l.at(i), e) }
			model[i] = text
		}
	case 5:
		n := int(p.next() % 4)
		room = l.at(i) - l.at(i+n)
		change = func(b []byte) int { return Delete(b, l.at(i), n) }
		model = slices.Delete(model, i, min(i+n, len(model)))
	case 6:
		texts := []string{text, p.elem(), text}
		elems := [][]byte{[]byte(texts[0]), []byte(texts[1]), []byte(texts[2])}
		room, change = SizeAll(elems), func(b []byte) int { return AppendAll(b, elems) }
		model = append(model, texts...)
	case 7:
		elems := [][]byte{[]byte(text), []byte("7")}
		room, change = SizeAll(elems), func(b []byte) int { return PrependAll(b, elems) }
		model = slices.Insert(model, 0, "7", text)
	case 8: // split, and join the other way round
		right := make([]byte, l.RestSize(l.at(i)))
		left := bytes.Clone(l)
		left = left[:Split(right, left, l.at(i), len(model)-i)]
		whole := make([]byte, JoinedSize(right, left))
		Join(whole, right, left)
		return whole, slices.Concat(model[i:], model[:i])
	}
	b := buffer(l, max(room, 0)+guard)
	size := change(b)
	if size != len(l)+room || !bytes.Equal(b[len(b)-guard:], bytes.Repeat([]byte{0xee}, guard)) {
		t.Fatalf("op %d: size %d, not %d, or it wrote behind that", op, size, len(l)+room)
	}
	return In(b), model
}

func checkAgainst(t *testing.T, p *program, l List, model []string) {
	if err := Validate(l, true, nil); err != nil {
		t.Fatal(err)
	}
	if l.Len() != len(model) {
		t.Fatalf("%d elements, not %d", l.Len(), len(model))
	}
	at := l.First()
	for i, text := range model {
		var e Elem
		here := at
		e, at = l.Read(at)
		if string(e.AppendTo(nil)) != text || !e.Equal([]byte(text)) || e.Len() != len(text) {
			t.Fatalf("element %d is %.20q, not %.20q", i, e.AppendTo(nil), text)
		}
		if want := Text([]byte(text)); want.IsInt != e.IsInt || want.Size() != l.SizeAt(here) {
			t.Fatalf("element %d, %.20q, is not encoded as it should be", i, text)
		}
	}
	if at != 0 {
		t.Fatal("there are more")
	}
	if len(model) == 0 {
		return
	}
	i, skip := int(p.next())%len(model), int(p.next()%3)
	if l.Seek(i) != l.at(i) || l.Seek(i-len(model)) != l.at(i) || l.Prev(l.at(i+1)) != l.at(i) {
		t.Fatalf("Seek or Prev misses %d", i)
	}
	text, want := model[int(p.next())%len(model)], 0
	for j := i; j < len(model); j += 1 + skip {
		if model[j] == text {
			want = l.at(j)
			break
		}
	}
	if got := l.Find(Text([]byte(text)), l.at(i), skip); got != want {
		t.Fatalf("%.20q found at %d, not %d", text, got, want)
	}
}

// FuzzValidate uses everything that reads on whatever passes Validate.
func FuzzValidate(f *testing.F) {
	f.Add([]byte(of(f, "a", "17", "-5000", rep(70), "123456", "12345678", "9876543210", rep(200))))
	f.Add([]byte(of(f, rep(4096), "-1")))
	f.Add([]byte("\x0a\x00\x00\x00\x01\x00\xf0\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, input []byte) {
		readAll(t, input)
		if len(input) >= EmptySize { // the same past the first hurdles
			b := bytes.Clone(input)
			resize(b, len(b), 0)
			setCount(b, countUnknown)
			b[len(b)-1] = tagEnd
			readAll(t, b)
		}
	})
}

func readAll(t *testing.T, input []byte) {
	exact := make([]byte, len(input)) // so that reading behind it panics
	copy(exact, input)
	var elems []string
	if Validate(exact, true, func(e Elem) error {
		elems = append(elems, string(e.AppendTo(nil)))
		return nil
	}) != nil {
		return
	}
	if Validate(exact, false, nil) != nil {
		t.Fatal("deeply but not shallowly valid")
	}
	l := In(exact)
	if l.Len() != len(elems) {
		t.Fatalf("%d elements, not %d", l.Len(), len(elems))
	}
	at := l.Last()
	for i := len(elems) - 1; i >= 0; i-- {
		e := l.Get(at)
		if !e.Equal([]byte(elems[i])) && e.IsInt || e.Len() != len(elems[i]) {
			t.Fatalf("element %d is %q, not %q", i, e.AppendTo(nil), elems[i])
		}
		if l.Seek(i) != at || l.Seek(i-len(elems)) != at {
			t.Fatalf("Seek misses %d", i)
		}
		found := l.Find(e, l.First(), 0)
		if found == 0 || found > at || l.Find(Text([]byte(elems[i])), at, 1) != at {
			t.Fatalf("element %d at %d is found at %d", i, at, found)
		}
		at = l.Prev(at)
	}
	if at != 0 {
		t.Fatal("there is one before the first")
	}
	if len(elems) == 0 {
		return
	}
	b := buffer(l, 40)
	Replace(b, In(b).Seek(-1), Int(1))
	Delete(b, HeaderSize, len(elems)-1)
	same(t, "what is left", In(b), "1")
}
