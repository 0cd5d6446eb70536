package rdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"testing"

	"github.com/spineldb/spinel/internal/ds/intset"
	"github.com/spineldb/spinel/internal/ds/listpack"
)

// An object is a key with its value as a test sees it: the elements as texts, in the
// order of the file. How they were packed is forgotten.
type object struct {
	db     int
	key    string
	kind   ObjectType
	expire int64
	items  []string
	empty  bool
	nodes  []string // how a list or stream was cut
	forms  []PieceKind
}

func (o object) String() string {
	return fmt.Sprintf("%d %q %v %d %v %v %q", o.db, o.key, o.kind, o.expire, o.empty, o.nodes, o.items)
}

// sameElements says whether two are the same but for how they are packed and ordered.
func sameElements(a, b object) bool {
	return a.db == b.db && a.key == b.key && a.kind == b.kind && a.expire == b.expire && a.empty == b.empty &&
		slices.Equal(sortedItems(a), sortedItems(b))
}

// sameObject says whether two are the same to the last detail.
func sameObject(a, b object) bool {
	return sameElements(a, b) && slices.Equal(a.items, b.items) && slices.Equal(a.nodes, b.nodes) &&
		slices.Equal(a.forms, b.forms)
}

func sortedItems(o object) []string {
	if o.kind == ObjectList || o.kind == ObjectStream {
		return o.items
	}
	return slices.Sorted(slices.Values(o.items))
}

func scoreText(score float64) string { return strconv.FormatFloat(score, 'g', -1, 64) }

func elementText(kind ObjectType, p *Piece) string {
	switch kind {
	case ObjectZSet:
		return fmt.Sprintf("%q %s", p.Field, scoreText(p.Score))
	case ObjectHash:
		return fmt.Sprintf("%q=%q %d", p.Field, p.Value, p.ExpireMS)
	}
	return strconv.Quote(string(p.Field))
}

// add adds what a piece holds.
func (o *object) add(t testing.TB, p *Piece) {
	o.forms = append(o.forms, p.Kind)
	var texts []string
	if p.Kind == PieceListpack || p.Kind == PieceListpackEx || p.Kind == PieceNode || p.Kind == PieceStreamNode {
		texts = elements(p.Packed)
	}
	before := len(o.items)
	switch p.Kind {
	case PieceElement:
		o.items = append(o.items, elementText(o.kind, p))
		return
	case PieceNode:
		for _, s := range texts {
			o.items = append(o.items, strconv.Quote(s))
		}
		o.nodes = append(o.nodes, fmt.Sprint(len(texts)))
	case PieceListpack:
		switch o.kind {
		case ObjectSet:
			for _, s := range texts {
				o.items = append(o.items, strconv.Quote(s))
			}
		case ObjectHash:
			for i := 0; i < len(texts); i += 2 {
				o.items = append(o.items, fmt.Sprintf("%q=%q -1", texts[i], texts[i+1]))
			}
		case ObjectZSet:
			for i := 0; i < len(texts); i += 2 {
				score, err := strconv.ParseFloat(texts[i+1], 64)
				if err != nil {
					t.Fatal(err)
				}
				o.items = append(o.items, fmt.Sprintf("%q %s", texts[i], scoreText(score)))
			}
		}
	case PieceListpackEx:
		for i := 0; i < len(texts); i += 3 {
			if texts[i+2] == "0" {
				texts[i+2] = "-1"
			}
			o.items = append(o.items, fmt.Sprintf("%q=%q %s", texts[i], texts[i+1], texts[i+2]))
		}
	case PieceIntset:
		for i := range intset.Set(p.Packed).Len() {
			o.items = append(o.items, strconv.Quote(fmt.Sprint(intset.Set(p.Packed).At(i))))
		}
	default:
		o.addStream(p, texts)
		return
	}
	if n := len(o.items) - before; n != p.Count || n == 0 {
		t.Fatalf("%q: a piece of %d elements counts %d", o.key, n, p.Count)
	}
}

func (o *object) addStream(p *Piece, texts []string) {
	switch p.Kind {
	case PieceStreamNode:
		o.nodes = append(o.nodes, fmt.Sprintf("%v %d", p.ID, len(texts)))
		o.items = append(o.items, streamEntries(p.ID, texts)...)
	case PieceStream:
		o.items = append(o.items, fmt.Sprintf("stream %+v", p.Stream))
	case PieceGroup:
		g := &p.Group
		o.items = append(o.items, fmt.Sprintf("group %q %v %d %d", g.Name, g.Last, g.EntriesRead, g.Pending))
	case PiecePending:
		o.items = append(o.items, fmt.Sprintf("pending %+v", p.Pending))
	case PieceConsumer:
		c := &p.Consumer
		o.items = append(o.items, fmt.Sprintf("consumer %q %d %d %d", c.Name, c.SeenMS, c.ActiveMS, c.Pending))
	case PieceOwned:
		o.items = append(o.items, fmt.Sprintf("owned %v", p.ID))
	case PieceNack:
		o.items = append(o.items, fmt.Sprintf("nack %v", p.ID))
	case PieceProducer:
		o.items = append(o.items, fmt.Sprintf("producer %q", p.Field))
	case PieceProduced:
		o.items = append(o.items, fmt.Sprintf("produced %q %v", p.Field, p.ID))
	}
}

