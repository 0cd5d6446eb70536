package listpack

import "github.com/spineldb/spinel/internal/numtext"

// Find is the position of the first element that equals e, or 0. It looks at the
// element at from, then passes over skip elements, and so on: a hash's field is
// found with skip 1. From may be 0, then there is nothing to find.
func (l List) Find(e Elem, from, skip int) int {
	if from == 0 {
		return 0
	}
	if v, ok := e.Integer(); ok {
		return l.findInt(v, from, skip)
	}
	return l.findText(e.Bytes, from, skip)
}

// findText looks for a text that is not an integer's.
func (l List) findText(text []byte, from, skip int) int {
	// Texts of the same length mostly differ in their last byte. An empty one's is
	// its encoding.
	last := byte(tagText6)
	if len(text) > 0 {
		last = text[len(text)-1]
	}
	for at := from; l[at] != tagEnd; {
		c := l[at]
		if c&0xc0 == tagText6 {
			end := at + 1 + int(c&0x3f)
			if end-at-1 == len(text) && l[end-1] == last && string(l[at+1:end]) == string(text) {
				return at
			}
			at = end + 1
		} else {
			if c >= tagText12 {
				if got, _ := l.Value(at); got != nil && string(got) == string(text) {
					return at
				}
			}
			at += l.SizeAt(at)
		}
		if skip > 0 {
			at = l.Skip(at, skip)
		}
	}
	return 0
}

// findInt looks for an integer. Others may have stored it in more bytes than it needs,
// or as text.
func (l List) findInt(v int64, from, skip int) int {
	n := numtext.IntLen(v)
	for at := from; l[at] != tagEnd; {
		if text, got := l.Value(at); text == nil {
			if got == v {
				return at
			}
		} else if len(text) == n && Int(v).Equal(text) {
			return at
		}
		at += l.SizeAt(at)
		if skip > 0 {
			at = l.Skip(at, skip)
		}
	}
	return 0
}
