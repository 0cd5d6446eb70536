package client

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// TestErrorText shows the words for what goes wrong on the way to a server.
func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{io.EOF, "Server closed the connection"},
		{fmt.Errorf("reply: %w", io.ErrUnexpectedEOF), "Server closed the connection"},
		{&ProtocolError{What: "Protocol error"}, "Protocol error"},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, "Name or service not known"},
		{os.ErrDeadlineExceeded, "Connection timed out"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "Connection refused"},
		{net.ErrClosed, "use of closed network connection"},
	} {
		if got := ErrorText(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}
