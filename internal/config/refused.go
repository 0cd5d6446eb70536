package config

import "math"

// Refused are the options of Redis that ask for something which is not there yet, and
// which somebody would miss: they may only be what means that it is not wanted. When
// the subsystem comes, its package declares them, and they go from here.
var Refused = NewGroup("not supported yet",
	Bool(Option{Name: "cluster-enabled"}, refuseYes("cluster-enabled")),
	refusedDirective("user", Option{FileOnly: true}),
	refusedDirective("loadmodule", Option{FileOnly: true}),
	refusedDirective("sentinel", Option{FileOnly: true}),
	refusedText("aclfile", Option{}),
	refusedText("server_cpulist", Option{}),
	refusedText("bio_cpulist", Option{}),
	refusedText("aof_rewrite_cpulist", Option{}),
	refusedText("bgsave_cpulist", Option{}),
	refusedNumber("socket-mark-id", Option{Max: 1<<32 - 1}),
	refusedNumber("watchdog-period", Option{Max: math.MaxInt32, Live: true, Hidden: true}),

	refusedNumber("tls-port", Option{Max: 65535, Live: true}),
	Bool(Option{Name: "tls-cluster", Live: true}, refuseYes("tls-cluster")),
	Bool(Option{Name: "tls-replication", Live: true}, refuseYes("tls-replication")),
	refusedText("tls-cert-file", Option{Live: true}),
	refusedText("tls-key-file", Option{Live: true}),
	refusedText("tls-key-file-pass", Option{Live: true, Sensitive: true}),
	refusedText("tls-client-cert-file", Option{Live: true}),
	refusedText("tls-client-key-file", Option{Live: true}),
	refusedText("tls-client-key-file-pass", Option{Live: true, Sensitive: true}),
	refusedText("tls-dh-params-file", Option{Live: true}),
	refusedText("tls-ca-cert-file", Option{Live: true}),
	refusedText("tls-ca-cert-dir", Option{Live: true}),
	refusedText("tls-protocols", Option{Live: true}),
	refusedText("tls-ciphers", Option{Live: true}),
	refusedText("tls-ciphersuites", Option{Live: true}),
).Describe(`These may only be empty, 0 or no: anything else is refused, because what they ask for is
not there yet.`)

// notSupported is the reason for refusing a directive.
func notSupported(directive string) error {
	return Reason(directive + " is not supported yet by this version")
}

func refuseYes(name string) func(bool) error {
	return func(yes bool) error {
		if yes {
			return notSupported(name + " yes")
		}
		return nil
	}
}

func refusedNumber(name string, o Option) Handle {
	o.Name = name
	return Int(o, func(v int64) error {
		if v != 0 {
			return notSupported(name + " other than 0")
		}
		return nil
	})
}

func refusedText(name string, o Option) Handle {
	o.Name = name
	return String(o, func(text string) error {
		switch {
		case text == "":
			return nil
		case o.Sensitive:
			return notSupported(name)
		default:
			return notSupported(name + " " + text)
		}
	})
}

// refusedDirective has several arguments.
func refusedDirective(name string, o Option) Handle {
	o.Name = name
	return Custom(o, Codec[struct{}]{
		Parse: func(args []string, _ struct{}, _ bool) (none struct{}, _ error) {
			if o.FileOnly { // its arguments may hold a secret: user NAME >PASSWORD
				return none, notSupported(name)
			}
			directive := name
			for _, arg := range args {
				directive += " " + arg
			}
			return none, notSupported(directive)
		},
		Append: func(dst []byte, _ struct{}) []byte { return dst },
		Lines:  func(struct{}) []string { return nil },
	})
}
