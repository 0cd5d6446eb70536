package server

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What replicas are sent may wait for more if repl-disable-tcp-nodelay says so, whatever serves
// the connection. It is for those that come then, and for no clients.
func TestDisableNoDelay(t *testing.T) {
	for _, backend := range []string{"auto", "epoll", "net"} {
		r := start(t, disk+"\nio-backend "+backend+"\nbind 127.0.0.1")
		c := r.dial()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := ln.Addr().(*net.TCPAddr)
		_ = ln.Close()
		if got := c.do(fmt.Sprint("CONFIG SET port ", addr.Port)); got != "OK" {
			t.Fatal(got)
		}
		for _, tt := range []struct {
			option, ask string
			want        int // TCP_NODELAY
		}{{"no", "PSYNC ? -1", 1}, {"yes", "", 1}, {"yes", "PSYNC ? -1", 0}} {
			_ = c.do("CONFIG SET repl-disable-tcp-nodelay " + tt.option)
			nc, err := net.Dial("tcp", addr.String())
			if err != nil {
				t.Fatal(err)
			}
			f := &rawReplica{nc, t, bufio.NewReader(nc)}
			_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
			if got := f.ask("CLIENT SETNAME it"); got != "+OK" {
				t.Fatal(got)
			}
			if tt.ask != "" {
				f.full(f.ask(tt.ask))
			}
			list, _, found := strings.Cut(c.do("CLIENT LIST"), " name=it ")
			fd, err := strconv.Atoi(list[strings.LastIndex(list, " fd=")+len(" fd="):])
			if err != nil || !found {
				t.Fatalf("%q: %v", list, err)
			}
			got, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
			if err != nil || got != tt.want {
				t.Errorf("%s, %+v: TCP_NODELAY is %d, %v", backend, tt, got, err)
			}
			_ = nc.Close()
			until(t, func() bool { return !strings.Contains(c.do("CLIENT LIST"), " name=it ") })
		}
	}
}
