package conncmd_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/session"
)

// line is what a client's line of CLIENT LIST looks like, after Redis 7.2.
var line = regexp.MustCompile(`^id=\d+ addr=\S+ laddr=\S+ fd=\d+ name=\S* age=\d+ idle=\d+ flags=[A-Za-z]+ db=\d+ ` +
	`sub=0 psub=0 ssub=0 multi=-?\d+ qbuf=\d+ qbuf-free=\d+ argv-mem=\d+ multi-mem=\d+ rbs=\d+ rbp=\d+ obl=\d+ ` +
	`oll=\d+ omem=\d+ tot-mem=\d+ events=rw? cmd=\S+ user=\S+ redir=-1 resp=[23] lib-name=\S* lib-ver=\S*$`)

// fields reads the lines of CLIENT LIST.
func fields(t *testing.T, text string) (all []map[string]string) {
	t.Helper()
	for l := range strings.Lines(strings.TrimPrefix(text, "txt:")) {
		l = strings.TrimSuffix(l, "\n")
		if !line.MatchString(l) {
			t.Errorf("not a line of CLIENT LIST: %q", l)
		}
		m := map[string]string{}
		for _, f := range strings.Fields(l) {
			name, value, _ := strings.Cut(f, "=")
			m[name] = value
		}
		all = append(all, m)
	}
	return all
}

// TestInfo: every field that a command can change.
func TestInfo(t *testing.T) {
	srv := newServer(t)
	srv.Session.LastUse = srv.Clock.Mono()
	srv.Clock.Advance(90 * time.Second)
	srv.Session.Created = srv.Clock.Mono() - int64(time.Hour)
	other := srv.NewClient()
	for _, tt := range []struct{ calls, field, want string }{
		{"PING", "id", "1"},
		{"PING", "addr", "127.0.0.1:50000"},
		{"PING", "laddr", "127.0.0.1:6379"},
		{"PING", "fd", "8"},
		{"PING", "age", "3600"},
		{"PING", "flags", "N"},
		{"PING", "multi", "-1"},
		{"PING", "resp", "2"},
		{"PING", "user", "default"},
		{"PING", "cmd", "client|info"},
		{"PING", "events", "r"},
		{"PING", "qbuf", "26"}, // of CLIENT INFO itself
		{"CLIENT SETNAME n", "name", "n"},
		{"SELECT 7", "db", "7"},
		{"CLIENT NO-EVICT ON", "flags", "e"},
		{"CLIENT NO-TOUCH ON", "flags", "eT"},
		{"WATCH k", "flags", "eT"},
		{"PUT k v", "flags", "deT"},
		{"UNWATCH", "flags", "eT"},
		{"HELLO 3", "resp", "3"},
		{"CLIENT SETINFO LIB-NAME l", "lib-name", "l"},
		{"CLIENT SETINFO LIB-VER 1", "lib-ver", "1"},
		{"RESET", "flags", "N"},
		{"RESET", "lib-name", "l"},
	} {
		srv.Do(split(tt.calls)...)
		if got := fields(t, srv.Do("CLIENT", "INFO").Text())[0][tt.field]; got != tt.want {
			t.Errorf("after %s: %s=%s, want %s", tt.calls, tt.field, got, tt.want)
		}
	}
	srv.Do("MULTI")
	srv.Do("PUT", "k", "value")
	srv.Do("PING")
	all := fields(t, other.Do("CLIENT", "LIST", "ID", "1").Text())
	if m := all[0]; m["flags"] != "x" || m["multi"] != "2" || m["multi-mem"] == "0" || m["cmd"] != "ping" {
		t.Errorf("in MULTI: %v", m)
	}
	srv.Do("CLIENT", "INFO")
	reply := strings.Trim(srv.Do("EXEC").Text(), "[]")
	m := fields(t, reply[strings.Index(reply, "id="):])[0]
	if m["flags"] != "x" || m["multi"] != "3" || m["cmd"] != "exec" {
		t.Errorf("in EXEC: %v", m)
	}
	if m := fields(t, srv.Do("CLIENT", "INFO").Text())[0]; m["flags"] != "N" || m["multi"] != "-1" {
		t.Errorf("behind EXEC: %v", m)
	}
	srv.Do("HELLO", "3")
	if got := srv.Do("CLIENT", "INFO").Raw(); !regexp.MustCompile(`^=\d+\r\ntxt:id=1 `).MatchString(got) {
		t.Errorf("in RESP3: %q", got)
	}
}

