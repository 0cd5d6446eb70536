package stream

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/leaf"
	"github.com/spineldb/spinel/internal/mem"
)

// A model is a stream too simple to be wrong.
type model struct {
	ids        []ID
	texts      map[ID]string
	last       ID
	maxDeleted ID
	groups     map[string]*modelGroup
}

type modelGroup struct {
	last      ID
	pending   map[ID]modelPending
	consumers map[string][2]int64 // times seen and active
}

type modelPending struct {
	delivered  int64
	deliveries uint64
	consumer   string // "" for nobody
}

func (m *model) isReferenced(id ID) bool {
	for _, g := range m.groups {
		if _, pending := g.pending[id]; pending || g.last.Less(id) {
			return true
		}
	}
	return false
}

// remove deletes entry i unless refs forbid it.
func (m *model) remove(i int, refs Refs) bool {
	id := m.ids[i]
	if refs == Acked && m.isReferenced(id) {
		return false
	}
	if refs == DelRef {
		for _, g := range m.groups {
			delete(g.pending, id)
		}
	}
	m.ids = slices.Delete(m.ids, i, i+1)
	delete(m.texts, id)
	return true
}

// trim is an exact trim.
func (m *model) trim(t Trim) (deleted int64) {
	holes := false
	for i := 0; i < len(m.ids); {
		id := m.ids[i]
		if t.ByID && !id.Less(t.MinID) || !t.ByID && uint64(len(m.ids)) <= t.MaxLen {
			break
		}
		if !m.remove(i, t.Refs) {
			i++
			holes = true
			continue
		}
		deleted++
		if holes && m.maxDeleted.Less(id) {
			m.maxDeleted = id
		}
	}
	return deleted
}

// A world is a stream, its model, and what a snapshot has frozen of it.
type world struct {
	t     *testing.T
	h     leaf.Heap
	s     Stream
	m     model
	epoch uint16

	frozen   []frozenLeaf
	rest     *Rest
	restGot  strings.Builder
	restWant string
}

type frozenLeaf struct {
	ref  mem.Ref
	text string
}

func readNode(a *mem.Arena, ref mem.Ref) string {
	n := NodeAt(a, ref)
	text := fmt.Sprintf("%v %x", n.Master, n.List)
	for it := RangeNode(a, ref); it.Next(); {
		text += fmt.Sprint(it.ID())
		for f, v, ok := it.NextPair(); ok; f, v, ok = it.NextPair() {
			text += fmt.Sprint(f, v)
		}
	}
	return text
}

// groupsText is all that the groups have, found through their iterators: each consumer with
// what it owns, in the order of their numbers.
func groupsText(a *mem.Arena, s *Stream) string {
	var text strings.Builder
	var root [Size]byte
	s.Store(root[:])
	fmt.Fprintf(&text, "%x\n", root)
	for it := s.EachGroup(a); it.Next(); {
		g := it.Group()
		figures := GroupFigures{g.Reads, uint64(g.PendingCount()), uint64(g.Consumers())}
		fmt.Fprintf(&text, "group %s %v %v\n", it.Name(), g.Last, figures)
		for p := g.Pending(a, ID{}); p.Next(); {
			fmt.Fprintf(&text, "pending %v\n", p.Pending)
		}
		fmt.Fprintf(&text, "consumers %v\n", figures)
		var all []Consumer
		for c := g.EachConsumer(a); c.Next(); {
			all = append(all, c.Consumer())
		}
		slices.SortFunc(all, func(x, y Consumer) int { return cmp.Compare(x.Number, y.Number) })
		for _, c := range all {
			fmt.Fprintf(&text, "consumer %s %d %d %d\n", c.Name, c.Seen, c.Active, c.Pending)
			for p := g.OwnedIDs(a, c.Number); p.Next(); {
				fmt.Fprintf(&text, "owned %v\n", p.ID)
			}
		}
	}
	return text.String()
}

