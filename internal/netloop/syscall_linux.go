//go:build linux && (amd64 || arm64)

package netloop

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/spineldb/spinel/internal/resp"
)

// The system calls of the hot path. Those that cannot block are raw: they do not
// tell Go's scheduler, which saves about 27 ns each.

// recvRaw reads what is there.
func recvRaw(fd int32, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// sendRaw sends as much of b as the socket takes.
func sendRaw(fd int32, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// iovMax is how many chunks one sendmsg takes.
const iovMax = 64

// A message is the memory of a sendmsg call.
type message struct {
	hdr unix.Msghdr
	iov [iovMax]unix.Iovec
}

// fill points m at chunks, at most limit bytes of them, and returns how many
// bytes these are.
func (m *message) fill(chunks []resp.Chunk, limit int) int {
	n, total := 0, 0
	for i := range chunks {
		if n == iovMax || total == limit {
			break
		}
		b := chunks[i].Bytes
		if len(b) > limit-total {
			b = b[:limit-total]
		}
		m.iov[n].Base = unsafe.SliceData(b)
		m.iov[n].SetLen(len(b))
		total += len(b)
		n++
	}
	m.hdr.Iov = &m.iov[0]
	m.hdr.SetIovlen(n)
	return total
}

// forget lets go of the bytes.
func (m *message) forget() {
	for i := range int(m.hdr.Iovlen) {
		m.iov[i] = unix.Iovec{}
	}
	m.hdr = unix.Msghdr{}
}

func sendmsgRaw(fd int32, m *message) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(fd),
		uintptr(unsafe.Pointer(&m.hdr)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return int(n), errno
}

func closeRaw(fd int32) {
	_, _, _ = syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
}

// epollLook asks for events without waiting.
func epollLook(epfd int, events []unix.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// epollBlock waits for events and gives the processor up meanwhile.
func epollBlock(epfd int, events []unix.EpollEvent, millis int) int {
	n, _, errno := syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(millis), 0, 0)
	if errno != 0 { // EINTR: a turn without events is harmless
		return 0
	}
	return int(n)
}
