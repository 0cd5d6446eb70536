package stream

import (
	"errors"
	"fmt"

	"github.com/spineldb/spinel/internal/ds/listpack"
)

// NodeInfo is what ValidateNode finds.
type NodeInfo struct {
	Live, Deleted int64
	First, Last   ID // of all entries, deleted or not; both zero if there are none
}

var (
	errNotInteger = errors.New("an integer is a text")
	errShort      = errors.New("the list ends within it")
)

// ValidateNode says what is wrong with bytes that claim to be the listpack of a node, or
// what they hold. Only those that pass may become a node: all others here trust what a
// node says about itself.
func ValidateNode(master ID, b []byte) (NodeInfo, error) {
	var info NodeInfo
	if len(b) > listpack.SizeMax*2 {
		return info, fmt.Errorf("stream: a node of %d bytes", len(b))
	}
	if err := listpack.Validate(b, true, nil); err != nil {
		return info, err
	}
	v := validator{l: listpack.List(b), at: listpack.HeaderSize}
	live, deleted, fields := v.int(), v.int(), v.int()
	if live < 0 || deleted < 0 || fields < 0 {
		return info, fmt.Errorf("stream: %d live and %d deleted entries, %d fields", live, deleted, fields)
	}
	v.skip(fields)
	if zero := v.int(); zero != 0 || v.err != nil {
		return info, fmt.Errorf("stream: the master entry ends with %d: %w", zero, v.orWrong())
	}
	for n := 0; !v.isEnd(); n++ {
		at := v.at
		id, flags := v.entry(master, fields)
		if v.err != nil {
			return info, fmt.Errorf("stream: entry %d at byte %d: %w", n, at, v.err)
		}
		if n == 0 && id.Less(master) || n > 0 && !info.Last.Less(id) {
			return info, fmt.Errorf("stream: entry %d at byte %d: its ID %d-%d is too small", n, at, id.Ms, id.Seq)
		}
		if n == 0 {
			info.First = id
		}
		info.Last = id
		if flags&flagDeleted != 0 {
			info.Deleted++
		} else {
			info.Live++
		}
	}
	if info.Live != live || info.Deleted != deleted {
		return info, fmt.Errorf("stream: the master entry counts %d live and %d deleted entries of %d and %d",
			live, deleted, info.Live, info.Deleted)
	}
	return info, nil
}

var errWrong = errors.New("wrong value")

// A validator reads elements one after another, up to the first that cannot be what it
// should be.
type validator struct {
	l   listpack.List
	at  int
	err error
}

func (v *validator) isEnd() bool { return v.at >= v.l.End() }

func (v *validator) orWrong() error {
	if v.err != nil {
		return v.err
	}
	return errWrong
}

// int reads an integer. A text that looks like one is refused: nobody writes it so.
func (v *validator) int() int64 {
	if v.err != nil {
		return 0
	}
	if v.isEnd() {
		v.err = errShort
		return 0
	}
	e := v.l.Get(v.at)
	if !e.IsInt {
		v.err = errNotInteger
	}
	v.at += v.l.SizeAt(v.at)
	return e.Int
}

// skip passes over so many elements.
func (v *validator) skip(n int64) {
	for ; n > 0 && v.err == nil; n-- {
		if v.isEnd() {
			v.err = errShort
			return
		}
		v.at += v.l.SizeAt(v.at)
	}
}

// entry reads an entry.
func (v *validator) entry(master ID, fields int64) (id ID, flags int64) {
	flags = v.int()
	ms, seq := v.int(), v.int()
	id = ID{master.Ms + uint64(ms), master.Seq + uint64(seq)}
	elems := 3 + fields
	if flags&flagSameFields != 0 {
		v.skip(fields)
	} else {
		n := v.int()
		if n < 0 || n > int64(len(v.l)) {
			v.err = errShort
		}
		v.skip(2 * n)
		elems = 4 + 2*n
	}
	length := v.int()
	if v.err == nil && (flags&^flagsKnown != 0 || length != elems) {
		v.err = fmt.Errorf("flags %#x, %d elements of %d", flags, length, elems)
	}
	return id, flags
}
