package benchmark

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// A refusal is why the program ends or does not even start. It is the whole text that the
// user gets to see, in the words of redis-benchmark where that has some.
type refusal string

func (r refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

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
	host   string
	port   int
	socket string // wins over host and port

	user        string
	password    string
	hasPassword bool
	database    int
	resp3       bool
	tracking    bool

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
		host: "127.0.0.1", port: 6379,
		clients: 50, requests: 100000, dataBytes: 3, pipeline: 1, decimals: decimalsMax,
	}
}

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
	"-h":     func(o *options, v string) error { o.host = v; return nil },
	"-s":     func(o *options, v string) error { o.socket = v; return nil },
	"-a":     func(o *options, v string) error { o.password, o.hasPassword = v, true; return nil },
	"--user": func(o *options, v string) error { o.user = v; return nil },
	"-u":     (*options).setURI,
	"-t":     func(o *options, v string) error { o.tests = strings.ToLower(v); return nil },
	"-p":     func(o *options, v string) error { return setNumber(&o.port, "server port", v, 0, 65535) },
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
		err := setNumber(&keep, "keep alive", v, math.MinInt64, math.MaxInt64)
		if o.reconnect = keep == 0; o.reconnect && err == nil {
			o.warnings = append(o.warnings, keepAliveWarning)
		}
		return err
	},
	"-r": func(o *options, v string) error {
		o.random = true
		return setClamped(&o.keyspace, "keyspace length", v, 0, math.MaxInt64)
	},
	"--dbnum": func(o *options, v string) error {
		return setNumber(&o.database, "database number", v, 0, math.MaxInt32)
	},
	"--seed": func(o *options, v string) (err error) {
		o.hasSeed = true
		if o.seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			return refusef("Invalid seed '%s'.", v)
		}
		return nil
	},
	"--precision": func(o *options, v string) error {
		err := setNumber(&o.decimals, "precision", v, math.MinInt32, math.MaxInt32)
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
		name := args[0]
		set, takesValue := settings[name]
		switch toggle := switches[name]; {
		case toggle != nil:
			toggle(o)
			args = args[1:]
		case takesValue && len(args) > 1:
			if err := set(o, args[1]); err != nil {
				return nil, err
			}
			args = args[2:]
		case absent[name] != "":
			return nil, refusef("Option %s: %s is not there yet.", name, absent[name])
		default:
			return nil, misuse(name)
		}
		if o.usage || o.version {
			return nil, nil
		}
	}
	if o.stdinLast && len(args) == 0 {
		return nil, refusef("Option -x: there is no command whose last argument could be read.")
	}
	return args, nil
}

// setURI takes redis://[[user]:password@][host[:port]][/database], and valkey:// likewise.
// What it does not name keeps its value. A name without a colon before the @ is a password,
// as in redis-benchmark.
func (o *options) setURI(text string) error {
	uri, err := url.Parse(text)
	switch {
	case err != nil:
		return refusef("Invalid URI: %s", text)
	case uri.Scheme == "rediss" || uri.Scheme == "valkeys":
		return refusef("%s:// needs TLS, which is not there yet.", uri.Scheme)
	case uri.Scheme != "redis" && uri.Scheme != "valkey":
		return refusef("Invalid URI scheme")
	}
	if info := uri.User; info != nil {
		o.user, o.password, o.hasPassword = "", info.Username(), true
		if password, both := info.Password(); both {
			o.user, o.password = info.Username(), password
		}
	}
	if host := uri.Hostname(); host != "" {
		o.host = host
	}
	if port := uri.Port(); port != "" {
		if err := setNumber(&o.port, "server port", port, 0, 65535); err != nil {
			return err
		}
	}
	if database := strings.TrimPrefix(uri.Path, "/"); database != "" {
		return setNumber(&o.database, "database number", database, 0, math.MaxInt32)
	}
	return nil
}

func setNumber[T int | int64](to *T, what, v string, low, high int64) error {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < low || n > high || int64(T(n)) != n {
		return refusef("Invalid %s '%s'.", what, v)
	}
	*to = T(n)
	return nil
}

// setClamped is setNumber for numbers that redis-benchmark takes for the next one that
// makes sense, as the 0 of -P 0 for 1.
func setClamped[T int | int64](to *T, what, v string, low, high int64) error {
	if err := setNumber(to, what, v, math.MinInt64, math.MaxInt64); err != nil {
		return err
	}
	*to = T(min(max(int64(*to), low), high))
	return nil
}
