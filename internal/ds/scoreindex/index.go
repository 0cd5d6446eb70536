package scoreindex

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"

	"github.com/spineldb/spinel/internal/ds/hashdir"
	"github.com/spineldb/spinel/internal/mem"
)

const (
	leafBytes = 1024 // a leaf that would be larger is split
	joinBytes = leafBytes / 4
	leafMax   = 4096 // elements of a leaf that cannot be split, see Insert

	headSize  = 4
	scoreSize = 8
	keyBits   = 32
	keySize   = keyBits / 8
	blockMin  = headSize + keySize + scoreSize
)

// Size is the number of bytes that Store writes.
const Size = hashdir.Size + 8

// An Index is the root. The zero Index is empty.
type Index struct {
	dir   hashdir.Dir
	count int
}

// Load reads a root that Store wrote.
func (x *Index) Load(b []byte) {
	x.dir.Load(b)
	x.count = int(binary.LittleEndian.Uint64(b[hashdir.Size:]))
}

// Store writes the root into Size bytes.
func (x *Index) Store(b []byte) {
	x.dir.Store(b)
	binary.LittleEndian.PutUint64(b[hashdir.Size:], uint64(x.count))
}

// Len is the number of elements.
func (x *Index) Len() int { return x.count }

// position is where a hash is in the directory. Its first 32 bits are the key.
func position(hash uint32) uint64 { return hashdir.Position(uint64(hash) << keyBits) }

func keyOf(pos uint64) uint32 { return uint32(pos >> keyBits) }

// A node is a leaf opened: its address and what its head says.
type node struct {
	p     unsafe.Pointer
	n     int
	depth uint
	width int // of a key
}

func open(a *mem.Arena, r mem.Ref) node {
	p := a.Ptr(r)
	h := (*[headSize]byte)(p)
	depth := uint(h[2])
	return node{p: p, n: int(binary.LittleEndian.Uint16(h[:])), depth: depth, width: widthAt(depth)}
}

// widthAt is how many bytes of a key a leaf of the given depth keeps.
func widthAt(depth uint) int { return max(1, keySize-int(depth/8)) }

func (nd *node) writeHead() {
	h := (*[headSize]byte)(nd.p)
	binary.LittleEndian.PutUint16(h[:], uint16(nd.n))
	h[2], h[3] = uint8(nd.depth), 0
}

func (nd *node) size() int { return headSize + nd.n*(nd.width+scoreSize) }

func (nd *node) scores() int { return headSize + nd.n*nd.width }

func (nd *node) bytes(n int) []byte { return unsafe.Slice((*byte)(nd.p), n) }

// low keeps of a key the bytes that a leaf has.
func (nd *node) low(key uint32) uint32 { return key & (1<<(8*uint(nd.width)) - 1) }

// key is what the leaf has of key i. Behind its bytes others are read, of which there
// are enough: those of a score.
func (nd *node) key(i int) uint32 {
	at := unsafe.Add(nd.p, headSize+i*nd.width)
	return nd.low(binary.LittleEndian.Uint32((*[keySize]byte)(at)[:]))
}

func (nd *node) setKey(i int, key uint32) {
	for j := range nd.width {
		*(*byte)(unsafe.Add(nd.p, headSize+i*nd.width+j)) = byte(key >> (8 * j))
	}
}

func (nd *node) scoreAt(i int) *[scoreSize]byte {
	return (*[scoreSize]byte)(unsafe.Add(nd.p, nd.scores()+i*scoreSize))
}

func (nd *node) score(i int) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(nd.scoreAt(i)[:]))
}

func (nd *node) setScore(i int, score float64) {
	binary.LittleEndian.PutUint64(nd.scoreAt(i)[:], math.Float64bits(score))
}

// seek is the first entry whose key is not smaller. Keys are spread evenly over the
// leaf's range, so the search begins where the key would be if they were so exactly.
func (nd *node) seek(key uint32) int {
	i := int(uint64(key<<nd.depth) * uint64(nd.n) >> keyBits)
	key = nd.low(key)
	for i < nd.n && nd.key(i) < key {
		i++
	}
	for i > 0 && nd.key(i-1) >= key {
		i--
	}
	return i
}

// Candidates are the scores of elements with one hash. They are valid until the index
// changes.
type Candidates struct {
	nd  node
	i   int
	key uint32
}

// Find looks a hash up.
func (x *Index) Find(a *mem.Arena, hash uint32) (c Candidates) {
	pos := position(hash)
	r := x.dir.Find(a, pos)
	if r == 0 {
		return c
	}
	c.nd = open(a, r)
	c.i, c.key = c.nd.seek(keyOf(pos)), c.nd.low(keyOf(pos))
	return c
}

