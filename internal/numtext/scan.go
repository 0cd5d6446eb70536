package numtext

// A number is what scan found: the absolute value is mantissa x 10^exp, or
// mantissa x 2^exp if hex, plus a little more if inexact.
type number struct {
	text     []byte // digits, point and exponent, without sign and "0x"
	mantissa uint64
	exp      int
	negative bool
	hex      bool
	infinite bool
	zero     bool
	inexact  bool // digits that aren't zero didn't fit into mantissa
}

// maxExp is where written exponents stop growing: far beyond the range of every format,
// and far from overflow even where int has 32 bits.
const maxExp = 100_000_000

// scan takes b apart. It says false if C's strtod would not take all of b, for
// "nan" (which Redis refuses wherever it parses a number) and if b begins with a
// space (which strtod would skip).
func scan(b []byte) (n number, ok bool) {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		n.negative = b[0] == '-'
		b = b[1:]
	}
	if len(b) > 0 && b[0]|0x20 == 'i' {
		n.infinite = true
		return n, EqualFold(b, "INF") || EqualFold(b, "INFINITY")
	}
	if len(b) > 2 && b[0] == '0' && (b[1] == 'x' || b[1] == 'X') {
		n.hex = true
		b = b[2:]
	}
	n.text = b
	rest, ok := n.scanDigits(b)
	if !ok {
		return n, false
	}
	return n, n.scanExp(rest)
}

// scanDigits reads digits around an optional point, one at least, and returns
// what follows them.
func (n *number) scanDigits(b []byte) (rest []byte, ok bool) {
	base, perDigit := uint64(10), 1 // what a digit adds to exp
	full := uint64(1e18)            // from here on no further digit fits mantissa
	if n.hex {
		base, perDigit, full = 16, 4, 1<<60
	}
	digits, point := 0, false
	i := 0
	for ; i < len(b); i++ {
		if b[i] == '.' && !point {
			point = true
			continue
		}
		d := digitValue(b[i])
		if d >= base {
			break
		}
		digits++
		if n.mantissa < full {
			n.mantissa = n.mantissa*base + d
			if point {
				n.exp -= perDigit
			}
			continue
		}
		n.inexact = n.inexact || d != 0
		if !point {
			n.exp += perDigit
		}
	}
	n.zero = n.mantissa == 0
	return b[i:], digits > 0
}

// digitValue is what c stands for as a digit, up to 15 for 'f', and 255 if it isn't one.
func digitValue(c byte) uint64 {
	switch {
	case '0' <= c && c <= '9':
		return uint64(c - '0')
	case 'a' <= c && c <= 'f':
		return uint64(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return uint64(c-'A') + 10
	}
	return 255
}

// scanExp reads the exponent, if there is one, and says whether it is all there is.
func (n *number) scanExp(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	letter := byte('e')
	if n.hex {
		letter = 'p'
	}
	if b[0]|0x20 != letter {
		return false
	}
	b = b[1:]
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	if len(b) == 0 {
		return false
	}
	exp := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
		exp = min(exp*10+int(c-'0'), maxExp)
	}
	if negative {
		exp = -exp
	}
	n.exp += exp
	return true
}
