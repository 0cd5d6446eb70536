package replication

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/resp"
)

// An Intro is what a replica tells its master about itself, and what it asks for.
type Intro struct {
	User, Password string // masteruser, masterauth
	Port           int    // where the replica listens, or replica-announce-port
	Address        string // replica-announce-ip; "" for the one that the master sees

	// ID and Offset are where the replica's data are: the stream of that ID, executed up to
	// that position. Without an ID there is nothing to go on from.
	ID     string
	Offset int64
	// Failover asks the other side to become a master first.
	Failover bool
}

// What the replica understands: snapshots that end with a mark, and that a master's ID may
// change while the stream goes on.
var capabilities = []string{"REPLCONF", "capa", "eof", "capa", "psync2"}

// formatVersion is the Valkey whose snapshots we read: a Valkey master chooses the format
// that it sends by it. A Redis does not know the option and says so, which does no harm.
const formatVersion = "9.1.0"

// A Handshake is a replica's side of a new connection to its master, up to the decision how
// the two are synchronized:
//
//	greet -PONG-> introduce -a reply for each-> ask --FULLRESYNC--> Full
//	                                             |---CONTINUE-----> Continue
//	                                             |---unknown------> Bare
//	                                             '---an error-----> Failed
//
// It is a plain state machine: lines come in, bytes and a verdict go out. Whoever has the
// connection reads the lines and watches the time.
type Handshake struct {
	intro   Intro
	state   handshakeState
	pending []introPart // whose replies have not come yet, in order

	// Remarks are replies of the master that change nothing and that somebody may want to
	// read.
	Remarks []string
}

type handshakeState uint8

const (
	greeting handshakeState = iota
	introducing
	asking
	decided
)

// An introPart is one command of the introduction.
type introPart uint8

const (
	partUser introPart = iota
	partPort
	partAddress
	partCapabilities
	partVersion
)

// A Verdict says how it goes on.
type Verdict uint8

// The verdicts.
const (
	More     Verdict = iota // with the next line
	Full                    // a snapshot follows; ID and Offset are those of the stream behind it
	Continue                // the stream follows, from where the replica stands; ID may be a new one
	Bare                    // SYNC was sent: a snapshot follows, of a master that has no IDs
	Failed                  // it is over; Err says why
)

// A Step is what follows from a line.
type Step struct {
	Send    []byte // for the master
	Verdict Verdict
	ID      string
	Offset  int64
	Err     error
}

// NewHandshake returns a handshake and what is to be sent first.
func NewHandshake(intro Intro) (*Handshake, []byte) {
	return &Handshake{intro: intro}, command("PING")
}

func command(words ...string) []byte { return resp.AppendCommand(nil, words...) }

// ErrTransient says that the master is well, and may answer differently in a moment.
var ErrTransient = errors.New("the master cannot synchronize now")

// ErrRejected says that the other side does not want to become a master.
var ErrRejected = errors.New("Failover target rejected psync request")

// Line takes a line of the master, without its end. An empty one only shows that the master
// is alive.
func (h *Handshake) Line(line string) Step {
	if line == "" && h.state != decided {
		return Step{}
	}
	switch h.state {
	case greeting:
		return h.greeted(line)
	case introducing:
		return h.answered(line)
	case asking:
		return h.decide(line)
	default:
		return failed("a line behind the end of the handshake: %q", shown(line))
	}
}

func failed(format string, args ...any) Step {
	return Step{Verdict: Failed, Err: fmt.Errorf(format, args...)}
}

// lineShownMax bounds what is logged of a master's words.
const lineShownMax = 256

func shown(line string) string { return line[:min(len(line), lineShownMax)] }

// greeted takes the reply to PING. A master that wants a password first, or lets nobody PING
// without a right to, is as alive as another.
func (h *Handshake) greeted(line string) Step {
	if line[0] != '+' && !strings.HasPrefix(line, "-NOAUTH") && !strings.HasPrefix(line, "-NOPERM") &&
		!strings.HasPrefix(line, "-ERR operation not permitted") {
		return failed("Error reply to PING from master: '%s'", shown(line))
	}
	h.state = introducing
	var out []byte
	add := func(what introPart, words ...string) {
		out = resp.AppendCommand(out, words...)
		h.pending = append(h.pending, what)
	}
	if h.intro.User != "" && h.intro.Password != "" {
		add(partUser, "AUTH", h.intro.User, h.intro.Password)
	} else if h.intro.Password != "" {
		add(partUser, "AUTH", h.intro.Password)
	}
	add(partPort, "REPLCONF", "listening-port", strconv.Itoa(h.intro.Port))
	if h.intro.Address != "" {
		add(partAddress, "REPLCONF", "ip-address", h.intro.Address)
	}
	add(partCapabilities, capabilities...)
	add(partVersion, "REPLCONF", "version", formatVersion)
	return Step{Send: out}
}