// crowd is a server with clients of several kinds; the first asks.
func crowd(t *testing.T) (*server, []*cmdtest.Client) {
	srv := newServer(t)
	second := int64(time.Second)
	srv.Clock.Advance(100 * time.Second)
	clients := []*cmdtest.Client{srv.Client}
	for range 4 {
		clients = append(clients, srv.NewClient())
	}
	for i, change := range []func(s *session.Session){
		func(s *session.Session) {},
		func(s *session.Session) { s.Remote, s.Name, s.DB = "127.0.0.1:50001", "n", 3 },
		func(s *session.Session) { s.Remote, s.Local, s.LibName = "[::1]:50002", "[::1]:6379", "l" },
		func(s *session.Session) { s.Remote, s.Unix, s.Capa = "/sock:0", true, 1 },
		func(s *session.Session) { s.NoEvict, s.Multi.Open, s.LibVersion = true, true, "1" },
	} {
		s := clients[i].Session
		s.Created = srv.Clock.Mono() - int64(i)*10*second
		s.LastUse = s.Created + 5*second*min(int64(i), 1)
		change(s)
	}
	return srv, clients
}

// filters is what filters choose of a crowd: SKIPME is no for CLIENT LIST.
var filters = []struct{ args, ids string }{
	{"TYPE normal", "1 2 3 4 5"},
	{"TYPE MASTER", ""},
	{"TYPE primary", ""},
	{"TYPE slave", ""},
	{"TYPE replica", ""},
	{"TYPE pubsub", ""},
	{"NOT-TYPE pubsub", "1 2 3 4 5"},
	{"ID 3", "3"},
	{"ID 77", ""},
	{"ID 5 2 4", "5 2 4"},
	{"ID 5 2 DB 3", "2"},
	{"ID 5 2 SKIPME no", "5 2"},
	{"ID 1 ID 2", "2"},
	{"NOT-ID 1 2 3", "4 5"},
	{"ID 1 2 3 NOT-ID 2", "1 3"},
	{"ADDR 127.0.0.1:50001", "2"},
	{"ADDR 127.0.0.1", ""},
	{"NOT-ADDR 127.0.0.1:50001", "1 3 4 5"},
	{"LADDR [::1]:6379", "3"},
	{"IP 127.0.0.1", "1 2 5"},
	{"IP ::1", "3"},
	{"NOT-IP 127.0.0.1", "3 4"},
	{"USER default", "1 2 3 4 5"},
	{"NOT-USER default", ""},
	{"SKIPME yes", "2 3 4 5"},
	{"NAME n", "2"},
	{"NOT-NAME n", "1 3 4 5"},
	{"LIB-NAME l", "3"},
	{"LIB-VER 1", "5"},
	{"NOT-LIB-VER 1", "1 2 3 4"},
	{"FLAGS N", "1 2 3"},
	{"FLAGS U", "4"},
	{"FLAGS ex", "5"},
	{"FLAGS eU", ""},
	{"NOT-FLAGS N", "4 5"},
	{"CAPA r", "4"},
	{"NOT-CAPA r", "1 2 3 5"},
	{"DB 0", "1 3 4 5"},
	{"NOT-DB 0", "2"},
	{"MAXAGE 20", "3 4 5"},
	{"MAXAGE 21", "4 5"},
	{"IDLE 25", "4 5"},
	{"maxage 20 idle 25 flags U", "4"},
}

func TestList(t *testing.T) {
	srv, _ := crowd(t)
	list := func(args string) string {
		t.Helper()
		var ids []string
		for _, m := range fields(t, srv.Do(split("CLIENT LIST "+args)...).Text()) {
			ids = append(ids, m["id"])
		}
		return strings.Join(ids, " ")
	}
	if got := list(""); got != "1 2 3 4 5" {
		t.Errorf("CLIENT LIST: %s", got)
	}
	for _, tt := range filters {
		srv.Session.LastUse = srv.Clock.Mono()
		if got := list(tt.args); got != tt.ids {
			t.Errorf("CLIENT LIST %s: %s, want %s", tt.args, got, tt.ids)
		}
	}
	if got := list("ID 0 -1 2 999999999999 2"); got != "2 2" {
		t.Errorf("IDs of nobody: %s", got)
	}
}

// TestKill: a filter kills whom CLIENT LIST would show, but not the one who asks unless
// he says so.
func TestKill(t *testing.T) {
	for _, tt := range filters {
		srv, clients := crowd(t)
		srv.Session.LastUse = srv.Clock.Mono()
		want := map[string]bool{}
		for _, id := range strings.Fields(tt.ids) {
			want[id] = true
		}
		mine := want["1"]
		if strings.Contains(strings.ToUpper(tt.args), "SKIPME") {
			srv.Do(split("CLIENT KILL " + tt.args)...).WantInt(int64(len(want)))
		} else {
			delete(want, "1")
			srv.Do(split("CLIENT KILL " + tt.args)...).WantInt(int64(len(want)))
			if srv.Session.Closing != session.Open {
				t.Errorf("CLIENT KILL %s kills the caller", tt.args)
			}
			if mine {
				srv.Do(split("CLIENT KILL SKIPME no " + tt.args)...).WantInt(1)
				if srv.Session.Closing != session.AfterReply {
					t.Errorf("CLIENT KILL SKIPME no %s leaves the caller alone", tt.args)
				}
			}
		}
		for i, c := range clients[1:] {
			id := string(rune('2' + i))
			if got := c.Session.Closing == session.Immediately; got != want[id] {
				t.Errorf("CLIENT KILL %s: client %s killed: %v", tt.args, id, got)
			}
			closing := c.Session.TakeOrders().Close
			if closing != want[id] {
				t.Errorf("CLIENT KILL %s: the loop of %s was told: %v", tt.args, id, closing)
			}
		}
	}
}

