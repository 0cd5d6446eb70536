package cli

import (
	"fmt"
	"strings"
)

// usage is the text of --help, with the name and version of the program.
const usage = `%[1]s %[2]s

Usage: %[1]s [OPTIONS] [cmd [arg [arg ...]]]
  -h <hostname>      Where the server is (default: 127.0.0.1).
  -p <port>          Its port (default: 6379).
  -t <seconds>       How long to try to connect, such as 0.5 (default: as the system does).
  -s <socket>        A Unix socket, instead of hostname and port.
  -a <password>      Authenticate with this password. Other users of the machine
                     can see it; the variable REDISCLI_AUTH is safer. If both
                     are there, the option counts.
  --user <username>  Authenticate as this user of the ACL. Needs a password.
  --pass <password>  The same as -a.
  --askpass          Ask for the password, whatever -a and REDISCLI_AUTH say.
  -u <uri>           redis://[[user]:password@]host[:port][/database]
  -r <repeat>        Run the command so many times; -1 is for ever.
  -i <interval>      With -r: seconds to wait after each run, such as 0.1. The modes below
                     that go on for ever, or through all keys, wait as well.
  -n <db>            Database number.
  -2                 Speak RESP2.
  -3                 Speak RESP3.
  -x                 The last argument is what the standard input holds.
  -X <tag>           The argument <tag> is what the standard input holds.
  -d <delimiter>     Between the elements of a raw reply (default: \n).
  -D <delimiter>     After each raw reply (default: \n).
  -e                 Exit with an error code if a command fails.
  -4, -6             Try IPv4, or IPv6, first.
  --raw              Write replies as they are (default if the output is no terminal).
  --no-raw           Write replies for people, even if the output is no terminal.
  --quoted-input     The arguments are quoted strings.
  --csv              Write replies as CSV.
  --json             Write replies as JSON (speaks RESP3 unless there is a -2).
  --quoted-json      Likewise, in ASCII: other bytes are \x escapes in the strings.
  --show-pushes <yn> Whether to print RESP3 push messages (default: if the output
                     is a terminal).
  --no-auth-warning  Do not warn about a password on the command line.
  --help             Print this text.
  -v, --version      Print the version.

Instead of running a command:
  --scan             Print the names of all keys.
  --bigkeys          Look for the key of each type that has the most elements,
  --memkeys          or that takes the most memory,
  --memkeys-samples <n>  likewise, estimated from so many elements of each;
  --hotkeys          look for the keys that are used most (with an LFU policy).
  --pattern <pat>    Only keys whose names match this.
  --quoted-pattern <pat>  Likewise, as a quoted string.
  --count <n>        How many keys to ask for at a time (default: 10).
  --type <type>      Only keys of this type.
  --stat             Print figures of the server, a row each second.
  --latency          Measure how long the server takes to answer: for ever, or for one
                     second if the output is no terminal or --raw, --csv or --json is there.
  --latency-history  Begin anew every 15 seconds.
  --intrinsic-latency <seconds>  Measure how long this machine keeps a program waiting.
  --pipe             Send the standard input as it is, and count the replies.
  --pipe-timeout <n> Give up when there was no reply for so many seconds after all
                     is sent (default: 30; 0 is never).

Not there yet, and refused: -c, --cluster, --eval, --ldb, --latency-dist, --lru-test,
--replica, --rdb, --functions-rdb, --tls and what belongs to them.

Examples:
  %[1]s set mykey myvalue
  %[1]s -x set mykey < /path/to/file
  %[1]s -r 100 -i 1 info stats
  %[1]s --quoted-input set '"a\x00b"' value
  %[1]s --scan --pattern 'user:*'
  %[1]s --pipe < commands

Without a command there is a prompt. Type "help" there.
`

const helpText = `%[1]s %[2]s
      "help <command>"    what a command does and takes, such as "help config get"
      "help @<group>"     the commands of a group, such as "help @string"
      "help <tab>"        the names there are
      "<number> <command>"  run a command so many times
      ":set hints"        show the missing arguments while typing (":set nohints": do not)
      "connect <host> <port>"  talk to another server
      "clear"             clear the screen
      "quit", "exit"      leave; so do Ctrl-C and Ctrl-D
Lines of ~/.redisclirc that begin with a colon are run at the start.
`

// help explains a command, the commands of a group, or the prompt itself. What it
// knows of commands comes from the server.
func (p *Program) help(s *session, d *docs, topic []string) error {
	if len(topic) == 0 {
		return s.print(fmt.Appendf(nil, helpText, p.Name, p.Version))
	}
	if s.conn == nil || s.conn.Err() != nil {
		if err := s.connect(); err != nil {
			return err
		}
	}
	d.load(s)
	if len(d.commands) == 0 {
		s.complain("The server does not tell about its commands.")
		return errFailed
	}
	return s.print(d.explain(topic))
}

// explain returns the entries of a group ("@list") or of the commands whose names
// begin with the words of topic.
func (d *docs) explain(topic []string) []byte {
	group, byGroup := strings.CutPrefix(topic[0], "@")
	words := strings.ToUpper(strings.Join(topic, " "))
	var text []byte
	for _, command := range d.commands {
		switch {
		case byGroup && strings.EqualFold(command.group, group):
			text = appendHelp(text, command, false)
		case !byGroup && (command.name == words || strings.HasPrefix(command.name, words+" ")):
			text = appendHelp(text, command, true)
		}
	}
	return append(text, "\r\n"...)
}

func appendHelp(dst []byte, c commandDoc, withGroup bool) []byte {
	dst = fmt.Appendf(dst, "\r\n  \x1b[1m%s\x1b[0m %s%s%s\r\n",
		c.name, dim, strings.Join(c.syntax, " "), plainStyle)
	dst = fmt.Appendf(dst, "  \x1b[33msummary:\x1b[0m %s\r\n", c.summary)
	dst = fmt.Appendf(dst, "  \x1b[33msince:\x1b[0m %s\r\n", c.since)
	if withGroup {
		dst = fmt.Appendf(dst, "  \x1b[33mgroup:\x1b[0m %s\r\n", c.group)
	}
	return dst
}
