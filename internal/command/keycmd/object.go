package keycmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var _ = Family.Add(command.Spec{
	Name:       "OBJECT",
	Summary:    "A container for object introspection commands",
	Since:      "2.2.3",
	Complexity: "Depends on subcommand.",
	Arity:      -2,
	Subs: []*command.Spec{
		objectSub("ENCODING", "2.2.3", "Inspect the internal encoding of a Redis object", objectEncoding),
		objectSub("FREQ", "4.0.0", "Get the logarithmic access frequency counter of a Redis object", objectFreq),
		objectSub("IDLETIME", "2.2.3", "Get the time since a Redis object was last accessed", objectIdleTime),
		objectSub("REFCOUNT", "2.2.3", "Get the number of references to the value of the key", objectRefCount),
		{
			Name:       "HELP",
			Summary:    "Show helpful text about the different subcommands",
			Since:      "6.2.0",
			Complexity: "O(1)",
			Arity:      2,
			Flags:      command.Loading | command.Stale,
			ACL:        command.CatKeyspace,
			Run:        objectHelp,
		},
	},
})

// objectSub is a subcommand about one key; they differ in nothing else.
func objectSub(name, since, summary string, run func(*command.Ctx) error) *command.Spec {
	return &command.Spec{
		Name:       name,
		Summary:    summary,
		Since:      since,
		Complexity: "O(1)",
		Tips:       []string{"nondeterministic_output"},
		Syntax:     "key",
		Arity:      3,
		Flags:      command.ReadOnly,
		ACL:        command.CatKeyspace,
		Keys:       command.OneKey(2, command.RO),
		Run:        run,
	}
}

// embedMax is the length up to which Redis keeps a string and its header together.
const embedMax = 44

// objectEncoding names the encoding that Redis would have, which clients look at to
// learn what a value costs. Ours differ.
func objectEncoding(c *command.Ctx) error {
	v, ok := look(c, c.Args[2])
	if !ok {
		c.Out.Null()
		return nil
	}
	if v.Type() != record.String {
		c.Out.BulkString(value.EncodingName(v.Record))
		return nil
	}
	str, err := v.Str()
	if err != nil {
		return err
	}
	_, isInt := str.Int()
	switch {
	case isInt:
		c.Out.BulkString("int")
	case v.Encoding() == record.Raw || str.Len() > embedMax:
		c.Out.BulkString("raw")
	default:
		c.Out.BulkString("embstr")
	}
	return nil
}

// Redis keeps one object for each of the integers below sharedInts and shows this
// number of references for it, unless it needs each key's own access time.
const (
	sharedInts       = 10000
	sharedReferences = math.MaxInt32
)

func objectRefCount(c *command.Ctx) error {
	v, ok := look(c, c.Args[2])
	if !ok {
		c.Out.Null()
		return nil
	}
	tuning := c.DB.Tuning()
	own := tuning.MaxMemory.Load() != 0 && keyspace.Policy(tuning.Policy.Load()).Clocks()
	if v.Type() == record.String && v.IsInt() && !own && v.Int() >= 0 && v.Int() < sharedInts {
		c.Out.Int(sharedReferences)
	} else {
		c.Out.Int(1)
	}
	return nil
}

var (
	errIdleUnderLFU = &resp.Error{Code: "ERR",
		Text: "An LFU maxmemory policy is selected, idle time not tracked. " + policySwitch}
	errFreqUnderLRU = &resp.Error{Code: "ERR",
		Text: "An LFU maxmemory policy is not selected, access frequency not tracked. " + policySwitch}
)

const policySwitch = "Please note that when switching between policies at runtime LRU and LFU data will " +
	"take some time to adjust."

func objectIdleTime(c *command.Ctx) error {
	return accessed(c, false, (*keyspace.Txn).IdleTime, errIdleUnderLFU)
}

func objectFreq(c *command.Ctx) error {
	return accessed(c, true, (*keyspace.Txn).AccessFrequency, errFreqUnderLRU)
}

// accessed replies with what the access clock of a key says, if the policy keeps it in
// the form that is asked for.
func accessed(c *command.Ctx, lfu bool, ask func(*keyspace.Txn, []byte) (int64, bool), wrong error) error {
	if _, ok := look(c, c.Args[2]); !ok {
		c.Out.Null()
		return nil
	}
	if keyspace.Policy(c.DB.Tuning().Policy.Load()).LFU() != lfu {
		return wrong
	}
	n, _ := ask(c.DB, c.Args[2])
	c.Out.Int(n)
	return nil
}

func objectHelp(c *command.Ctx) error {
	c.Out.Lines(objectHelpLines)
	return nil
}

var objectHelpLines = []string{
	"OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
	"ENCODING <key>",
	"    How the value of <key> is kept, in the words of Redis.",
	"FREQ <key>",
	"    The counter of accesses to <key>, from 0 to 255, which grows by the logarithm",
	"    of their number and shrinks with time. Only under an LFU policy.",
	"IDLETIME <key>",
	"    The seconds since the last access to <key>. Not under an LFU policy.",
	"REFCOUNT <key>",
	"    How many keys share the value of <key>, in the way of Redis.",
	"HELP",
	"    This text.",
}
