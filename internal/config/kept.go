package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/numtext"
)

// Kept are the options of Redis whose subsystem is not there yet, and whose effect
// nobody could tell apart for that reason: they may be set, read and rewritten. When
// the subsystem comes, its package declares them, and they go from here.
var Kept = NewGroup("kept for later", slices.Concat(
	keptEncodings, keptMemory, keptCluster, keptTLS, keptRest)...).
	Describe(`These are taken, kept, shown and rewritten, and have no effect yet.`)

// keptEncodings are what once said where small lists become big ones.
var keptEncodings = []Handle{
	ignored("list-max-ziplist-entries"),
	ignored("list-max-ziplist-value"),
}

var keptMemory = []Handle{
	keptBool("activedefrag", false),
	keptMemorySize("active-defrag-ignore-bytes", 100<<20, 1),
	keptInt("active-defrag-threshold-lower", 10, 0, 1000),
	keptInt("active-defrag-threshold-upper", 100, 0, 1000),
	keptInt("active-defrag-cycle-min", 1, 1, 99),
	keptInt("active-defrag-cycle-max", 25, 1, 99),
	keptInt("active-defrag-max-scan-fields", 1000, 1, 0),
	keptBool("jemalloc-bg-thread", true),
	Bool(Option{Name: "disable-thp", Default: true}),
}

var keptCluster = []Handle{
	String(Option{Name: "cluster-config-file", Default: "nodes.conf"}),
	Int(Option{Name: "cluster-port", Max: 65535}),
	keptInt("cluster-node-timeout", 15000, 0, 0),
	keptInt("cluster-migration-barrier", 1, 0, math.MaxInt32),
	keptInt("cluster-replica-validity-factor", 10, 0, math.MaxInt32, "cluster-slave-validity-factor"),
	keptBool("cluster-replica-no-failover", false, "cluster-slave-no-failover"),
	keptBool("cluster-require-full-coverage", true),
	keptBool("cluster-allow-reads-when-down", false),
	keptBool("cluster-allow-pubsubshard-when-down", true),
	keptBool("cluster-allow-replica-migration", true),
	keptMemorySize("cluster-link-sendbuf-limit", 0, 0),
	keptEnum("cluster-preferred-endpoint-type", "ip", "ip", "hostname", "unknown-endpoint"),
	keptText("cluster-announce-ip"),
	String(Option{Name: "cluster-announce-hostname", Live: true}, hostName),
	keptText("cluster-announce-human-nodename"),
	keptInt("cluster-announce-port", 0, 0, 65535),
	keptInt("cluster-announce-tls-port", 0, 0, 65535),
	keptInt("cluster-announce-bus-port", 0, 0, 65535),
}

// keptTLS are the details of TLS, which do nothing until there is a port for it.
var keptTLS = []Handle{
	keptEnum("tls-auth-clients", "yes", "no", "yes", "optional"),
	keptBool("tls-prefer-server-ciphers", false),
	keptBool("tls-session-caching", true),
	keptInt("tls-session-cache-size", 20480, 0, math.MaxInt32),
	keptInt("tls-session-cache-timeout", 300, 0, math.MaxInt32),
}

var keptRest = []Handle{
	keptEnum("acl-pubsub-default", "resetchannels", "allchannels", "resetchannels"),
	keptInt("acllog-max-len", 128, 0, 0),
	Bool(Option{Name: "always-show-logo"}),
	keptInt("busy-reply-threshold", 5000, 0, 0, "lua-time-limit"),
	keptBool("crash-log-enabled", true),
	keptBool("crash-memcheck-enabled", true),
	keptBool("use-exit-on-panic", false),
	Enum(Option{Name: "enable-module-command", Default: "no"},
		Choice("no", 0), Choice("yes", 1), Choice("local", 2)),
	keptText("ignore-warnings"),
	Custom(Option{Name: "notify-keyspace-events", Live: true}, Codec[string]{
		Parse: parseEventClasses, Append: appendText, Lines: quotedLine, OneArgument: true,
	}),
	Enum(Option{Name: "oom-score-adj", Default: "no", Live: true},
		Choice("no", 0), Choice("yes", 1), Choice("relative", 1), Choice("absolute", 2)),
	Custom(Option{Name: "oom-score-adj-values", Default: [3]int64{0, 200, 800}, Live: true},
		Codec[[3]int64]{Parse: parseScores, Append: appendScores}),
	Int(Option{Name: "loading-process-events-interval-bytes", Default: 2 << 20, Min: 1024,
		Max: math.MaxInt32, Live: true, Hidden: true}),
	keptInt("tracking-table-max-keys", 1_000_000, 0, 0),
	ignored("lua-replicate-commands"),
}

