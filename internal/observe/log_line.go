package observe

import (
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// messageBytesMax is how much of a message is written. Redis stops at 1 KB,
// which is less than some of its own messages, CLIENT LIST lines for one.
const messageBytesMax = 8 << 10

// appendHead appends what a line has before its message.
func (l *Log) appendHead(dst []byte, level slog.Level) []byte {
	dst = strconv.AppendInt(dst, int64(l.pid), 10)
	dst = append(dst, ':', byte(l.role.Load()), ' ')
	dst = time.UnixMicro(l.clock.Wall()).In(l.zone).AppendFormat(dst, "02 Jan 2006 15:04:05.000")
	return append(dst, ' ', levelChar(level), ' ')
}

func levelChar(level slog.Level) byte {
	switch {
	case level < LevelVerbose:
		return '.'
	case level < LevelNotice:
		return '-'
	case level < LevelWarning:
		return '*'
	default:
		return '#'
	}
}

// ParseLevel reads the value of the loglevel option.
func ParseLevel(name string) (slog.Level, bool) {
	switch strings.ToLower(name) {
	case "debug":
		return LevelDebug, true
	case "verbose":
		return LevelVerbose, true
	case "notice":
		return LevelNotice, true
	case "warning":
		return LevelWarning, true
	case "nothing":
		return LevelNothing, true
	}
	return 0, false
}

// LevelName is the option's value for a level.
func LevelName(level slog.Level) string {
	switch {
	case level < LevelVerbose:
		return "debug"
	case level < LevelNotice:
		return "verbose"
	case level < LevelWarning:
		return "notice"
	case level < LevelNothing:
		return "warning"
	default:
		return "nothing"
	}
}

// appendMessage appends a message as part of one line. What is not printable
// becomes \n, \r, \t or \x and two digits for each of its bytes. A backslash
// stays as it is: the message is for people, and Windows paths are full of them.
func appendMessage(dst, message []byte) []byte {
	rest := len(message) - messageBytesMax
	if rest > 0 {
		message = message[:messageBytesMax]
	}
	dst = appendEscaped(dst, message, "")
	if rest > 0 {
		dst = append(dst, "... ("...)
		dst = strconv.AppendInt(dst, int64(rest), 10)
		dst = append(dst, " more bytes)"...)
	}
	return dst
}

// appendLines appends text with its line breaks and tabs, and everything else
// escaped that is not printable.
func appendLines(dst []byte, text string) []byte { return appendEscaped(dst, []byte(text), "\n\t") }

func appendEscaped(dst, text []byte, keep string) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		valid := r != utf8.RuneError || size > 1
		if valid && isPrintable(r) || strings.ContainsRune(keep, r) {
			dst = append(dst, text[:size]...)
		} else {
			for _, c := range text[:size] {
				dst = appendEscape(dst, c)
			}
		}
		text = text[size:]
	}
	return dst
}

// isPrintable says whether a rune may stand in a line. Beside control characters
// that excludes Unicode's own line breaks and the marks that reverse the
// direction of writing, with which a line can be made to look like another.
func isPrintable(r rune) bool {
	return !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) && r != '\u2028' && r != '\u2029'
}

func appendEscape(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'x', digits[c>>4], digits[c&15])
}

// appendAttr appends " group.key=value", and for a group each of its members.
func appendAttr(dst []byte, group string, a slog.Attr) []byte {
	value := a.Value.Resolve()
	if a.Key == "" && value.Kind() != slog.KindGroup {
		return dst // slog's way to say "no attribute"
	}
	if value.Kind() == slog.KindGroup {
		if a.Key != "" { // a group without a name is part of the one around it
			group += a.Key + "."
		}
		for _, member := range value.Group() {
			dst = appendAttr(dst, group, member)
		}
		return dst
	}
	dst = append(dst, ' ')
	dst = append(dst, group...)
	dst = append(dst, a.Key...)
	dst = append(dst, '=')
	text := value.String()
	if text == "" || strings.ContainsAny(text, " =\"\n\r\t") {
		return strconv.AppendQuote(dst, text)
	}
	return append(dst, text...)
}
