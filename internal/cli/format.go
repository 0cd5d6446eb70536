package cli

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spineldb/spinel/internal/client"
)

// A mode is a way to write replies.
type mode uint8

const (
	standard   mode = iota // for people: types, numbers of elements, quoted strings
	raw                    // for pipes: the bytes
	csv                    // one line
	json                   // one line of JSON, text as it is
	quotedJSON             // likewise, ASCII only
)

// A formatter writes replies in one mode.
type formatter struct {
	mode         mode
	elementDelim string // raw: between the elements of a reply
	replyDelim   string // raw: after a reply
}

// appendReply appends a whole reply. Verbatim replies, such as that of INFO, are
// text for people in every mode, so they are written as they are.
func (f *formatter) appendReply(dst []byte, r client.Reply, verbatim bool) []byte {
	switch {
	case verbatim:
		start := len(dst)
		dst = f.appendRaw(dst, r)
		if f.mode == standard {
			return appendVisible(dst[:start], string(dst[start:]))
		}
		return dst
	case f.mode == standard:
		return f.appendStandard(dst, r, "")
	case f.mode == csv:
		return append(f.appendCSV(dst, r), '\n')
	case f.mode == json || f.mode == quotedJSON:
		return append(f.appendJSON(dst, r), '\n')
	}
	return append(f.appendRaw(dst, r), f.replyDelim...)
}

// appendPush appends a push message. Invalidations are what a tracking client
// sees all day, so they get a form of their own.
func (f *formatter) appendPush(dst []byte, r client.Reply) []byte {
	isInvalidation := len(r.Elems) == 2 && r.Elems[0].Text == "invalidate" &&
		r.Elems[1].Kind == client.Array
	if f.mode != standard || !isInvalidation {
		return f.appendReply(dst, r, false)
	}
	dst = append(dst, "-> invalidate: "...)
	for i, key := range r.Elems[1].Elems {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, '\'')
		dst = appendVisible(dst, key.Text)
		dst = append(dst, '\'')
	}
	return append(dst, '\n')
}

// appendRaw appends the bytes of a reply with as little around them as can be.
// An error ends with a line of its own, even among the elements of an array.
func (f *formatter) appendRaw(dst []byte, r client.Reply) []byte {
	switch r.Kind {
	case client.Null:
		return dst
	case client.Error, client.BlobError:
		return append(append(dst, r.Text...), '\n')
	case client.Integer:
		return strconv.AppendInt(dst, r.Int, 10)
	case client.Bool:
		return append(dst, parenthesizedBool(r)...)
	case client.Map:
		i := 0
		for key, value := range r.Pairs {
			if i > 0 {
				dst = append(dst, f.elementDelim...)
			}
			dst = append(f.appendRaw(dst, key), ' ')
			dst = f.appendRaw(dst, value)
			i++
		}
		return dst
	case client.Array, client.Set, client.Push:
		for i, element := range r.Elems {
			if i > 0 {
				dst = append(dst, f.elementDelim...)
			}
			dst = f.appendRaw(dst, element)
		}
		return dst
	}
	return append(dst, r.Text...)
}

func parenthesizedBool(r client.Reply) string {
	if r.Int != 0 {
		return "(true)"
	}
	return "(false)"
}

// appendStandard appends a reply for people, with its line end. The first line
// continues the line of dst; the others begin with prefix.
func (f *formatter) appendStandard(dst []byte, r client.Reply, prefix string) []byte {
	switch r.Kind {
	case client.Error, client.BlobError:
		dst = appendVisible(append(dst, "(error) "...), r.Text)
	case client.Simple, client.Verbatim:
		dst = appendVisible(dst, r.Text)
	case client.Integer:
		dst = strconv.AppendInt(append(dst, "(integer) "...), r.Int, 10)
	case client.Double:
		dst = append(append(dst, "(double) "...), r.Text...)
	case client.BigNumber:
		dst = append(append(dst, "(big number) "...), r.Text...)
	case client.Bulk:
		dst = appendQuoted(dst, r.Text)
	case client.Null:
		dst = append(dst, "(nil)"...)
	case client.Bool:
		dst = append(dst, parenthesizedBool(r)...)
	default:
		return f.appendAggregate(dst, r, prefix)
	}
	return append(dst, '\n')
}

// emptyNames and separators are how the aggregates differ to the eye.
var (
	emptyNames = map[client.Kind]string{
		client.Array: "array", client.Map: "hash", client.Set: "set", client.Push: "push",
	}
	separators = map[client.Kind]string{
		client.Array: ") ", client.Map: "# ", client.Set: "~ ", client.Push: ") ",
	}
)

// appendAggregate numbers the elements, the numbers aligned to the right:
//
//  9. "a"
//  10. 1# "key" => "value"
//     2# "key" =>
//     1~ "member"
func (f *formatter) appendAggregate(dst []byte, r client.Reply, prefix string) []byte {
	count, step := len(r.Elems), 1
	if r.Kind == client.Map {
		count, step = count/2, 2
	}
	if count == 0 {
		return append(append(append(dst, "(empty "...), emptyNames[r.Kind]...), ")\n"...)
	}
	width := len(strconv.Itoa(count))
	inner := prefix + strings.Repeat(" ", width+2)
	for i := range count {
		if i > 0 {
			dst = append(dst, prefix...)
		}
		label := strconv.Itoa(i + 1)
		for range width - len(label) {
			dst = append(dst, ' ')
		}
		dst = append(append(dst, label...), separators[r.Kind]...)
		dst = f.appendStandard(dst, r.Elems[i*step], inner)
		if r.Kind != client.Map {
			continue
		}
		dst = append(dst[:len(dst)-1], " => "...) // in place of the key's line end
		value := r.Elems[i*step+1]
		if hasLines(value) {
			dst = append(append(dst, '\n'), inner...)
		}
		dst = f.appendStandard(dst, value, inner)
	}
	return dst
}

// hasLines reports whether a value has elements on several lines, and so begins
// below its key. Line feeds within a text do not count.
func hasLines(r client.Reply) bool {
	step := 1
	if r.Kind == client.Map {
		step = 2
	}
	return len(r.Elems) > step || len(r.Elems) == step && hasLines(r.Elems[step-1])
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s between quotes, with everything but printable ASCII
// escaped: the form that the prompt, inline commands and --quoted-input read.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		dst = appendEscaped(dst, s[i])
	}
	return append(dst, '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '\\', '"':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	case '\a':
		return append(dst, `\a`...)
	case '\b':
		return append(dst, `\b`...)
	}
	if c >= ' ' && c <= '~' {
		return append(dst, c)
	}
	return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

// appendVisible appends text for a terminal: lines, tabs and Unicode stay, what
// else could move the cursor or worse is escaped. A carriage return is harmless
// only before a line feed; alone it hides what stands on the line.
func appendVisible(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == '\r' && strings.HasPrefix(s[i+1:], "\n"):
			dst = append(dst, '\r', '\n')
			size = 2
		case c == '\n' || c == '\t' || c >= ' ' && c <= '~':
			dst = append(dst, byte(c))
		case c == utf8.RuneError && size == 1 || isControl(c):
			for _, b := range []byte(s[i : i+size]) {
				dst = appendEscaped(dst, b)
			}
		default:
			dst = append(dst, s[i:i+size]...)
		}
		i += size
	}
	return dst
}

// isControl is about what terminals obey: C0, DEL, C1, and the marks that turn
// the direction of the text, with which a value can look like another one.
func isControl(c rune) bool {
	return c < ' ' || c >= 0x7f && c <= 0x9f ||
		c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
}
