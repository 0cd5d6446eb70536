//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
)

// TestUnixSocket shows a server that listens at a path and nowhere else, with the
// permissions that were asked for, over what an earlier one may have left there.
func TestUnixSocket(t *testing.T) {
	for _, perm := range []os.FileMode{0o700, 0o770, 0o777} {
		dir := t.TempDir()
		path := filepath.Join(dir, "redis.sock")
		left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		left.SetUnlinkOnClose(false)
		_ = left.Close()

		p := launch(t, dir, "--save", "", "--port", "0", "--unixsocket", path,
			"--unixsocketperm", fmt.Sprintf("%o", perm))
		var c *client.Conn
		eventually(t, "the server serves at the socket", startTimeout, func() bool {
			if c, err = client.Dial("unix", path, clientOptions); err != nil {
				return false
			}
			reply, err := c.Do("PING")
			if err != nil || reply.Text != "PONG" { // it is still loading
				_ = c.Close()
			}
			return err == nil && reply.Text == "PONG"
		})
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != perm {
			t.Errorf("the socket's permissions are %o, want %o", got, perm)
		}
		conn{c, t}.want("OK", "SET", "key", "value")
		conn{c, t}.want("value", "GET", "key")
		if list := (conn{c, t}).do("CLIENT", "LIST").Text; !strings.Contains(list, "addr="+path+":0") {
			t.Errorf("CLIENT LIST names no client at %s: %s", path, list)
		}
		_ = c.Close()
		p.stop()
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the socket is left: %v", err)
		}
	}
}

// TestBind shows a server at several addresses, one of which may be missing and one of
// which may not.
func TestBind(t *testing.T) {
	addresses := []string{"127.0.0.1", "127.0.0.2"}
	if ln, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		_ = ln.Close()
		addresses = append(addresses, "::1")
	} else {
		t.Log("this machine has no ::1: ", err)
	}
	// 192.0.2.1 is for documentation: no machine has it.
	p := start(t, t.TempDir(), "--save", "", "--bind", strings.Join(addresses, " ")+" -192.0.2.1")
	port := itoa(p.port)
	for i, address := range addresses {
		c := dial(t, "tcp", net.JoinHostPort(address, port))
		c.want(itoa(i+1), "INCR", "visits")
	}

	if _, err := net.Dial("tcp", net.JoinHostPort("127.0.0.3", port)); err == nil {
		t.Error("it listens at an address that is not in bind")
	}
	c := p.dial()
	c.want("OK", "CONFIG", "SET", "bind", "127.0.0.1 127.0.0.3")
	dial(t, "tcp", net.JoinHostPort("127.0.0.3", port)).want("PONG", "PING")
	if _, err := net.Dial("tcp", net.JoinHostPort("127.0.0.2", port)); err == nil {
		t.Error("it listens at an address that was taken out of bind")
	}
	c.want("PONG", "PING")
	c.wantPrefix("ERR CONFIG SET failed", "CONFIG", "SET", "bind", "127.0.0.1 192.0.2.1")
	dial(t, "tcp", net.JoinHostPort("127.0.0.3", port)).want("PONG", "PING")
	p.stop()

	p = launch(t, t.TempDir(), "--bind", "127.0.0.1 192.0.2.1")
	if code := p.wait(); code != 1 || !strings.Contains(p.out.String(), "192.0.2.1") {
		t.Errorf("an address that this machine lacks: exit code %d, want 1 and the address:\n%s", code, p.out)
	}
	p = launch(t, t.TempDir(), "--port", "0")
	if code := p.wait(); code != 1 || !strings.Contains(p.out.String(), "not listen anywhere") {
		t.Errorf("no address at all: exit code %d, want 1 and the reason:\n%s", code, p.out)
	}
}

// TestMaxClients shows that one client too many is told so, and that there is room again
// when another has left.
func TestMaxClients(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "", "--maxclients", "3")
	a, b, c := p.dial(), p.dial(), p.dial()
	for _, c := range []conn{a, b, c} {
		c.want("PONG", "PING")
	}
	nc := connect(t, p.addr(), 1)[0]
	if got, err := io.ReadAll(nc); err != nil || string(got) != "-ERR max number of clients reached\r\n" {
		t.Errorf("the fourth client: got %q, %v", got, err)
	}
	if got := a.info("rejected_connections"); got != "1" {
		t.Errorf("rejected_connections:%s, want 1", got)
	}
	_ = c.Close()
	eventually(t, "one has left", startTimeout, func() bool { return a.info("connected_clients") == "2" })
	p.dial().want("PONG", "PING")
	a.want("OK", "CONFIG", "SET", "maxclients", "10")
	for range 7 {
		p.dial().want("PONG", "PING")
	}
}

// TestTimeout shows that who is idle for longer than timeout is disconnected, and who is
// not is not.
func TestTimeout(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "", "--timeout", "1")
	idle := connect(t, p.addr(), 1)[0]
	busy := p.dial()
	began := time.Now()
	ended := make(chan time.Duration, 1)
	go func() {
		_, _ = io.ReadAll(idle)
		ended <- time.Since(began)
	}()
	for {
		busy.want("PONG", "PING")
		select {
		case took := <-ended:
			if took < time.Second || took > 4*time.Second {
				t.Errorf("the idle client was disconnected after %v, want 1 to 4 seconds", took)
			}
			busy.want("PONG", "PING")
			return
		case <-time.After(100 * time.Millisecond):
		}
		if time.Since(began) > startTimeout {
			t.Fatal("the idle client is still connected")
		}
	}
}

// TestPassword shows what a client may do before it has said the password, and that
// protected mode, which is on, minds no client of this machine.
func TestPassword(t *testing.T) {
	p := start(t, t.TempDir(), "--save", "", "--requirepass", "sésame ouvre-toi")
	c := p.dial()
	const noauth = "NOAUTH Authentication required."
	for _, words := range []string{
		"PING", "GET key", "INFO", "CONFIG GET requirepass", "COMMAND COUNT", "SHUTDOWN",
	} {
		c.want(noauth, strings.Fields(words)...)
	}
	c.wantPrefix("NOAUTH HELLO must be called with the client already authenticated", "HELLO", "3")
	c.want("WRONGPASS invalid username-password pair or user is disabled.", "AUTH", "sesame")
	c.want("WRONGPASS invalid username-password pair or user is disabled.", "AUTH", "other", "sésame ouvre-toi")
	c.want(noauth, "PING")
	c.want("OK", "AUTH", "sésame ouvre-toi")
	c.want("PONG", "PING")

	d := p.dial()
	if hello := d.do("HELLO", "3", "AUTH", "default", "sésame ouvre-toi"); hello.Kind != client.Map {
		t.Errorf("HELLO with the password: got %+v", hello)
	}
	c.want("OK", "CONFIG", "SET", "requirepass", "")
	if mode := c.do("CONFIG", "GET", "protected-mode").Elems; len(mode) != 2 || mode[1].Text != "yes" {
		t.Errorf("CONFIG GET protected-mode: got %+v", mode)
	}
	p.dial().want("PONG", "PING")
	p.stop()
	if strings.Contains(p.out.String(), "ouvre-toi") {
		t.Errorf("the log tells the password:\n%s", p.out)
	}
}