// Next is the next score, or false if there is none.
func (c *Candidates) Next() (score float64, ok bool) {
	if c.i >= c.nd.n || c.nd.key(c.i) != c.key {
		return 0, false
	}
	c.i++
	return c.nd.score(c.i - 1), true
}

// Home is the address of the leaf for a hash, to be prefetched; 0 if there is none.
func (x *Index) Home(a *mem.Arena, hash uint32) uintptr {
	r := x.dir.Find(a, position(hash))
	if r == 0 {
		return 0
	}
	return a.Address(r)
}

// find is the number of an entry with the hash and the score, or -1.
func (x *Index) find(a *mem.Arena, pos uint64, score float64) (r mem.Ref, nd node, i int) {
	if r = x.dir.Find(a, pos); r == 0 {
		return 0, node{}, -1
	}
	nd = open(a, r)
	key := nd.low(keyOf(pos))
	for i = nd.seek(keyOf(pos)); i < nd.n && nd.key(i) == key; i++ {
		if math.Float64bits(nd.score(i)) == math.Float64bits(score) {
			return r, nd, i
		}
	}
	return r, nd, -1
}

// Replace changes the score of an element, and says whether it is there.
func (x *Index) Replace(a *mem.Arena, hash uint32, old, score float64) bool {
	_, nd, i := x.find(a, position(hash), old)
	if i >= 0 {
		nd.setScore(i, score)
	}
	return i >= 0
}

// Insert adds an element. It returns mem.ErrExhausted if there is no memory; and also if
// the hashes of more than 4096 elements begin with the same log2(Len) bits, which random
// hashes do not.
func (x *Index) Insert(a *mem.Arena, hash uint32, score float64) error {
	pos := position(hash)
	r := x.dir.Find(a, pos)
	if r == 0 {
		if r = newEmpty(a, 0); r == 0 {
			return mem.ErrExhausted
		}
		x.dir.Replace(a, pos, 0, r)
	}
	nd := open(a, r)
	for x.isFull(&nd) {
		if !x.split(a, pos, r, &nd) {
			return mem.ErrExhausted
		}
		r = x.dir.Find(a, pos)
		nd = open(a, r)
	}
	if nd.n >= leafMax || !x.makeRoom(a, pos, r, &nd) {
		return mem.ErrExhausted
	}
	i := nd.seek(keyOf(pos))
	nd.insert(i)
	nd.setKey(i, keyOf(pos))
	nd.setScore(i, score)
	x.count++
	return nil
}

// isFull says whether a leaf should be split before another element comes. Where the
// leaves are as many as the elements it is no use.
func (x *Index) isFull(nd *node) bool {
	return nd.size()+nd.width+scoreSize > leafBytes && nd.depth < min(uint(bits.Len(uint(x.count))), keyBits)
}

// makeRoom moves a leaf to a larger block if it has no room for one more element.
func (x *Index) makeRoom(a *mem.Arena, pos uint64, r mem.Ref, nd *node) bool {
	have := max(nd.size(), blockMin)
	want := max(nd.size()+nd.width+scoreSize, blockMin)
	if mem.RoundUp(want) == mem.RoundUp(have) || want <= a.Cap(r) {
		return true
	}
	return x.move(a, pos, r, nd, want)
}

func (x *Index) move(a *mem.Arena, pos uint64, r mem.Ref, nd *node, size int) bool {
	fresh := a.Alloc(size)
	if fresh == 0 {
		return false
	}
	copy(a.Bytes(fresh, size), nd.bytes(nd.size()))
	a.Free(r)
	x.dir.Replace(a, pos, nd.depth, fresh)
	nd.p = a.Ptr(fresh)
	return true
}

// insert makes room for entry i.
func (nd *node) insert(i int) {
	b := nd.bytes(nd.size() + nd.width + scoreSize)
	key, scores := headSize+i*nd.width, nd.scores()
	at := scores + i*scoreSize
	copy(b[at+nd.width+scoreSize:], b[at:nd.size()])
	copy(b[key+nd.width:], b[key:at])
	nd.n++
	nd.writeHead()
}

// remove takes entry i out.
func (nd *node) remove(i int) {
	b := nd.bytes(nd.size())
	key, at := headSize+i*nd.width, nd.scores()+i*scoreSize
	copy(b[key:], b[key+nd.width:at])
	copy(b[at-nd.width:], b[at+scoreSize:])
	nd.n--
	nd.writeHead()
}

