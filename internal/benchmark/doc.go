// Package benchmark is the load generator: `spinel benchmark`, and the same program when
// it is started as redis-benchmark or valkey-benchmark.
//
// It sends what redis-benchmark 7.0 sends (the same tests, keys and arguments, which a test
// holds against the original) and reports in the same forms, so that scripts that read the
// one can read the other.
//
// # The way of a request
//
//	options.go    the command line         -> options
//	suite.go      options                  -> scenarios: what is sent, by which name
//	template.go   a scenario's arguments   -> bytes, and where random numbers go in them
//	stream.go     the bytes of a connection: a batch out, its replies counted
//	skip.go       bytes from the server    -> how many replies these were
//	load.go       a scenario on all connections and threads -> a result
//	drive_*.go    streams on sockets
//	report.go     a result                 -> text
//
// # Costs
//
// A generator that is slower than the server measures itself. Nothing is allocated once
// the connections stand: a batch is rendered in place and goes out in one write, replies
// are counted where they lie in the read buffer of the thread and never parsed into
// values. On Linux a thread drives its connections with epoll itself; a test holds that a
// round costs no allocation.
//
// # What is different on purpose
//
//   - Exactly -n requests are sent: redis-benchmark rounds up to whole batches of -P.
//   - A request's latency ends with the read that brings its reply. redis-benchmark gives
//     all of a batch the latency of its first read.
//   - Latencies are kept to the microsecond, not to eight, and up to an hour, not three
//     seconds; those above two milliseconds to three significant digits.
//   - Rates are computed from nanoseconds, and the first line of progress has no NaN.
//   - --precision is what its help says: decimal places of latencies (0 to 3, default 3).
//     There it is the number of digits that the histogram keeps.
//   - Numbers in options must be numbers; names behind -t that no test has are told.
//   - --seed makes random numbers repeat; __data__ in a command stands for -d bytes.
//   - xadd is a test.
//   - --cluster and TLS are refused with exit code 1, never ignored.
package benchmark
