// Package cli is the command-line client: `spinel cli`, and the same program
// when it is started as redis-cli or valkey-cli.
//
// It does what redis-cli 7.0 does, to the byte where scripts may look: output of
// every reply type in all five formats, error texts, exit codes. A test runs both
// programs against the same servers and compares.
//
// # The way of a command
//
//	options.go   the command line        -> options
//	modes.go     what is done instead of a command: scan.go sample.go stat.go latency.go pipe.go
//	repl.go      a line of the prompt    -> arguments   (or the rest of argv, once)
//	session.go   arguments               -> the server -> replies, reconnecting when needed
//	format*.go   replies                 -> text
//
// # What is different on purpose
//
//   - Formatted output (a terminal, or --no-raw) never contains a control byte
//     that the server sent: redis-cli escapes bulk strings, we escape also errors,
//     simple and verbatim strings, and INFO.
//   - --quoted-json escapes quotes once more, so that the output is JSON.
//   - Big numbers, blob errors, attributes and NaN are understood; redis-cli 7.0
//     gives up on them. Attributes are left out of the output.
//   - Numbers in options must be numbers: -n x is an error, not database 0.
//   - redis://:password@host means the default user, and [::1] is a host.
//   - help, completion and hints come from the server's COMMAND DOCS, not from a
//     table of the client, so they fit whatever server is at the other end.
//   - --type restricts --scan, --bigkeys and so on to keys of a type.
//   - Modes that are not there yet (-c, --eval, --rdb, TLS, ...) are refused with
//     exit code 1, never ignored.
//
// # The environment
//
// REDISCLI_AUTH is the password if no option names one, REDISCLI_HISTFILE and
// REDISCLI_RCFILE stand for ~/.rediscli_history and ~/.redisclirc, and FAKETTY
// makes the output that of a terminal.
//
// # Secrets
//
// Lines that carry a password (AUTH, HELLO ... AUTH, ACL SETUSER, CONFIG SET
// requirepass, MIGRATE ... AUTH, ...) are kept out of the history, in memory and
// on disk. The history file is readable by its owner only.
package cli