// readRest reads some of what is frozen beside the nodes.
func (w *world) readRest(n int) {
	for ; n > 0 && w.rest != nil; n-- {
		more := w.rest.Next(w.h, func(part Part, name []byte, id ID, figures []byte) {
			switch part {
			case PartFigures:
				fmt.Fprintf(&w.restGot, "%x\n", figures)
			case PartGroup:
				fmt.Fprintf(&w.restGot, "group %s %v %v\n", name, id, GroupOf(figures))
			case PartPending:
				fmt.Fprintf(&w.restGot, "pending %v\n", PendingOf(id, figures))
			case PartConsumers:
				fmt.Fprintf(&w.restGot, "consumers %v\n", GroupOf(figures))
			case PartConsumer:
				c := ConsumerOf(name, figures)
				fmt.Fprintf(&w.restGot, "consumer %s %d %d %d\n", c.Name, c.Seen, c.Active, c.Pending)
			case PartOwned:
				fmt.Fprintf(&w.restGot, "owned %v\n", id)
			}
		})
		if !more {
			if w.rest = nil; w.restGot.String() != w.restWant {
				w.t.Fatalf("the groups were\n%s, are\n%s", w.restWant, w.restGot.String())
			}
		}
	}
}

func (w *world) freeze() {
	if w.h.Epoch != 0 {
		return
	}
	for _, ref := range w.s.AppendLeaves(w.h.Arena, nil) {
		w.frozen = append(w.frozen, frozenLeaf{ref, readNode(w.h.Arena, ref)})
	}
	w.rest, w.restWant = w.s.Freeze(w.h.Arena), groupsText(w.h.Arena, &w.s)
	w.restGot.Reset()
	w.epoch++
	w.h.Epoch = w.epoch
}

// thaw reads about so many leaves, or gives them up, and ends the snapshot with the last.
func (w *world) thaw(n int, read bool) {
	k := min(n, len(w.frozen))
	for _, f := range w.frozen[:k] {
		if got := readNode(w.h.Arena, f.ref); got != f.text {
			w.t.Fatalf("a frozen leaf was %s, is %s", f.text, got)
		}
		w.h.Thaw(f.ref)
	}
	w.frozen = w.frozen[k:]
	if n -= k; read {
		w.readRest(n)
	} else if w.rest != nil && n > 0 {
		for w.rest.Drop(w.h) {
			continue
		}
		w.rest = nil
	}
	if len(w.frozen) == 0 && w.rest == nil {
		w.h.Epoch = 0
	}
}

func (w *world) append(b [3]byte) {
	id := w.m.last
	id.Ms += uint64(b[0] % 3)
	id.Seq += uint64(b[0]) * uint64(b[0])
	id, _ = id.Next()
	if b[0]%7 == 0 {
		id = ID{id.Ms + 1, uint64(b[0] % 5)} // below the master's number, if it is of the same time
	}
	text := strings.Repeat("f v ", 1+int(b[1]%2)) + fmt.Sprintf("%c %d", 'a'+b[1]%3, int64(b[2])<<(b[1]%50))
	limits := Limits{NodeEntries: 1 + int(b[2]%5), NodeBytes: 50 * int(b[1]%8)}
	mustAppend(w.t, w.h, &w.s, limits, id, text)
	w.m.ids = append(w.m.ids, id)
	w.m.texts[id] = text
	w.m.last = id
}

func (w *world) delete(b [3]byte) {
	id, i := ID{uint64(b[0]), uint64(b[1])}, -1
	if len(w.m.ids) > 0 && b[0] < 240 {
		i = int(b[0]) % len(w.m.ids)
		id = w.m.ids[i]
	} else if slices.Contains(w.m.ids, id) {
		return
	}
	refs := Refs(b[2] % 3)
	want := NotFound
	if i >= 0 {
		want = Referenced
		if w.m.remove(i, refs) {
			want = Deleted
			if w.m.maxDeleted.Less(id) {
				w.m.maxDeleted = id
			}
		}
	}
	if got, err := w.s.Delete(w.h, id, refs); got != want || err != nil {
		w.t.Fatalf("Delete(%v, %d) = %d, %v, want %d", id, refs, got, err, want)
	}
}

