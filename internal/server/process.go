package server

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/observe"
)

const observeNotice = observe.LevelNotice

// How a server is supervised.
const (
	supervisedNo = iota
	supervisedUpstart
	supervisedSystemd
	supervisedAuto
)

// supervision resolves auto by the environment.
func supervision(set *config.Set) int {
	mode := int(supervised.Get(set))
	if mode != supervisedAuto {
		return mode
	}
	switch {
	case os.Getenv("UPSTART_JOB") != "":
		return supervisedUpstart
	case os.Getenv("NOTIFY_SOCKET") != "":
		return supervisedSystemd
	default:
		return supervisedNo
	}
}

// notifyReady tells the supervisor that the server is up. systemd listens on a unix
// datagram socket that it names in NOTIFY_SOCKET (sd_notify(3)); upstart waits for the
// process to stop itself.
func notifyReady(set *config.Set, log *observe.Log) {
	switch supervision(set) {
	case supervisedUpstart:
		if os.Getenv("UPSTART_JOB") == "" {
			log.Warnf("Upstart supervision requested, but UPSTART_JOB not found!")
			return
		}
		stopSelf()
	case supervisedSystemd:
		path := os.Getenv("NOTIFY_SOCKET")
		if path == "" {
			log.Warnf("systemd supervision requested or auto-detected, but Redis is compiled without " +
				"libsystemd support or NOTIFY_SOCKET is not set!")
			return
		}
		if err := notifySystemd(path, "STATUS=Ready to accept connections\nREADY=1\n"); err != nil {
			log.Warnf("systemd notification: %v", err)
		}
	}
}

func notifySystemd(path, message string) error {
	if name, ok := strings.CutPrefix(path, "@"); ok {
		path = "\x00" + name
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(message))
	return err
}

// A pidFile is removed at the end by whoever wrote it.
type pidFile struct{ path string }

// newPidFile is the configured one; a daemon has one in any case, as Redis.
func newPidFile(set *config.Set) pidFile {
	path := pidfile.Get(set)
	if path == "" && daemonize.Get(set) {
		path = "/var/run/redis.pid"
	}
	return pidFile{path}
}

func (p pidFile) write() error {
	if p.path == "" {
		return nil
	}
	return os.WriteFile(p.path, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644)
}

func (p pidFile) remove() {
	if p.path != "" {
		_ = os.Remove(p.path)
	}
}

// handleSignals has cron shut the server down on SIGTERM and SIGINT. A second SIGINT ends
// the process at once.
func (s *Server) handleSignals() (stop func()) {
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	ignoreFileSize()
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case sig := <-c:
				if s.asked.Swap(true) && sig == syscall.SIGINT {
					s.log.Warnf("You insist... exiting now.")
					s.abandonSave()
					s.end(1)
					return
				}
				flags := shutdownOnSigterm.Get(s.config)
				if sig == syscall.SIGINT {
					flags = shutdownOnSigint.Get(s.config)
				}
				s.log.Warnf("Received %s scheduling shutdown...", signalName(sig))
				select {
				case s.signalled <- signalFlags(flags):
				default:
				}
			}
		}
	}()
	return func() { signal.Stop(c); close(done) }
}

func signalName(sig os.Signal) string {
	if sig == syscall.SIGINT {
		return "SIGINT"
	}
	return "SIGTERM"
}

// end makes Wait return.
func (s *Server) end(code int) {
	select {
	case s.ended <- code:
	default:
	}
}
