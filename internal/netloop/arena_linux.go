//go:build linux && (amd64 || arm64)

package netloop

import "golang.org/x/sys/unix"

// An arena is where a turn's requests are read to, one behind the other, so that
// hundreds of small requests share a few kilobytes of cache. It lies outside the
// Go heap and starts from the beginning in every turn.
type arena struct {
	segments [][]byte
	at       int // the segment being filled
	used     int // of it
}

const (
	segmentSize = 256 << 10
	cacheLine   = 64
)

// room returns the next free bytes, at least want of them, which is at most segmentSize.
func (a *arena) room(want int) ([]byte, error) {
	if a.at < len(a.segments) && segmentSize-a.used < want {
		a.at++
		a.used = 0
	}
	if a.at == len(a.segments) {
		seg, err := unix.Mmap(-1, 0, segmentSize, unix.PROT_READ|unix.PROT_WRITE,
			unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			return nil, err
		}
		a.segments = append(a.segments, seg)
	}
	return a.segments[a.at][a.used:], nil
}

// take keeps the first n bytes of the room.
func (a *arena) take(n int) {
	a.used = min(segmentSize, (a.used+n+cacheLine-1)&^(cacheLine-1))
}

func (a *arena) reset() { a.at, a.used = 0, 0 }

// trim gives all but keep segments back to the system.
func (a *arena) trim(keep int) {
	for len(a.segments) > keep {
		last := len(a.segments) - 1
		_ = unix.Munmap(a.segments[last])
		a.segments[last] = nil
		a.segments = a.segments[:last]
	}
}
