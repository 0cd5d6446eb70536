package command_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/command"
)

// TestParseSyntax says in trees what the notation means. That whole commands come out as
// Redis describes them is shown where COMMAND DOCS is.
func TestParseSyntax(t *testing.T) {
	type arg = command.Argument
	for _, tt := range []struct {
		syntax string
		want   []arg
	}{
		{"", nil},
		{"key", []arg{{Name: "key", Type: "key"}}},
		{"key:string", []arg{{Name: "key", Type: "string", KeySpec: -1}}},
		{"newkey:key@1", []arg{{Name: "newkey", Type: "key", KeySpec: 1}}},
		{"at:unix-time", []arg{{Name: "at", Type: "unix-time", KeySpec: -1}}},
		{"ip:port:string", []arg{{Name: "ip:port", Type: "string", KeySpec: -1}}},
		{"[member...]", []arg{{Name: "member", Type: "string", KeySpec: -1, Optional: true, Multiple: true}}},
		{"LEN", []arg{{Name: "len", Type: "pure-token", Token: "LEN", HasToken: true, KeySpec: -1}}},
		{"change=CH", []arg{{Name: "change", Type: "pure-token", Token: "CH", HasToken: true, KeySpec: -1}}},
		{`none=""`, []arg{{Name: "none", Type: "pure-token", HasToken: true, KeySpec: -1}}},
		{"EX=seconds:integer", []arg{{Name: "seconds", Type: "integer", Token: "EX", HasToken: true, KeySpec: -1}}},
		{"[GET=pattern:pattern@1{multiple_token}]", []arg{{Name: "pattern", Type: "pattern", Token: "GET",
			HasToken: true, KeySpec: 1, Optional: true, Multiple: true, MultiToken: true}}},
		{"a:double{since 6.2.0}{deprecated_since 7.0.0}{display_text an a}", []arg{{Name: "a", Type: "double",
			KeySpec: -1, Since: "6.2.0", Deprecated: "7.0.0", Display: "an a"}}},
		{"[order=( ASC |\n DESC )]", []arg{{Name: "order", Type: "oneof", KeySpec: -1, Optional: true, Args: []arg{
			{Name: "asc", Type: "pure-token", Token: "ASC", HasToken: true, KeySpec: -1},
			{Name: "desc", Type: "pure-token", Token: "DESC", HasToken: true, KeySpec: -1}}}}},
		{"LIMIT={offset:integer [count:integer]}... x", []arg{
			{Name: "offset_count", Type: "block", Token: "LIMIT", HasToken: true, KeySpec: -1, Multiple: true,
				Args: []arg{{Name: "offset", Type: "integer", KeySpec: -1},
					{Name: "count", Type: "integer", KeySpec: -1, Optional: true}}},
			{Name: "x", Type: "string", KeySpec: -1}}},
		{"LIMIT=range={from}{since 2.0.0}", []arg{{Name: "range", Type: "block", Token: "LIMIT", HasToken: true,
			KeySpec: -1, Since: "2.0.0", Args: []arg{{Name: "from", Type: "string", KeySpec: -1}}}}},
	} {
		got, err := command.ParseSyntax(tt.syntax)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", tt.syntax, got, err, tt.want)
		}
	}
}

// Whoever mistypes a syntax is told where.
func TestParseSyntaxRefuses(t *testing.T) {
	for _, tt := range []struct{ syntax, want string }{
		{"[offset count]", `byte 8: "]" should be here`},
		{"count:interger", "byte 14: count:interger is no name and type"},
		{":integer", "byte 8: :integer is no name and type"},
		{"(a)", "byte 3: a choice of one"},
		{"(a|b", `byte 4: ")" should be here`},
		{"(a||b)", "byte 3: an argument should be here"},
		{"{}", "byte 1: nothing is in the block"},
		{"a]", `byte 1: ']' closes nothing`},
		{"a(b|c)", `byte 1: '(' behind an argument`},
		{"a=b", "byte 3: a second name, b"},
		{"A=B", "byte 3: a second token, B"},
		{`"*"`, "byte 3: a token that is no word needs a name"},
		{`""`, "byte 2: a token that is no word needs a name"},
		{`x="*`, "byte 3: quotes that are not closed"},
		{"a@", "byte 2: @ without the number of a key specification"},
		{"a{since}", "byte 8: {since } says nothing"},
		{"a{later 1}", "byte 10: {later 1} says nothing"},
		{"a{since 1", "byte 2: braces that are not closed"},
	} {
		_, err := command.ParseSyntax(tt.syntax)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.syntax, err, tt.want)
		}
	}
}