// answered takes the reply to a part of the introduction. Only a password that is refused
// ends it: old masters do not know what the rest is about.
func (h *Handshake) answered(line string) Step {
	what := h.pending[0]
	h.pending = h.pending[1:]
	if line[0] == '-' {
		switch what {
		case partUser:
			return failed("Unable to AUTH to MASTER: %s", shown(line))
		case partPort:
			h.remark("(Non critical) Master does not understand REPLCONF listening-port: %s", line)
		case partAddress:
			h.remark("(Non critical) Master does not understand REPLCONF ip-address: %s", line)
		case partCapabilities:
			h.remark("(Non critical) Master does not understand REPLCONF capa: %s", line)
		}
	}
	if len(h.pending) > 0 {
		return Step{}
	}
	h.state = asking
	return Step{Send: h.ask()}
}

func (h *Handshake) remark(format, line string) {
	h.Remarks = append(h.Remarks, fmt.Sprintf(format, shown(line)))
}

// ask is the request for the stream. The protocol counts bytes from 1: a position here is the
// number of bytes before the one that is asked for.
func (h *Handshake) ask() []byte {
	id, offset := "?", "-1"
	if h.intro.ID != "" {
		id, offset = h.intro.ID, strconv.FormatInt(h.intro.Offset+1, 10)
	}
	if h.intro.Failover {
		return command("PSYNC", id, offset, "FAILOVER")
	}
	return command("PSYNC", id, offset)
}

// decide takes the reply to PSYNC.
func (h *Handshake) decide(line string) Step {
	h.state = decided
	words := strings.Fields(line)
	if len(words) == 0 {
		return failed("an empty reply to PSYNC")
	}
	switch {
	case words[0] == "+FULLRESYNC":
		return h.full(words[1:])
	case words[0] == "+CONTINUE":
		return h.goOn(words[1:])
	case h.intro.Failover:
		return failed("%w: %s", ErrRejected, shown(line))
	case line[0] != '-':
		return failed("Unexpected reply to PSYNC from master: %s", shown(line))
	case !isUnknown(line, "PSYNC"):
		return failed("%w: %s", ErrTransient, shown(line))
	}
	h.remark("Master does not support PSYNC (reply: %s)", line)
	return Step{Verdict: Bare, Send: []byte("SYNC\r\n")}
}

// isUnknown says whether an error is that of a server which does not know a command. Redis
// tries SYNC after any error; but a replica that came by SYNC knows no position, so it needs
// all data again the next time, and a master that is only busy is asked again instead.
func isUnknown(line, command string) bool {
	return strings.Contains(line, "unknown command") && strings.Contains(strings.ToUpper(line), command)
}

// offsetMax leaves room for a stream that no master will ever send.
const offsetMax = 1 << 62

func (h *Handshake) full(words []string) Step {
	if len(words) < 2 || !IsID(words[0]) {
		return failed("Master replied with wrong +FULLRESYNC syntax.")
	}
	offset, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || offset < 0 || offset > offsetMax {
		return failed("Master replied with wrong +FULLRESYNC syntax.")
	}
	return Step{Verdict: Full, ID: words[0], Offset: offset}
}

func (h *Handshake) goOn(words []string) Step {
	id := h.intro.ID
	if id == "" {
		return failed("the master goes on with a stream that was not asked for")
	}
	if len(words) > 0 { // a master of before Redis 4 tells none
		if !IsID(words[0]) {
			return failed("Master replied with wrong +CONTINUE syntax.")
		}
		id = words[0]
	}
	return Step{Verdict: Continue, ID: id, Offset: h.intro.Offset}
}

// IsID says whether a word may be a replication ID: 40 letters and digits.
func IsID(word string) bool {
	if len(word) != IDLen {
		return false
	}
	for _, c := range []byte(word) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
