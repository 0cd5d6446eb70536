package cli

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestOptions shows what each option sets, and where the command begins.
func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		args    string
		want    func(*options)
		command string
	}{
		{"", func(*options) {}, ""},
		{"-h db -p 1 get k", func(o *options) { o.Host, o.Port = "db", 1 }, "get k"},
		{"-s /tmp/s", func(o *options) { o.Socket = "/tmp/s" }, ""},
		{"get -h x", func(*options) {}, "get -h x"}, // options end where the command begins
		{"-r -1 -i 0.25 -n 7", func(o *options) {
			o.repeat, o.interval, o.Database = -1, 250*time.Millisecond, 7
		}, ""},
		{"-x -e -d , -D ;", func(o *options) {
			o.stdinLast, o.failOnError, o.elementDelim, o.replyDelim = true, true, ",", ";"
		}, ""},
		{"-X tag --quoted-input", func(o *options) { o.stdinTag, o.hasTag, o.quotedInput = "tag", true, true }, ""},
		{"--no-raw --csv", func(o *options) { o.output = csv }, ""}, // the last one counts
		{"--json", func(o *options) { o.output, o.wantsMaps, o.resp3 = json, true, true }, ""},
		{"--json -2", func(o *options) { o.output, o.wantsMaps, o.resp2 = json, true, true }, ""},
		{"--scan --pattern a* --count 5 --type set -i 0.1", func(o *options) {
			o.modes.scan, o.modes.pattern, o.modes.hasPattern = true, "a*", true
			o.modes.count, o.modes.keyType, o.interval = 5, "set", 100*time.Millisecond
		}, ""},
		{"--memkeys-samples 0 --quoted-pattern \"\\x00\"", func(o *options) {
			o.modes.memKeys, o.modes.memSamples, o.modes.pattern, o.modes.hasPattern = true, 0, "\x00", true
		}, ""},
		{"--latency-history --pipe-timeout 0 --intrinsic-latency 0.5 -t 2 -6", func(o *options) {
			o.modes.latency, o.modes.history, o.modes.pipeTimeout = true, true, 0
			o.modes.intrinsic, o.modes.hasIntrinsic = time.Second/2, true
			o.timeout, o.family = 2*time.Second, "6"
		}, ""},
		{"-3 --show-pushes Yes", func(o *options) { o.resp3, o.showPushes = true, true }, ""},
		{"-u redis://", func(*options) {}, ""},
		{"-u redis://db", func(o *options) { o.Host = "db" }, ""},
		{"-u REDIS://db:1/2?x=y", func(o *options) { o.Host, o.Port, o.Database = "db", 1, 2 }, ""},
		{"-u valkey://[::1]:1", func(o *options) { o.Host, o.Port = "::1", 1 }, ""},
		{"-u redis://[fe80::1]", func(o *options) { o.Host = "fe80::1" }, ""},
	} {
		want := defaults(false)
		want.warned = true
		tt.want(&want)
		got := defaults(false)
		command, err := got.parse(strings.Fields(tt.args), noEnv)
		if err != nil || !reflect.DeepEqual(got, want) || strings.Join(command, " ") != tt.command {
			t.Errorf("%s:\n got %+v %q, %v\nwant %+v %q", tt.args, got, command, err, want, tt.command)
		}
	}
}

// TestPasswords shows where the password comes from, and when its place is unsafe.
func TestPasswords(t *testing.T) {
	for _, tt := range []struct {
		args, env      string
		user, password string
		warns          bool
	}{
		{"-a p", "", "", "p", true},
		{"--user u --pass p", "", "u", "p", true},
		{"-a p", "e", "", "p", true},
		{"", "e", "", "e", false},
		{"-a p --no-auth-warning", "", "", "p", false},
		{"-u redis://u:p%40q@db", "", "u", "p@q", true},
		{"-u redis://:p@db", "", "", "p", true}, // the default user
		{"-u redis://p@db", "", "", "p", true},  // a word alone is a password
		{"-u redis://u:a@b@db", "", "u", "a@b", true},
	} {
		o := defaults(false)
		_, err := o.parse(strings.Fields(tt.args), func(string) string { return tt.env })
		if err != nil || o.User != tt.user || o.Password != tt.password || !o.HasPassword || o.warned == tt.warns {
			t.Errorf("%s with %q in the environment: %+v, %v", tt.args, tt.env, o, err)
		}
	}
}

// TestRefused shows what ends before there is a connection.
func TestRefused(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-c get k", "Option -c: cluster redirection is not there yet."},
		{"--eval f", "Option --eval: running a script file is not there yet."},
		{"--rdb f", "Option --rdb: transferring an RDB file is not there yet."},
		{"--scan --count 0", "Invalid count '0'."},
		{"--memkeys-samples x", "Invalid number of samples 'x'."},
		{"--pattern", "Unrecognized option or bad number of args for: '--pattern'"},
		{"--quoted-pattern a\"", "Invalid quoted string specified for --quoted-pattern."},
		{"--pipe-timeout -1", "Invalid pipe timeout '-1'."},
		{"-t x ping", "Invalid connection timeout 'x'."},
		{"--nosuch", "Unrecognized option or bad number of args for: '--nosuch'"},
		{"--tls ping", "Option --tls: TLS is not there yet."},
		{"-u rediss://db ping", "rediss:// needs TLS, which is not there yet."},
		{"-u http://db ping", "Invalid URI scheme"},
		{"-u redis://[::1 ping", "Invalid URI: the address has no closing bracket."},
		{"-u redis://a:%zz@db ping", "Invalid URI: bad escape in user or password."},
		{"-u redis://db:x ping", "Invalid server port 'x'."},
		{"-u redis://db/x ping", "Invalid database number 'x'."},
		{"-n x ping", "Invalid database number 'x'."},
		{"-n -1 ping", "Invalid database number '-1'."},
		{"-p 65536 ping", "Invalid server port '65536'."},
		{"-r x ping", "Invalid repeat count 'x'."},
		{"-i -1 ping", "Invalid interval '-1'."},
		{"-i nan ping", "Invalid interval 'nan'."},
		{"-2 -3 ping", "Options -2 and -3 are mutually exclusive."},
		{"-x -X t ping", "Options -x and -X are mutually exclusive."},
		{"-- ping", "Unrecognized option or bad number of args for: '--'"},
		{"--show-pushes maybe", "Unknown --show-pushes value 'maybe' (valid: '[y]es', '[n]o')"},
	} {
		if got := ours(strings.Fields(tt.args), ""); got != (outcome{"", tt.want + "\n", 1}) {
			t.Errorf("%s: %+v, want %q", tt.args, got, tt.want)
		}
	}
}

// TestUsage shows that the help names every option, and that -h alone is help.
func TestUsage(t *testing.T) {
	text := ours([]string{"--help"}, "").stdout
	for _, table := range []any{switches, settings} {
		for _, key := range reflect.ValueOf(table).MapKeys() {
			if name := key.String(); name != "--verbose" && !strings.Contains(text, name) {
				t.Errorf("the help does not tell about %s", name)
			}
		}
	}
	if got := ours([]string{"-h"}, ""); got.stdout != text || got.code != 0 {
		t.Errorf("-h: %+v", got)
	}
	var stdout bytes.Buffer
	if Main([]string{"-v"}, nil, &stdout, nil, noEnv); !strings.HasPrefix(stdout.String(), "spinel cli ") {
		t.Errorf("-v: %q", stdout.String())
	}
}