func elements(packed []byte) (all []string) {
	l := listpack.In(packed)
	for at := l.First(); at != 0; at = l.Next(at) {
		all = append(all, string(l.Get(at).AppendTo(nil)))
	}
	return all
}

// streamEntries decodes a node as far as it makes sense: package stream does it well.
func streamEntries(id StreamID, texts []string) (all []string) {
	at := 0
	next := func() string {
		if at == len(texts) {
			return ""
		}
		at++
		return texts[at-1]
	}
	number := func() int { n, _ := strconv.Atoi(next()); return n }
	count, deleted, fields := number(), number(), number()
	at += fields
	if fields < 0 || fields > len(texts) || at > len(texts) {
		return []string{fmt.Sprintf("%q", texts)}
	}
	master := texts[3:at]
	next()
	for range min(count+deleted, len(texts)) {
		flags := number()
		ms, seq := number(), number()
		text := fmt.Sprintf("%d-%d", id.MS+uint64(ms), id.Seq+uint64(seq))
		if flags&2 != 0 {
			for _, name := range master {
				text += fmt.Sprintf(" %q=%q", name, next())
			}
		} else {
			for range min(number(), len(texts)) {
				text += fmt.Sprintf(" %q=%q", next(), next())
			}
		}
		next()
		if flags&1 == 0 {
			all = append(all, text)
		}
	}
	return all
}

const acceptAll = Collections | Functions | Modules

// readObjects reads data with NextPiece and in parts of several sizes, which must agree.
// Only which of several errors is found may depend on the size.
func readObjects(t testing.TB, data []byte, opts Options) ([]object, error) {
	t.Helper()
	if opts.BufferBytes == 0 {
		opts.BufferBytes = 4096
	}
	opts.Accept = acceptAll
	a, errA := objectsByPiece(t, bytes.NewReader(data), opts)
	for _, part := range []int{1, 300, 1 << 20} {
		opts.PartBytes = part
		b, errB := objectsByPart(t, bytes.NewReader(data), opts)
		if (errA == nil) != (errB == nil) || errA == nil && !slices.EqualFunc(a, b, sameObject) {
			t.Fatalf("parts of %d differ:\n%v\n%v\n%v\n%v", part, a, b, errA, errB)
		}
	}
	return a, errA
}

func objectsByPiece(t testing.TB, src io.Reader, opts Options) (all []object, err error) {
	r := NewReader(src, opts)
	var rec Record
	var p Piece
	for {
		if err = r.Next(&rec); err != nil {
			break
		}
		if rec.Kind != KindKey {
			continue
		}
		o := object{db: rec.DB, key: string(rec.Key), expire: rec.ExpireMS}
		if rec.Type == TypeString {
			o.items = []string{string(rec.Value)}
			all = append(all, o)
			continue
		}
		o.kind = r.Object().Type
		ok := true
		for ok {
			if ok, err = r.NextPiece(&p); ok {
				o.add(t, &p)
			}
		}
		if err == ErrEmpty {
			o.empty, err = true, nil
		}
		if err != nil {
			break
		}
		all = append(all, o)
	}
	if err == io.EOF {
		err = nil
	}
	return all, err
}

func objectsByPart(t testing.TB, src io.Reader, opts Options) (all []object, err error) {
	r := NewReader(src, opts)
	d := &Decoder{StringBytesMax: opts.StringBytesMax}
	v := &Pieces{StringBytesMax: opts.StringBytesMax}
	var raw Raw
	var rec Record
	var p Piece
	var batch []byte
	var o object
	for {
		if batch, err = r.NextRaw(nil, &raw); err != nil {
			break
		}
		b := batch[raw.Start:raw.End]
		switch {
		case raw.Kind == KindKey && raw.Type == TypeString:
			if err = d.DecodeKeyValue(&raw.Head, b, &rec); err == nil {
				o = object{db: raw.DB, key: string(rec.Key), expire: raw.ExpireMS}
				o.items = []string{string(rec.Value)}
				all = append(all, o)
			}
		case raw.Kind == KindKey:
			if err = v.Begin(&raw, b); err == nil {
				o = object{db: raw.DB, key: string(v.Key), expire: raw.ExpireMS, kind: v.Object.Type}
				err = o.addAll(t, v, &p)
			}
		case raw.Kind == KindPart:
			if err = v.Continue(&raw, b); err == nil {
				err = o.addAll(t, v, &p)
			}
		case raw.Kind == KindAux || raw.Kind == KindFunction:
			err = d.DecodeKeyValue(&raw.Head, b, &rec)
		}
		clear(b) // nothing may refer to it any more
		if err == ErrEmpty {
			o.empty, err = true, nil
		}
		if err != nil {
			break
		}
		if (raw.Kind == KindKey || raw.Kind == KindPart) && raw.Type != TypeString && !raw.More {
			all = append(all, o)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return all, err
}

func (o *object) addAll(t testing.TB, v *Pieces, p *Piece) error {
	for {
		ok, err := v.Next(p)
		if !ok || err != nil {
			return err
		}
		o.add(t, p)
		if string(v.Key) != o.key {
			return errors.New("the key has changed")
		}
	}
}
