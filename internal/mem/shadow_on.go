//go:build invariants

package mem

import (
	"encoding/binary"

	"github.com/spineldb/spinel/internal/invariant"
)

// canarySize is the room behind each block for a mark that must survive.
const canarySize = 4

const (
	canary = 0xC0FFEE5A
	poison = 0xDB
)

// A shadow knows every live block of an arena and the size that was asked for.
type shadow struct{ blocks map[Ref]int }

func (s *shadow) allocated(a *Arena, r Ref, n int) {
	if s.blocks == nil {
		s.blocks = map[Ref]int{}
	}
	_, twice := s.blocks[r]
	invariant.Check(!twice, "mem: block %d handed out twice", r)
	s.blocks[r] = n
	room := a.Cap(r)
	invariant.Check(room >= n, "mem: block %d of %d bytes has room for %d", r, n, room)
	b := a.Bytes(r, room+canarySize)
	for i := range b[:min(room, 1<<16)] {
		b[i] = poison
	}
	binary.LittleEndian.PutUint32(b[room:], canary)
}

func (s *shadow) freed(a *Arena, r Ref) {
	_, live := s.blocks[r]
	invariant.Check(live, "mem: block %d freed and not live", r)
	room := a.Cap(r)
	b := a.Bytes(r, room+canarySize)
	got := binary.LittleEndian.Uint32(b[room:])
	invariant.Check(got == canary, "mem: canary behind block %d of %d bytes is %#x", r, room, got)
	delete(s.blocks, r)
	for i := range b[:min(room, 1<<16)] {
		b[i] = poison
	}
}
