package debugcmd_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/debugcmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/exec"
	"github.com/spineldb/spinel/internal/resp"
)

// A world is a DB whose sleeps and reloads are only noted.
type world struct {
	*cmdtest.DB
	log       bytes.Buffer
	slept     []time.Duration
	reloads   []debugcmd.ReloadOptions
	reloadErr error
}

func newWorld(t testing.TB, lines string, more ...[]*command.Spec) *world {
	t.Helper()
	w := &world{DB: cmdtest.New(t)}
	set := config.NewSchema(debugcmd.Options).NewSet()
	if err := set.Load(config.Source{Lines: []byte(lines)}); err != nil {
		t.Fatal(err)
	}
	if len(more) == 0 {
		more = [][]*command.Spec{txcmd.Family.Specs,
			cmdtest.Strings()}
	}
	table, err := command.NewTable(nil, append(more,
		debugcmd.Family.With(debugcmd.Deps{
			Keyspace: w.Keyspace, Options: set, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
			Sleep: func(d time.Duration) { w.slept = append(w.slept, d) },
			Reload: func(_ *command.Ctx, o debugcmd.ReloadOptions) error {
				w.reloads = append(w.reloads, o)
				return w.reloadErr
			},
		}))...)
	if err != nil {
		t.Fatal(err)
	}
	w.Shared.Table = table
	w.Executor = exec.New(w.Shared)
	return w
}

const open = "enable-debug-command yes"

func TestWhoMay(t *testing.T) {
	const refused = "ERR DEBUG command not allowed. If the enable-debug-command option is set to " +
		"\"local\", you can run it from a local connection, otherwise you need to set this option in the " +
		"configuration file, and then restart the server."
	for _, tt := range []struct {
		lines, remote string
		unix, want    bool
	}{
		{"", "127.0.0.1:1", false, false},
		{"enable-debug-command no", "/tmp/sock", true, false},
		{"enable-debug-command local", "127.0.0.1:1", false, true},
		{"enable-debug-command local", "[::1]:1", false, true},
		{"enable-debug-command local", "/tmp/sock", true, true},
		{"enable-debug-command local", "192.0.2.1:1", false, false},
		{"enable-debug-command local", "", false, false},
		{open, "192.0.2.1:1", false, true},
	} {
		w := newWorld(t, tt.lines)
		w.Session.Remote, w.Session.Unix = tt.remote, tt.unix
		if reply := w.Do("DEBUG", "LOG", "hello"); tt.want {
			reply.Want("OK")
		} else {
			reply.WantError(refused)
			w.Do("DEBUG", "NOSUCH").WantError(refused)
		}
	}
}

func TestSubcommands(t *testing.T) {
	w := newWorld(t, open)
	for _, words := range []string{
		"jmap", "SLEEP", "SLEEP 1 2", "POPULATE", "POPULATE 1 2 3 4", "SEGFAULT", "OBJECT a b",
	} {
		name, _, _ := strings.Cut(words, " ")
		reply := w.Do(append([]string{"DEBUG"}, strings.Fields(words)...)...)
		reply.WantError("ERR unknown subcommand or wrong number of arguments for '" + name + "'. " +
			"Try DEBUG HELP. There are ")
		if text := reply.Text(); !strings.Contains(text, " DIGEST, ") {
			t.Errorf("DIGEST is not among them: %s", text)
		}
	}
	w.Do("DEBUG").WantError("ERR wrong number of arguments for 'debug' command")
	help := w.Do("DEBUG", "HELP").Text()
	for _, name := range []string{"DIGEST-VALUE <key>", "SLEEP <seconds>", "HELP     Prints this help.]"} {
		if !strings.Contains(help, name) {
			t.Errorf("the help does not say %q: %s", name, help)
		}
	}
	w.Do("DEBUG", "ERROR", "LOADING a b\r\nc").WantRaw("-LOADING a b  c\r\n")
	w.Do("DEBUG", "ERROR", "WORD").WantRaw("-WORD\r\n")
	w.Do("DEBUG", "LOG", "some words").Want("OK")
	if !strings.Contains(w.log.String(), "DEBUG LOG: some words") {
		t.Errorf("logged %s", w.log.String())
	}
	w.Do("DEBUG", "STRINGMATCH-LEN", "a*", "abc").WantInt(1)
	w.Do("DEBUG", "STRINGMATCH-LEN", "a*", "Abc").WantInt(0)
	for _, tt := range []struct {
		arg  string
		want bool
	}{{"0", true}, {"1", false}, {"x", true}, {"2", false}} {
		w.Do("DEBUG", "SET-ACTIVE-EXPIRE", tt.arg).Want("OK")
		if got := w.Keyspace.Tuning.NoExpire.Load(); got != tt.want {
			t.Errorf("SET-ACTIVE-EXPIRE %s: switched off is %v", tt.arg, got)
		}
	}
}

