package numtext

// EqualFold says whether b is the word upper in any mix of upper and lower case
// ASCII letters. The word itself must be spelled in upper case.
func EqualFold(b []byte, upper string) bool {
	if len(b) != len(upper) {
		return false
	}
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}
