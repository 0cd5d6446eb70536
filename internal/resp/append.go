package resp

import "github.com/spineldb/spinel/internal/numtext"

// AppendBulk appends a string of any bytes as both requests and replies hold it.
func AppendBulk[T ~string | ~[]byte](dst []byte, b T) []byte {
	dst = appendHeader(dst, '$', len(b))
	dst = append(dst, b...)
	return append(dst, '\r', '\n')
}

// AppendCommand appends a command in the form that servers expect: an array of
// bulk strings.
func AppendCommand[T ~string | ~[]byte](dst []byte, args ...T) []byte {
	dst = appendHeader(dst, '*', len(args))
	for _, arg := range args {
		dst = AppendBulk(dst, arg)
	}
	return dst
}

// CommandSize is how many bytes AppendCommand appends.
func CommandSize(args [][]byte) int {
	n := headerSize(len(args))
	for _, arg := range args {
		n += headerSize(len(arg)) + len(arg) + len("\r\n")
	}
	return n
}

// headerSize is how many bytes appendHeader appends.
func headerSize(n int) int {
	size := len("$0\r\n")
	for ; n >= 10; n /= 10 {
		size++
	}
	return size
}

// appendHeader appends what begins a string or an aggregate of n. Most are short.
func appendHeader(dst []byte, kind byte, n int) []byte {
	switch {
	case uint(n) < 10:
		return append(dst, kind, byte('0'+n), '\r', '\n')
	case uint(n) < 100:
		return append(dst, kind, byte('0'+n/10), byte('0'+n%10), '\r', '\n')
	}
	return append(numtext.AppendInt(append(dst, kind), int64(n)), '\r', '\n')
}
