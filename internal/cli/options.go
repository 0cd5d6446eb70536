package cli

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spineldb/spinel/internal/cmdline"
	"github.com/spineldb/spinel/internal/config"
)

// options is what the command line and the environment say.
type options struct {
	cmdline.Server
	askPassword bool
	warned      bool // --no-auth-warning

	repeat   int64 // negative: for ever
	interval time.Duration

	resp2, resp3 bool
	wantsMaps    bool // --json: RESP3 unless -2 says otherwise

	stdinLast   bool
	stdinTag    string
	hasTag      bool
	quotedInput bool

	output         mode
	elementDelim   string
	replyDelim     string
	failOnError    bool
	showPushes     bool
	version, usage bool

	modes   modes
	timeout time.Duration // of connecting, 0 for the system's
	family  string        // "4" or "6": the kind of address that is tried first
}

func defaults(terminal bool) options {
	o := options{
		Server: cmdline.Local(), repeat: 1,
		elementDelim: "\n", replyDelim: "\n",
		output: raw, showPushes: terminal,
		modes: modes{memSamples: -1, pipeTimeout: 30 * time.Second},
	}
	if terminal {
		o.output = standard
	}
	return o
}

// known are the options of redis-cli.
var known = cmdline.Options[options]{Switches: switches, Settings: settings, Absent: absent}

// switches are the options without a value.
var switches = map[string]func(*options){
	"-2":                func(o *options) { o.resp2 = true },
	"-3":                func(o *options) { o.resp3 = true },
	"-x":                func(o *options) { o.stdinLast = true },
	"-e":                func(o *options) { o.failOnError = true },
	"-v":                func(o *options) { o.version = true },
	"--version":         func(o *options) { o.version = true },
	"--help":            func(o *options) { o.usage = true },
	"--verbose":         func(*options) {}, // speaks of the cluster manager only
	"--askpass":         func(o *options) { o.askPassword = true },
	"--raw":             func(o *options) { o.output = raw },
	"--no-raw":          func(o *options) { o.output = standard },
	"--csv":             func(o *options) { o.output = csv },
	"--json":            func(o *options) { o.output, o.wantsMaps = json, true },
	"--quoted-json":     func(o *options) { o.output, o.wantsMaps = quotedJSON, true },
	"--quoted-input":    func(o *options) { o.quotedInput = true },
	"--no-auth-warning": func(o *options) { o.warned = true },
	"-4":                func(o *options) { o.family = "4" },
	"-6":                func(o *options) { o.family = "6" },
	"--scan":            func(o *options) { o.modes.scan = true },
	"--stat":            func(o *options) { o.modes.stat = true },
	"--bigkeys":         func(o *options) { o.modes.bigKeys = true },
	"--memkeys":         func(o *options) { o.modes.memKeys = true },
	"--hotkeys":         func(o *options) { o.modes.hotKeys = true },
	"--latency":         func(o *options) { o.modes.latency = true },
	"--latency-history": func(o *options) { o.modes.latency, o.modes.history = true, true },
	"--pipe":            func(o *options) { o.modes.pipe = true },
}

