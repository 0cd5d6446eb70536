//go:build !windows && !plan9

package observe

import (
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TestSyslog shows what a syslog daemon receives: facility and severity in one
// number, the identity, and the message without our own time and level.
func TestSyslog(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	daemon, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	l, out := newTestLog()
	sink, err := openSyslog("unixgram", socket, "spinel-6379", "LOCAL3")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.replaceSyslog(sink); err != nil {
		t.Fatal(err)
	}
	l.Debugf("d")
	l.Verbosef("v")
	l.Noticef("two\nlines")
	l.Warnf("w")

	for _, tt := range []struct{ priority, message string }{
		{"159", "d"}, // local3 + debug 7
		{"158", "v"},
		{"157", `two\\nlines`},
		{"156", "w"},
	} {
		if err := daemon.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		packet := make([]byte, 1024)
		n, err := daemon.Read(packet)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`^<` + tt.priority + `>.* spinel-6379\[\d+\]: ` + tt.message + "\n$")
		if !want.Match(packet[:n]) {
			t.Errorf("got %q, want %s", packet[:n], want)
		}
	}
	if l.Lost() != 0 || out.Len() == 0 {
		t.Errorf("lost %d, %d bytes on stdout", l.Lost(), out.Len())
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestSyslogRefused shows the mistakes in the options that are found.
func TestSyslogRefused(t *testing.T) {
	l, _ := newTestLog()
	for _, facility := range []string{"", "mail", "local", "local8", "local10", "local-"} {
		if err := l.ToSyslog("spinel", facility); err == nil {
			t.Errorf("facility %q was accepted", facility)
		}
	}
	if _, err := openSyslog("unixgram", filepath.Join(t.TempDir(), "none"), "spinel", "user"); err == nil {
		t.Error("a daemon that is not there was accepted")
	}
}
