package benchmark

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/cmdline"
)

// A misuse is a command line that cannot be understood; the usage is shown with it.
type misuse string

func (m misuse) Error() string {
	return fmt.Sprintf("Invalid option \"%s\" or option argument missing", string(m))
}

const (
	threadsMax   = 500     // redis-benchmark's limit, and far beyond any machine's use
	dataBytesMax = 1 << 30 // of -d
	decimalsMax  = 3       // latencies are microseconds
	clientsMax   = 1 << 20 // no machine has that many ports
	batchMax     = 1 << 20 // requests of one write
)

// options is what the command line says.
type options struct {
	cmdline.Server
	resp3    bool
	tracking bool

	clients   int
	requests  int64
	dataBytes int
	pipeline  int
	threads   int // 0: one, and the report does not speak of threads
	reconnect bool

	random   bool // -r: __rand_int__ is replaced
	keyspace int64
	seed     uint64
	hasSeed  bool

	tests     string // of -t, in lower case; empty: all
	stdinLast bool
	loop      bool
	idle      bool

	quiet, csv     bool
	decimals       int
	warnings       []string
	version, usage bool
}

func defaults() options {
	return options{
		Server:  cmdline.Local(),
		clients: 50, requests: 100000, dataBytes: 3, pipeline: 1, decimals: decimalsMax,
	}
}

// known are the options of redis-benchmark.
var known = cmdline.Options[options]{Switches: switches, Settings: settings, Absent: absent}

// switches are the options without a value.
var switches = map[string]func(*options){
	"-3":                func(o *options) { o.resp3 = true },
	"-q":                func(o *options) { o.quiet = true },
	"-l":                func(o *options) { o.loop = true },
	"-I":                func(o *options) { o.idle = true },
	"-x":                func(o *options) { o.stdinLast = true },
	"-v":                func(o *options) { o.version = true },
	"--version":         func(o *options) { o.version = true },
	"--help":            func(o *options) { o.usage = true },
	"--csv":             func(o *options) { o.csv = true },
	"--enable-tracking": func(o *options) { o.tracking = true },
	"-e": func(o *options) {
		o.warnings = append(o.warnings,
			"-e option has no effect. We now immediately exit on error to avoid false results.")
	},
}

// settings are the options with a value.
var settings = map[string]func(*options, string) error{
	"-h":     func(o *options, v string) error { o.Host = v; return nil },
	"-s":     func(o *options, v string) error { o.Socket = v; return nil },
	"-a":     func(o *options, v string) error { return o.SetPassword(v) },
	"--user": func(o *options, v string) error { o.User = v; return nil },
	"-u":     func(o *options, v string) error { return o.SetURI(v) },
	"-t":     func(o *options, v string) error { o.tests = strings.ToLower(v); return nil },
	"-p":     func(o *options, v string) error { return o.SetPort(v) },
	"-c": func(o *options, v string) error {
		return setClamped(&o.clients, "number of clients", v, 1, clientsMax)
	},
	"-n": func(o *options, v string) error {
		return setClamped(&o.requests, "number of requests", v, 1, math.MaxInt64)
	},
	"-d": func(o *options, v string) error { return setClamped(&o.dataBytes, "data size", v, 1, dataBytesMax) },
	"-P": func(o *options, v string) error { return setClamped(&o.pipeline, "pipeline length", v, 1, batchMax) },
	"-k": func(o *options, v string) error {
		var keep int64
		err := cmdline.Number(&keep, "keep alive", v, math.MinInt64, math.MaxInt64)
		if o.reconnect = keep == 0; o.reconnect && err == nil {
			o.warnings = append(o.warnings, keepAliveWarning)
		}
		return err
	},
	"-r": func(o *options, v string) error {
		o.random = true
		return setClamped(&o.keyspace, "keyspace length", v, 0, math.MaxInt64)
	},
	"--dbnum": func(o *options, v string) error { return o.SetDatabase(v) },
	"--seed": func(o *options, v string) (err error) {
		o.hasSeed = true
		if o.seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			return cmdline.Refusef("Invalid seed '%s'.", v)
		}
		return nil
	},
	"--precision": func(o *options, v string) error {
		err := cmdline.Number(&o.decimals, "precision", v, math.MinInt32, math.MaxInt32)
		if o.decimals < 0 || o.decimals > decimalsMax {
			o.decimals = decimalsMax
		}
		return err
	},
	"--threads": func(o *options, v string) error {
		err := setClamped(&o.threads, "number of threads", v, 0, math.MaxInt32)
		if o.threads > threadsMax {
			o.threads = threadsMax
			o.warnings = append(o.warnings, fmt.Sprintf("Too many threads, limiting threads to %d.", threadsMax))
		}
		return err
	},
}

const keepAliveWarning = "Keepalive disabled. Every batch takes a port of this machine, which stays" +
	" taken for a while; for many requests widen net.ipv4.ip_local_port_range and set" +
	" net.ipv4.tcp_tw_reuse to 1."

// absent are the options of redis-benchmark that this program does not have yet. Ignoring
// one would measure something else than what was asked for.
var absent = map[string]string{
	"--cluster":          "load on a cluster",
	"--tls":              "TLS",
	"--sni":              "TLS",
	"--cacert":           "TLS",
	"--cacertdir":        "TLS",
	"--insecure":         "TLS",
	"--cert":             "TLS",
	"--key":              "TLS",
	"--tls-ciphers":      "TLS",
	"--tls-ciphersuites": "TLS",
}

// parse reads the options up to the first argument that is none, and returns the command
// that begins there.
func (o *options) parse(args []string) ([]string, error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		rest, isTaken, err := known.Next(o, args)
		switch {
		case err != nil:
			return nil, err
		case !isTaken:
			return nil, misuse(args[0])
		}
		args = rest
		if o.usage || o.version {
			return nil, nil
		}
	}
	if o.stdinLast && len(args) == 0 {
		return nil, cmdline.Refusef("Option -x: there is no command whose last argument could be read.")
	}
	return args, nil
}

// setClamped is Number for numbers that redis-benchmark takes for the next one that
// makes sense, as the 0 of -P 0 for 1.
func setClamped[T int | int64](to *T, what, v string, low, high int64) error {
	if err := cmdline.Number(to, what, v, math.MinInt64, math.MaxInt64); err != nil {
		return err
	}
	*to = T(min(max(int64(*to), low), high))
	return nil
}