// TestKillOldForm: by address, with OK or an error, and the caller too.
func TestKillOldForm(t *testing.T) {
	srv, clients := crowd(t)
	srv.Do("CLIENT", "KILL", "127.0.0.1:1").WantError("ERR No such client")
	srv.Do("CLIENT", "KILL", "[::1]:50002").Want("OK")
	srv.Do("CLIENT", "KILL", "[::1]:50002").WantError("ERR No such client") // he is gone
	srv.Do("CLIENT", "LIST", "ID", "3").Want("")
	if got := clients[2].Raw([]byte("PING\r\n")); len(got) != 0 {
		t.Errorf("the killed still answers %q", got)
	}
	if got := string(srv.Raw([]byte("CLIENT KILL 127.0.0.1:50000\r\nPING\r\n"))); got != "+OK\r\n" {
		t.Errorf("suicide: %q", got)
	}
}

// TestFilterErrors: what Redis says, and where CLIENT LIST and CLIENT KILL differ.
func TestFilterErrors(t *testing.T) {
	srv := newServer(t)
	syntax, id := "-ERR syntax error", "-ERR client-id should be greater than 0"
	play(srv.Client, []call{
		{"CLIENT LIST TYPE", syntax},
		{"CLIENT LIST ID", syntax},
		{"CLIENT LIST FOO", syntax},
		{"CLIENT LIST FOO bar", syntax},
		{"CLIENT LIST TYPE foo", "-ERR Unknown client type 'foo'"},
		{"CLIENT LIST ID x", "-ERR Invalid client ID"},
		{"CLIENT LIST ID 1 x", "-ERR Invalid client ID"},
		{"CLIENT LIST ID TYPE normal", "-ERR Invalid client ID"},
		{"CLIENT LIST NOT-SKIPME yes", syntax},
		{"CLIENT LIST NOT-MAXAGE 1", syntax},
		{"CLIENT LIST NOT- 1", syntax},
		{"CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' command"},
		{"CLIENT KILL ID", "-ERR No such client"},
		{"CLIENT KILL a b", syntax},
		{"CLIENT KILL ID x", id},
		{"CLIENT KILL ID 0", id},
		{"CLIENT KILL ID -1", id},
		{"CLIENT KILL ID 99999999999999999999", id},
		{"CLIENT KILL ID 2 0", id},
		{"CLIENT KILL ID 2 x", syntax},
		{"CLIENT KILL ID 2 SKIPME", syntax},
		{"CLIENT KILL TYPE foo", "-ERR Unknown client type 'foo'"},
		{"CLIENT KILL USER nobody", "-ERR No such user 'nobody'"},
		{"CLIENT KILL SKIPME maybe", syntax},
		{"CLIENT KILL SKIPME no ID", syntax},
		{"CLIENT KILL MAXAGE x", "-ERR maxage is not an integer or out of range"},
		{"CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0"},
		{"CLIENT KILL IDLE -5", "-ERR idle should be greater than 0"},
		{"CLIENT KILL FLAGS xN?", "-ERR Unknown flags found in the provided filter: xN?"},
		{"CLIENT KILL NOT-FLAGS 1", "-ERR Unknown flags found in the NOT-FLAGS filter: 1"},
		{"CLIENT KILL CAPA x", "-ERR Unknown capa found in the provided filter: x"},
		{"CLIENT KILL DB 16", "-ERR DB number should be between 0 and 15"},
		{"CLIENT KILL DB x", "-ERR DB number should be between 0 and 15"},
	})
}

// FuzzFilter: whatever follows CLIENT LIST and CLIENT KILL gets one reply, and nobody is
// killed who would not be listed.
func FuzzFilter(f *testing.F) {
	for _, tt := range filters {
		f.Add(tt.args)
	}
	f.Add("ID 1 x")
	f.Fuzz(func(t *testing.T, args string) {
		srv := newServer(t)
		victim := srv.NewClient()
		words := strings.Split(args, " ")
		listed := srv.Do(append([]string{"CLIENT", "LIST"}, words...)...).Raw()
		if len(words) == 1 {
			return // an address, to CLIENT KILL
		}
		srv.Do(append([]string{"CLIENT", "KILL"}, words...)...).Text()
		if victim.Session.Closing != session.Open && !strings.Contains(listed, "id=2 ") {
			t.Errorf("killed but not listed: %q, %q", args, listed)
		}
	})
}
