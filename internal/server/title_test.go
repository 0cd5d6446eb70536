package server

import (
	"strings"
	"testing"
)

// What redis-server 7.0 takes and refuses.
func TestTitleTemplates(t *testing.T) {
	for template, want := range map[string]bool{
		"{title} {listen-addr} {server-mode}": true, "TEST {title} {unixsocket}": true, "{config-file}": true,
		"{port}{tls-port}": true, "{{x": true, "{{{title}": true, "}": true, "a}b": true, "{title}}": true,
		"   x": true, "plain": true,
		"": false, " ": false, "{": false, "{}": false, "{title": false, "{bad}": false, "{ title}": false,
		"{title}": false, " {title}": false, "{unixsocket}": false, "{title{port}}": false,
	} {
		if got := checkTitle(template) == nil; got != want {
			t.Errorf("%q is taken: %v, want %v", template, got, want)
		}
	}
}

func TestTitle(t *testing.T) {
	for _, tt := range []struct{ options, template, want string }{
		{"", "{listen-addr} {server-mode}", "*:6379"},
		{"", " TEST {port} {tls-port} [{unixsocket}] {config-file} {{a} ", "TEST 6379 0 [] - {a}"},
		{"--bind 127.0.0.1 ::1 --port 7", "{listen-addr}", "127.0.0.1:7"},
		{"--bind ::1", "{listen-addr}", "[::1]:6379"},
		{"--port 0 --unixsocket /tmp/s", "{listen-addr}", "unixsocket:/tmp/s"},
		{"", strings.Repeat("y", 400), strings.Repeat("y", titleBytesMax)},
	} {
		args := append(strings.Fields(tt.options), "--proc-title-template", tt.template)
		set, _, err := loadConfig(args, nil)
		if err != nil {
			t.Fatalf("%s: %v", tt.options, err)
		}
		if got := (&Server{config: set}).title(set.File()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.options, got, tt.want)
		}
	}
}
