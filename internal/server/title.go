package server

import (
	"cmp"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/netloop"
	"github.com/spineldb/spinel/internal/proctitle"
)

var (
	setTitle = config.Bool(config.Option{
		Name: "set-proc-title", Default: true,
		Doc: `Show in the process's title, which ps and top print, where the server listens. Linux only: elsewhere a
process without C cannot change its title, and it stays the command line.`,
	})
	titleTemplate = config.String(config.Option{
		Name: "proc-title-template", Default: "{title} {listen-addr} {server-mode}", Live: true,
		Doc: `What the process's title looks like. {title} is the name that the program was started by; {listen-addr} is
the first address with its port, or unixsocket: and the path; {server-mode}, {port}, {tls-port}, {unixsocket} and
{config-file} are what they say. {{ is a brace. A title ends after 255 bytes. Linux only.`,
	}, checkTitle)
)

// titleBytesMax is how long Redis lets a title be.
const titleBytesMax = 255

var errTitle = config.Reason("template format is invalid or contains unknown variables")

// checkTitle refuses a template that nothing can be put into. Redis also refuses what
// would be no title at all, counting a program without a name.
func checkTitle(template string) error {
	title, ok := expandTitle(template, func(name string) (string, bool) {
		switch name {
		case "title", "unixsocket":
			return "", true
		case "listen-addr", "server-mode", "port", "tls-port", "config-file":
			return name, true
		}
		return "", false
	})
	if !ok || title == "" {
		return errTitle
	}
	return nil
}

// expandTitle puts values into a template. It returns false if a name is not known or a
// brace is not closed.
func expandTitle(template string, value func(name string) (string, bool)) (title string, ok bool) {
	for {
		before, after, found := strings.Cut(template, "{")
		title += before
		if !found {
			return strings.TrimSpace(title), true
		}
		if rest, isBrace := strings.CutPrefix(after, "{"); isBrace {
			title, template = title+"{", rest
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		text, known := value(name)
		if !closed || !known {
			return "", false
		}
		title, template = title+text, rest
	}
}

// title is what the process is to be called now. file is the configuration file.
func (s *Server) title(file string) string {
	title, _ := expandTitle(titleTemplate.Get(s.config), func(name string) (string, bool) {
		switch name {
		case "title":
			return os.Args[0], true
		case "listen-addr":
			return s.firstAddress(), true
		case "port", "tls-port", "unixsocket":
			text, _ := s.config.Text(name)
			return text, true
		case "config-file":
			return cmp.Or(file, "-"), true
		}
		return "", true // {server-mode}: alone
	})
	return title[:min(len(title), titleBytesMax)]
}

// firstAddress is where the server listens in the first place.
func (s *Server) firstAddress() string {
	port := netloop.Port.Get(s.config)
	if port == 0 {
		return "unixsocket:" + netloop.UnixSocket.Get(s.config)
	}
	host := "*"
	if names := netloop.Bind.Get(s.config); len(names) > 0 {
		host = names[0]
	}
	if host == "*" {
		return "*:" + strconv.FormatInt(port, 10)
	}
	return net.JoinHostPort(host, strconv.FormatInt(port, 10))
}

// showTitle titles the process, now and when an option changes what its title says. It is
// the process's and not a server's business, so only Main does it.
func (s *Server) showTitle() {
	file := s.config.File() // which cannot be asked for while options change
	show := func() {
		if err := proctitle.Set(s.title(file)); err != nil {
			s.log.Debugf("process title: %v", err)
		}
	}
	if setTitle.Get(s.config) {
		show()
		s.config.OnChange(netloop.Port, show, netloop.Bind)
	}
	s.config.OnChange(titleTemplate, show)
}
