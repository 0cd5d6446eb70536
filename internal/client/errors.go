package client

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unicode"
)

// ErrorText is an error of the network in the words that Redis's programs have for it.
func ErrorText(err error) string {
	var (
		protocol *ProtocolError
		lookup   *net.DNSError
		number   syscall.Errno
	)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "Server closed the connection"
	case errors.As(err, &protocol):
		return protocol.What
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "Name or service not known"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "Connection timed out"
	case errors.As(err, &number):
		text := []rune(number.Error())
		text[0] = unicode.ToUpper(text[0])
		return string(text)
	}
	return err.Error()
}
