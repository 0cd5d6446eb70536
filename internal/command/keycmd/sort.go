package keycmd

import (
	"bytes"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

const (
	sortCosts = "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number " +
		"of returned elements. When the elements are not sorted, complexity is O(N)."
	sortSyntax = "key [BY=pattern:pattern@1] [LIMIT={offset:integer count:integer}] " +
		"[GET=pattern:pattern@1...{multiple_token}] [order=(ASC|DESC)] [sorting=ALPHA]"
	sortACL = command.CatSet | command.CatSortedSet | command.CatList | command.CatDangerous
)

// What Redis says of the keys that cannot be found among the arguments.
var (
	sortReads = command.KeySpec{Flags: command.RO | command.Access, Unknown: true,
		Notes: "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the " +
			"content of the key we sort"}
	sortStores = command.KeySpec{Flags: command.OW | command.Update, Unknown: true,
		Notes: "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere " +
			"in the argument array"}
)

var (
	_ = Family.Add(command.Spec{
		Name:       "SORT",
		Summary:    "Sort the elements in a list, set or sorted set",
		Since:      "1.0.0",
		Complexity: sortCosts,
		Syntax:     sortSyntax + " [STORE=destination:key@2]",
		Arity:      -2,
		Flags:      command.Write | command.DenyOOM | command.MovableKeys,
		ACL:        sortACL,
		Keys:       append(command.OneKey(1, command.RO|command.Access), sortReads, sortStores),
		FindKeys:   func(args command.Args) ([]command.KeyRef, error) { return sortKeys(args, true) },
		Everything: func(args command.Args) bool { return sortsByOthers(args, true) },
		Run:        func(c *command.Ctx) error { return sortValue(c, true) },
	})
	_ = Family.Add(command.Spec{
		Name:       "SORT_RO",
		Summary:    "Sort the elements in a list, set or sorted set. Read-only variant of SORT.",
		Since:      "7.0.0",
		Complexity: sortCosts,
		Syntax:     sortSyntax,
		Arity:      -2,
		Flags:      command.ReadOnly | command.MovableKeys,
		ACL:        sortACL,
		Keys:       append(command.OneKey(1, command.RO|command.Access), sortReads),
		FindKeys:   func(args command.Args) ([]command.KeyRef, error) { return sortKeys(args, false) },
		Everything: func(args command.Args) bool { return sortsByOthers(args, false) },
		Run:        func(c *command.Ctx) error { return sortValue(c, false) },
	})
)

var (
	errSortByCluster  = &resp.Error{Code: "ERR", Text: "BY option of SORT denied in cluster mode."}
	errSortGetCluster = &resp.Error{Code: "ERR", Text: "GET option of SORT denied in cluster mode."}
	errSortScore      = &resp.Error{Code: "ERR", Text: "One or more scores can't be converted into double"}
)

// sortOptions are the words behind SORT's key.
type sortOptions struct {
	desc, alpha bool
	unsorted    bool // BY a pattern without a star: as they come
	by          *pattern
	gets        []pattern
	offset      int64
	count       int64 // negative for all
	store       int   // argument of the destination, 0 for none
}

// parseSort reads the words behind the key: for the command, for who wants to know its
// keys, and for the locks, so that these are always the same. It goes on behind the first
// error, as who asks for the keys of such a call expects.
func parseSort(args command.Args, stores, cluster bool) (o sortOptions, err error) {
	o.count = -1
	refuse := func(e error) {
		if err == nil {
			err = e
		}
	}
	for i := 2; i < len(args); i++ {
		more := len(args) - i - 1
		switch {
		case args.Is(i, "ASC"):
			o.desc = false
		case args.Is(i, "DESC"):
			o.desc = true
		case args.Is(i, "ALPHA"):
			o.alpha = true
		case args.Is(i, "LIMIT") && more >= 2:
			var e error
			if o.offset, e = args.Int(i + 1); e == nil {
				o.count, e = args.Int(i + 2)
			}
			refuse(e)
			i += 2
		case stores && args.Is(i, "STORE") && more >= 1:
			i++
			o.store = i
		case args.Is(i, "BY") && more >= 1:
			i++
			p := newPattern(args[i])
			if o.by, o.unsorted = &p, p.kind == patternConstant; !o.unsorted && cluster {
				refuse(errSortByCluster)
			}
		case args.Is(i, "GET") && more >= 1:
			if cluster {
				refuse(errSortGetCluster)
			}
			i++
			o.gets = append(o.gets, newPattern(args[i]))
		default:
			refuse(resp.ErrSyntax)
		}
	}
	return o, err
}

// sortKeys finds the keys that a call names. What is wrong with it the call itself says.
func sortKeys(args command.Args, stores bool) ([]command.KeyRef, error) {
	refs := []command.KeyRef{{Index: 1, Flags: command.RO | command.Access}}
	if o, _ := parseSort(args, stores, false); o.store > 0 {
		refs = append(refs, command.KeyRef{Index: o.store, Flags: command.OW | command.Update})
	}
	return refs, nil
}

// sortsByOthers says whether a call reads keys whose names it makes of the elements.
func sortsByOthers(args command.Args, stores bool) bool {
	o, _ := parseSort(args, stores, false)
	if o.by != nil && !o.unsorted {
		return true
	}
	for i := range o.gets {
		if o.gets[i].kind == patternKey {
			return true
		}
	}
	return false
}

// sortValue is SORT, or SORT_RO which stores nothing.
func sortValue(c *command.Ctx, stores bool) error {
	o, err := parseSort(c.Args, stores, c.DB.Cluster())
	if err != nil {
		return err
	}
	s := sorter{c: c, o: &o}
	if v, ok := c.DB.Read(c.Args[1]); ok {
		switch v.Type() {
		case record.List, record.Set, record.ZSet:
		default:
			return resp.ErrWrongType
		}
		if err := s.gather(v); err != nil {
			return err
		}
	}
	if o.store > 0 {
		return s.store(c.Args[o.store])
	}
	s.reply()
	return nil
}

// results is how many elements the reply or the stored list has.
func (s *sorter) results() int { return len(s.order) * max(len(s.o.gets), 1) }

// eachResult calls fn for every element of the result, ok = false for what is not there.
func (s *sorter) eachResult(fn func(e listpack.Elem, ok bool) error) error {
	for i := range s.order {
		e := s.items[s.order[i].at].elem
		if len(s.o.gets) == 0 {
			if err := fn(e, true); err != nil {
				return err
			}
			continue
		}
		for g := range s.o.gets {
			if err := fn(s.lookup(&s.o.gets[g], e)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sorter) reply() {
	out := s.c.Out
	out.Array(s.results())
	_ = s.eachResult(func(e listpack.Elem, ok bool) error {
		switch {
		case !ok:
			out.Null()
		case e.IsInt:
			out.BulkInt(e.Int)
		default:
			out.Bulk(e.Bytes)
		}
		return nil
	})
}

// store makes a list of the result, in which what is not there is an empty string. The
// elements may be those of the list that it replaces.
func (s *sorter) store(key []byte) error {
	n, err := s.c.DB.Replace(key, record.List, keyspace.NoTTL, func(cell *value.Cell) error {
		l := value.ListIn(cell)
		return s.eachResult(func(e listpack.Elem, _ bool) error {
			return l.PushOne(e.Text(&s.buf), false)
		})
	})
	if err != nil {
		return err
	}
	s.c.DB.MarkDirty(max(n-1, 0))
	s.c.Out.Int(int64(n))
	return nil
}

// A pattern says which key, or which field of a hash, belongs to an element: the star is
// where the element is put.
type pattern struct {
	kind                  patternKind
	prefix, suffix, field []byte
}

type patternKind uint8

const (
	patternKey      patternKind = iota
	patternSelf                 // #, the element itself
	patternConstant             // no star: nothing belongs to any element
)

// newPattern takes a pattern apart. Where a zero byte is Redis looks no further for the
// star and the arrow.
func newPattern(text []byte) pattern {
	if len(text) == 1 && text[0] == '#' {
		// BY # has no star, and so does not sort.
		return pattern{kind: patternSelf}
	}
	seen := text
	if end := bytes.IndexByte(text, 0); end >= 0 {
		seen = text[:end]
	}
	star := bytes.IndexByte(seen, '*')
	if star < 0 {
		return pattern{kind: patternConstant}
	}
	p := pattern{prefix: text[:star], suffix: text[star+1:]}
	if arrow := bytes.Index(seen[star+1:], []byte("->")); arrow >= 0 && star+arrow+3 < len(seen) {
		p.suffix, p.field = text[star+1:star+1+arrow], text[star+arrow+3:]
	}
	return p
}

// lookup is what a pattern means for an element. It is valid until a key changes, and an
// integer's text is not made.
func (s *sorter) lookup(p *pattern, e listpack.Elem) (found listpack.Elem, ok bool) {
	switch p.kind {
	case patternSelf:
		return e, true
	case patternConstant:
		return found, false
	}
	s.key = append(e.AppendTo(append(s.key[:0], p.prefix...)), p.suffix...)
	v, ok := s.c.DB.Read(s.key)
	switch {
	case !ok:
	case p.field != nil && v.Type() == record.Hash:
		var h value.Hash
		h.Open(v.Cell(), s.c.DB.FieldsNow())
		text, n, ok := h.Get(p.field)
		return listpack.Elem{Bytes: text, Int: n, IsInt: text == nil}, ok
	case p.field == nil && v.Type() == record.String:
		if v.IsInt() {
			return listpack.Int(v.Int()), true
		}
		return listpack.Elem{Bytes: v.Bytes()}, true
	}
	return found, false
}
