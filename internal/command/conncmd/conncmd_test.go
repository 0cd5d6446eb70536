package conncmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/command/conncmd"
	"github.com/spineldb/spinel/internal/command/txcmd"
	"github.com/spineldb/spinel/internal/session"
)

// A server is a DB with all that the family drives.
type server struct {
	*cmdtest.DB
	users  *acl.Users
	reg    *session.Registry
	paused int // how often Deps.Paused was called
}

func newServer(t testing.TB) *server {
	srv := &server{users: acl.New(), reg: session.NewRegistry()}
	data := command.Family{Group: "string"}
	data.Add(command.Spec{Name: "PUT", Arity: 3, Flags: command.Write, Keys: command.OneKey(1, command.OW),
		Run: func(c *command.Ctx) error {
			if err := c.DB.SetString(c.Args[1], c.Args[2], -1); err != nil {
				return err
			}
			c.Out.OK()
			return nil
		}})
	srv.DB = cmdtest.New(t, txcmd.Family.Specs, data.Specs, conncmd.Family.With(conncmd.Deps{
		Version:   "7.2.5",
		Databases: 16,
		Sessions:  srv.reg,
		Users:     srv.users,
		Paused:    func() { srv.paused++ },
	}))
	srv.Shared.Sessions = srv.reg
	srv.reg.Add(srv.Session) // its first registry is not ours
	return srv
}

// A call is a line of a table: words separated by blanks, and the reply to them, where an
// error begins with '-'.
type call struct{ args, want string }

func play(c *cmdtest.Client, calls []call) {
	for _, line := range calls {
		got := c.Do(split(line.args)...)
		if text, isError := strings.CutPrefix(line.want, "-"); isError {
			got.WantError(text)
		} else {
			got.Want(line.want)
		}
	}
}

// split cuts a line at its blanks; "\s" in a word is a blank, "\n" a line end, and "\e"
// nothing.
func split(line string) []string {
	words := strings.Fields(line)
	for i := range words {
		words[i] = strings.NewReplacer(`\s`, " ", `\n`, "\n", `\e`, "", `\d`, "\x7f").Replace(words[i])
	}
	return words
}

const (
	noPassword = "-ERR AUTH <password> called without any password configured for the default user. " +
		"Are you sure your configuration is correct?"
	wrongPass   = "-WRONGPASS invalid username-password pair or user is disabled."
	helloNoAuth = "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO " +
		"<proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP " +
		"protocol version at the same time"
	badName = "-ERR Client names cannot contain spaces, newlines or special characters."
	greet   = "[server redis version 7.2.5 proto %d id 1 mode standalone role master modules []]"
)

// TestAuth: logging in, and staying who one was if it fails.
func TestAuth(t *testing.T) {
	srv := newServer(t)
	play(srv.Client, []call{
		{"AUTH a", noPassword},
		{"AUTH", "-ERR wrong number of arguments for 'auth' command"},
		{"AUTH a b", wrongPass},
		{"AUTH a b c", "-ERR syntax error"},
		{"AUTH default whatever", "OK"},
	})
	srv.users.SetDefaultPassword("sekret")
	play(srv.Client, []call{
		{"PING", "PONG"}, // who is in stays in
		{"RESET", "RESET"},
		{"PING", "-NOAUTH Authentication required."},
		{"AUTH default bad", wrongPass},
		{"AUTH bad", wrongPass},
		{"AUTH other sekret", wrongPass},
		{"PING", "-NOAUTH Authentication required."},
		{"AUTH sekret", "OK"},
		{"PING", "PONG"},
		{"AUTH bad", wrongPass},
		{"PING", "PONG"},
		{"MULTI", "OK"},
		{"AUTH bad", "QUEUED"},
		{"AUTH sekret x y", "QUEUED"},
		{"EXEC", "[" + wrongPass + " -ERR syntax error]"},
		{"RESET", "RESET"},
		{"MULTI", "-NOAUTH Authentication required."},
		{"HELLO", helloNoAuth},
		{"HELLO 3", helloNoAuth},
		{"HELLO 3 SETNAME x", helloNoAuth},
		{"HELLO 3 AUTH default bad", wrongPass},
		{"HELLO 3 AUTH default sekret", fmt.Sprintf(greet, 3)},
		{"QUIT", "OK"},
	})
	if s := srv.Session; s.User != "default" || s.Closing != session.AfterReply || s.Name != "" {
		t.Errorf("user %q, closing %d, name %q", s.User, s.Closing, s.Name)
	}
}

