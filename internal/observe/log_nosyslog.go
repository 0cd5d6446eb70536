//go:build windows || plan9

package observe

import (
	"errors"
	"runtime"
)

// openSyslog fails: this system has no syslog.
func openSyslog(_, _, _, _ string) (syslogSink, error) {
	return nil, errors.New("there is no syslog on " + runtime.GOOS)
}
