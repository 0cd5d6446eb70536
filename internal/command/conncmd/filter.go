package conncmd

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/session"
)

// A filter is what CLIENT LIST and CLIENT KILL choose sessions by. All of its conditions
// must hold.
//
// Redis knows ID, TYPE, ADDR, LADDR, USER, SKIPME and MAXAGE; the others, lists of IDs
// and the negations are Valkey's. As in both, a filter given twice counts the last time.
type filter struct {
	conditions []condition
	skipMe     bool
}

// A condition is one word of a filter with its value.
type condition struct {
	field *field
	not   bool
	text  string
	n     int64   // of fields that are numbers, and the clientType of TYPE
	ids   []int64 // of ID
}

// A field is something that sessions can be chosen by.
type field struct {
	word     string
	noNot    bool // there is no NOT- form
	parse    func(d Deps, cond *condition, value []byte) error
	matches  func(cond *condition, s *session.Session, now int64) bool
	severals bool // takes several values
}

var fields = []field{
	{word: "ID", severals: true, matches: matchID},
	{word: "TYPE", parse: parseType, matches: matchType},
	{word: "USER", parse: parseUser, matches: func(cond *condition, s *session.Session, _ int64) bool {
		return s.User == cond.text
	}},
	{word: "ADDR", parse: parseText, matches: func(cond *condition, s *session.Session, _ int64) bool {
		return s.Remote == cond.text
	}},
	{word: "LADDR", parse: parseText, matches: func(cond *condition, s *session.Session, _ int64) bool {
		return s.Local == cond.text
	}},
	{word: "IP", parse: parseText, matches: func(cond *condition, s *session.Session, _ int64) bool {
		return ipOf(s.Remote) == cond.text
	}},
	{word: "NAME", parse: parseText, matches: func(cond *condition, s *session.Session, _ int64) bool {
		return s.Name == cond.text
	}},
	{word: "LIB-NAME", parse: parseText, matches: func(cond *condition, s *session.Session, _ int64) bool {
		return s.LibName == cond.text
	}},
	{word: "LIB-VER", parse: parseText, matches: func(cond *condition, s *session.Session, _ int64) bool {
		return s.LibVersion == cond.text
	}},
	{word: "FLAGS", parse: parseFlags, matches: matchFlags},
	{word: "CAPA", parse: parseCapa, matches: matchCapa},
	{word: "DB", parse: parseDB, matches: func(cond *condition, s *session.Session, _ int64) bool {
		return int64(s.DB) == cond.n
	}},
	{word: "MAXAGE", noNot: true, parse: parseSeconds,
		matches: func(cond *condition, s *session.Session, now int64) bool {
			return (now-s.Created)/1e9 >= cond.n
		}},
	{word: "IDLE", noNot: true, parse: parseSeconds,
		matches: func(cond *condition, s *session.Session, now int64) bool {
			return (now-s.LastUse)/1e9 >= cond.n
		}},
}

// fieldOf finds the field of a word, and whether it is negated.
func fieldOf(word []byte) (f *field, not bool) {
	if len(word) > 4 && numtext.EqualFold(word[:4], "NOT-") {
		word, not = word[4:], true
	}
	for i := range fields {
		if f := &fields[i]; numtext.EqualFold(word, f.word) && !(not && f.noNot) {
			return f, not
		}
	}
	return nil, false
}

// parseFilter reads the arguments from i on. CLIENT LIST takes any number for an ID,
// CLIENT KILL only those that a client may have.
func (d Deps) parseFilter(args command.Args, i int, lenient bool) (filter, error) {
	f := filter{skipMe: !lenient}
	for i < len(args) {
		if i+1 == len(args) {
			return f, resp.ErrSyntax
		}
		if args.Is(i, "SKIPME") {
			switch {
			case args.Is(i+1, "YES"):
				f.skipMe = true
			case args.Is(i+1, "NO"):
				f.skipMe = false
			default:
				return f, resp.ErrSyntax
			}
			i += 2
			continue
		}
		cond := condition{}
		if cond.field, cond.not = fieldOf(args[i]); cond.field == nil {
			return f, resp.ErrSyntax
		}
		i++
		if cond.field.severals {
			n, err := cond.parseIDs(args[i:], lenient)
			if err != nil {
				return f, err
			}
			i += n
		} else {
			if err := cond.field.parse(d, &cond, args[i]); err != nil {
				return f, err
			}
			i++
		}
		f.add(cond)
	}
	return f, nil
}

func (f *filter) add(cond condition) {
	f.conditions = slices.DeleteFunc(f.conditions, func(old condition) bool {
		return old.field == cond.field && old.not == cond.not
	})
	f.conditions = append(f.conditions, cond)
}

var (
	errBadID      = resp.Errorf("Invalid client ID")
	errIDNegative = resp.Errorf("client-id should be greater than 0")
)