// TestHello: protocols, options, and that what is wrong in part changes nothing.
func TestHello(t *testing.T) {
	srv := newServer(t)
	play(srv.Client, []call{
		{"HELLO", fmt.Sprintf(greet, 2)},
		{"HELLO x", "-ERR Protocol version is not an integer or out of range"},
		{"HELLO 9999999999999999999", "-ERR Protocol version is not an integer or out of range"},
		{"HELLO 1", "-NOPROTO unsupported protocol version"},
		{"HELLO 4 FOO", "-NOPROTO unsupported protocol version"},
		{"HELLO 3 FOO", "-ERR Syntax error in HELLO option 'FOO'"},
		{`HELLO 3 a\nb`, "-ERR Syntax error in HELLO option 'a b'"},
		{"HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'"},
		{"HELLO 3 AUTH x", "-ERR Syntax error in HELLO option 'AUTH'"},
		{`HELLO 3 SETNAME a\sb`, badName},
		{"HELLO 3 AUTH other x SETNAME n", wrongPass},
		{`HELLO 3 SETNAME n AUTH default`, "-ERR Syntax error in HELLO option 'AUTH'"},
		{"CLIENT GETNAME", "(nil)"},
	})
	if srv.Session.Out.Resp3 {
		t.Error("a HELLO with an error changed the protocol")
	}
	srv.Do("HELLO", "3", "setname", "bar", "auth", "default", "x").WantRaw("%7\r\n" +
		"$6\r\nserver\r\n$5\r\nredis\r\n" +
		"$7\r\nversion\r\n$5\r\n7.2.5\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n" +
		"$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n")
	play(srv.Client, []call{
		{"CLIENT GETNAME", "bar"},
		{"HELLO", fmt.Sprintf(greet, 3)},
		{`HELLO 2 SETNAME \e`, fmt.Sprintf(greet, 2)},
		{"CLIENT GETNAME", "(nil)"},
	})
	srv.Do("MULTI")
	srv.Do("HELLO", "3")
	srv.Do("CLIENT", "GETNAME")
	if got := srv.Do("EXEC").Raw(); !strings.HasPrefix(got, "*2\r\n%7\r\n") || !strings.HasSuffix(got, "_\r\n") {
		t.Errorf("HELLO within EXEC: %q", got)
	}
}

// TestBasics: PING, ECHO and SELECT.
func TestBasics(t *testing.T) {
	srv := newServer(t)
	play(srv.Client, []call{
		{"PING", "PONG"},
		{"ping a", "a"},
		{"PING a b", "-ERR wrong number of arguments for 'ping' command"},
		{"ECHO x", "x"},
		{"ECHO", "-ERR wrong number of arguments for 'echo' command"},
		{"SELECT 15", "OK"},
		{"SELECT 16", "-ERR DB index is out of range"},
		{"SELECT -1", "-ERR DB index is out of range"},
		{"SELECT x", "-ERR value is not an integer or out of range"},
		{"SELECT 4294967296", "-ERR value is out of range, value must between -2147483648 and 2147483647"},
		{"SELECT 99999999999999999999", "-ERR value is not an integer or out of range"},
	})
	if srv.Session.DB != 15 {
		t.Errorf("database %d", srv.Session.DB)
	}
	srv.RecordJournal()
	play(srv.Client, []call{
		{"MULTI", "OK"},
		{"SELECT 99", "QUEUED"},
		{"SELECT 2", "QUEUED"},
		{"PUT k v", "QUEUED"},
		{"EXEC", "[-ERR DB index is out of range OK OK]"},
	})
	srv.WantJournal("[2] PUT k v")
}

func TestBasicsAllocateNothing(t *testing.T) {
	srv := newServer(t)
	for _, args := range [][]string{{"PING"}, {"ECHO", "x"}, {"SELECT", "1"}} {
		if n := srv.AllocsPerRun(args...); n != 0 {
			t.Errorf("%v allocates %v times", args, n)
		}
	}
}

// TestQuit: nothing behind it is executed, and it may come at any time.
func TestQuit(t *testing.T) {
	srv := newServer(t)
	srv.Do("MULTI")
	if got := string(srv.Raw([]byte("QUIT now\r\nPING\r\n"))); got != "+OK\r\n" {
		t.Errorf("%q", got)
	}
}

