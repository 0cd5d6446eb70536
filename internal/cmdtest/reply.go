package cmdtest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// A Reply is what a command answered.
type Reply struct {
	t    testing.TB
	call string
	raw  string
}

// Raw is the reply as it would be sent.
func (r *Reply) Raw() string { return r.raw }

// Text is the reply in a readable form: strings and numbers as they are, nil as
// "(nil)", errors with "-" in front, aggregates as "[a b [c]]".
func (r *Reply) Text() string {
	text, rest := render(r.raw)
	if len(rest) > 0 {
		r.t.Helper()
		r.t.Errorf("%s: more than one reply: %q", r.call, r.raw)
	}
	return text
}

// Want compares a simple, string or integer reply.
func (r *Reply) Want(want string) *Reply {
	r.t.Helper()
	if got := r.Text(); got != want {
		r.t.Errorf("%s: got %q, want %q", r.call, clip(got), clip(want))
	}
	return r
}

// WantInt compares an integer reply.
func (r *Reply) WantInt(n int64) *Reply {
	r.t.Helper()
	if want := ":" + strconv.FormatInt(n, 10) + "\r\n"; r.raw != want {
		r.t.Errorf("%s: got %q, want %q", r.call, clip(r.raw), want)
	}
	return r
}

// WantNil expects the absence of a value.
func (r *Reply) WantNil() *Reply {
	r.t.Helper()
	return r.Want("(nil)")
}

// WantArray compares an array of simple elements.
func (r *Reply) WantArray(want ...string) *Reply {
	r.t.Helper()
	return r.Want("[" + strings.Join(want, " ") + "]")
}

// WantError expects an error that begins with text.
func (r *Reply) WantError(text string) *Reply {
	r.t.Helper()
	if got := r.Text(); !strings.HasPrefix(got, "-"+text) {
		r.t.Errorf("%s: got %q, want the error %q", r.call, clip(got), text)
	}
	return r
}

// WantRaw compares the bytes of the reply.
func (r *Reply) WantRaw(want string) *Reply {
	r.t.Helper()
	if r.raw != want {
		r.t.Errorf("%s: got %q, want %q", r.call, clip(r.raw), clip(want))
	}
	return r
}

func clip(s string) string {
	if len(s) > 500 {
		return s[:500] + "..."
	}
	return s
}

// BulkOf is the string that a reply is. Any other reply ends the test.
func BulkOf(t testing.TB, raw string) string {
	t.Helper()
	head, text, ok := strings.Cut(raw, "\r\n")
	if !ok || !strings.HasPrefix(head, "$") || head == "$-1" {
		t.Fatalf("%.200q is no string", raw)
	}
	return strings.TrimSuffix(text, "\r\n")
}

// Render is a reply in the form of Text, for those of other servers.
func Render(raw string) string {
	text, _ := render(raw)
	return text
}

// render reads one reply and returns what follows it.
func render(b string) (text, rest string) {
	line, rest, ok := strings.Cut(b, "\r\n")
	if !ok || len(line) == 0 {
		return fmt.Sprintf("(not a reply: %q)", b), ""
	}
	body := line[1:]
	switch line[0] {
	case '+', ':', ',', '(':
		return body, rest
	case '-':
		return "-" + body, rest
	case '_':
		return "(nil)", rest
	case '#':
		return map[string]string{"t": "true", "f": "false"}[body], rest
	}
	n, err := strconv.Atoi(body)
	if err != nil {
		return fmt.Sprintf("(not a length: %q)", line), ""
	}
	if n < 0 {
		return "(nil)", rest
	}
	switch line[0] {
	case '$', '=':
		if len(rest) < n+2 {
			return "(cut off)", ""
		}
		return rest[:n], rest[n+2:]
	case '%', '|':
		n *= 2
	}
	elements := make([]string, 0, min(n, 1000))
	for range n {
		var e string
		e, rest = render(rest)
		elements = append(elements, e)
	}
	return "[" + strings.Join(elements, " ") + "]", rest
}
