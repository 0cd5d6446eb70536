package setcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/value"
)

// fewSets is how many sets a command combines without memory of its own.
const fewSets = 8

// openAll appends the sets of keys to dst, and says how many keys are missing.
func openAll(c *command.Ctx, keys [][]byte, dst []value.Set) (sets []value.Set, missing int, err error) {
	sets = dst
	for _, key := range keys {
		s, ok, err := open(c, key)
		if err != nil {
			return nil, 0, err
		}
		if ok {
			sets = append(sets, s)
		} else {
			missing++
		}
	}
	return sets, missing, nil
}

// smallest and largest order sets by their size.
func smallest(a, b value.Set) int { return a.Len() - b.Len() }
func largest(a, b value.Set) int  { return b.Len() - a.Len() }

// inAll says whether a member of one of the sets is in all the others.
func inAll(m *value.Member, of *value.Set, others []value.Set) bool {
	for i := range others {
		if !others[i].IsSame(of) && !others[i].HasMember(m) {
			return false
		}
	}
	return true
}

// inAny says whether one of the sets has a member.
func inAny(m *value.Member, sets []value.Set) bool {
	for i := range sets {
		if sets[i].HasMember(m) {
			return true
		}
	}
	return false
}

// isAmong says whether a set is one of some others.
func isAmong(s *value.Set, sets []value.Set) bool {
	for i := range sets {
		if sets[i].IsSame(s) {
			return true
		}
	}
	return false
}

// distinct moves the sets that are named several times to one place each.
func distinct(sets []value.Set) []value.Set {
	n := 0
	for i := range sets {
		if !isAmong(&sets[i], sets[:n]) {
			sets[n] = sets[i]
			n++
		}
	}
	return sets[:n]
}

func total(sets []value.Set) (n int) {
	for i := range sets {
		n += sets[i].Len()
	}
	return n
}