func (w *world) trim(b [3]byte) {
	t := Trim{ByID: b[0]&1 != 0, Approx: b[0]&2 != 0, Refs: Refs(b[0] >> 2 % 3)}
	if n := len(w.m.ids); n > 0 {
		t.MinID = w.m.ids[int(b[1])%n]
		t.MaxLen = uint64(int(b[1]) % (n + 1))
	}
	if t.Approx {
		t.Limit = int64(b[2] % 16)
	}
	got, err := w.s.Trim(w.h, t)
	if err != nil {
		w.t.Fatal(err)
	}
	if !t.Approx {
		if want := w.m.trim(t); got != want {
			w.t.Fatalf("%+v trimmed %d, want %d", t, got, want)
		}
		return
	}
	// What goes depends on nodes, which the model has not. It goes by what is left, if
	// that is no less than an exact trim would leave.
	var left []ID
	for it := w.s.Range(w.h.Arena, ID{}, MaxID, false); it.Next(); {
		left = append(left, it.ID())
	}
	for i := len(w.m.ids) - 1; i >= 0; i-- {
		if id := w.m.ids[i]; !slices.Contains(left, id) {
			if t.ByID && !id.Less(t.MinID) || !w.m.remove(i, t.Refs) {
				w.t.Fatalf("%+v trimmed %v", t, id)
			}
			got--
		}
	}
	if got != 0 || !t.ByID && uint64(len(left)) < min(t.MaxLen, uint64(len(w.m.ids))) {
		w.t.Fatalf("%+v left %d", t, len(left))
	}
	w.m.maxDeleted = w.s.MaxDeleted
}

func groupName(b byte) string { return "g" + strings.Repeat("x", int(b%3)*70) }

func consumerName(b byte) string { return fmt.Sprint("c", b%16, strings.Repeat("y", int(b%2)*130)) }

func (w *world) group(b byte) (Group, *modelGroup) {
	name := groupName(b)
	g, ok := w.s.Group(w.h.Arena, []byte(name))
	mg := w.m.groups[name]
	if ok != (mg != nil) {
		w.t.Fatalf("group %q is there: %v", name, ok)
	}
	return g, mg
}

