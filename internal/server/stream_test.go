package server

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spineldb/spinel/internal/client"
)

// A slowConn is a connection of a client that reads a little at a time.
type slowConn struct{ net.Conn }

func (c slowConn) Read(b []byte) (int, error) {
	time.Sleep(50 * time.Microsecond)
	return c.Conn.Read(b[:min(len(b), 10_000)])
}

func (r *running) dialSlow() *conn {
	r.t.Helper()
	nc, err := net.Dial("unix", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	c := &conn{client.New(slowConn{nc}, client.Options{}), r.t}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Clients read all of a hash while others change it, two fields at a time, and while it is
// saved: every reply has the same text for both fields of a pair.
func TestBigReplies(t *testing.T) {
	const pairs = 20_000
	r := start(t, "io-threads 2")
	setup := r.dial()
	for i := range pairs {
		setup.do(fmt.Sprintf("HSET h a:%d 0 b:%d 0", i, i))
	}
	var done atomic.Bool
	var writing, reading sync.WaitGroup
	writing.Go(func() {
		c := r.dial()
		for n := 1; !done.Load(); n++ {
			i := n * 7919 % pairs
			if n%5 == 0 {
				c.do(fmt.Sprintf("HDEL h a:%d b:%d", i, i))
			} else {
				c.do(fmt.Sprintf("HSET h a:%d text-of-%d b:%d text-of-%d", i, n, i, n))
			}
			if n%1000 == 0 {
				_, _ = c.Do("BGSAVE") // it may be saving still
			}
		}
	})
	for n := range 3 {
		reading.Go(func() {
			c := r.dial()
			if n > 0 {
				c = r.dialSlow()
			}
			for range 6 {
				wantPairs(t, c)
			}
		})
	}
	reading.Wait()
	done.Store(true)
	writing.Wait()
}

func wantPairs(t *testing.T, c *conn) {
	reply, err := c.Do("HGETALL", "h")
	if err != nil {
		t.Error(err)
		return
	}
	texts := map[string]string{}
	for i := 0; i < len(reply.Elems); i += 2 {
		texts[reply.Elems[i].Text] = reply.Elems[i+1].Text
	}
	if 2*len(texts) != len(reply.Elems) {
		t.Errorf("%d fields, and %d of them different", len(reply.Elems)/2, len(texts))
	}
	for field, text := range texts {
		pair, ok := strings.CutPrefix(field, "a")
		if ok && texts["b"+pair] != text {
			t.Errorf("%s has %q, its other field %q", field, text, texts["b"+pair])
			return
		}
	}
}

// A client that does not read its big reply takes little memory, and can be killed.
func TestBigReplyUnread(t *testing.T) {
	r := start(t, "")
	c := r.dial()
	for i := range 300 {
		c.do("RPUSH l" + strings.Repeat(fmt.Sprintf(" element:%05d", i), 1000))
	}
	nc, err := net.Dial("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Write([]byte("CLIENT SETNAME unread\r\nLRANGE l 0 -1\r\nDEL l\r\n")); err != nil {
		t.Fatal(err)
	}
	line := ""
	for range 500 {
		for l := range strings.Lines(c.do("CLIENT LIST")) {
			if strings.Contains(l, "name=unread") && strings.Contains(l, "cmd=lrange") {
				line = l
			}
		}
		if line != "" {
			break
		}
		time.Sleep(time.Millisecond)
	}
	omem := -1
	for _, field := range strings.Fields(line) {
		_, _ = fmt.Sscanf(field, "omem=%d", &omem)
	}
	if omem < 0 || omem > 200_000 || !strings.Contains(line, " flags=U ") {
		t.Errorf("its line is %q", line)
	}
	if reply, err := c.Do("DEL", "l"); err != nil || reply.Int != 1 {
		t.Errorf("meanwhile: %d, %v", reply.Int, err)
	}
	c.do("CLIENT KILL TYPE normal SKIPME yes")
	for range 500 {
		if c.info("connected_clients") == "1" && c.info("lazyfree_pending_objects") == "0" {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("it is still there")
}
