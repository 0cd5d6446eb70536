package command

import (
	"math"

	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// KeyFlags say what a command does with a key, in Redis's words.
type KeyFlags uint16

// The flags of a key specification. The first four are exclusive.
const (
	RO     KeyFlags = 1 << iota // reads the value
	RW                          // reads and changes it
	OW                          // overwrites it whatever it was
	RM                          // deletes the key
	Access                      // tells the user about the value
	Update
	Insert
	Delete
	NotKey
	Incomplete
	VariableFlags
)

var keyFlagNames = [...]string{"RO", "RW", "OW", "RM", "access", "update", "insert", "delete", "not_key",
	"incomplete", "variable_flags"}

// Names are the flags as COMMAND INFO shows them.
func (f KeyFlags) Names() (names []string) {
	for i, n := range keyFlagNames {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// A KeySpec says where some keys of a command are, as COMMAND INFO describes it: where
// to begin, and how to go on from there.
type KeySpec struct {
	Flags KeyFlags
	Notes string

	// Begin: at Index, or behind the word Keyword, searched from argument StartFrom
	// (counted from the end if negative).
	Index     int
	Keyword   string
	StartFrom int

	// Find: a range of keys, every Step-th argument up to LastKey (relative to the
	// first; negative counts from the end of the arguments; -1 with a Limit of n ends
	// after 1/n of them), or a count at KeyNumIdx with the keys from FirstKey on, both
	// relative to the beginning.
	LastKey int
	Step    int
	Limit   int

	KeyNum    bool
	KeyNumIdx int
	FirstKey  int

	Unknown bool // neither can be said
}

// OneKey is the usual specification: the argument at index is the only key.
func OneKey(index int, f KeyFlags) []KeySpec {
	return []KeySpec{{Flags: f, Index: index, Step: 1}}
}

// KeyRange is the keys from an index to the last argument, in steps. last counts back
// from the end: -1 is the last argument.
func KeyRange(index, last, step int, f KeyFlags) []KeySpec {
	return []KeySpec{{Flags: f, Index: index, LastKey: last, Step: step}}
}

// NumKeys is a count at an index and as many keys behind it.
func NumKeys(index int, f KeyFlags) []KeySpec {
	return []KeySpec{{Flags: f, Index: index, KeyNum: true, KeyNumIdx: 0, FirstKey: 1, Step: 1}}
}

// A KeyRef is one key among the arguments.
type KeyRef struct {
	Index int
	Flags KeyFlags
}

// simpleKeys describes specifications that are one range, which nearly all are, so
// that the way of a request finds them without a loop over specifications.
type simpleKeys struct {
	ok          bool
	first, step int
	last        int // as LastKey
}

func (s *Spec) prepareKeys() {
	if len(s.Keys) == 1 && s.FindKeys == nil {
		k := &s.Keys[0]
		if k.Keyword == "" && !k.KeyNum && !k.Unknown && k.Limit == 0 && k.Flags&NotKey == 0 {
			s.simple = simpleKeys{true, k.Index, max(k.Step, 1), k.LastKey}
		}
	}
}

// FirstKey is the index of the first key of a command whose keys are one range.
func (s *Spec) FirstKey() int { return s.simple.first }

// SimpleRange says where the keys are if they are one range: from first to last
// (included) in steps. It returns ok = false if they are not, and first = 0 if there
// are none.
func (s *Spec) SimpleRange(n int) (first, last, step int, ok bool) {
	k := &s.simple
	if !k.ok {
		return 0, 0, 0, len(s.Keys) == 0 && s.FindKeys == nil
	}
	last = k.first + k.last
	if k.last < 0 {
		last = n + k.last
	}
	if k.first >= n || last < k.first {
		return 0, 0, 0, true
	}
	return k.first, min(last, n-1), k.step, true
}

var (
	errBadArgs   = &resp.Error{Code: "ERR", Text: "Invalid arguments specified for command"}
	errNoKeyArgs = &resp.Error{Code: "ERR", Text: "The command has no key arguments"}
	errKeyNum    = &resp.Error{Code: "ERR", Text: "Invalid number of arguments specified for command"}
)

// ErrBadKeys, ErrNoKeys and ErrArity are what COMMAND GETKEYS replies with.
var (
	ErrBadKeys = errBadArgs
	ErrNoKeys  = errNoKeyArgs
	ErrArity   = errKeyNum
)

// FindKeyRefs appends the keys of a call to dst. The arity has been checked.
func (s *Spec) FindKeyRefs(dst []KeyRef, args Args) ([]KeyRef, error) {
	if s.FindKeys != nil {
		refs, err := s.FindKeys(args)
		return append(dst, refs...), err
	}
	before := len(dst)
	for i := range s.Keys {
		var err error
		if dst, err = s.Keys[i].find(dst, args); err != nil {
			return dst, err
		}
	}
	if s.CallFlags != nil {
		flags := s.CallFlags(args)
		for i := range dst[before:] {
			dst[before+i].Flags = flags
		}
	}
	return dst, nil
}

func (k *KeySpec) find(dst []KeyRef, args Args) ([]KeyRef, error) {
	begin, ok := k.begin(args)
	if !ok {
		return dst, nil
	}
	first, last, step := begin, begin, max(k.Step, 1)
	switch {
	case k.Unknown:
		return dst, nil
	case k.KeyNum:
		at := begin + k.KeyNumIdx
		if at >= len(args) {
			return dst, errBadArgs
		}
		n, ok := numtext.ParseInt(args[at])
		if !ok || n < 0 || n > math.MaxInt32 {
			return dst, errBadArgs
		}
		first = begin + k.FirstKey
		last = first + (int(n)-1)*step
	case k.LastKey >= 0:
		last = begin + k.LastKey
	case k.Limit <= 1:
		last = len(args) + k.LastKey
	default:
		last = begin + (len(args)-begin)/k.Limit + k.LastKey
	}
	if last >= len(args) || last < first && !k.KeyNum {
		return dst, errBadArgs
	}
	if k.Flags&NotKey != 0 {
		return dst, nil
	}
	for i := first; i <= last; i += step {
		dst = append(dst, KeyRef{i, k.Flags})
	}
	return dst, nil
}

func (k *KeySpec) begin(args Args) (int, bool) {
	if k.Keyword == "" {
		return k.Index, true // find refuses what lies beyond the arguments
	}
	from, to, step := k.StartFrom, len(args)-1, 1
	if k.StartFrom < 0 {
		from, to, step = len(args)+k.StartFrom, 1, -1
	}
	for i := from; i != to+step && i >= 1 && i < len(args); i += step {
		if equalFold(args[i], k.Keyword) {
			return i + 1, i+1 < len(args)
		}
	}
	return 0, false
}
