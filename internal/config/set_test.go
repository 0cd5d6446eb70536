package config_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/spineldb/spinel/internal/config"
)

// The options of these tests: one of every kind, as Redis has them.

type policy uint8

const (
	noEviction policy = iota
	allKeysLRU
	volatileLRU
)

type signalFlags int

var (
	samples = config.Int(config.Option{
		Name: "maxmemory-samples", Default: 5, Min: 1, Max: 64, Stress: []int64{1, 64}, Live: true,
		Doc: "How many keys to look at.",
	})
	maxmemory = config.Memory(config.Option{Name: "maxmemory", Default: "100mb", Live: true})
	clients   = config.MemoryPercent(config.Option{Name: "maxmemory-clients", Live: true})
	percent   = config.Percent(config.Option{Name: "tenacity", Default: 10, Live: true})
	perm      = config.OctalMode(config.Option{Name: "unixsocketperm", Max: 0o777})
	priority  = config.Int(config.Option{
		Name: "replica-priority", Aliases: []string{"slave-priority"}, Default: 100, Live: true,
	})
	daemonize = config.Bool(config.Option{Name: "daemonize"})
	rehashing = config.Bool(config.Option{Name: "activerehashing", Default: true, Live: true})
	evict     = config.Enum(config.Option{Name: "maxmemory-policy", Default: "noeviction", Live: true},
		config.Choice("volatile-lru", volatileLRU),
		config.Choice("allkeys-lru", allKeysLRU),
		config.Choice("noeviction", noEviction))
	sigint = config.Flags(config.Option{Name: "shutdown-on-sigint", Default: "default", Live: true},
		config.Choice[signalFlags]("default", 0),
		config.Choice[signalFlags]("save", 1),
		config.Choice[signalFlags]("nosave", 2),
		config.Choice[signalFlags]("now", 4))
	dir  = config.String(config.Option{Name: "dir", Default: ".", Live: true, Protected: true})
	pass = config.String(config.Option{Name: "requirepass", Live: true, Sensitive: true})
	bind = config.Strings(config.Option{Name: "bind", Default: []string{"*", "-::*"}, Live: true})
	save = config.Custom(config.Option{
		Name: "save", Default: []saveRule{{3600, 1}, {300, 100}}, Live: true, AlwaysRewrite: true,
	}, config.Codec[[]saveRule]{Parse: parseSave, Append: appendSave, Lines: saveLines})
	rename = config.Custom(config.Option{Name: "rename-command", FileOnly: true},
		config.Codec[[]string]{Parse: parseRename, Append: appendRename})
	secret = config.Int(config.Option{Name: "debug-delay", Live: true, Hidden: true})

	// own is what goes together with the options that the package itself declares.
	own = []config.Handle{samples, maxmemory, clients, percent, perm, daemonize, rehashing, evict, sigint,
		dir, pass, bind, save, rename, secret}
	ownOptions = config.NewGroup("test", own...)
	options    = config.NewGroup("test", append([]config.Handle{priority}, own...)...)
)

type saveRule struct{ seconds, changes int }

func parseSave(args []string, old []saveRule, fresh bool) ([]saveRule, error) {
	if len(args) == 1 && args[0] == "" {
		args, fresh = nil, true
	}
	if len(args)%2 != 0 {
		return nil, config.Reason("Invalid save parameters")
	}
	var rules []saveRule
	if !fresh {
		rules = slices.Clone(old)
	}
	for pair := range slices.Chunk(args, 2) {
		seconds, err1 := strconv.Atoi(pair[0])
		changes, err2 := strconv.Atoi(pair[1])
		if err1 != nil || err2 != nil || seconds < 1 || changes < 0 {
			return nil, config.Reason("Invalid save parameters")
		}
		rules = append(rules, saveRule{seconds, changes})
	}
	return rules, nil
}

func appendSave(dst []byte, rules []saveRule) []byte {
	for i, r := range rules {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, int64(r.seconds), 10)
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(r.changes), 10)
	}
	return dst
}

func saveLines(rules []saveRule) []string {
	if len(rules) == 0 {
		return []string{`""`}
	}
	var lines []string
	for _, r := range rules {
		lines = append(lines, strconv.Itoa(r.seconds)+" "+strconv.Itoa(r.changes))
	}
	return lines
}

