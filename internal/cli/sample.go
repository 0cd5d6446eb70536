package cli

import (
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/spineldb/spinel/internal/client"
)

// A keyType is what is known of the keys of a type.
type keyType struct {
	name string
	size string // the command that tells a key's size
	unit string

	keys    int64
	total   int64 // of all sizes
	biggest int64
	key     string // the biggest
	found   bool
}

func keyTypes() []*keyType {
	return []*keyType{
		{name: "list", size: "LLEN", unit: "items"}, {name: "hash", size: "HLEN", unit: "fields"},
		{name: "string", size: "STRLEN", unit: "bytes"}, {name: "stream", size: "XLEN", unit: "entries"},
		{name: "set", size: "SCARD", unit: "members"}, {name: "zset", size: "ZCARD", unit: "members"},
	}
}

// A sampling is a walk over all keys that looks at each.
type sampling struct {
	s       *session
	types   []*keyType
	total   int64 // keys in the database when it began
	sampled int64
	names   int64 // bytes of their names
	over    *atomic.Bool
}

const samplingText = `
# Scanning the entire keyspace to find %s keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).

`

// samplingPause is after how many calls of SCAN the interval is waited for.
const samplingPause = 100

// each calls look with the keys of each call of SCAN, until there are no more or the user
// wants to know.
func (m *sampling) each(what string, look func(keys []client.Reply) error) error {
	reply, err := m.s.ask("DBSIZE")
	switch {
	case err != nil:
		return err
	case reply.IsError():
		m.s.complain("Couldn't determine DBSIZE: %s", appendVisible(nil, reply.Text))
		return errFailed
	}
	m.total = reply.Int
	if err := m.s.print(fmt.Appendf(nil, samplingText, what)); err != nil {
		return err
	}
	var stop func()
	m.over, stop = untilInterrupt()
	defer stop()
	for c := (scanner{s: m.s}); ; {
		keys, done, err := c.next()
		if err != nil {
			return err
		}
		if err := look(keys); err != nil {
			return err
		}
		m.sampled += int64(len(keys))
		if done || m.over.Load() {
			return nil
		}
		if m.s.opts.interval > 0 && c.calls%samplingPause == 0 {
			m.s.sleep(m.s.opts.interval)
		}
	}
}

// part is how much has been looked at, in per cent.
func (m *sampling) part() float64 { return share(m.sampled, m.total) }

