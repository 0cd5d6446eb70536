package journal

import "strconv"

// digits is how many decimal digits a number that is not negative has.
func digits(n int) int {
	d := 1
	for ; n >= 10; n /= 10 {
		d++
	}
	return d
}

// commandSize is how many bytes appendCommand appends.
func commandSize(args [][]byte) int {
	n := len("*\r\n") + digits(len(args))
	for _, a := range args {
		n += len("$\r\n\r\n") + digits(len(a)) + len(a)
	}
	return n
}

func appendCommand(b []byte, args [][]byte) []byte {
	b = appendHead(b, '*', len(args))
	for _, a := range args {
		b = appendHead(b, '$', len(a))
		b = append(b, a...)
		b = append(b, '\r', '\n')
	}
	return b
}

func appendHead(b []byte, mark byte, n int) []byte {
	b = append(b, mark)
	if n < 10 {
		b = append(b, byte('0'+n))
	} else {
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, '\r', '\n')
}

const selectHead = "*2\r\n$6\r\nSELECT\r\n"

func selectSize(db int) int {
	return len(selectHead) + len("$\r\n\r\n") + digits(digits(db)) + digits(db)
}

func appendSelect(b []byte, db int) []byte {
	b = append(b, selectHead...)
	b = appendHead(b, '$', digits(db))
	b = strconv.AppendInt(b, int64(db), 10)
	return append(b, '\r', '\n')
}
