//go:build !windows && !plan9

package observe

import (
	"fmt"
	"log/slog"
	"log/syslog"
	"strings"
)

// syslogWriter is the system's logger. It connects again by itself when the
// logger was restarted.
type syslogWriter struct{ w *syslog.Writer }

// openSyslog connects to the logger at an address, or to the machine's own if
// network and address are empty.
func openSyslog(network, address, ident, facility string) (syslogSink, error) {
	f, ok := syslogFacility(facility)
	if !ok {
		return nil, fmt.Errorf("facility %q: not user or local0 to local7", facility)
	}
	w, err := syslog.Dial(network, address, f|syslog.LOG_NOTICE, ident)
	if err != nil {
		return nil, err
	}
	return syslogWriter{w}, nil
}

func syslogFacility(name string) (syslog.Priority, bool) {
	name = strings.ToLower(name)
	if name == "user" {
		return syslog.LOG_USER, true
	}
	number, found := strings.CutPrefix(name, "local")
	if !found || len(number) != 1 || number[0] < '0' || number[0] > '7' {
		return 0, false
	}
	return syslog.LOG_LOCAL0 + syslog.Priority(number[0]-'0')<<3, true
}

// send implements syslogSink. The severities are those that Redis uses.
func (s syslogWriter) send(level slog.Level, message string) error {
	switch levelChar(level) {
	case '.':
		return s.w.Debug(message)
	case '-':
		return s.w.Info(message)
	case '*':
		return s.w.Notice(message)
	default:
		return s.w.Warning(message)
	}
}

func (s syslogWriter) close() error { return s.w.Close() }
