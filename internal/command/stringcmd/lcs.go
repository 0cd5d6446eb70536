package stringcmd

import (
	"math"
	"math/bits"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errLCSTypes  = resp.Errorf("The specified keys must contain string values")
	errLCSLen    = resp.Errorf("If you want both the length and indexes, please just use IDX.")
	errLCSLong   = resp.Errorf("String too long for LCS")
	errLCSMemory = resp.Errorf("Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
)

var _ = Family.Add(command.Spec{
	Name:       "LCS",
	Summary:    "Find longest common substring",
	Since:      "7.0.0",
	Complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
	Syntax:     "key1:key key2:key [LEN] [IDX] [MINMATCHLEN=len:integer] [WITHMATCHLEN]",
	Arity:      -3,
	Flags:      command.ReadOnly,
	ACL:        command.CatString,
	Keys:       []command.KeySpec{{Flags: command.RO | command.Access, Index: 1, LastKey: 1, Step: 1}},
}, lcs)

// lcsOptions are the words behind LCS's keys.
type lcsOptions struct {
	length      bool // only the length is wanted
	index       bool // the places of the matches are wanted
	matchLength bool // and their lengths
	shortest    int64
}

func parseLCS(args command.Args) (o lcsOptions, err error) {
	for i := 3; i < len(args); i++ {
		switch {
		case args.Is(i, "IDX"):
			o.index = true
		case args.Is(i, "LEN"):
			o.length = true
		case args.Is(i, "WITHMATCHLEN"):
			o.matchLength = true
		case args.Is(i, "MINMATCHLEN") && i+1 < len(args):
			i++
			if o.shortest, err = args.Int(i); err != nil {
				return o, err
			}
		default:
			return o, resp.ErrSyntax
		}
	}
	if o.index && o.length {
		return o, errLCSLen
	}
	return o, nil
}

func lcs(d Deps, c *command.Ctx) error {
	s1, err1 := c.DB.String(c.Args[1])
	s2, err2 := c.DB.String(c.Args[2])
	if err1 != nil || err2 != nil {
		return errLCSTypes
	}
	o, err := parseLCS(c.Args)
	if err != nil {
		return err
	}
	var buf1, buf2 [20]byte
	a, b := s1.Bytes(&buf1), s2.Bytes(&buf2)
	if err := d.tooMuch(len(a), len(b)); err != nil {
		return err
	}
	t := newLCSTable(a, b, !o.length)
	switch {
	case o.length:
		c.Out.Int(int64(t.length))
	case o.index:
		replyMatches(c, o, t)
	default:
		c.Out.Bulk(t.common())
	}
	return nil
}

// tooMuch refuses what Redis refuses, whose table has four bytes for each pair of
// bytes. Ours has one bit, so the bound on memory is really one on time: with the
// default proto-max-bulk-len, two million steps.
func (d Deps) tooMuch(n, m int) error {
	const each = 4
	if n >= math.MaxUint32-1 || m >= math.MaxUint32-1 {
		return errLCSLong
	}
	high, low := bits.Mul64(uint64(n+1), uint64(m+1))
	if high != 0 || low > uint64(d.MaxBulk())/each {
		return errLCSMemory
	}
	return nil
}

func replyMatches(c *command.Ctx, o lcsOptions, t *lcsTable) {
	var long []lcsMatch
	for _, m := range t.matches() {
		if int64(m.n) >= o.shortest {
			long = append(long, m)
		}
	}
	c.Out.Map(2)
	c.Out.BulkString("matches")
	c.Out.Array(len(long))
	for _, m := range long {
		if o.matchLength {
			c.Out.Array(3)
		} else {
			c.Out.Array(2)
		}
		c.Out.Array(2)
		c.Out.Int(int64(m.a))
		c.Out.Int(int64(m.a + m.n - 1))
		c.Out.Array(2)
		c.Out.Int(int64(m.b))
		c.Out.Int(int64(m.b + m.n - 1))
		if o.matchLength {
			c.Out.Int(int64(m.n))
		}
	}
	c.Out.BulkString("len")
	c.Out.Int(int64(t.length))
}

// An lcsTable knows the longest common subsequences of the beginnings of two strings.
//
// Let L(i,j) be the length for the first i bytes of a and the first j of b. Along a row
// it grows by 0 or 1 at a time, so a row is a bit for each byte of b: bit j-1 of row i
// is 0 where L(i,j) = L(i,j-1)+1. A row follows from the one before by an addition, 64
// bits at a time (Hyyrö 2004): for a run of ones, in which nothing has grown yet, the
// carry of adding the places where b has the byte of a travels to the end of the run
// and leaves a 0 where it began.
//
//	          b = cab         the last digit, bit 0, stands for c
//	row 0   111               nothing of a
//	row 1   101   a[0] = a    L = 0 1 1
//	row 2   001   a[1] = b    L = 0 1 2
//
// Walking back from the end needs nothing else: where the bytes differ, one of the two
// neighbours is as long, and it is the row above if the bit is 0.
//
//	memory  len(a)*len(b) bits, and a row for each byte value of a
//	time    len(a)*len(b)/64 additions
type lcsTable struct {
	a, b   []byte
	words  int      // of a row
	rows   []uint64 // row i-1 at (i-1)*words; row 0 is not kept; nil if only the length is wanted
	length int
}

func newLCSTable(a, b []byte, keep bool) *lcsTable {
	t := &lcsTable{a: a, b: b, words: (len(b) + 63) / 64}
	places := t.places()
	row := make([]uint64, t.words)
	for k := range row {
		row[k] = math.MaxUint64
	}
	if keep {
		t.rows = make([]uint64, 0, len(a)*t.words)
	}
	for _, c := range a {
		advance(row, places[c])
		if keep {
			t.rows = append(t.rows, row...)
		}
	}
	for k, w := range row {
		if rest := len(b) - 64*k; rest < 64 {
			w |= math.MaxUint64 << rest // beyond the end of b
		}
		t.length += bits.OnesCount64(^w)
	}
	return t
}

// places is, for each byte value that a has, where b has it. There are as many rows as
// a has bytes at most, so this takes no more than the table.
func (t *lcsTable) places() (places [256][]uint64) {
	for _, c := range t.a {
		if places[c] == nil {
			places[c] = make([]uint64, t.words)
		}
	}
	for j, c := range t.b {
		if p := places[c]; p != nil {
			p[j/64] |= 1 << (j % 64)
		}
	}
	return places
}

// advance makes the next row of a row, in its place.
func advance(row, places []uint64) {
	carry := uint64(0)
	for k, w := range row {
		var sum uint64
		sum, carry = bits.Add64(w, w&places[k], carry)
		row[k] = sum | w&^places[k]
	}
}

// grown says whether L(i,j) = L(i,j-1)+1.
func (t *lcsTable) grown(i, j int) bool {
	return t.rows[(i-1)*t.words+(j-1)/64]&(1<<((j-1)%64)) == 0
}

// An lcsMatch is a run of n bytes that a and b have in common at the given places.
type lcsMatch struct{ a, b, n int }

// matches are the runs of one longest common subsequence, the last run first, as Redis
// finds them.
func (t *lcsTable) matches() (out []lcsMatch) {
	i, j, n := len(t.a), len(t.b), 0
	for i > 0 && j > 0 {
		if t.a[i-1] == t.b[j-1] {
			i, j, n = i-1, j-1, n+1
			continue
		}
		if n > 0 {
			out = append(out, lcsMatch{i, j, n})
			n = 0
		}
		if t.grown(i, j) {
			i--
		} else {
			j--
		}
	}
	if n > 0 {
		out = append(out, lcsMatch{i, j, n})
	}
	return out
}

// common is that subsequence itself.
func (t *lcsTable) common() []byte {
	out := make([]byte, t.length)
	end := t.length
	for _, m := range t.matches() {
		end -= copy(out[end-m.n:], t.a[m.a:m.a+m.n])
	}
	return out
}
