package command

import (
	"fmt"
	"slices"
	"strings"
)

// ParseSyntax reads the compact notation in which a Spec says what its arguments are,
// and returns the tree of COMMAND DOCS. SET, for example, is
//
//	key value [condition=(NX|XX){since 2.6.12}] [GET{since 6.2.0}]
//	[expiration=(
//		EX=seconds:integer{since 2.6.12} | PX=milliseconds:integer{since 2.6.12} |
//		EXAT=unix-time-seconds:unix-time{since 6.2.0} |
//		PXAT=unix-time-milliseconds:unix-time{since 6.2.0} | KEEPTTL{since 6.0.0})]
//
// Arguments stand behind each other, separated by blanks. An argument is one of
//
//	name:type      a value. The types are key string integer double pattern unix-time;
//	               without one it is a string, but a name that is key is a key
//	TOKEN          a word that stands for itself, its name the same in small letters
//	name=TOKEN     the same under another name
//	TOKEN=name:t   a value behind a word
//	(a|b|c)        one of several arguments
//	{a b}          several arguments together
//	[a]            an argument that may be left out; several together are [{a b}]
//
// A token has no small letters, or is in quotes: auto_id="*". Groups take names and
// tokens as values do: name=(a|b), LIMIT={offset:integer count:integer},
// LIMIT=range={...}. A group without a name is called after its members, with low lines
// between them: offset_count. A type must be given where the name holds a colon:
// ip:port:string.
//
// Directly behind an argument there may be, in any order,
//
//	...                        it may be repeated
//	@2                         it belongs to key specification 2; 0 is what a key has
//	{multiple_token}           what is repeated begins with the token each time
//	{since 6.2.0}              the version that brought it, if later than the command
//	{deprecated_since 6.2.0}   the version from which it should not be used
//	{display_text some text}   what help shows in place of the name
func ParseSyntax(text string) ([]Argument, error) {
	p := syntaxParser{text: text}
	args := p.sequence()
	if p.err == nil && p.at < len(p.text) {
		p.failf("%q closes nothing", p.text[p.at])
	}
	return args, p.err
}

// MustParseSyntax is ParseSyntax for what is written in a Spec: an error is a bug.
func MustParseSyntax(text string) []Argument {
	args, err := ParseSyntax(text)
	if err != nil {
		panic(err)
	}
	return args
}

// What arguments are, beside the types that a value may be given.
const (
	typeToken = "pure-token"
	typeOneOf = "oneof"
	typeBlock = "block"
)

var valueTypes = []string{"key", "string", "integer", "double", "pattern", "unix-time"}

// A syntaxParser goes through a syntax once. After the first error it only returns.
type syntaxParser struct {
	text string
	at   int
	err  error
}

func (p *syntaxParser) failf(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("command: syntax %q: byte %d: "+format,
			append([]any{p.text, p.at}, args...)...)
	}
}

// sequence reads arguments up to the end or to what closes a group.
func (p *syntaxParser) sequence() (args []Argument) {
	for p.err == nil {
		p.blanks()
		if p.at == len(p.text) || strings.IndexByte("]})|", p.text[p.at]) >= 0 {
			break
		}
		args = append(args, p.argument())
	}
	return args
}

func (p *syntaxParser) argument() Argument {
	if p.take("[") {
		p.blanks()
		a := p.argument()
		p.blanks()
		p.want("]") // several arguments in brackets are a block: [{a b}]
		a.Optional = true
		p.suffixes(&a)
		return a
	}
	a := Argument{KeySpec: -1}
	p.labels(&a)
	switch {
	case p.err != nil:
	case p.take("("):
		a.Type = typeOneOf
		p.oneOf(&a)
	case p.take("{"):
		a.Type = typeBlock
		if a.Args = p.sequence(); len(a.Args) == 0 {
			p.failf("nothing is in the block")
		}
		p.want("}")
	default:
		p.leaf(&a)
	}
	if a.Name == "" {
		names := make([]string, len(a.Args))
		for i := range a.Args {
			names[i] = a.Args[i].Name
		}
		a.Name = strings.Join(names, "_")
	}
	p.suffixes(&a)
	return a
}

// labels reads the name and the token that stand before an argument with equal signs.
func (p *syntaxParser) labels(a *Argument) {
	for p.err == nil {
		from := p.at
		word, quoted := p.word()
		if !p.take("=") {
			p.at = from
			return
		}
		p.label(a, word, quoted)
	}
}