// parseIDs reads one ID or more, up to the next word, and returns how many they are.
func (cond *condition) parseIDs(args command.Args, lenient bool) (int, error) {
	for i, a := range args {
		id, ok := numtext.ParseInt(a)
		switch next, _ := fieldOf(a); {
		case i > 0 && !ok && (next != nil || args.Is(i, "SKIPME")):
			return i, nil
		case lenient && !ok:
			return 0, errBadID
		case !lenient && (!ok || id < 1) && i == 0:
			return 0, errIDNegative
		case !lenient && !ok:
			return 0, resp.ErrSyntax
		case !lenient && id < 1:
			return 0, errIDNegative
		}
		cond.ids = append(cond.ids, id)
	}
	return len(args), nil
}

func matchID(cond *condition, s *session.Session, _ int64) bool {
	return slices.Contains(cond.ids, int64(s.ID))
}

func parseText(_ Deps, cond *condition, value []byte) error {
	cond.text = string(value)
	return nil
}

func parseType(_ Deps, cond *condition, value []byte) error {
	switch string(bytes.ToLower(value)) {
	case "normal":
		cond.n = int64(session.Normal)
	case "replica", "slave":
		cond.n = int64(session.Replica)
	case "pubsub":
		cond.n = int64(session.PubSub)
	case "master", "primary":
		cond.n = int64(session.Master)
	default:
		return resp.Errorf("Unknown client type '" + string(value) + "'")
	}
	return nil
}

func matchType(cond *condition, s *session.Session, _ int64) bool {
	return cond.n == int64(s.Class)
}

func parseUser(d Deps, cond *condition, value []byte) error {
	cond.text = string(value)
	if !d.Users.Exists(value) {
		return resp.Errorf("No such user '" + cond.text + "'")
	}
	return nil
}

// filterOf is how errors call a condition.
func (cond *condition) filterOf() string {
	if cond.not {
		return "the NOT-" + cond.field.word
	}
	return "the provided"
}

func parseFlags(_ Deps, cond *condition, value []byte) error {
	cond.text = string(value)
	if strings.Trim(cond.text, allFlags) != "" {
		return resp.Errorf("Unknown flags found in " + cond.filterOf() + " filter: " + cond.text)
	}
	return nil
}

// matchFlags wants all of the flags.
func matchFlags(cond *condition, s *session.Session, _ int64) bool {
	var buf [len(allFlags)]byte
	has := appendFlags(buf[:0], s)
	for i := range len(cond.text) {
		if bytes.IndexByte(has, cond.text[i]) < 0 {
			return false
		}
	}
	return true
}

func parseCapa(_ Deps, cond *condition, value []byte) error {
	cond.text = string(value)
	if strings.Trim(cond.text, "r") != "" {
		return resp.Errorf("Unknown capa found in " + cond.filterOf() + " filter: " + cond.text)
	}
	return nil
}

func matchCapa(cond *condition, s *session.Session, _ int64) bool {
	return cond.text == "" || s.Capa&capaRedirect != 0
}

func parseDB(d Deps, cond *condition, value []byte) error {
	n, ok := numtext.ParseInt(value)
	if !ok || n < 0 || n >= int64(d.Databases) {
		return resp.Errorf("DB number should be between 0 and " + strconv.Itoa(d.Databases-1))
	}
	cond.n = n
	return nil
}

func parseSeconds(_ Deps, cond *condition, value []byte) error {
	n, ok := numtext.ParseInt(value)
	name := strings.ToLower(cond.field.word)
	switch {
	case !ok:
		return resp.Errorf(name + " is not an integer or out of range")
	case n < 1:
		return resp.Errorf(name + " should be greater than 0")
	}
	cond.n = n
	return nil
}

// ipOf is an address without its port and brackets.
func ipOf(addr string) string {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		addr = addr[:i]
	}
	return strings.TrimSuffix(strings.TrimPrefix(addr, "["), "]")
}

// matches says whether a session passes.
func (f *filter) matches(s, me *session.Session, now int64) bool {
	if s.Closing == session.Immediately || f.skipMe && s == me {
		return false // the killed are gone already, though their loops do not know it
	}
	for i := range f.conditions {
		if cond := &f.conditions[i]; cond.field.matches(cond, s, now) == cond.not {
			return false
		}
	}
	return true
}

// choose returns the sessions that pass, oldest first; if IDs are given, in their order,
// and without a look at all the others.
func (d Deps) choose(f *filter, c *command.Ctx) (chosen []*session.Session) {
	var from []*session.Session
	i := slices.IndexFunc(f.conditions, func(cond condition) bool { return cond.ids != nil && !cond.not })
	if i < 0 {
		from = d.Sessions.All()
	} else {
		for _, id := range f.conditions[i].ids {
			if s := d.Sessions.Find(uint64(id)); s != nil {
				from = append(from, s)
			}
		}
	}
	for _, s := range from {
		if f.matches(s, c.Session, c.Mono) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}
