// Package glob matches strings with the patterns of KEYS, SCAN, PSUBSCRIBE,
// CONFIG GET and ACL rules.
//
//   - any bytes, none too
//     ?       any one byte
//     [a-f_]  one byte of these; a range may be written backwards
//     [^a-f]  one byte that is none of these
//     \x      x itself, also inside brackets
//
// Patterns can't be wrong: what makes no sense means something all the same, and
// that is Redis's meaning to the byte. A class without ']' goes up to the end of
// the pattern, "[]" matches nothing and "[^]" any byte, a backslash at the end is
// a backslash. Some of it is surprising and kept, because clients and ACLs may
// depend on it:
//
//   - The empty string is matched by the empty pattern only, not even by "*".
//     (KEYS and SCAN know "*" before they come here.)
//   - Ranges compare bytes as signed: [\x80-a] holds 0x80-0xff and 0x00-'a'.
//   - "[a-]" is the range from 'a' to ']', without an end, and in "[a-\]]" the
//     backslash is the end of the range.
//   - Without regard to case, an escaped byte in a class still means its own case
//     only, and the ends of a range are ordered before they are folded.
//
// Time is at most the product of the lengths and usually their sum; Redis's own
// matcher takes exponential time for some patterns (CVE-2022-36021) and
// exhausts the stack for others (CVE-2024-31228). It needs no memory.
package glob

import "bytes"

// Match says whether all of s is matched by pattern. With nocase, ASCII letters
// match in both cases.
//
// Every element but '*' consumes exactly one byte. So if what follows a '*' was
// matched as early as possible, then whatever an earlier '*' could do by taking
// more, the later one can do as well: only the last '*' needs to be remembered.
func Match(pattern, s []byte, nocase bool) bool {
	if len(s) == 0 {
		return len(pattern) == 0
	}
	const none = -1
	star, from := none, 0 // what follows the last '*', and where in s it was tried
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			if p == len(pattern) {
				return true
			}
			star, from = p, i
			continue
		}
		if p < len(pattern) {
			if ok, size := matchOne(pattern[p:], s[i], nocase); ok {
				p += size
				i++
				continue
			}
		}
		if star == none {
			return false
		}
		from++
		if c := pattern[star]; !nocase && !isSpecial(c) {
			skip := bytes.IndexByte(s[from:], c)
			if skip < 0 {
				return false
			}
			from += skip
		}
		p, i = star, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// IsLiteral says whether pattern matches itself and nothing else, case apart,
// for having no special byte.
func IsLiteral(pattern []byte) bool {
	for _, c := range pattern {
		if isSpecial(c) {
			return false
		}
	}
	return true
}

func isSpecial(c byte) bool { return c == '*' || c == '?' || c == '[' || c == '\\' }

// matchOne says whether c is matched by the element that pattern begins with,
// which is not '*', and if so, how many bytes of pattern that element takes.
func matchOne(pattern []byte, c byte, nocase bool) (ok bool, size int) {
	switch pattern[0] {
	case '?':
		return true, 1
	case '[':
		return matchClass(pattern, c, nocase)
	case '\\':
		if len(pattern) >= 2 {
			return equal(pattern[1], c, nocase), 2
		}
	}
	return equal(pattern[0], c, nocase), 1
}

// matchClass does the same for the class that pattern begins with.
func matchClass(pattern []byte, c byte, nocase bool) (ok bool, size int) {
	p := 1
	negated := p < len(pattern) && pattern[p] == '^'
	if negated {
		p++
	}
	found := false
	for p < len(pattern) && pattern[p] != ']' {
		rest := pattern[p:]
		switch {
		case rest[0] == '\\' && len(rest) >= 2:
			found = found || rest[1] == c
			p += 2
		case len(rest) >= 3 && rest[1] == '-':
			found = found || inRange(rest[0], rest[2], c, nocase)
			p += 3
		default:
			found = found || equal(rest[0], c, nocase)
			p++
		}
	}
	return found != negated, min(p+1, len(pattern))
}

// inRange says whether c lies between a and b, of which either may be the lower.
func inRange(a, b, c byte, nocase bool) bool {
	low, high := min(int8(a), int8(b)), max(int8(a), int8(b))
	if nocase {
		low, high, c = int8(lower(byte(low))), int8(lower(byte(high))), lower(c)
	}
	return low <= int8(c) && int8(c) <= high
}

func equal(a, b byte, nocase bool) bool {
	return a == b || nocase && lower(a) == lower(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