// TestReset: everything is as it was when the client connected.
func TestReset(t *testing.T) {
	srv := newServer(t)
	other := srv.NewClient()
	play(srv.Client, []call{
		{"HELLO 3 SETNAME n", fmt.Sprintf(greet, 3)},
		{"SELECT 3", "OK"},
		{"CLIENT NO-EVICT on", "OK"},
		{"CLIENT NO-TOUCH on", "OK"},
		{"CLIENT CAPA redirect", "OK"},
		{"CLIENT SETINFO LIB-NAME lib", "OK"},
		{"WATCH k", "OK"},
		{"MULTI", "OK"},
		{"PUT k v", "QUEUED"},
	})
	srv.Session.Monitor = true
	srv.reg.Monitors.Add(1)
	srv.Session.ReplyMode = session.ReplyOff
	play(srv.Client, []call{{"RESET", "RESET"}, {"EXEC", "-ERR EXEC without MULTI"}})
	s := srv.Session
	if s.DB != 0 || s.Name != "" || s.NoEvict || s.NoTouch || s.Out.Resp3 || s.Monitor || s.User != "default" ||
		!s.Authenticated || s.ReplyMode != session.ReplyOn || srv.reg.Monitors.Load() != 0 {
		t.Errorf("%+v", s)
	}
	if s.LibName != "lib" || s.Capa == 0 {
		t.Errorf("the library is still %q, and can what it can: %d", s.LibName, s.Capa)
	}
	play(other, []call{{"SELECT 3", "OK"}, {"PUT k v", "OK"}})
	play(srv.Client, []call{{"MULTI", "OK"}, {"PING", "QUEUED"}, {"EXEC", "[PONG]"}})
}

// TestSettings: what CLIENT's subcommands set for their own session, and what they say
// to what makes no sense.
func TestSettings(t *testing.T) {
	srv := newServer(t)
	play(srv.Client, []call{
		{"CLIENT", "-ERR wrong number of arguments for 'client' command"},
		{"CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP."},
		{"CLIENT ID", "1"},
		{"CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command"},
		{"CLIENT GETNAME", "(nil)"},
		{"CLIENT SETNAME a~b", "OK"},
		{`CLIENT SETNAME a\sb`, badName},
		{`CLIENT SETNAME a\nb`, badName},
		{`CLIENT SETNAME a\db`, badName},
		{"CLIENT SETNAME ä", badName},
		{"CLIENT GETNAME", "a~b"},
		{`CLIENT SETNAME \e`, "OK"},
		{"CLIENT GETNAME", "(nil)"},
		{"CLIENT SETINFO lib-name spinel-py", "OK"},
		{"CLIENT SETINFO LIB-VER 1.2.3", "OK"},
		{`CLIENT SETINFO lib-name a\sb`, "-ERR lib-name cannot contain spaces, newlines or special characters."},
		{"CLIENT SETINFO LIB-FOO x", "-ERR Unrecognized option 'LIB-FOO'"},
		{"CLIENT SETINFO LIB-VER", "-ERR wrong number of arguments for 'client|setinfo' command"},
		{"CLIENT NO-EVICT maybe", "-ERR syntax error"},
		{"CLIENT NO-EVICT ON", "OK"},
		{"CLIENT NO-TOUCH on", "OK"},
		{"CLIENT CAPA redirect foo", "OK"},
		{"CLIENT CAPA", "-ERR wrong number of arguments for 'client|capa' command"},
		{"CLIENT IMPORT-SOURCE on", "-ERR Server is not in import mode"},
		{"CLIENT IMPORT-SOURCE off", "OK"},
		{"CLIENT IMPORT-SOURCE x", "-ERR syntax error"},
		{"CLIENT GETREDIR", "-1"},
		{"CLIENT TRACKING on", "-ERR Client side caching is not supported by this server"},
		{"CLIENT TRACKING on BCAST PREFIX a PREFIX b", "-ERR Client side caching is not supported by this server"},
		{"CLIENT TRACKING on PREFIX", "-ERR syntax error"},
		{"CLIENT TRACKING off", "OK"},
		{"CLIENT TRACKING foo", "-ERR syntax error"},
		{"CLIENT CACHING yes", "-ERR CLIENT CACHING can be called only when the client is in tracking mode " +
			"with OPTIN or OPTOUT mode enabled"},
		{"CLIENT TRACKINGINFO", "[flags [off] redirect -1 prefixes []]"},
		{"CLIENT UNBLOCK 1", "0"},
		{"CLIENT UNBLOCK x", "-ERR value is not an integer or out of range"},
		{"CLIENT UNBLOCK x foo", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"},
		{"CLIENT UNBLOCK -1 error", "0"},
		{"CLIENT UNBLOCK 1 error x", "-ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. " +
			"Try CLIENT HELP."},
		{"CLIENT HELP x", "-ERR wrong number of arguments for 'client|help' command"},
		{"CLIENT REPLY foo", "-ERR syntax error"},
	})
	s := srv.Session
	if s.LibName != "spinel-py" || s.LibVersion != "1.2.3" || !s.NoEvict || !s.NoTouch || s.Capa != 1 {
		t.Errorf("%+v", s)
	}
	if got := srv.Do("CLIENT", "HELP").Text(); !strings.HasPrefix(got, "[CLIENT <subcommand> ") ||
		!strings.HasSuffix(got, " HELP     Prints this help.]") {
		t.Errorf("%q", got)
	}
}

// TestReply: which replies CLIENT REPLY lets through, all in one turn and one by one.
func TestReply(t *testing.T) {
	for _, tt := range []struct{ calls, want string }{
		{"CLIENT REPLY SKIP; PING; PING 1", "$1\r\n1\r\n"},
		{"CLIENT REPLY SKIP; CLIENT REPLY SKIP; PING; PING 1", "$1\r\n1\r\n"},
		{"CLIENT REPLY SKIP; NOSUCH; PING 1", "$1\r\n1\r\n"},
		{"CLIENT REPLY SKIP; CLIENT REPLY ON; PING 1", "+OK\r\n$1\r\n1\r\n"},
		{"CLIENT REPLY OFF; PING; PING", ""},
		{"CLIENT REPLY OFF; CLIENT REPLY SKIP; PING; CLIENT REPLY ON; PING 1", "+OK\r\n$1\r\n1\r\n"},
		{"CLIENT REPLY OFF; RESET; PING", "+RESET\r\n+PONG\r\n"},
		{"MULTI; CLIENT REPLY SKIP; PING; EXEC; PING; PING 1", "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+PONG\r\n$1\r\n1\r\n"},
	} {
		lines := strings.ReplaceAll(tt.calls, "; ", "\r\n") + "\r\n"
		if got := string(newServer(t).Raw([]byte(lines))); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.calls, got, tt.want)
		}
		srv, got := newServer(t), ""
		for line := range strings.Lines(lines) {
			got += string(srv.Raw([]byte(line)))
		}
		if got != tt.want {
			t.Errorf("%s, one by one: got %q, want %q", tt.calls, got, tt.want)
		}
	}
}

