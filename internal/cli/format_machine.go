package cli

import (
	"strconv"

	"github.com/spineldb/spinel/internal/client"
)

// appendCSV appends a reply as comma-separated values. Nesting is flattened.
func (f *formatter) appendCSV(dst []byte, r client.Reply) []byte {
	switch r.Kind {
	case client.Error, client.BlobError:
		return appendQuoted(append(dst, "ERROR,"...), r.Text)
	case client.Integer:
		return strconv.AppendInt(dst, r.Int, 10)
	case client.Double, client.BigNumber:
		return append(dst, r.Text...)
	case client.Null:
		return append(dst, "NULL"...)
	case client.Bool:
		return strconv.AppendBool(dst, r.Int != 0)
	case client.Array, client.Set, client.Push, client.Map:
		for i, element := range r.Elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = f.appendCSV(dst, element)
		}
		return dst
	}
	return appendQuoted(dst, r.Text)
}

// appendJSON appends a reply as JSON. Two things are not JSON, because scripts
// know them from redis-cli: an error is error:"text", and an infinite double is
// inf.
func (f *formatter) appendJSON(dst []byte, r client.Reply) []byte {
	switch r.Kind {
	case client.Error, client.BlobError:
		return f.appendJSONString(append(dst, "error:"...), r.Text)
	case client.Integer:
		return strconv.AppendInt(dst, r.Int, 10)
	case client.Double, client.BigNumber:
		return append(dst, r.Text...)
	case client.Null:
		return append(dst, "null"...)
	case client.Bool:
		return strconv.AppendBool(dst, r.Int != 0)
	case client.Array, client.Set, client.Push:
		dst = append(dst, '[')
		for i, element := range r.Elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = f.appendJSON(dst, element)
		}
		return append(dst, ']')
	case client.Map:
		dst = append(dst, '{')
		i := 0
		for key, value := range r.Pairs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(f.appendJSONKey(dst, key), ':')
			dst = f.appendJSON(dst, value)
			i++
		}
		return append(dst, '}')
	}
	return f.appendJSONString(dst, r.Text)
}

// appendJSONKey appends the key of an object. JSON has string keys only, so a
// key of another kind becomes a string that holds its JSON.
func (f *formatter) appendJSONKey(dst []byte, key client.Reply) []byte {
	switch key.Kind {
	case client.Simple, client.Bulk, client.Verbatim, client.Error, client.BlobError:
		return f.appendJSON(dst, key)
	}
	return appendJSONText(dst, string(f.appendJSON(nil, key)))
}

// appendJSONString appends a string. In quotedJSON the string holds the quoted
// form of the text without its quotes, so it is ASCII and can be undone.
func (f *formatter) appendJSONString(dst []byte, s string) []byte {
	if f.mode == quotedJSON {
		quoted := appendQuoted(nil, s)
		s = string(quoted[1 : len(quoted)-1])
	}
	return appendJSONText(dst, s)
}

// appendJSONText appends a JSON string that means s.
func appendJSONText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\b':
			dst = append(dst, `\b`...)
		default:
			if c < ' ' {
				dst = append(dst, `\u00`...)
				dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
				continue
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