func parseRename(args []string, old []string, _ bool) ([]string, error) {
	if len(args) != 2 {
		return nil, config.Reason("wrong number of arguments")
	}
	return append(slices.Clone(old), args[0]+" to "+args[1]), nil
}

func appendRename(dst []byte, names []string) []byte {
	for _, name := range names {
		dst = append(append(dst, name...), ';')
	}
	return dst
}

func TestDefaults(t *testing.T) {
	set := config.NewSchema(options).NewSet()
	check := func(name string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	check("samples", samples.Get(set), int64(5))
	check("maxmemory", maxmemory.Get(set), int64(100<<20))
	check("clients", clients.Get(set, 1000), int64(0))
	check("perm", perm.Get(set), int64(0))
	check("daemonize", daemonize.Get(set), false)
	check("rehashing", rehashing.Get(set), true)
	check("policy", evict.Get(set), noEviction)
	check("policy's name", evict.Name(set), "noeviction")
	check("sigint", sigint.Get(set), signalFlags(0))
	check("dir", dir.Get(set), ".")
	check("bind", len(bind.Get(set)), 2)
	check("save", len(save.Get(set)), 2)
}

// Two sets of one schema, and sets of two schemas that share options, are independent.
func TestSetsAreIndependent(t *testing.T) {
	schema, other := config.NewSchema(options), config.NewSchema(options)
	a, b, c := schema.NewSet(), schema.NewSet(), other.NewSet()
	samples.Store(a, 7)
	dir.Store(a, "/a")
	evict.Store(b, allKeysLRU)
	save.Store(c, nil)
	for i, set := range []*config.Set{a, b, c} {
		wantSamples := []int64{7, 5, 5}[i]
		wantDir := []string{"/a", ".", "."}[i]
		wantPolicy := []policy{noEviction, allKeysLRU, noEviction}[i]
		wantSave := []int{2, 2, 0}[i]
		if samples.Get(set) != wantSamples || dir.Get(set) != wantDir ||
			evict.Get(set) != wantPolicy || len(save.Get(set)) != wantSave {
			t.Errorf("set %d: %d %q %v %v", i, samples.Get(set), dir.Get(set), evict.Get(set), save.Get(set))
		}
	}
}

func TestGetAllocatesNothing(t *testing.T) {
	set := config.NewSchema(options).NewSet()
	var sum int64
	n := testing.AllocsPerRun(100, func() {
		sum += samples.Get(set) + int64(evict.Get(set)) + int64(len(dir.Get(set))) +
			int64(len(bind.Get(set))) + int64(len(save.Get(set))) + clients.Get(set, 100)
		if rehashing.Get(set) {
			sum++
		}
	})
	if n != 0 || sum == 0 {
		t.Errorf("%v allocations for reading options", n)
	}
}

// A declaration that cannot be right stops the program, and says which one it is.
func TestBadDeclarations(t *testing.T) {
	for name, declare := range map[string]func(){
		"no name":      func() { config.Int(config.Option{}) },
		"upper case":   func() { config.Int(config.Option{Name: "Port"}) },
		"bad alias":    func() { config.Int(config.Option{Name: "port", Aliases: []string{"P"}}) },
		"wrong type":   func() { config.Int(config.Option{Name: "port", Default: "1"}) },
		"out of range": func() { config.Int(config.Option{Name: "port", Default: 5, Min: 6}) },
		"bad memory":   func() { config.Memory(config.Option{Name: "m", Default: "1xb"}) },
		"bad bool":     func() { config.Bool(config.Option{Name: "b", Default: "yes"}) },
		"bad string":   func() { config.String(config.Option{Name: "s", Default: 1}) },
		"bad strings":  func() { config.Strings(config.Option{Name: "s", Default: "a"}) },
		"no choice": func() {
			config.Enum(config.Option{Name: "e"}, config.Choice("a", 1))
		},
		"other choice": func() {
			config.Enum(config.Option{Name: "e", Default: "b"}, config.Choice("a", 1))
		},
		"no codec":   func() { config.Custom(config.Option{Name: "c"}, config.Codec[int]{}) },
		"name twice": func() { config.NewSchema(options, config.NewGroup("more", samples)) },
		"alias is a name": func() {
			o := config.Bool(config.Option{Name: "x", Aliases: []string{"slave-priority"}})
			config.NewSchema(options, config.NewGroup("more", o))
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			declare()
		}()
	}
}
