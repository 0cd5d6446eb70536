package cmdline

import (
	"strings"
	"testing"
)

type flags struct {
	isOn bool
	n    int
}

var known = Options[flags]{
	Switches: map[string]func(*flags){"-q": func(f *flags) { f.isOn = true }},
	Settings: map[string]func(*flags, string) error{
		"-n": func(f *flags, v string) error { return Number(&f.n, "number", v, 0, 9) },
	},
	Absent: map[string]string{"--tls": "TLS"},
}

// TestNext shows which options are taken, and what is left.
func TestNext(t *testing.T) {
	for _, tt := range []struct {
		args, rest string
		want       flags
		isTaken    bool
		err        string
	}{
		{"-q x", "x", flags{isOn: true}, true, ""},
		{"-n 7 x", "x", flags{n: 7}, true, ""},
		{"-n", "-n", flags{}, false, ""},
		{"-n 10", "", flags{}, true, "Invalid number '10'."},
		{"-n x", "", flags{}, true, "Invalid number 'x'."},
		{"--tls x", "--tls x", flags{}, false, "Option --tls: TLS is not there yet."},
		{"-z x", "-z x", flags{}, false, ""},
	} {
		var got flags
		rest, isTaken, err := known.Next(&got, strings.Fields(tt.args))
		said := ""
		if err != nil {
			said = err.Error()
		}
		if got != tt.want || isTaken != tt.isTaken || strings.Join(rest, " ") != tt.rest || said != tt.err {
			t.Errorf("%s: %+v %q %v %q", tt.args, got, rest, isTaken, said)
		}
	}
}

// TestURI shows what a URI sets, on top of what was there.
func TestURI(t *testing.T) {
	for _, tt := range []struct {
		uri  string
		want func(*Server)
		err  string
	}{
		{"redis://", func(*Server) {}, ""},
		{"REDIS://db:1/2?x=y", func(s *Server) { s.Host, s.Port, s.Database = "db", 1, 2 }, ""},
		{"valkey://[::1]:1", func(s *Server) { s.Host, s.Port = "::1", 1 }, ""},
		{"redis://u:p%40q@db", func(s *Server) {
			s.Host, s.User, s.Password, s.HasPassword = "db", "u", "p@q", true
		}, ""},
		{"redis://p@db", func(s *Server) { s.Host, s.Password, s.HasPassword = "db", "p", true }, ""},
		{"redis://:@db", func(s *Server) { s.Host, s.HasPassword = "db", true }, ""},
		{"redis://%zz@db", func(*Server) {}, "Invalid URI: bad escape in user or password."},
		{"redis://[::1", func(*Server) {}, "Invalid URI: the address has no closing bracket."},
		{"redis://db:99999", func(s *Server) { s.Host = "db" }, "Invalid server port '99999'."},
		{"redis://db/x", func(s *Server) { s.Host = "db" }, "Invalid database number 'x'."},
		{"rediss://db", func(*Server) {}, "rediss:// needs TLS, which is not there yet."},
		{"valkeys://db", func(*Server) {}, "rediss:// needs TLS, which is not there yet."},
		{"http://db", func(*Server) {}, "Invalid URI scheme"},
	} {
		want, got := Local(), Local()
		tt.want(&want)
		err := got.SetURI(tt.uri)
		if got != want || err == nil != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: %+v, %v, want %+v, %s", tt.uri, got, err, want, tt.err)
		}
	}
}

// FuzzURI: whatever a URI is, it is taken or refused.
func FuzzURI(f *testing.F) {
	f.Add("redis://u:p%40q@[::1]:1/2?x=y")
	f.Add("valkey://@:/")
	f.Fuzz(func(t *testing.T, uri string) {
		s := Local()
		if s.SetURI(uri) == nil && (s.Host == "" || s.Port < 0 || s.Port > 65535 || s.Database < 0) {
			t.Errorf("%q: %+v", uri, s)
		}
	})
}

// TestServer shows where a server is and how one logs in to it.
func TestServer(t *testing.T) {
	for _, tt := range []struct {
		server                     Server
		network, address, text, in string
	}{
		{Server{Host: "db", Port: 1}, "tcp", "db:1", "db:1", ""},
		{Server{Host: "::1", Port: 1}, "tcp", "[::1]:1", "::1:1", ""},
		{Server{Host: "db", Port: 1, Socket: "/s"}, "unix", "/s", "/s", ""},
		{Server{Host: "db", HasPassword: true, Password: "p"}, "tcp", "db:0", "db:0", "AUTH p"},
		{Server{Host: "db", HasPassword: true, User: "u", Password: "p"}, "tcp", "db:0", "db:0", "AUTH u p"},
	} {
		s := tt.server
		network, address := s.Address()
		if in := strings.Join(s.Auth(), " "); network != tt.network || address != tt.address ||
			s.String() != tt.text || in != tt.in {
			t.Errorf("%+v: %s %s %s, %q", s, network, address, s.String(), in)
		}
	}
}
