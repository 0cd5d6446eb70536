package rdb

import (
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/ziplist"
	"github.com/spineldb/spinel/internal/numtext"
)

// An unpacking is where in packed bytes, which are sound, the next element stands that is
// to be handed out alone: ziplists and zipmaps, which nobody keeps any more.
type unpacking struct {
	content content
	b       []byte
	at      int // 0 when there is no more
	texts   [2][numtext.MaxIntLen]byte
}

func (u *unpacking) isOpen() bool { return u.at != 0 }

// openOld checks a ziplist or zipmap and begins to unpack it.
func (v *Pieces) openOld(b []byte) error {
	u := &v.unpacking
	u.content, u.b = v.layout.content, b
	if u.content == contentZipmap {
		if err := ziplist.ValidateMap(b, nil); err != nil {
			return err
		}
		if u.at = ziplist.Map(b).First(); u.at == 0 {
			return ErrEmpty
		}
		return nil
	}
	if err := ziplist.Validate(b, nil); err != nil {
		return err
	}
	if u.content != contentZiplist && ziplist.List(b).Len()%2 != 0 {
		return errOdd
	}
	u.at = ziplist.List(b).First()
	return nil
}

// unpack makes a piece of the next element.
func (v *Pieces) unpack(p *Piece) (bool, error) {
	u := &v.unpacking
	p.Kind, p.Value, p.ExpireMS = PieceElement, nil, None
	switch u.content {
	case contentZipmap:
		p.Field, p.Value, u.at = ziplist.Map(u.b).Read(u.at)
		return true, nil
	case contentListpackExpire:
		l := listpack.List(u.b)
		var e listpack.Elem
		e, u.at = l.Read(u.at)
		p.Field = e.Text(&u.texts[0])
		e, u.at = l.Read(u.at)
		p.Value = e.Text(&u.texts[1])
		e, u.at = l.Read(u.at)
		if ms, _ := e.Integer(); ms != 0 {
			p.ExpireMS = ms
		}
		return true, nil
	}
	p.Field, _ = u.entry(0)
	switch u.content {
	case contentZiplistPairs:
		p.Value, _ = u.entry(1)
	case contentZiplistScored:
		var ok bool
		text, e := u.entry(1)
		if p.Score, ok = float64(e.Int), e.IsInt; !ok {
			p.Score, ok = numtext.ParseFloat(text)
		}
		if !ok {
			return false, corruptAt(v.from, "score", v.layout.packedFault(errScore))
		}
	}
	return true, nil
}

// entry reads the next entry of a ziplist, with its text.
func (u *unpacking) entry(i int) (text []byte, e ziplist.Elem) {
	e, u.at = ziplist.List(u.b).Read(u.at)
	if e.IsInt {
		return numtext.AppendInt(u.texts[i][:0], e.Int), e
	}
	return e.Bytes, e
}