func (p *syntaxParser) label(a *Argument, word string, quoted bool) {
	switch {
	case quoted || isToken(word):
		if a.HasToken {
			p.failf("a second token, %s", word)
		}
		a.Token, a.HasToken = word, true
	case a.Name != "":
		p.failf("a second name, %s", word)
	default:
		a.Name = word
	}
}

// leaf reads the argument proper if it is no group: a word for itself or a value.
func (p *syntaxParser) leaf(a *Argument) {
	word, quoted := p.word()
	switch {
	case p.err != nil:
	case word == "" && !quoted:
		p.failf("an argument should be here")
	case quoted || isToken(word):
		p.label(a, word, quoted)
		a.Type = typeToken
		if a.Name == "" {
			a.Name = strings.ToLower(word)
		}
		if a.Name == "" || quoted && a.Name == word {
			p.failf("a token that is no word needs a name")
		}
	default:
		name, kind := word, "string"
		if name == "key" {
			kind = "key"
		}
		if i := strings.LastIndexByte(word, ':'); i >= 0 {
			name, kind = word[:i], word[i+1:]
		}
		if name == "" || !slices.Contains(valueTypes, kind) {
			p.failf("%s is no name and type", word)
		}
		p.label(a, name, false)
		if a.Type = kind; kind == "key" {
			a.KeySpec = 0
		}
	}
}

// oneOf reads the choices of an argument behind the opening parenthesis.
func (p *syntaxParser) oneOf(a *Argument) {
	for p.err == nil {
		p.blanks()
		a.Args = append(a.Args, p.argument())
		p.blanks()
		if !p.take("|") {
			break
		}
	}
	p.want(")")
	if len(a.Args) < 2 {
		p.failf("a choice of one")
	}
}

// suffixes reads what is said about an argument directly behind it.
func (p *syntaxParser) suffixes(a *Argument) {
	for p.err == nil {
		switch {
		case p.take("..."):
			a.Multiple = true
		case p.take("{"):
			p.property(a)
		case p.take("@"):
			if p.at == len(p.text) || p.text[p.at] < '0' || p.text[p.at] > '9' {
				p.failf("@ without the number of a key specification")
				return
			}
			a.KeySpec = int(p.text[p.at] - '0')
			p.at++
		default:
			if p.at < len(p.text) && strings.IndexByte(syntaxBlanks+"]})|", p.text[p.at]) < 0 {
				p.failf("%q behind an argument", p.text[p.at])
			}
			return
		}
	}
}

// property reads one of the suffixes in braces.
func (p *syntaxParser) property(a *Argument) {
	length := strings.IndexByte(p.text[p.at:], '}')
	if length < 0 {
		p.failf("braces that are not closed")
		return
	}
	name, value, _ := strings.Cut(p.text[p.at:p.at+length], " ")
	p.at += length + 1
	switch {
	case name == "multiple_token" && value == "":
		a.MultiToken, a.Multiple = true, true
	case name == "since" && value != "":
		a.Since = value
	case name == "deprecated_since" && value != "":
		a.Deprecated = value
	case name == "display_text" && value != "":
		a.Display = value
	default:
		p.failf("{%s %s} says nothing", name, value)
	}
}

// word reads a name with its type, or a token, which may be in quotes.
func (p *syntaxParser) word() (word string, quoted bool) {
	if p.take(`"`) {
		length := strings.IndexByte(p.text[p.at:], '"')
		if length < 0 {
			p.failf("quotes that are not closed")
			return "", true
		}
		word = p.text[p.at : p.at+length]
		p.at += length + 1
		return word, true
	}
	length := strings.IndexAny(p.text[p.at:], syntaxBlanks+`[](){}|@="`)
	if length < 0 {
		length = len(p.text) - p.at
	}
	word, _, _ = strings.Cut(p.text[p.at:p.at+length], "...")
	p.at += len(word)
	return word, false
}

func (p *syntaxParser) take(s string) bool {
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

func (p *syntaxParser) want(s string) {
	if !p.take(s) {
		p.failf("%q should be here", s)
	}
}

const syntaxBlanks = " \t\n"

func (p *syntaxParser) blanks() {
	for p.at < len(p.text) && strings.IndexByte(syntaxBlanks, p.text[p.at]) >= 0 {
		p.at++
	}
}

// isToken says whether a word is in capitals; names are in small letters.
func isToken(word string) bool {
	return word != "" && word == strings.ToUpper(word) && word != strings.ToLower(word)
}