func keptInt(name string, initial int, low, high int64, aliases ...string) Handle {
	return Int(Option{Name: name, Aliases: aliases, Default: initial, Min: low, Max: high, Live: true})
}

func keptMemorySize(name string, initial int, low int64, aliases ...string) Handle {
	return Memory(Option{Name: name, Aliases: aliases, Default: initial, Min: low, Live: true})
}

func keptBool(name string, initial bool, aliases ...string) Handle {
	return Bool(Option{Name: name, Aliases: aliases, Default: initial, Live: true})
}

func keptText(name string, aliases ...string) Handle {
	return String(Option{Name: name, Aliases: aliases, Live: true})
}

func keptEnum(name, initial string, names ...string) Handle {
	choices := make([]Named[int], len(names))
	for i, choice := range names {
		choices[i] = Choice(choice, i)
	}
	return Enum(Option{Name: name, Default: initial, Live: true}, choices...)
}

// ignored is a directive that Redis itself takes and forgets.
func ignored(name string) Handle {
	return Custom(Option{Name: name, FileOnly: true}, Codec[string]{
		Parse:       func([]string, string, bool) (string, error) { return "", nil },
		Append:      appendText,
		OneArgument: true,
	})
}

func appendText(dst []byte, text string) []byte { return append(dst, text...) }

func quotedLine(text string) []string { return []string{Quote(text)} }

// hostNameBytesMax is NI_MAXHOST's like in Redis, which counts the final zero.
const hostNameBytesMax = 256

func hostName(name string) error {
	if len(name) >= hostNameBytesMax {
		return Reason(fmt.Sprintf("Hostnames must be less than %d characters", hostNameBytesMax))
	}
	for i := range len(name) {
		c := name[i]
		isLetter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !isLetter && (c < '0' || c > '9') && c != '-' && c != '.' {
			return Reason("Hostnames may only contain alphanumeric characters, hyphens or dots")
		}
	}
	return nil
}

// parseEventClasses orders the letters as CONFIG GET shows them. Unlike Redis 7.0 it
// does not forget n beside A.
func parseEventClasses(args []string, _ string, _ bool) (string, error) {
	const all, rest = "g$lshzxetd", "nKEm"
	given := strings.ReplaceAll(args[0], "A", all)
	var classes []byte
	for _, class := range []byte(all + rest) {
		if strings.IndexByte(given, class) >= 0 {
			classes = append(classes, class)
			given = strings.ReplaceAll(given, string(rune(class)), "")
		}
	}
	if given != "" {
		return "", Reason("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
	}
	text, isAll := strings.CutPrefix(string(classes), all)
	if !isAll {
		return text, nil
	}
	if others, hasNew := strings.CutPrefix(text, "n"); hasNew {
		text = others + "n"
	}
	return "A" + text, nil
}

func parseScores(args []string, _ [3]int64, _ bool) ([3]int64, error) {
	var scores [3]int64
	if len(args) != len(scores) {
		return scores, errArguments
	}
	for i, arg := range args {
		v, ok := numtext.ParseInt([]byte(arg))
		if !ok || v < -2000 || v > 2000 {
			return scores, Reason(
				"Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
		}
		scores[i] = v
	}
	return scores, nil
}

func appendScores(dst []byte, scores [3]int64) []byte {
	for i, v := range scores {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, v, 10)
	}
	return dst
}
