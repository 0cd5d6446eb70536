package catalogcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var infoSpec = command.Spec{
	Name:       "INFO",
	Summary:    "Get array of specific Redis command details, or all when no argument is given.",
	Since:      "2.8.13",
	Complexity: "O(N) where N is the number of commands to look up",
	History:    [][2]string{{"7.0.0", "Allowed to be called with no argument to get info on all commands."}},
	Syntax:     "[command-name...]",
	Arity:      -2,
	Flags:      command.Loading | command.Stale,
	ACL:        command.CatConnection,
	Tips:       []string{"nondeterministic_output_order"},
}

// all is COMMAND itself. A word behind it that is none of its subcommands ends here as
// well, since it is a command and a container.
func (d Deps) all(c *command.Ctx) error {
	if len(c.Args) > 1 {
		return d.Table().Unknown(c.Args)
	}
	d.everyInfo(c.Out)
	return nil
}

func (d Deps) everyInfo(w *resp.Writer) {
	commands := d.Table().Commands()
	w.Array(len(commands))
	for _, s := range commands {
		writeInfo(w, s)
	}
}

// info replies with one description for each name, null for those that are unknown.
func (d Deps) info(c *command.Ctx) error {
	if len(c.Args) == 2 {
		d.everyInfo(c.Out)
		return nil
	}
	c.Out.Array(len(c.Args) - 2)
	for _, name := range c.Args[2:] {
		if s := d.byName(name); s != nil {
			writeInfo(c.Out, s)
		} else {
			c.Out.Null()
		}
	}
	return nil
}

// flagNames are the flags that are shown, in Redis's order, which is not that of their
// bits. movablekeys is in its place but derived from where the keys are.
var flagNames = [...]struct {
	flag command.Flags
	name string
}{
	{command.Write, "write"},
	{command.ReadOnly, "readonly"},
	{command.DenyOOM, "denyoom"},
	{command.Admin, "admin"},
	{command.PubSub, "pubsub"},
	{command.NoScript, "noscript"},
	{command.Blocking, "blocking"},
	{command.Loading, "loading"},
	{command.Stale, "stale"},
	{command.SkipMonitor, "skip_monitor"},
	{command.SkipSlowlog, "skip_slowlog"},
	{command.Asking, "asking"},
	{command.Fast, "fast"},
	{command.NoAuth, "no_auth"},
	{command.MayReplicate, "may_replicate"},
	{command.NoMandatoryKeys, "no_mandatory_keys"},
	{command.NoAsyncLoading, "no_async_loading"},
	{command.NoMulti, "no_multi"},
	{command.MovableKeys, "movablekeys"},
	{command.AllowBusy, "allow_busy"},
}

func writeInfo(w *resp.Writer, s *command.Spec) {
	legacy := rangeOf(s.Keys)
	flags := s.Flags &^ command.MovableKeys
	if legacy.movable {
		flags |= command.MovableKeys
	}
	w.Array(10)
	w.BulkString(s.FullName())
	w.Int(int64(s.Arity))
	var names []string
	for _, f := range flagNames {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	writeStatuses(w, "", names)
	w.Int(int64(legacy.first))
	w.Int(int64(legacy.last))
	w.Int(int64(legacy.step))
	writeStatuses(w, "@", s.Categories().Names())
	w.Set(len(s.Tips))
	for _, tip := range s.Tips {
		w.BulkString(tip)
	}
	w.Set(len(s.Keys))
	for i := range s.Keys {
		writeKeySpec(w, &s.Keys[i])
	}
	if len(s.Subs) == 0 {
		w.Set(0) // so Redis has it: a set if there are none, an array if there are
		return
	}
	w.Array(len(s.Subs))
	for _, sub := range s.Subs {
		writeInfo(w, sub)
	}
}

func writeStatuses(w *resp.Writer, prefix string, names []string) {
	w.Set(len(names))
	for _, name := range names {
		w.Simple(prefix + name)
	}
}

// A legacyRange is what was said of keys before there were key specifications: the
// first, the last, and the step between. Movable is for what that does not describe.
type legacyRange struct {
	first, last, step int
	movable           bool
}

// rangeOf derives the legacy range. A single specification that is an index and a range
// is taken as it is. Of several, those are joined that are such ranges too, in steps of
// one and each right behind the one before.
func rangeOf(keys []command.KeySpec) (r legacyRange) {
	if len(keys) == 1 && isRange(&keys[0]) {
		k := &keys[0]
		return legacyRange{k.Index, lastOf(k), max(k.Step, 1), k.Flags&command.Incomplete != 0}
	}
	for i := range keys {
		k := &keys[i]
		follows := r.step == 0 || r.last == k.Index-1
		if !isRange(k) || k.Step > 1 || !follows {
			r.movable = true
			continue
		}
		if k.Flags&command.Incomplete != 0 {
			r.movable = true
		}
		if r.step == 0 {
			r.first, r.step = k.Index, 1
		}
		r.last = lastOf(k)
	}
	return r
}

func isRange(k *command.KeySpec) bool { return k.Keyword == "" && !k.KeyNum && !k.Unknown }

// lastOf is the index of the last key, counted from the end if it is negative.
func lastOf(k *command.KeySpec) int {
	if k.LastKey < 0 {
		return k.LastKey
	}
	return k.Index + k.LastKey
}

func writeKeySpec(w *resp.Writer, k *command.KeySpec) {
	if k.Notes == "" {
		w.Map(3)
	} else {
		w.Map(4)
		w.BulkString("notes")
		w.BulkString(k.Notes)
	}
	w.BulkString("flags")
	writeStatuses(w, "", k.Flags.Names())
	w.BulkString("begin_search")
	switch {
	case k.Unknown:
		writeSearch(w, "unknown")
	case k.Keyword != "":
		writeSearch(w, "keyword", field{name: "keyword", text: k.Keyword}, field{"startfrom", "", k.StartFrom})
	default:
		writeSearch(w, "index", field{"index", "", k.Index})
	}
	w.BulkString("find_keys")
	step := field{"keystep", "", max(k.Step, 1)}
	switch {
	case k.Unknown:
		writeSearch(w, "unknown")
	case k.KeyNum:
		writeSearch(w, "keynum", field{"keynumidx", "", k.KeyNumIdx}, field{"firstkey", "", k.FirstKey}, step)
	default:
		writeSearch(w, "range", field{"lastkey", "", k.LastKey}, step, field{"limit", "", k.Limit})
	}
}

// A field is one fact of a key specification: a text, or a number if that is empty.
type field struct {
	name   string
	text   string
	number int
}

// writeSearch writes how keys are looked for: the method and what it is told.
func writeSearch(w *resp.Writer, method string, fields ...field) {
	w.Map(2)
	w.BulkString("type")
	w.BulkString(method)
	w.BulkString("spec")
	w.Map(len(fields))
	for _, f := range fields {
		w.BulkString(f.name)
		if f.text != "" {
			w.BulkString(f.text)
		} else {
			w.Int(int64(f.number))
		}
	}
}
