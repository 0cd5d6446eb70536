package cmdtest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/hash"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/value"
)

// Contents are what all databases hold: by the number of a database and a key, a text of
// everything that a client could find out about it, also what has expired and is still there.
// Not in it are encodings, when a key was last used, and when a consumer was seen.
type Contents map[string]string

// Contents copies what a DB holds.
func (db *DB) Contents() (all Contents) {
	db.Keyspace.Exclusive(nil, func() { all = ContentsOf(db.Keyspace) })
	return all
}

// ContentsOf copies what a keyspace holds. It is called in exclusive mode.
func ContentsOf(ks *keyspace.Keyspace) Contents {
	all, t := Contents{}, ks.NewTxn()
	t.Adopt()
	for db := range ks.Databases() {
		t.Begin(db, 0) // at time 0 nothing has expired
		t.Each(db, func(key []byte, v keyspace.Value) bool {
			all[fmt.Sprintf("%d %q", db, key)] = textOf(v)
			return true
		})
	}
	t.Disown()
	return all
}

// longString is from how many bytes on a string is not shown as a whole.
const longString = 256

// textOf is what a key holds, without the order of what has none.
func textOf(v keyspace.Value) string {
	head := fmt.Sprintf("type %d", v.Type())
	if v.HasExpiry() {
		head += fmt.Sprint(" until ", v.Expiry())
	}
	cell := v.Cell()
	var lines []string
	var name, text [20]byte
	switch v.Type() {
	case record.String:
		s, err := v.Str()
		if err != nil {
			return err.Error()
		}
		b := s.Bytes(&name)
		if len(b) > longString {
			return fmt.Sprintf("%s %q and %d bytes, sum %016x", head, b[:longString], len(b), hash.CRC64(0, b))
		}
		return fmt.Sprintf("%s %q", head, b)
	case record.Stream:
		return head + "\n" + streamText(&cell)
	case record.List:
		value.Each(&cell, func(e *value.Element) { lines = append(lines, fmt.Sprintf("%q", e.Name.Text(&name))) })
	default:
		value.Each(&cell, func(e *value.Element) {
			line := fmt.Sprintf("%q %q %x", e.Name.Text(&name), e.Value.Text(&text), math.Float64bits(e.Score))
			if e.Expiry > 0 {
				line += fmt.Sprint(" until ", e.Expiry)
			}
			lines = append(lines, line)
		})
		slices.Sort(lines)
	}
	return head + "\n" + strings.Join(lines, "\n")
}

func streamText(c *value.Cell) string {
	var b strings.Builder
	var name, text [20]byte
	s, a := value.StreamIn(c), c.Arena
	fmt.Fprintln(&b, s.S.Length, s.S.Added, s.S.Last, s.S.First, s.S.MaxDeleted)
	for it := s.S.Range(a, stream.ID{}, stream.MaxID, false); it.Next(); {
		fmt.Fprint(&b, it.ID())
		for field, v, ok := it.NextPair(); ok; field, v, ok = it.NextPair() {
			fmt.Fprintf(&b, " %q %q", field.Text(&name), v.Text(&text))
		}
		fmt.Fprintln(&b)
	}
	for groups := s.S.EachGroup(a); groups.Next(); {
		g := groups.Group()
		fmt.Fprintf(&b, "group %q %v %d\n", groups.Name(), g.Last, g.Reads)
		var names []string
		for it := g.EachConsumer(a); it.Next(); {
			names = append(names, fmt.Sprintf("consumer %q", it.Consumer().Name))
		}
		slices.Sort(names)
		fmt.Fprintln(&b, strings.Join(names, "\n"))
		for it := g.Pending(a, stream.ID{}); it.Next(); {
			owner, _ := g.ConsumerAt(a, it.Pending.Consumer)
			dead := ""
			if !s.S.Has(a, it.ID) {
				dead = deadMark
			}
			fmt.Fprintf(&b, "pending %v %d %d %q%s\n", it.ID, it.Delivered, it.Deliveries, owner.Name, dead)
		}
	}
	return b.String()
}

// deadMark stands behind a pending entry that the stream does not have any more.
const deadMark = " deleted"

// WithoutDead leaves out pending entries that their streams do not have any more, which
// commands cannot make.
func (c Contents) WithoutDead() Contents {
	for key, text := range c {
		if !strings.Contains(text, deadMark+"\n") {
			continue
		}
		lines := strings.SplitAfter(text, "\n")
		lines = slices.DeleteFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, "pending ") && strings.HasSuffix(line, deadMark+"\n")
		})
		c[key] = strings.Join(lines, "")
	}
	return c
}

// differencesMax is how many keys Diff tells about.
const differencesMax = 4

// Diff says how contents differ from those that are wanted, nothing if they do not.
func (c Contents) Diff(want Contents) string {
	var b strings.Builder
	var keys []string
	for key := range want {
		if text, ok := c[key]; !ok || text != want[key] {
			keys = append(keys, key)
		}
	}
	for key := range c {
		if _, ok := want[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys[:min(len(keys), differencesMax)] {
		got, wanted := firstDifference(c[key], want[key])
		fmt.Fprintf(&b, "\nkey %.80s:\n got %.300s\nwant %.300s", key, got, wanted)
	}
	if len(keys) > differencesMax {
		fmt.Fprintf(&b, "\nand %d other keys", len(keys)-differencesMax)
	}
	return b.String()
}

// firstDifference is the first line that differs, in both.
func firstDifference(got, want string) (g, w string) {
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(gots), len(wants)) {
		g, w = "nothing", "nothing"
		if i < len(gots) {
			g = gots[i]
		}
		if i < len(wants) {
			w = wants[i]
		}
		if g != w {
			break
		}
	}
	return g, w
}
