package server

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestMigrateOverTheWire sends keys from one server to another.
func TestMigrateOverTheWire(t *testing.T) {
	from := start(t, "")
	to := start(t, "bind 127.0.0.1\nrequirepass secret")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no network here: ", err)
	}
	defer listener.Close()
	go func() { // what the other listens to is a unix socket
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", to.path)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(out, in) }()
			go func() { _, _ = io.Copy(in, out) }()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	a, b := from.dial(), to.dial()
	long := strings.Repeat("0123456789", 300_000)
	if _, err := a.Do("SET", "k", long); err != nil {
		t.Fatal(err)
	}
	a.do("SET short v")
	if got := a.do("MIGRATE 127.0.0.1 " + port + " short 0 5000"); !strings.HasPrefix(got,
		"ERR Target instance replied with error: NOAUTH") {
		t.Error(got)
	}
	if got := a.do("MIGRATE 127.0.0.1 " + port + " k 0 5000 AUTH secret"); got != "OK" {
		t.Error(got)
	}
	b.do("AUTH secret")
	if got, err := b.Do("GET", "k"); err != nil || got.Text != long {
		t.Errorf("%d bytes have arrived, %v", len(got.Text), err)
	}
	if n := a.info("migrate_cached_sockets"); n != "2" { // by either password
		t.Errorf("%s connections are kept", n)
	}
	if left, err := a.Do("EXISTS", "k", "short"); err != nil || left.Int != 1 {
		t.Errorf("%d keys are left, %v", left.Int, err)
	}
}

// TestPeer: a connection waits as long as it was told, and ends with the server.
func TestPeer(t *testing.T) {
	s := start(t, "")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no network here: ", err)
	}
	defer listener.Close()
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, bad := range []string{"http", "0x50", "99999", "-1", ""} {
		if _, err := s.dialPeer(host, bad, time.Second); err == nil {
			t.Errorf("connected to port %q", bad)
		}
	}
	p, err := s.dialPeer(host, port, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	p.SetTimeout(10 * time.Millisecond)
	var timeout net.Error
	if _, err := p.Read(make([]byte, 1)); err == nil || !asNet(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a silent server: %v", err)
	}
	full := bytes.Repeat([]byte("x"), 1<<20)
	for range 64 {
		if _, err = p.Write(full); err != nil {
			break
		}
	}
	if !asNet(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a server that does not read: %v", err)
	}
	p.SetTimeout(time.Minute)
	ended := make(chan error)
	go func() {
		_, err := p.Read(make([]byte, 1))
		ended <- err
	}()
	s.Close()
	if err := <-ended; err == nil {
		t.Error("the connection outlives its server")
	}
	if err := p.Close(); err == nil {
		t.Error("it was open still")
	}
}

func asNet(err error, to *net.Error) (ok bool) {
	*to, ok = err.(net.Error)
	return ok
}
