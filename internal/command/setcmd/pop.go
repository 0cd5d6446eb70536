package setcmd

import (
	"math/rand/v2"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:    "SPOP",
	Summary: "Remove and return one or multiple random members from a set",
	Since:   "1.0.0",
	Complexity: "Without the count argument O(1), otherwise O(N) where N is the value of the passed " +
		"count.",
	History: [][2]string{{"3.2.0", "Added the `count` argument."}},
	Tips:    []string{"nondeterministic_output"},
	Syntax:  "key [count:integer{since 3.2.0}]",
	Arity:   -2,
	Flags:   command.Write | command.Fast,
	ACL:     command.CatSet,
	Keys:    command.OneKey(1, command.RW|command.Access|command.Delete),
	Run:     spop,
})

// spop is journalled as the removal of the member that chance chose.
func spop(c *command.Ctx) error {
	switch len(c.Args) {
	case 2:
	case 3:
		return popMany(c)
	default:
		return resp.ErrSyntax
	}
	key := c.Args[1]
	s, ok, err := edit(c, key)
	if err != nil {
		return err
	}
	if !ok {
		c.Out.Null()
		return nil
	}
	j := popped{c: c, key: key}
	text, v := s.Random(rand.Uint64)
	c.Out.Element(text, v)
	j.note(text, v)
	if _, err = s.RemoveMember(text, v); err != nil {
		edited(c, key, &s, 0)
		return err
	}
	j.end()
	edited(c, key, &s, 1)
	return nil
}

// popMany has three ways, as Redis: all members go, and the key; few go, one after another;
// or so many that it costs less to choose those that stay.
func popMany(c *command.Ctx) error {
	key := c.Args[1]
	count, ok := numtext.ParseInt(c.Args[2])
	if !ok || count < 0 {
		return resp.ErrNotPositive
	}
	s, ok, err := edit(c, key)
	if err != nil {
		return err
	}
	if !ok || count == 0 {
		c.Out.Set(0)
		return nil
	}
	n := s.Len()
	if count >= int64(n) {
		all(c, &s)
		c.DB.Delete(key)
		c.DB.MarkDirty(n - 1)
		if c.Journaling() {
			c.JournalAs(wordDel, key)
		}
		return nil
	}
	j := popped{c: c, key: key}
	if stay := n - int(count); s.Encoding() == record.Rooted && stay*manyFactor <= int(count) {
		if err := j.popAllBut(&s, stay); err != nil {
			return err
		}
		n = int(count)
	} else {
		n = j.pop(&s, int(count))
	}
	j.end()
	edited(c, key, &s, n)
	if n == 0 {
		return resp.ErrOOM
	}
	return nil
}

// manyFactor is how many members must go for one that stays to make those that stay a new
// set. It is Redis's figure.
const manyFactor = 5

// popped collects the members that go for the journal.
type popped struct {
	c    *command.Ctx
	key  []byte
	args [][]byte   // of the SREM that is being made
	full [][][]byte // those before it
	page []byte
}

const (
	// sremMembers is the most members of one journalled SREM, Redis's figure since 7.2;
	// before, it journalled each by itself.
	sremMembers = 1024

	// sremPage is the size in bytes of the memory that members are copied to.
	sremPage = 4 << 10
)

// note notes a member, if anybody reads the journal. It is copied, since it is about to go.
func (j *popped) note(text []byte, v int64) {
	if !j.c.Journaling() {
		return
	}
	if len(j.args) == 2+sremMembers {
		j.full, j.args = append(j.full, j.args), nil
	}
	if j.args == nil {
		j.args = append(make([][]byte, 0, 3), wordSRem, j.key)
	}
	if need := max(len(text), numtext.MaxIntLen); cap(j.page)-len(j.page) < need {
		size := sremPage
		if len(j.args) == 2 { // likely the only one
			size = need
		}
		j.page = make([]byte, 0, max(size, need))
	}
	from := len(j.page)
	if text == nil {
		j.page = numtext.AppendInt(j.page, v)
	} else {
		j.page = append(j.page, text...)
	}
	j.args = append(j.args, j.page[from:len(j.page):len(j.page)])
}

// end journals what was noted.
func (j *popped) end() {
	for _, args := range j.full {
		j.c.JournalAs(args...)
	}
	if len(j.args) > 0 {
		j.c.JournalAs(j.args...)
	}
}

// pop removes n members and replies with them. While a snapshot reads the set there may be
// no memory to go on: then they are fewer.
func (j *popped) pop(s *value.Set, n int) int {
	out := j.c.Out
	take := func(text []byte, v int64) {
		out.Element(text, v)
		j.note(text, v)
	}
	if s.IsFrozen() {
		list := out.SetLater()
		n = s.Pop(n, rand.Uint64, take)
		out.End(list, n)
		return n
	}
	out.Set(n)
	return s.Pop(n, rand.Uint64, take)
}

// popAllBut removes all but so many members of a big set, and replies with them.
func (j *popped) popAllBut(s *value.Set, stay int) (err error) {
	var room [looseRoom]byte
	rest := value.LooseSet(&s.Cell, record.Packed, room[:])
	left := s.Len()
	j.c.Out.Set(left - stay)
	s.Each(func(text []byte, v int64) bool {
		if rand.Uint64()%uint64(left) < uint64(stay) {
			_, err = rest.AddMember(text, v)
			stay--
		} else {
			j.c.Out.Element(text, v)
			j.note(text, v)
		}
		left--
		return err == nil
	})
	if err == nil {
		err = s.Become(&rest)
	}
	if err != nil {
		rest.Free()
	}
	return err
}
