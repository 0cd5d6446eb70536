package benchmark

// usage is the text of --help, with the name of the program.
const usage = `Usage: %[1]s [OPTIONS] [COMMAND ARGS...]

Options:
 -h <hostname>      Where the server is (default 127.0.0.1)
 -p <port>          Its port (default 6379)
 -s <socket>        A Unix socket, instead of hostname and port
 -a <password>      Authenticate with this password
 --user <username>  Authenticate as this user of the ACL. Needs -a.
 -u <uri>           redis://[[user]:password@][host[:port]][/database]
 -c <clients>       How many connections at once (default 50)
 -n <requests>      How many requests in all (default 100000)
 -d <size>          Bytes of a value of SET, LPUSH and so on (default 3), and of
                    what stands for __data__ in a command
 --dbnum <db>       SELECT this database (default 0)
 -3                 Speak RESP3.
 --threads <num>    Spread the connections over so many threads.
 --enable-tracking  Send CLIENT TRACKING on first.
 -k <boolean>       1: connections are kept (default), 0: each sends one batch
 -r <keyspacelen>   Replace __rand_int__ wherever it stands in an argument by a
                    number of 12 digits from 0 to keyspacelen-1, another one
                    each time. The tests use it for keys, for members of sets
                    and for scores. Without -r they use one key each.
 --seed <num>       Where the random numbers begin, to have the same ones again
 -P <numreq>        Send so many requests before waiting (default 1)
 -q                 Quiet. One line for each test
 --precision <num>  Decimal places of latencies, 0 to 3 (default 3)
 --csv              Write the results as CSV.
 -l                 Loop. Run the tests again and again.
 -t <tests>         Only these tests, with commas between their names. Without
                    meaning if there is a command.
 -I                 Idle. Open the connections, send nothing and wait.
 -x                 The last argument of the command is what the standard input
                    holds.
 -e                 Accepted for the sake of old scripts: an error reply always
                    ends the program.
 --help             Print this text.
 -v, --version      Print the version.

Tests: ping (ping_inline, ping_mbulk), set, get, incr, lpush, rpush, lpop, rpop,
sadd, hset, spop, zadd, zpopmin, lrange (lrange_100, lrange_300, lrange_500,
lrange_600), mset, xadd.

Not there yet: --cluster and TLS.

Examples:

 All tests, against 127.0.0.1:6379:
   $ %[1]s

 A million SETs in batches of 16, to keys all over a range, on two threads:
   $ %[1]s -t set -n 1000000 -r 1000000 -P 16 --threads 2 -q

 Two tests as CSV, from 20 connections to another machine:
   $ %[1]s -h 192.168.1.1 -c 20 -t set,get --csv

 A command of one's own:
   $ %[1]s -r 10000 -n 10000 -d 100 lpush mylist __rand_int__:__data__
`