// TestPause: the mode and the time of a pause, and who is told.
func TestPause(t *testing.T) {
	srv := newServer(t)
	wrong := "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP."
	play(srv.Client, []call{
		{"CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"},
		{"CLIENT PAUSE 1.5", "-ERR timeout is not an integer or out of range"},
		{"CLIENT PAUSE -1", "-ERR timeout is negative"},
		{"CLIENT PAUSE 9223372036854775807", "-ERR timeout is out of range"},
		{"CLIENT PAUSE 1 foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL"},
		{"CLIENT PAUSE x foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL"},
		{"CLIENT PAUSE 1 ALL x", wrong},
		{"CLIENT UNPAUSE x", "-ERR wrong number of arguments for 'client|unpause' command"},
	})
	if srv.reg.Pause.Active() || srv.paused != 0 {
		t.Fatal("a CLIENT PAUSE with an error pauses")
	}
	want := func(mode session.PauseMode) {
		t.Helper()
		if got := srv.reg.Pause.Mode(srv.Clock.Mono()); got != mode {
			t.Errorf("mode %d, want %d", got, mode)
		}
	}
	srv.Do("CLIENT", "PAUSE", "100", "write").Want("OK")
	want(session.PauseWrites)
	srv.Clock.Advance(99 * time.Millisecond)
	want(session.PauseWrites)
	srv.Clock.Advance(time.Millisecond)
	want(session.PauseOff)
	srv.Do("CLIENT", "PAUSE", "100").Want("OK")
	srv.Do("CLIENT", "PAUSE", "10", "WRITE").Want("OK") // neither shortens nor weakens it
	srv.Clock.Advance(50 * time.Millisecond)
	want(session.PauseAll)
	srv.Do("CLIENT", "UNPAUSE").Want("OK")
	want(session.PauseOff)
	srv.Do("CLIENT", "PAUSE", "7000000000000000000").Want("OK") // for ever
	srv.Clock.Advance(1000 * time.Hour)
	want(session.PauseAll)
	srv.Do("CLIENT", "UNPAUSE").Want("OK")
	srv.Do("CLIENT", "PAUSE", "0").Want("OK")
	want(session.PauseOff)
	if srv.paused != 7 {
		t.Errorf("told %d times", srv.paused)
	}
}
