package config

import (
	"bytes"
	"errors"
	"strings"
)

// ErrUnbalanced means that a quoted part of a line does not end, or that something
// other than white space follows its closing quote.
var ErrUnbalanced = errors.New("unbalanced quotes")

// SplitArgs splits a line into arguments as the configuration file, inline commands
// and the command-line client do:
//
//	set  "a b\x00\n"  'it\'s'  c"d e"  ""      5 arguments
//
// White space separates arguments. Between double quotes \n \r \t \b \a and \xHH
// have their usual meaning, and a backslash before any other byte stands for that
// byte; between single quotes only \' is special. A quote may open inside of an
// argument, but its closing ends the argument. A zero byte ends the line, as it ends
// a string in C.
//
// No argument shares memory with the line.
func SplitArgs(line []byte) ([][]byte, error) {
	if end := bytes.IndexByte(line, 0); end >= 0 {
		line = line[:end]
	}
	var args [][]byte
	for {
		for len(line) > 0 && isSpace(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return args, nil
		}
		arg, rest, err := cutArg(line)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		line = rest
	}
}

// isSpace is the C locale's white space. Vertical tabs and form feeds are skipped
// before an argument and may follow a quote, but they don't end a bare argument.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// cutArg takes the first argument off line, which begins with it.
func cutArg(line []byte) (arg, rest []byte, err error) {
	arg = []byte{}
	for len(line) > 0 {
		c := line[0]
		line = line[1:]
		switch c {
		case ' ', '\t', '\n', '\r':
			return arg, line, nil
		case '"', '\'':
			if c == '"' {
				arg, line, err = cutDouble(arg, line)
			} else {
				arg, line, err = cutSingle(arg, line)
			}
			if err == nil && len(line) > 0 && !isSpace(line[0]) {
				err = ErrUnbalanced
			}
			return arg, line, err
		default:
			arg = append(arg, c)
		}
	}
	return arg, nil, nil
}

// cutDouble appends to arg what comes before the closing double quote.
func cutDouble(arg, line []byte) (_, rest []byte, err error) {
	for len(line) > 0 {
		c := line[0]
		switch {
		case c == '"':
			return arg, line[1:], nil
		case c != '\\' || len(line) == 1:
			arg = append(arg, c)
			line = line[1:]
		case line[1] == 'x' && len(line) >= 4 && isHex(line[2]) && isHex(line[3]):
			arg = append(arg, unhex(line[2])<<4|unhex(line[3]))
			line = line[4:]
		default:
			arg = append(arg, unescape(line[1]))
			line = line[2:]
		}
	}
	return nil, nil, ErrUnbalanced
}

// cutSingle appends to arg what comes before the closing single quote.
func cutSingle(arg, line []byte) (_, rest []byte, err error) {
	for len(line) > 0 {
		switch {
		case line[0] == '\'':
			return arg, line[1:], nil
		case line[0] == '\\' && len(line) > 1 && line[1] == '\'':
			arg = append(arg, '\'')
			line = line[2:]
		default:
			arg = append(arg, line[0])
			line = line[1:]
		}
	}
	return nil, nil, ErrUnbalanced
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}

// Quote returns text between double quotes, such that SplitArgs makes one argument
// of it that is text again.
func Quote(text string) string { return string(AppendQuoted(nil, text)) }

// AppendQuoted appends what Quote returns.
func AppendQuoted(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(text) {
		c := text[i]
		if escaped := strings.IndexByte("\n\r\t\a\b\\\"", c); escaped >= 0 {
			dst = append(dst, '\\', `nrtab\"`[escaped])
		} else if ' ' <= c && c <= '~' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}

// quoteWord quotes text only if SplitArgs would not read it back otherwise.
func quoteWord(text string) string {
	bare := text != ""
	for i := range len(text) {
		c := text[i]
		bare = bare && ' ' < c && c <= '~' && c != '"' && c != '\''
	}
	if bare {
		return text
	}
	return Quote(text)
}