// settings are the options with a value.
var settings = map[string]func(*options, string) error{
	"-h":            func(o *options, v string) error { o.Host = v; return nil },
	"-s":            func(o *options, v string) error { o.Socket = v; return nil },
	"-d":            func(o *options, v string) error { o.elementDelim = v; return nil },
	"-D":            func(o *options, v string) error { o.replyDelim = v; return nil },
	"-a":            func(o *options, v string) error { return o.SetPassword(v) },
	"--pass":        func(o *options, v string) error { return o.SetPassword(v) },
	"--user":        func(o *options, v string) error { o.User = v; return nil },
	"-u":            func(o *options, v string) error { return o.SetURI(v) },
	"-X":            func(o *options, v string) error { o.stdinTag, o.hasTag = v, true; return nil },
	"--show-pushes": setShowPushes,
	"-p":            func(o *options, v string) error { return o.SetPort(v) },
	"-n":            func(o *options, v string) error { return o.SetDatabase(v) },
	"-r": func(o *options, v string) error {
		return cmdline.Number(&o.repeat, "repeat count", v, math.MinInt64, math.MaxInt64)
	},
	"-i": setInterval,
	"-t": func(o *options, v string) (err error) {
		o.timeout, err = seconds("connection timeout", v)
		return err
	},
	"--pattern": func(o *options, v string) error { o.modes.pattern, o.modes.hasPattern = v, true; return nil },
	"--quoted-pattern": func(o *options, v string) error {
		parts, err := config.SplitArgs([]byte(v))
		if err != nil || len(parts) != 1 {
			return cmdline.Refusef("Invalid quoted string specified for --quoted-pattern.")
		}
		o.modes.pattern, o.modes.hasPattern = string(parts[0]), true
		return nil
	},
	"--count": func(o *options, v string) error {
		return cmdline.Number(&o.modes.count, "count", v, 1, math.MaxInt64)
	},
	"--type": func(o *options, v string) error { o.modes.keyType = v; return nil },
	"--memkeys-samples": func(o *options, v string) error {
		o.modes.memKeys = true
		return cmdline.Number(&o.modes.memSamples, "number of samples", v, 0, math.MaxInt64)
	},
	"--pipe-timeout": func(o *options, v string) error {
		var n int
		err := cmdline.Number(&n, "pipe timeout", v, 0, math.MaxInt32)
		o.modes.pipeTimeout = time.Duration(n) * time.Second
		return err
	},
	"--intrinsic-latency": func(o *options, v string) (err error) {
		o.modes.hasIntrinsic = true
		o.modes.intrinsic, err = seconds("time", v)
		return err
	},
}

// absent are the options of redis-cli that this program does not have yet.
// Ignoring one would do something else than what was asked for.
var absent = map[string]string{
	"-c":                 "cluster redirection",
	"--eval":             "running a script file",
	"--ldb":              "the script debugger",
	"--ldb-sync-mode":    "the script debugger",
	"--cluster":          "the cluster manager",
	"--cluster-yes":      "the cluster manager",
	"--latency-dist":     "showing latency as a spectrum",
	"--lru-test":         "the LRU simulation",
	"--replica":          "posing as a replica",
	"--slave":            "posing as a replica",
	"--rdb":              "transferring an RDB file",
	"--functions-rdb":    "transferring an RDB file",
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

// parse reads the options up to the first argument that is none, and returns
// the command that begins there. A password in the environment counts if no
// option names one.
func (o *options) parse(args []string, env func(string) string) ([]string, error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		rest, isTaken, err := known.Next(o, args)
		switch {
		case err != nil:
			return nil, err
		case !isTaken && args[0] == "-h":
			o.usage = true // the h of help, if there is no host
		case !isTaken:
			return nil, cmdline.Refusef("Unrecognized option or bad number of args for: '%s'", args[0])
		}
		args = rest
		if o.usage || o.version {
			return nil, nil
		}
	}
	switch {
	case o.resp2 && o.resp3:
		return nil, cmdline.Refusef("Options -2 and -3 are mutually exclusive.")
	case o.stdinLast && o.hasTag:
		return nil, cmdline.Refusef("Options -x and -X are mutually exclusive.")
	}
	o.resp3 = o.resp3 || o.wantsMaps && !o.resp2
	o.warned = o.warned || !o.HasPassword // the environment is safe
	if secret := env("REDISCLI_AUTH"); secret != "" && !o.HasPassword {
		o.Password, o.HasPassword = secret, true
	}
	return args, nil
}

func setShowPushes(o *options, v string) error {
	switch {
	case strings.HasPrefix(strings.ToLower(v), "n"):
		o.showPushes = false
	case strings.HasPrefix(strings.ToLower(v), "y"):
		o.showPushes = true
	default:
		return cmdline.Refusef("Unknown --show-pushes value '%s' (valid: '[y]es', '[n]o')", v)
	}
	return nil
}

func setInterval(o *options, v string) (err error) {
	o.interval, err = seconds("interval", v)
	return err
}

// seconds reads seconds with a fraction. A year is plenty, and keeps the arithmetic away
// from its ends.
func seconds(what, v string) (time.Duration, error) {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= 0 && n <= 365*24*3600) {
		return 0, cmdline.Refusef("Invalid %s '%s'.", what, v)
	}
	return time.Duration(n * float64(time.Second)), nil
}
