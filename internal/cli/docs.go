package cli

import (
	"slices"
	"strings"

	"github.com/spineldb/spinel/internal/client"
)

// docs is what the server tells about its commands, for help, completion and
// hints. It is empty until load got an answer.
type docs struct {
	commands []commandDoc // sorted by name
	asked    *client.Conn // which connection was asked: no answer counts, once
}

// A commandDoc is one command or subcommand.
type commandDoc struct {
	name    string // in capitals, words apart with a blank: "CONFIG GET"
	summary string
	since   string
	group   string
	syntax  []string // of each argument
}

// docsNestingMax bounds arguments in arguments. Redis's own go four deep.
const docsNestingMax = 16

// load asks the server once for each connection, while that has a time for it: not
// inside of a transaction, where COMMAND would be queued. A server that does not
// know DOCS, or this user, still has COMMAND with the names.
func (d *docs) load(s *session) {
	if s.conn == nil || s.conn.Err() != nil || s.inTx || len(d.commands) > 0 || d.asked == s.conn {
		return
	}
	d.asked = s.conn
	reply, err := s.conn.Do("COMMAND", "DOCS")
	if err == nil && !reply.IsError() {
		d.commands = appendDocs(nil, reply, 0)
	} else if reply, err = s.conn.Do("COMMAND"); err == nil {
		for _, command := range reply.Elems {
			if len(command.Elems) > 0 {
				d.commands = append(d.commands, commandDoc{name: displayName(command.Elems[0].Text)})
			}
		}
	}
	if err != nil {
		s.disconnect() // the command that follows says what is wrong
	}
	slices.SortFunc(d.commands, func(a, b commandDoc) int { return strings.Compare(a.name, b.name) })
}

// displayName makes "CONFIG GET" of "config|get", and whatever the server says
// fit for a terminal.
func displayName(name string) string {
	return visible(strings.ToUpper(strings.ReplaceAll(name, "|", " ")))
}

func visible(s string) string { return string(appendVisible(nil, s)) }

// appendDocs appends the commands of a COMMAND DOCS reply, and theirs.
func appendDocs(list []commandDoc, reply client.Reply, depth int) []commandDoc {
	if depth > docsNestingMax {
		return list
	}
	for name, fields := range reply.Pairs {
		command := commandDoc{name: displayName(name.Text)}
		for field, value := range fields.Pairs {
			switch field.Text {
			case "summary":
				command.summary = visible(value.Text)
			case "since":
				command.since = visible(value.Text)
			case "group":
				command.group = visible(value.Text)
			case "arguments":
				command.syntax = argumentList(value, 0)
			case "subcommands":
				list = appendDocs(list, value, depth+1)
			}
		}
		list = append(list, command)
	}
	return list
}

func argumentList(reply client.Reply, depth int) []string {
	if depth > docsNestingMax {
		return nil
	}
	list := make([]string, 0, len(reply.Elems))
	for _, argument := range reply.Elems {
		list = append(list, argumentSyntax(argument, depth))
	}
	return list
}

// argumentSyntax is an argument in the notation of the manual:
//
//	key [key ...]   [NX|XX]   [EX seconds|PX milliseconds|KEEPTTL]   [LIMIT offset count]
func argumentSyntax(argument client.Reply, depth int) string {
	var text, kind, token, display string
	var flags, parts []string
	for field, value := range argument.Pairs {
		switch field.Text {
		case "name":
			text = visible(value.Text)
		case "display_text", "display":
			display = visible(value.Text)
		case "type":
			kind = value.Text
		case "token":
			token = visible(value.Text)
			if token == "" {
				token = `""`
			}
		case "flags":
			for _, flag := range value.Elems {
				flags = append(flags, flag.Text)
			}
		case "arguments":
			parts = argumentList(value, depth+1)
		}
	}
	switch kind {
	case "pure-token":
		text, token = token, ""
	case "oneof":
		text = strings.Join(parts, "|")
	case "block":
		text = strings.Join(parts, " ")
	default:
		if display != "" {
			text = display
		}
	}
	full := text
	if token != "" {
		full = token + " " + text
	}
	if slices.Contains(flags, "multiple") {
		again := text
		if slices.Contains(flags, "multiple_token") {
			again = full
		}
		full += " [" + again + " ...]"
	}
	if slices.Contains(flags, "optional") {
		full = "[" + full + "]"
	}
	return full
}

// A completion is a word that could stand where the cursor is.
type completion struct{ word, summary string }

// complete returns the command names that continue line. They are written as the
// user writes: in small letters if the line has none but such.
func (d *docs) complete(line string) []completion {
	typed := strings.Join(strings.Fields(line), " ")
	if strings.HasSuffix(line, " ") {
		typed += " "
	}
	if rest, isHelping := cutPrefixFold(typed, "help "); isHelping {
		typed = rest
	}
	before := strings.LastIndexByte(typed, ' ') + 1
	var list []completion
	seen := map[string]bool{}
	for _, command := range d.commands {
		if _, ok := cutPrefixFold(command.name, typed); !ok {
			continue
		}
		word, more, isContainer := strings.Cut(command.name[before:], " ")
		if seen[word] || word == "" {
			continue
		}
		seen[word] = true
		summary := command.summary
		if isContainer && more != "" {
			summary = "" // it is that of a subcommand
		}
		if strings.ToUpper(typed) != typed {
			word = strings.ToLower(word)
		}
		list = append(list, completion{word, summary})
	}
	return list
}

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// hint returns the arguments that a command line still lacks, as far as that can
// be told without understanding options: arguments that must be there vanish as
// they are typed, the rest stays.
func (d *docs) hint(line string) string {
	words := strings.Fields(line)
	if len(words) == 0 || !strings.HasSuffix(line, " ") && len(words) == 1 && d.find(words) == nil {
		return ""
	}
	command := d.find(words)
	if command == nil {
		return ""
	}
	given := len(words) - strings.Count(command.name, " ") - 1
	syntax := command.syntax
	for given > 0 && len(syntax) > 0 && !strings.HasPrefix(syntax[0], "[") {
		given -= len(strings.Fields(strings.SplitN(syntax[0], " [", 2)[0]))
		if strings.HasSuffix(syntax[0], "...]") {
			break
		}
		syntax = syntax[1:]
	}
	return strings.Join(syntax, " ")
}

// find returns the command with the longest name that begins words, or nil.
func (d *docs) find(words []string) *commandDoc {
	const nameWordsMax = 2
	for n := min(len(words), nameWordsMax); n > 0; n-- {
		name := strings.ToUpper(strings.Join(words[:n], " "))
		i, found := slices.BinarySearchFunc(d.commands, name,
			func(c commandDoc, name string) int { return strings.Compare(c.name, name) })
		if found {
			return &d.commands[i]
		}
	}
	return nil
}
