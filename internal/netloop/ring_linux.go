//go:build linux && (amd64 || arm64)

package netloop

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel's numbers, from include/uapi/linux/io_uring.h.
const (
	sysUringSetup    = 425
	sysUringEnter    = 426
	sysUringRegister = 427

	setupCQSize       = 1 << 3
	setupSubmitAll    = 1 << 7
	setupCoopTaskrun  = 1 << 8
	setupSingleIssuer = 1 << 12
	setupDeferTaskrun = 1 << 13
	setupNoSQArray    = 1 << 16

	enterGetEvents = 1 << 0
	enterExtArg    = 1 << 3

	sqCQOverflow = 1 << 1 // in the submission ring's flags

	registerBufferRing = 22
	bufferRingInc      = 1 << 1 // a buffer is used up piece by piece (Linux 6.12)

	opPollAdd = 6
	opSendmsg = 9
	opCancel  = 14
	opSend    = 26
	opRecv    = 27

	sqeBufferSelect   = 1 << 5
	sqeSkipSuccess    = 1 << 6
	recvMultishot     = 1 << 1
	pollAddMulti      = 1 << 0
	cqeBuffer         = 1 << 0
	cqeMore           = 1 << 1
	cqeBufferMore     = 1 << 4
	cqeBufferShift    = 16
	offsetEntries     = 0x10000000
	ringEntries       = 1024 // submissions
	completionsFactor = 4
)

// Layouts shared with the kernel.
type (
	ringParams struct {
		sqEntries, cqEntries, flags, threadCPU, threadIdle, features, wqFD uint32
		_                                                                  [3]uint32
		sq                                                                 struct {
			head, tail, mask, entries, flags, dropped, array, _ uint32
			userAddr                                            uint64
		}
		cq struct {
			head, tail, mask, entries, overflow, cqes, flags, _ uint32
			userAddr                                            uint64
		}
	}

	// A submission is one operation for the kernel.
	submission struct {
		op       uint8
		flags    uint8
		ioprio   uint16
		fd       int32
		off      uint64
		addr     uint64
		len      uint32
		opFlags  uint32
		userData uint64
		group    uint16
		_        uint16
		_        int32
		_        [2]uint64
	}

	// A completion is the result of one.
	completion struct {
		userData uint64
		res      int32
		flags    uint32
	}

	getEventsArg struct {
		sigmask   uint64
		sigmaskSz uint32
		minWait   uint32
		ts        uint64
	}

	bufferRingReg struct {
		addr    uint64
		entries uint32
		group   uint16
		flags   uint16
		_       [3]uint64
	}

	// A bufferEntry lends a buffer to the kernel. The last 16 bits of entry 0 are the
	// ring's tail.
	bufferEntry struct {
		addr uint64
		len  uint32
		id   uint16
		tail uint16
	}
)

// A ring is an io_uring. All but its making happens on one thread, and so does that
// since the kernel is told that only one thread submits.
type ring struct {
	fd      int
	mapped  []byte // both rings
	entries []byte // the submissions

	sqHead, sqTail, sqFlags *uint32
	cqHead, cqTail          *uint32
	sqMask, cqMask          uint32
	tail                    uint32 // of the submissions, not yet published
	toSubmit                uint32
	sqes                    []submission
	cqes                    []completion

	arg     getEventsArg
	timeout unix.Timespec
}

// open makes the ring.
func (r *ring) open(entries uint32) error {
	r.fd = -1
	p := ringParams{flags: setupCQSize | setupSubmitAll | setupCoopTaskrun | setupSingleIssuer |
		setupDeferTaskrun | setupNoSQArray, cqEntries: entries * completionsFactor}
	flags := p.flags
	fd, _, errno := syscall.RawSyscall(sysUringSetup, uintptr(entries), uintptr(unsafe.Pointer(&p)), 0)
	if errno == unix.EINVAL { // before Linux 6.6 the submissions had an index
		p = ringParams{flags: flags &^ setupNoSQArray, cqEntries: entries * completionsFactor}
		fd, _, errno = syscall.RawSyscall(sysUringSetup, uintptr(entries), uintptr(unsafe.Pointer(&p)), 0)
	}
	if errno != 0 {
		return os.NewSyscallError("io_uring_setup", errno)
	}
	r.fd = int(fd)
	size := max(p.sq.array+4*p.sqEntries, p.cq.cqes+uint32(unsafe.Sizeof(completion{}))*p.cqEntries)
	var err error
	if r.mapped, err = mapRing(r.fd, 0, int(size)); err != nil {
		return err
	}
	size = uint32(unsafe.Sizeof(submission{})) * p.sqEntries
	if r.entries, err = mapRing(r.fd, offsetEntries, int(size)); err != nil {
		return err
	}
	at := func(off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.mapped[off])) }
	r.sqHead, r.sqTail, r.sqFlags = at(p.sq.head), at(p.sq.tail), at(p.sq.flags)
	r.cqHead, r.cqTail = at(p.cq.head), at(p.cq.tail)
	r.sqMask, r.cqMask = *at(p.sq.mask), *at(p.cq.mask)
	r.sqes = unsafe.Slice((*submission)(unsafe.Pointer(&r.entries[0])), p.sqEntries)
	r.cqes = unsafe.Slice((*completion)(unsafe.Pointer(&r.mapped[p.cq.cqes])), p.cqEntries)
	if p.flags&setupNoSQArray == 0 {
		index := unsafe.Slice(at(p.sq.array), p.sqEntries)
		for i := range index {
			index[i] = uint32(i)
		}
	}
	return nil
}