func (w *world) changeGroups(b [3]byte) {
	g, mg := w.group(b[0])
	name := groupName(b[0])
	last := ID{uint64(b[2]) << (b[1] % 8), 0}
	switch {
	case mg == nil:
		if _, created, err := w.s.CreateGroup(w.h, []byte(name), last, 0); !created || err != nil {
			w.t.Fatal(created, err)
		}
		w.m.groups[name] = &modelGroup{last, map[ID]modelPending{}, map[string][2]int64{}}
	case b[1]%8 == 0:
		if !w.s.DestroyGroup(w.h, []byte(name)) {
			w.t.Fatal("no group", name)
		}
		delete(w.m.groups, name)
	case b[1]%8 == 1:
		if _, created, err := w.s.CreateGroup(w.h, []byte(name), last, 0); created || err != nil {
			w.t.Fatal(created, err)
		}
	default:
		g.SetID(w.h.Arena, last, UnknownReads)
		mg.last = last
		if err := g.KeepTimes(w.h); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) changeConsumers(b [3]byte) {
	g, mg := w.group(b[0])
	if mg == nil {
		return
	}
	name := consumerName(b[1])
	times, there := mg.consumers[name]
	if b[2]%4 == 0 {
		want := int64(0)
		for id, p := range mg.pending {
			if there && p.consumer == name {
				delete(mg.pending, id)
				want++
			}
		}
		got, existed, err := g.DeleteConsumer(w.h, []byte(name))
		if got != want || existed != there || err != nil {
			w.t.Fatalf("DeleteConsumer(%s) = %d, %v, %v, want %d, %v", name, got, existed, err, want, there)
		}
		delete(mg.consumers, name)
		return
	}
	c, created, err := g.CreateConsumer(w.h, []byte(name), 5, -1)
	if created == there || err != nil || string(c.Name) != name {
		w.t.Fatal(created, there, err)
	}
	if created {
		times = [2]int64{5, -1}
	}
	if b[2]%4 == 1 {
		times = [2]int64{int64(b[2]), int64(b[1])}
		if err := g.SetTimes(w.h, c, times[0], times[1]); err != nil {
			w.t.Fatal(err)
		}
	}
	mg.consumers[name] = times
}

func (w *world) changePending(b [3]byte) {
	g, mg := w.group(b[0])
	if mg == nil {
		return
	}
	id := ID{uint64(b[1] % 64), 0}
	if n := len(w.m.ids); n > 0 && b[1]&1 != 0 {
		id = w.m.ids[int(b[1])%n]
	}
	_, there := mg.pending[id]
	if b[2]%4 == 0 {
		if ok, err := g.Ack(w.h, id); ok != there || err != nil {
			w.t.Fatal(ok, there, err)
		}
		delete(mg.pending, id)
		return
	}
	name := consumerName(b[2])
	p := Pending{ID: id, Delivered: int64(b[0]), Deliveries: uint64(b[1]), Consumer: Nobody}
	if c, ok := g.Consumer(w.h.Arena, []byte(name)); ok && b[2]%4 != 1 {
		p.Consumer = c.Number
	} else {
		name = ""
	}
	if added, err := g.Put(w.h, p); added == there || err != nil {
		w.t.Fatal(added, there, err)
	}
	mg.pending[id] = modelPending{p.Delivered, p.Deliveries, name}
}

// compare compares everything that can be read with the model.
func (w *world) compare() {
	var want []string
	for _, id := range w.m.ids {
		want = append(want, string(id.AppendTo(nil))+" "+w.m.texts[id])
	}
	if got := contents(w.h.Arena, &w.s, ID{}, MaxID, false); got != strings.Join(want, ", ") {
		w.t.Fatalf("the stream is\n%s, not\n%s", got, strings.Join(want, ", "))
	}
	slices.Reverse(want)
	if got := contents(w.h.Arena, &w.s, ID{}, MaxID, true); got != strings.Join(want, ", ") {
		w.t.Fatalf("backward it is\n%s, not\n%s", got, strings.Join(want, ", "))
	}
	w.compareCounts()
	if w.s.Last != w.m.last || w.s.MaxDeleted != w.m.maxDeleted || w.s.Groups() != int64(len(w.m.groups)) {
		w.t.Fatalf("last %v, deleted %v, not %v, %v", w.s.Last, w.s.MaxDeleted, w.m.last, w.m.maxDeleted)
	}
	for b := range byte(3) {
		if g, mg := w.group(b); mg != nil {
			w.compareGroup(&g, mg)
		}
	}
}

// compareCounts counts what lies between every few IDs, and around them.
func (w *world) compareCounts() {
	n := len(w.m.ids)
	step := 1 + n/6
	for i := 0; i < n; i += step {
		for j := 0; j < n; j += step {
			from, to := w.m.ids[i], w.m.ids[j]
			want := int64(max(j-i+1, 0))
			if got := w.s.Count(w.h.Arena, from, to, math.MaxInt64); got != want {
				w.t.Fatalf("%d entries from %v to %v, not %d", got, from, to, want)
			}
			if got := w.s.Count(w.h.Arena, from, to, 3); got != min(want, 3) {
				w.t.Fatalf("%d entries from %v to %v, not %d", got, from, to, min(want, 3))
			}
			if next, ok := from.Next(); ok && j >= i {
				if got := w.s.Count(w.h.Arena, next, MaxID, math.MaxInt64); got != int64(n-i-1) {
					w.t.Fatalf("%d entries behind %v, not %d", got, from, n-i-1)
				}
			}
		}
	}
	if got := w.s.Count(w.h.Arena, ID{}, MaxID, math.MaxInt64); got != int64(n) {
		w.t.Fatalf("%d entries, not %d", got, n)
	}
}

func (w *world) compareGroup(g *Group, mg *modelGroup) {
	a := w.h.Arena
	pending := map[ID]modelPending{}
	owned := map[string]int{}
	for p := g.Pending(a, ID{}); p.Next(); {
		c, _ := g.ConsumerAt(a, p.Consumer)
		pending[p.ID] = modelPending{p.Delivered, p.Deliveries, string(c.Name)}
		owned[string(c.Name)]++
	}
	if !maps.Equal(pending, mg.pending) || g.PendingCount() != int64(len(pending)) || g.Last != mg.last {
		w.t.Fatalf("pending are %v, not %v", pending, mg.pending)
	}
	w.compareTimes(g, mg)
	if got := g.UnownedCount(a); got != int64(owned[""]) {
		w.t.Fatalf("%d are of nobody, not %d", got, owned[""])
	}
	consumers := map[string][2]int64{}
	for it := g.EachConsumer(a); it.Next(); {
		c := it.Consumer()
		consumers[string(c.Name)] = [2]int64{c.Seen, c.Active}
		last := ID{}
		n := 0
		ids := g.OwnedIDs(a, c.Number)
		for p := g.Owned(a, c.Number, ID{}); p.Next(); n++ {
			if !ids.Next() || ids.ID != p.ID {
				w.t.Fatalf("%v is called %v", p, ids.ID)
			}
			if n > 0 && !last.Less(p.ID) || p.Consumer != c.Number {
				w.t.Fatalf("%v behind %v", p, last)
			}
			last = p.ID
		}
		if n != owned[string(c.Name)] || int(c.Pending) != n {
			w.t.Fatalf("%q has %d, counts %d", c.Name, n, c.Pending)
		}
	}
	if !maps.Equal(consumers, mg.consumers) {
		w.t.Fatalf("consumers are %v, not %v", consumers, mg.consumers)
	}
}

func (w *world) compareTimes(g *Group, mg *modelGroup) {
	if !g.timed {
		return
	}
	var want []ID
	for id, p := range mg.pending {
		if p.delivered <= 150 {
			want = append(want, id)
		}
	}
	slices.SortFunc(want, func(x, y ID) int {
		return cmp.Or(cmp.Compare(mg.pending[x].delivered, mg.pending[y].delivered), x.Compare(y))
	})
	if got := g.AppendIdle(w.h.Arena, nil, 150, math.MaxInt64); !slices.Equal(got, want) {
		w.t.Fatalf("delivered before 151 were %v, not %v", got, want)
	}
	n := min(2, len(want))
	if got := g.AppendIdle(w.h.Arena, nil, 150, 2); !slices.Equal(got, want[:n]) {
		w.t.Fatalf("the first two of %v are %v", want, got)
	}
	at, ok := g.Oldest(w.h.Arena)
	if ok != (len(mg.pending) > 0) || n > 0 && at != mg.pending[want[0]].delivered {
		w.t.Fatalf("the oldest was delivered at %d, %v", at, ok)
	}
}

func runModel(t *testing.T, program []byte) {
	w := &world{t: t, h: newHeap(t, 1<<26), s: New()}
	w.m = model{texts: map[ID]string{}, groups: map[string]*modelGroup{}}
	var root [Size]byte
	for steps := 0; len(program) >= 4; steps++ {
		step := program[:4]
		program = program[4:]
		b := [3]byte(step[1:])
		switch step[0] % 16 {
		case 0, 1, 2, 3:
			w.append(b)
		case 4, 5:
			w.delete(b)
		case 6:
			w.trim(b)
		case 7:
			w.changeGroups(b)
		case 8, 9:
			w.changeConsumers(b)
		case 10, 11, 12, 13:
			w.changePending(b)
		case 14:
			w.freeze()
		default:
			w.thaw(1+int(b[0]%4), b[1]%8 > 0)
		}
		w.s.Store(root[:])
		w.s = Load(root[:])
		mustCheck(t, w.h, &w.s)
		if steps%4 == 0 || len(program) < 4 {
			w.compare()
		}
	}
	if got, all := w.s.MemoryBytes(w.h.Arena, 0), w.h.Live(); got > all {
		t.Fatalf("%d bytes of %d", got, all)
	}
	w.clone(1 + int(w.s.Length)*40)
	for !w.s.FreeSome(w.h, 2) { // with leaves frozen still
		w.s.Store(root[:])
		w.s = Load(root[:])
	}
	w.thaw(math.MaxInt, true)
	if w.h.Live() != 0 {
		t.Fatalf("%d bytes leaked", w.h.Live())
	}
}

// FuzzAgainstModel replays a byte string as operations on a stream and on maps and
// slices, and stops at the first difference; a snapshot freezes and thaws meanwhile.
//
// Each operation is four bytes: a verb and three operands.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte("\x00aaa\x00bbb\x07\x00\x01\x01\x08\x00\x01\x02" + // two entries, a group, a consumer,
		"\x0a\x00\x01\x02\x0e\x00\x00\x00\x04\x00\x00\x00")) // a pending one; frozen, then changed
	for seed := range uint64(4) {
		f.Add(randomProgram(seed, 250))
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 1024 {
			return
		}
		runModel(t, program)
	})
}

// randomProgram is a program of so many steps.
func randomProgram(seed uint64, steps int) []byte {
	program := make([]byte, 4*steps)
	x := seed*0x9e3779b97f4a7c15 + 1
	for i := range program {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		program[i] = byte(x >> 32)
	}
	return program
}

func TestModel(t *testing.T) {
	for seed := range uint64(30) {
		runModel(t, randomProgram(seed+100, 250))
	}
}