func TestSleep(t *testing.T) {
	for _, tt := range []struct {
		arg  string
		want time.Duration
	}{
		{"0.25", 250 * time.Millisecond},
		{"2", 2 * time.Second},
		{"0", 0},
		{"-1", 0},
		{"x", 0},
		{"nan", 0},
		{"1e300", 1<<63 - 1},
		{"inf", 1<<63 - 1},
	} {
		w := newWorld(t, open)
		w.Do("DEBUG", "SLEEP", tt.arg).Want("OK")
		if tt.want == 0 && len(w.slept) == 0 {
			continue
		}
		if len(w.slept) != 1 || w.slept[0] != tt.want {
			t.Errorf("SLEEP %s slept %v, want %v", tt.arg, w.slept, tt.want)
		}
	}
}

func TestReload(t *testing.T) {
	w := newWorld(t, open)
	for _, tt := range []struct {
		words string
		want  debugcmd.ReloadOptions
	}{
		{"", debugcmd.ReloadOptions{}},
		{"nosave", debugcmd.ReloadOptions{NoSave: true}},
		{"MERGE NOFLUSH NOSAVE", debugcmd.ReloadOptions{Merge: true, NoFlush: true, NoSave: true}},
	} {
		w.reloads = nil
		w.Do(append([]string{"DEBUG", "RELOAD"}, strings.Fields(tt.words)...)...).Want("OK")
		if len(w.reloads) != 1 || w.reloads[0] != tt.want {
			t.Errorf("RELOAD %s: %+v, want %+v", tt.words, w.reloads, tt.want)
		}
	}
	w.Do("DEBUG", "RELOAD", "x").
		WantError("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
	w.reloadErr = errors.New("the disk is gone")
	w.Do("DEBUG", "RELOAD").WantError("ERR Error trying to load the RDB dump, check server logs.")
	if !strings.Contains(w.log.String(), "the disk is gone") {
		t.Errorf("logged %s", w.log.String())
	}
	w.reloadErr = &resp.Error{Code: "ERR", Text: "not today"}
	w.Do("DEBUG", "RELOAD").WantError("ERR not today")
	w.reloads = nil
	w.Do("MULTI").Want("OK")
	w.Do("DEBUG", "RELOAD").Want("QUEUED")
	w.Do("EXEC").WantArray("-ERR DEBUG RELOAD is not possible within a transaction")
	if w.reloads != nil {
		t.Error("a transaction reloaded the data")
	}
}

// The replies are those of a redis-server 7.0.
func TestProtocol(t *testing.T) {
	w := newWorld(t, open)
	types := []struct{ name, resp2, resp3 string }{
		{"string", "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"},
		{"integer", ":12345\r\n", ":12345\r\n"},
		{"double", "$5\r\n3.141\r\n", ",3.141\r\n"},
		{"bignum", "$37\r\n1234567999999999999999999999999999999\r\n", "(1234567999999999999999999999999999999\r\n"},
		{"null", "$-1\r\n", "_\r\n"},
		{"array", "*3\r\n:0\r\n:1\r\n:2\r\n", "*3\r\n:0\r\n:1\r\n:2\r\n"},
		{"set", "*3\r\n:0\r\n:1\r\n:2\r\n", "~3\r\n:0\r\n:1\r\n:2\r\n"},
		{"map", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n"},
		{"attrib", "$39\r\nSome real reply following the attribute\r\n",
			"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n$39\r\nSome real reply following the attribute\r\n"},
		{"push", "-ERR RESP2 is not supported by this command\r\n",
			">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push reply\r\n"},
		{"verbatim", "$25\r\nThis is a verbatim\nstring\r\n", "=29\r\ntxt:This is a verbatim\nstring\r\n"},
		{"true", ":1\r\n", "#t\r\n"},
		{"FALSE", ":0\r\n", "#f\r\n"},
	}
	for _, resp3 := range []bool{false, true} {
		w.Session.Out.Resp3 = resp3
		for _, tt := range types {
			want := tt.resp2
			if resp3 {
				want = tt.resp3
			}
			w.Do("DEBUG", "PROTOCOL", tt.name).WantRaw(want)
		}
		w.Do("DEBUG", "PROTOCOL", "nosuch").WantError("ERR Wrong protocol type name. Please use one of " +
			"the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false")
	}
}