func share(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

func average(total, n int64) float64 {
	if n == 0 {
		return 0
	}
	return float64(total) / float64(n)
}

// quoted is a key as it is shown: what it has of control bytes is escaped.
func quoted(key string) string { return string(appendQuoted(nil, key)) }

// bigKeys looks for the biggest key of each type: by the number of elements, or by the bytes
// that they take.
func (p *Program) bigKeys(s *session) error {
	m := &sampling{s: s, types: keyTypes()}
	if err := m.each("biggest", m.lookAtSizes); err != nil {
		return err
	}
	return m.summarize()
}

// usesMemory says whether sizes are bytes of memory.
func (m *sampling) usesMemory() bool { return !m.s.opts.modes.bigKeys }

func (m *sampling) unit(t *keyType) string {
	if m.usesMemory() {
		return "bytes"
	}
	return t.unit
}

// lookAtSizes asks for the types and then for the sizes of some keys.
func (m *sampling) lookAtSizes(keys []client.Reply) error {
	commands := make([][]string, len(keys))
	for i, key := range keys {
		commands[i] = []string{"TYPE", key.Text}
	}
	types, err := m.s.askAll(commands)
	if err != nil {
		return err
	}
	var asked []int // the keys whose sizes are asked for
	commands = commands[:0]
	for i, reply := range types {
		if reply.IsError() {
			m.s.complain("TYPE returned an error: %s", appendVisible(nil, reply.Text))
			return errFailed
		}
		if args := m.sizeOf(m.typeOf(reply.Text), keys[i].Text); args != nil {
			asked, commands = append(asked, i), append(commands, args)
		}
	}
	replies, err := m.s.askAll(commands)
	if err != nil {
		return err
	}
	sizes := make([]int64, len(keys))
	for n, i := range asked {
		if sizes[i] = replies[n].Int; replies[n].IsError() {
			m.s.complain("Warning:  %s on %s failed (may have changed type)", commands[n][0], quoted(keys[i].Text))
		}
	}
	var text []byte
	for i, key := range keys {
		if t := m.typeOf(types[i].Text); t != nil {
			text = m.note(text, t, key.Text, sizes[i])
		}
	}
	return m.s.print(text)
}

// typeOf is the type of a name. It is nil for a key that is gone; types that we do not know,
// which modules make, are met as they come.
func (m *sampling) typeOf(name string) *keyType {
	if name == "none" {
		return nil
	}
	for _, t := range m.types {
		if t.name == name {
			return t
		}
	}
	t := &keyType{name: name, unit: "?"}
	m.types = append(m.types, t)
	return t
}

// sizeOf is the command that tells a key's size, nil if there is none.
func (m *sampling) sizeOf(t *keyType, key string) []string {
	switch samples := m.s.opts.modes.memSamples; {
	case t == nil:
		return nil
	case m.usesMemory() && samples >= 0:
		return []string{"MEMORY", "USAGE", key, "SAMPLES", strconv.Itoa(samples)}
	case m.usesMemory():
		return []string{"MEMORY", "USAGE", key}
	case t.size == "":
		return nil
	}
	return []string{t.size, key}
}

// note counts a key, and appends a line if there was none so big.
func (m *sampling) note(dst []byte, t *keyType, key string, size int64) []byte {
	t.keys++
	t.total += size
	m.names += int64(len(key))
	if size <= t.biggest {
		return dst
	}
	t.biggest, t.key, t.found = size, quoted(key), true
	return fmt.Appendf(dst, "[%05.2f%%] Biggest %-6s found so far '%s' with %d %s\n",
		m.part(), t.name, t.key, size, m.unit(t))
}

func (m *sampling) summarize() error {
	text := fmt.Appendf(nil, "\n-------- summary -------\n\nSampled %d keys in the keyspace!\n"+
		"Total key length in bytes is %d (avg len %.2f)\n\n", m.sampled, m.names, average(m.names, m.sampled))
	for _, t := range m.types {
		if t.found {
			text = fmt.Appendf(text, "Biggest %6s found '%s' has %d %s\n", t.name, t.key, t.biggest, m.unit(t))
		}
	}
	text = append(text, '\n')
	for _, t := range m.types {
		text = fmt.Appendf(text, "%d %ss with %d %s (%05.2f%% of keys, avg size %.2f)\n",
			t.keys, t.name, t.total, m.unit(t), share(t.keys, m.sampled), average(t.total, t.keys))
	}
	return m.s.print(text)
}

// hotKeysShown is how many of the most used keys are shown.
const hotKeysShown = 16

type hotKey struct {
	name    string
	counter int64
}

// hotKeys looks for the keys that are used most, by the counters of the LFU policies.
func (p *Program) hotKeys(s *session) error {
	m := &sampling{s: s}
	var hot []hotKey
	err := m.each("hot", func(keys []client.Reply) error {
		commands := make([][]string, len(keys))
		for i, key := range keys {
			commands[i] = []string{"OBJECT", "FREQ", key.Text}
		}
		replies, err := s.askAll(commands)
		if err != nil {
			return err
		}
		var text []byte
		for i, reply := range replies {
			switch {
			case reply.IsError():
				s.complain("Error: %s", appendVisible(nil, reply.Text))
				return errFailed
			case reply.Kind != client.Integer || reply.Int == 0: // the key is gone, or was not used
				continue
			}
			k := hotKey{quoted(keys[i].Text), reply.Int}
			if hot = rank(hot, k); slices.Contains(hot, k) {
				text = fmt.Appendf(text, "[%05.2f%%] Hot key '%s' found so far with counter %d\n",
					m.part(), k.name, k.counter)
			}
		}
		return s.print(text)
	})
	if err != nil {
		return err
	}
	text := fmt.Appendf(nil, "\n-------- summary -------\n\nSampled %d keys in the keyspace!\n", m.sampled)
	for _, k := range hot {
		text = fmt.Appendf(text, "hot key found with counter: %d\tkeyname: %s\n", k.counter, k.name)
	}
	return s.print(text)
}

// rank puts a key behind those that are used as much, and forgets the last of too many.
func rank(hot []hotKey, k hotKey) []hotKey {
	at := len(hot)
	for at > 0 && hot[at-1].counter < k.counter {
		at--
	}
	hot = slices.Insert(hot, at, k)
	return hot[:min(len(hot), hotKeysShown)]
}