// Delete removes an element with the hash and the score, any if there are several, and
// says whether there was one.
func (x *Index) Delete(a *mem.Arena, hash uint32, score float64) bool {
	pos := position(hash)
	r, nd, i := x.find(a, pos, score)
	if i < 0 {
		return false
	}
	nd.remove(i)
	if x.count--; x.count == 0 {
		x.FreeSome(a, math.MaxInt)
		return true
	}
	joined := false
	for nd.size() < joinBytes && x.join(a, pos, &r, &nd) {
		joined = true
	}
	if size := max(nd.size(), blockMin); !joined && mem.RoundUp(size) <= a.Cap(r)/8*7 {
		x.move(a, pos, r, &nd, size) // if there is no memory it stays where it is
	}
	return true
}

// split makes two leaves of one. It returns false, and has changed nothing, if there is
// no memory.
func (x *Index) split(a *mem.Arena, pos uint64, r mem.Ref, nd *node) bool {
	first := keyOf(hashdir.First(pos, nd.depth))
	bit := uint32(1) << (keyBits - 1 - nd.depth)
	m := nd.seek(first | bit)
	left := node{n: m, depth: nd.depth + 1, width: widthAt(nd.depth + 1)}
	right := left
	right.n = nd.n - m
	l, h := a.Alloc(max(left.size(), blockMin)), a.Alloc(max(right.size(), blockMin))
	if l == 0 || h == 0 || !x.dir.Split(a, pos, nd.depth, l, h) {
		for _, r := range [2]mem.Ref{l, h} {
			if r != 0 {
				a.Free(r)
			}
		}
		return false
	}
	left.p, right.p = a.Ptr(l), a.Ptr(h)
	left.take(0, nd, 0, m, first)
	right.take(0, nd, m, nd.n, first|bit)
	left.writeHead()
	right.writeHead()
	a.Free(r)
	return true
}

// take copies entries from to to of another leaf, whose keys begin as first does, to
// entries at and following.
func (nd *node) take(at int, other *node, from, to int, first uint32) {
	n := to - from
	copy(nd.bytes(nd.size())[nd.scores()+at*scoreSize:],
		other.bytes(other.size())[other.scores()+from*scoreSize:][:n*scoreSize])
	high := first &^ other.low(math.MaxUint32)
	for i := range n {
		nd.setKey(at+i, high|other.key(from+i))
	}
}

// join makes one leaf of *nd and its buddy, if there is one and together they are half of
// what a leaf may be, and puts it in their place.
func (x *Index) join(a *mem.Arena, pos uint64, r *mem.Ref, nd *node) bool {
	ref := x.dir.Buddy(a, pos, nd.depth)
	if ref == 0 {
		return false
	}
	other := open(a, ref)
	both := node{n: nd.n + other.n, depth: nd.depth - 1, width: widthAt(nd.depth - 1)}
	if other.depth != nd.depth || both.size() > leafBytes/2 {
		return false
	}
	fresh := a.Alloc(max(both.size(), blockMin))
	if fresh == 0 {
		return false
	}
	both.p = a.Ptr(fresh)
	first := keyOf(hashdir.First(pos, both.depth))
	bit := uint32(1) << (keyBits - nd.depth)
	left, right := nd, &other
	if keyOf(pos)&bit != 0 {
		left, right = right, left
	}
	both.take(0, left, 0, left.n, first)
	both.take(left.n, right, 0, right.n, first|bit)
	both.writeHead()
	x.dir.Join(a, pos, nd.depth, fresh)
	a.Free(*r)
	a.Free(ref)
	*r, *nd = fresh, both
	return true
}

// FreeSome frees about budget leaves and says whether the index is gone. Until it is,
// only FreeSome may be called.
func (x *Index) FreeSome(a *mem.Arena, budget int) (done bool) {
	if done = x.dir.FreeSome(a, budget, a.Free); done {
		*x = Index{}
	}
	return done
}

// MemoryBytes is the memory of the index, estimated from that many leaves; exact if
// samples is 0.
func (x *Index) MemoryBytes(a *mem.Arena, samples int) int64 {
	total := x.dir.Bytes(a)
	if x.dir.IsEmpty() {
		return total
	}
	var sampled, elements int64
	for pos, leaves := uint64(0), 1; ; leaves++ {
		r := x.dir.Find(a, pos)
		nd := open(a, r)
		sampled += int64(a.Cap(r))
		elements += int64(nd.n)
		if pos = hashdir.Next(pos, nd.depth); pos == 0 {
			return total + sampled
		}
		if leaves >= samples && samples > 0 && elements > 0 {
			return total + int64(float64(sampled)/float64(elements)*float64(x.count))
		}
	}
}
