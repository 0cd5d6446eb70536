package benchmark

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// TestOptions shows what each option sets, and where the command begins.
func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		args    string
		want    func(*options)
		command string
	}{
		{"", func(*options) {}, ""},
		{"-h db -p 1 get -k", func(o *options) { o.Host, o.Port = "db", 1 }, "get -k"},
		{"-s /tmp/s -x set k", func(o *options) { o.Socket, o.stdinLast = "/tmp/s", true }, "set k"},
		{"-a p --user u --dbnum 7 -3", func(o *options) {
			o.Password, o.HasPassword, o.User, o.Database, o.resp3 = "p", true, "u", 7, true
		}, ""},
		{"-c 7 -n 9 -d 11 -P 13 --threads 3", func(o *options) {
			o.clients, o.requests, o.dataBytes, o.pipeline, o.threads = 7, 9, 11, 13, 3
		}, ""},
		{"-c 0 -n 0 -d -1 -P 0 --threads -1", func(o *options) { // what makes no sense is one, as ever
			o.clients, o.requests, o.dataBytes, o.pipeline = 1, 1, 1, 1
		}, ""},
		{"-r 100 --seed 5", func(o *options) { o.random, o.keyspace, o.seed, o.hasSeed = true, 100, 5, true }, ""},
		{"-r -1", func(o *options) { o.random = true }, ""},
		{"-k 1", func(*options) {}, ""},
		{"-k 0", func(o *options) { o.reconnect, o.warnings = true, []string{keepAliveWarning} }, ""},
		{"-t GET,Set -q -l", func(o *options) { o.tests, o.quiet, o.loop = "get,set", true, true }, ""},
		{"--csv --precision 1 -I", func(o *options) { o.csv, o.decimals, o.idle = true, 1, true }, ""},
		{"--precision 9", func(*options) {}, ""},
		{"--enable-tracking", func(o *options) { o.tracking = true }, ""},
		{"--threads 1000", func(o *options) {
			o.threads, o.warnings = 500, []string{"Too many threads, limiting threads to 500."}
		}, ""},
		{"-u redis://", func(*options) {}, ""},
		{"-u redis://db", func(o *options) { o.Host = "db" }, ""},
		{"-u valkey://[::1]:1/2?x=y", func(o *options) { o.Host, o.Port, o.Database = "::1", 1, 2 }, ""},
		{"-u redis://u:p%40q@db", func(o *options) {
			o.Host, o.User, o.Password, o.HasPassword = "db", "u", "p@q", true
		}, ""},
		{"-u redis://p@db", func(o *options) { o.Host, o.Password, o.HasPassword = "db", "p", true }, ""},
		{"--version -p", func(o *options) { o.version = true }, ""},
		{"--help", func(o *options) { o.usage = true }, ""},
	} {
		want := defaults()
		tt.want(&want)
		got := defaults()
		command, err := got.parse(strings.Fields(tt.args))
		if err != nil || !reflect.DeepEqual(got, want) || strings.Join(command, " ") != tt.command {
			t.Errorf("%s:\n got %+v %q, %v\nwant %+v %q", tt.args, got, command, err, want, tt.command)
		}
	}
}

// TestRefused shows what ends before there is a connection.
func TestRefused(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--tls", "Option --tls: TLS is not there yet."},
		{"--cacert f", "Option --cacert: TLS is not there yet."},
		{"--cluster", "Option --cluster: load on a cluster is not there yet."},
		{"-u rediss://db", "rediss:// needs TLS, which is not there yet."},
		{"-u http://db", "Invalid URI scheme"},
		{"-u redis://[::1", "Invalid URI: the address has no closing bracket."},
		{"-u redis://db:99999", "Invalid server port '99999'."},
		{"-u redis://db/x", "Invalid database number 'x'."},
		{"-p 65536", "Invalid server port '65536'."},
		{"-c many", "Invalid number of clients 'many'."},
		{"-n 1e6", "Invalid number of requests '1e6'."},
		{"-d 3k", "Invalid data size '3k'."},
		{"-P x", "Invalid pipeline length 'x'."},
		{"-r x", "Invalid keyspace length 'x'."},
		{"-r -t set", "Invalid keyspace length '-t'."},
		{"-k yes", "Invalid keep alive 'yes'."},
		{"--dbnum -1", "Invalid database number '-1'."},
		{"--seed -1", "Invalid seed '-1'."},
		{"--precision x", "Invalid precision 'x'."},
		{"--threads x", "Invalid number of threads 'x'."},
		{"-x -t set", "Option -x: there is no command whose last argument could be read."},
	} {
		var stdout, stderr bytes.Buffer
		code := Program{}.Main(strings.Fields(tt.args), nil, &stdout, &stderr)
		if code != 1 || stdout.Len() > 0 || stderr.String() != tt.want+"\n" {
			t.Errorf("%s: %d, %q, %q; want %q", tt.args, code, &stdout, &stderr, tt.want)
		}
	}
}

// TestUsage shows that the help names every option, and that it comes with what nobody
// understands.
func TestUsage(t *testing.T) {
	main := func(args ...string) (code int, text string) {
		var stdout bytes.Buffer
		code = Program{Name: "redis-benchmark", Version: "7.0"}.Main(args, nil, &stdout, nil)
		return code, stdout.String()
	}
	_, help := main("--help")
	for _, table := range []any{switches, settings} {
		for _, key := range reflect.ValueOf(table).MapKeys() {
			if !strings.Contains(help, " "+key.String()) {
				t.Errorf("the help does not tell about %s", key)
			}
		}
	}
	for _, tr := range trials {
		for _, name := range strings.Fields(tr.names) {
			if !strings.Contains(help, name) {
				t.Errorf("the help does not tell about the test %s", name)
			}
		}
	}
	for _, args := range [][]string{{"--nosuch"}, {"-p"}, {"-h"}} {
		code, text := main(args...)
		want := "Invalid option \"" + args[0] + "\" or option argument missing\n\n" + help
		if code != 1 || text != want {
			t.Errorf("%s: %d, %q", args, code, text)
		}
	}
	if code, text := main("--version"); code != 0 || text != "redis-benchmark 7.0\n" {
		t.Errorf("--version: %d, %q", code, text)
	}
}