func mapRing(fd int, offset int64, size int) ([]byte, error) {
	b, err := unix.Mmap(fd, offset, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	return b, os.NewSyscallError("mmap", err)
}

func (r *ring) close() {
	for _, m := range [][]byte{r.entries, r.mapped} {
		if m != nil {
			_ = unix.Munmap(m)
		}
	}
	if r.fd >= 0 {
		_ = unix.Close(r.fd)
	}
	*r = ring{fd: -1}
}

// next is an empty submission. It is handed to the kernel by the next enter.
func (r *ring) next() *submission {
	for r.tail-atomic.LoadUint32(r.sqHead) > r.sqMask {
		r.enter(0, enterGetEvents) // full; an enter takes them all, unless memory is short
	}
	e := &r.sqes[r.tail&r.sqMask]
	*e = submission{}
	r.tail++
	r.toSubmit++
	return e
}

// enter submits what is queued. It must not be told to wait for what may not come
// at once.
func (r *ring) enter(minComplete, flags uintptr) {
	atomic.StoreUint32(r.sqTail, r.tail)
	n, _, errno := syscall.RawSyscall6(sysUringEnter, uintptr(r.fd), uintptr(r.toSubmit),
		minComplete, flags, 0, 0)
	r.submitted(n, errno)
}

// submitted notes what an enter took. What it did not take is offered again.
func (r *ring) submitted(n uintptr, errno syscall.Errno) {
	if errno == 0 {
		r.toSubmit -= uint32(n)
	}
}

// enterWait submits and waits for a completion, at most for nanos if that is not
// negative, and gives the processor up meanwhile.
func (r *ring) enterWait(nanos int64) {
	atomic.StoreUint32(r.sqTail, r.tail)
	flags, arg, size := uintptr(enterGetEvents), uintptr(0), uintptr(0)
	if nanos >= 0 {
		r.timeout = unix.NsecToTimespec(nanos)
		r.arg.ts = uint64(uintptr(unsafe.Pointer(&r.timeout)))
		flags |= enterExtArg
		arg, size = uintptr(unsafe.Pointer(&r.arg)), unsafe.Sizeof(r.arg)
	}
	n, _, errno := syscall.Syscall6(sysUringEnter, uintptr(r.fd), uintptr(r.toSubmit), 1, flags, arg, size)
	r.submitted(n, errno)
	runtime.KeepAlive(r)
}

// ready says whether there are completions.
func (r *ring) ready() bool { return *r.cqHead != atomic.LoadUint32(r.cqTail) }

// overflowed says that the kernel holds completions back that had no room.
func (r *ring) overflowed() bool { return atomic.LoadUint32(r.sqFlags)&sqCQOverflow != 0 }

// A bufferRing lends buffers to the kernel for what arrives. With pieces, the kernel
// puts one request behind the other into a buffer until it is full, so that few
// cache lines are in use; without, every request takes a buffer.
type bufferRing struct {
	ring    []bufferEntry
	mapped  []byte
	mem     []byte
	tail    uint16
	changed bool // tail is to be published

	pieces bool
	size   int      // of a buffer
	start  int      // buffers lent at first and after a calm time
	lent   int      // buffers lent now
	spare  []int    // the others
	used   []uint32 // bytes of each buffer that have come with data
}

// bufferSizes are the receive buffers of a loop. Those lent at first fit a
// second-level cache; more are lent when the kernel runs out.
type bufferSizes struct{ size, start, most int }

var (
	pieceSizes = bufferSizes{size: 64 << 10, start: 8, most: 64}
	wholeSizes = bufferSizes{size: 16 << 10, start: 64, most: 256}
)

const (
	bufferGroup   = 1
	bufferEntries = 256 // of the ring: a power of two, at least as many as buffers
)

func (b *bufferRing) open(r *ring, pieces, whole bufferSizes) error {
	var err error
	b.mapped, err = unix.Mmap(-1, 0, bufferEntries*int(unsafe.Sizeof(bufferEntry{})),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	b.ring = unsafe.Slice((*bufferEntry)(unsafe.Pointer(&b.mapped[0])), bufferEntries)
	reg := bufferRingReg{
		addr:    uint64(uintptr(unsafe.Pointer(&b.mapped[0]))),
		entries: bufferEntries,
		group:   bufferGroup,
		flags:   bufferRingInc,
	}
	sizes := pieces
	b.pieces = pieces.size > 0 && b.register(r, &reg) == nil
	if !b.pieces {
		sizes, reg.flags = whole, 0
		if err := b.register(r, &reg); err != nil {
			return err
		}
	}
	b.size, b.start = sizes.size, sizes.start
	b.mem, err = unix.Mmap(-1, 0, sizes.size*sizes.most, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	b.used = make([]uint32, sizes.most)
	for id := sizes.most - 1; id >= 0; id-- {
		b.spare = append(b.spare, id)
	}
	b.grow()
	return nil
}

func (b *bufferRing) register(r *ring, reg *bufferRingReg) error {
	_, _, errno := syscall.RawSyscall6(sysUringRegister, uintptr(r.fd), registerBufferRing,
		uintptr(unsafe.Pointer(reg)), 1, 0, 0)
	return errnoError("io_uring_register", errno)
}

// grow lends more buffers, as many as at first.
func (b *bufferRing) grow() {
	for n := b.start; n > 0 && len(b.spare) > 0; n-- {
		last := len(b.spare) - 1
		b.lend(b.spare[last])
		b.spare = b.spare[:last]
		b.lent++
	}
	b.publish()
}

// retire keeps a used-up buffer from the kernel and gives its memory back.
func (b *bufferRing) retire(id int) {
	b.spare = append(b.spare, id)
	b.lent--
	_ = unix.Madvise(b.mem[id*b.size:(id+1)*b.size], unix.MADV_DONTNEED)
}

// giveBack gives the memory of all buffers back; what they hold is lost.
func (b *bufferRing) giveBack() { _ = unix.Madvise(b.mem, unix.MADV_DONTNEED) }

// lend gives a buffer to the kernel; publish tells it.
func (b *bufferRing) lend(id int) {
	e := &b.ring[b.tail&(bufferEntries-1)]
	e.addr = uint64(uintptr(unsafe.Pointer(&b.mem[id*b.size])))
	e.len = uint32(b.size)
	e.id = uint16(id)
	b.used[id] = 0
	b.tail++
	b.changed = true
}

func (b *bufferRing) publish() {
	if !b.changed {
		return
	}
	b.changed = false
	// The tail shares a word with the id of the first entry, which only we write.
	word := (*uint32)(unsafe.Pointer(&b.ring[0].id))
	atomic.StoreUint32(word, uint32(b.ring[0].id)|uint32(b.tail)<<16)
}

// data is what a completion brought: n bytes of a buffer. done says that the buffer
// is used up, and is to be lent again once the data is not needed any more.
func (b *bufferRing) data(flags uint32, n int) (data []byte, id int, done bool) {
	id = int(flags >> cqeBufferShift)
	from := id*b.size + int(b.used[id])
	data = b.mem[from : from+n : from+n]
	if !b.pieces {
		return data, id, true
	}
	b.used[id] += uint32(n)
	return data, id, flags&cqeBufferMore == 0
}

func (b *bufferRing) close() {
	for _, m := range [][]byte{b.mapped, b.mem} {
		if m != nil {
			_ = unix.Munmap(m)
		}
	}
	*b = bufferRing{}
}

var errNoCompletion = errors.New("a no-op was not completed")

// probeUring says why a ring with all that the backend needs cannot be had: the
// kernel is too old (6.1 is needed), or it is forbidden.
func probeUring() error {
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // one issuer
		defer runtime.UnlockOSThread()
		var r ring
		var b bufferRing
		defer b.close()
		defer r.close()
		err := r.open(8)
		if err == nil {
			err = b.open(&r, pieceSizes, wholeSizes)
		}
		if err == nil {
			r.next() // opcode 0 does nothing
			if r.enter(1, enterGetEvents); !r.ready() {
				err = errNoCompletion
			}
		}
		failed <- err
	}()
	err := <-failed
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("%w (forbidden by the system or its container)", err)
	}
	return err
}
