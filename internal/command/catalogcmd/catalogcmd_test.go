package catalogcmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/all"
	"github.com/spineldb/spinel/internal/command/catalogcmd"
)

// newServer has COMMAND and some other commands.
func newServer(t *testing.T, others []*command.Spec) *cmdtest.DB {
	t.Helper()
	var db *cmdtest.DB
	own := catalogcmd.Deps{Table: func() *command.Table { return db.Shared.Table }}
	db = cmdtest.New(t, catalogcmd.Family.With(own), others)
	return db
}

// wholeServer has all commands. Only COMMAND is run, so the others are given nothing to
// drive.
func wholeServer(t *testing.T) *cmdtest.DB {
	t.Helper()
	var db *cmdtest.DB
	own := catalogcmd.Deps{Table: func() *command.Table { return db.Shared.Table }}
	db = cmdtest.New(t, all.Families(all.Deps{Catalog: own})...)
	return db
}

// samples are commands of each sort that COMMAND tells apart.
func samples() []*command.Spec {
	f := command.Family{Group: "sample"}
	for _, s := range []command.Spec{
		{Name: "ONE", Arity: 2, Flags: command.ReadOnly | command.Fast, Keys: command.OneKey(1, command.RO)},
		{Name: "MANY", Arity: -2, Flags: command.Write, Keys: command.KeyRange(1, -1, 2, command.OW)},
		{Name: "COUNTED", Arity: -2, Keys: command.NumKeys(1, command.RO)},
		{Name: "MAYBE", Arity: -2, Flags: command.NoMandatoryKeys, Keys: command.NumKeys(1, command.RO)},
		{Name: "WORD", Arity: -2, Keys: []command.KeySpec{
			{Flags: command.RO, Keyword: "STREAMS", StartFrom: 1, LastKey: -1, Step: 1, Limit: 2}}},
		{Name: "CHANNEL", Arity: 2, Flags: command.PubSub, Keys: command.OneKey(1, command.NotKey)},
		{Name: "KEYLESS", Arity: -1},
		{Name: "BOX", Arity: -2, Subs: []*command.Spec{{Name: "ONE", Arity: 3, Flags: command.ReadOnly,
			ACL: command.CatGeo, Keys: command.OneKey(2, command.RO)}}},
	} {
		f.Add(s)
	}
	return f.Specs
}

func TestReplies(t *testing.T) {
	db := newServer(t, samples())
	for _, tt := range []struct{ call, want string }{
		{"COMMAND COUNT", "9"},
		{"COMMAND COUNT 1", "-ERR wrong number of arguments for 'command|count' command"},
		{"COMMAND NOPE", "-ERR unknown subcommand 'NOPE'. Try COMMAND HELP."},
		{"COMMAND INFO one", "[[one 2 [readonly fast] 1 1 1 [@read @fast] [] [[flags [RO] " +
			"begin_search [type index spec [index 1]] " +
			"find_keys [type range spec [lastkey 0 keystep 1 limit 0]]]] []]]"},
		{"COMMAND INFO keyless nope keyless|x", "[[keyless -1 [] 0 0 0 [@slow] [] [] []] (nil) (nil)]"},
		{"COMMAND INFO BOX|ONE", "[[box|one 3 [readonly] 2 2 1 [@read @geo @slow] [] [[flags [RO] " +
			"begin_search [type index spec [index 2]] " +
			"find_keys [type range spec [lastkey 0 keystep 1 limit 0]]]] []]]"},
		{"COMMAND DOCS nope", "[]"},
		{"COMMAND DOCS nope keyless", "[keyless [group sample]]"},
		{"COMMAND LIST FILTERBY ACLCAT GEO", "[box|one]"},
		{"COMMAND LIST FILTERBY ACLCAT nope", "[]"},
		{"COMMAND LIST FILTERBY MODULE nope", "[]"},
		{"COMMAND LIST FILTERBY PATTERN *One", "[box|one one]"},
		{"COMMAND LIST FILTERBY NOPE one", "-ERR syntax error"},
		{"COMMAND LIST FILTERBY PATTERN", "-ERR syntax error"},
		{"COMMAND LIST x", "-ERR syntax error"},
		{"COMMAND GETKEYS one", "-ERR wrong number of arguments for 'command|getkeys' command"},
		{"COMMAND GETKEYS one k", "[k]"},
		{"COMMAND GETKEYS one k x", "-ERR Invalid number of arguments specified for command"},
		{"COMMAND GETKEYS box one k", "[k]"},
		{"COMMAND GETKEYS box nope k", "-ERR Invalid command specified"},
		{"COMMAND GETKEYS nope k", "-ERR Invalid command specified"},
		{"COMMAND GETKEYS keyless k", "-ERR The command has no key arguments"},
		{"COMMAND GETKEYS channel k", "-ERR The command has no key arguments"},
		{"COMMAND GETKEYS many a 1 b 2", "[a b]"},
		{"COMMAND GETKEYS counted 2 a b c", "[a b]"},
		{"COMMAND GETKEYS counted 2 a", "-ERR Invalid arguments specified for command"},
		{"COMMAND GETKEYS counted 0", "-ERR Invalid arguments specified for command"},
		{"COMMAND GETKEYS maybe 0", "[]"},
		{"COMMAND GETKEYS maybe nope", "[]"},
		{"COMMAND GETKEYS word a streams b c d e", "[b c]"},
		{"COMMAND GETKEYS word a b", "-ERR Invalid arguments specified for command"},
		{"COMMAND GETKEYSANDFLAGS many a 1 b 2", "[[a [OW]] [b [OW]]]"},
		{"COMMAND GETKEYSANDFLAGS keyless 1", "-ERR The command has no key arguments"},
	} {
		db.Do(strings.Fields(tt.call)...).Want(tt.want)
	}
}

// TestEverything shows that the answers about all commands are those about each.
func TestEverything(t *testing.T) {
	db := wholeServer(t)
	commands := db.Shared.Table.Commands()
	names := make([]string, len(commands))
	for i, s := range commands {
		names[i] = s.FullName()
	}
	for _, resp3 := range []bool{false, true} {
		db.Session.Out.Resp3 = resp3
		infos := db.Do(append([]string{"COMMAND", "INFO"}, names...)...).Raw()
		db.Do("COMMAND").WantRaw(infos)
		db.Do("COMMAND", "INFO").WantRaw(infos)
		db.Do("COMMAND", "DOCS").WantRaw(db.Do(append([]string{"COMMAND", "DOCS"}, names...)...).Raw())
		db.Do("COMMAND", "LIST").WantRaw(db.Do("COMMAND", "LIST", "FILTERBY", "PATTERN", "*").Raw())
		db.Do("COMMAND", "COUNT").WantInt(int64(len(names)))
	}
}
