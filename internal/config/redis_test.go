package config_test

import (
	"bufio"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/original"
)

// ownedElsewhere are the options that the packages of their subsystems declare.
var ownedElsewhere = strings.Fields(`
	bind port tcp-backlog unixsocket unixsocketperm timeout tcp-keepalive protected-mode io-threads
	io-threads-do-reads io-backend maxclients client-query-buffer-limit proto-max-bulk-len
	client-output-buffer-limit daemonize supervised pidfile loglevel logfile syslog-enabled syslog-ident
	syslog-facility databases dir dbfilename save stop-writes-on-bgsave-error rdbcompression rdbchecksum
	rdb-del-sync-files sanitize-dump-payload rdb-save-incremental-fsync maxmemory maxmemory-policy
	maxmemory-samples maxmemory-eviction-tenacity maxmemory-clients lfu-log-factor lfu-decay-time
	active-expire-effort lazyfree-lazy-* replica-lazy-flush slave-lazy-flush requirepass rename-command
	enable-debug-command enable-protected-configs slowlog-* commandlog-* latency-monitor-threshold
	latency-tracking latency-tracking-info-percentiles hz dynamic-hz activerehashing shutdown-timeout
	shutdown-on-sigint shutdown-on-sigterm locale-collate hash-max-* list-max-listpack-size
	list-max-ziplist-size list-compress-depth set-max-* zset-max-* stream-node-max-* hll-sparse-max-bytes
	set-proc-title proc-title-template repl-ping-* repl-timeout repl-backlog-* repl-disable-tcp-nodelay
	repl-diskless-* min-replicas-* min-slaves-* append* no-appendfsync-on-rewrite auto-aof-* aof-load-*
	aof-use-rdb-preamble aof-timestamp-enabled aof-rewrite-incremental-fsync aof-disable-auto-gc
	replicaof slaveof masteruser masterauth bind-source-addr replica-announce* slave-announce*
	replica-priority slave-priority replica-read-only slave-read-only replica-serve-stale-data
	slave-serve-stale-data replica-ignore-* slave-ignore-maxmemory propagation-error-behavior`)

func isOwnedElsewhere(name string) bool {
	return slices.ContainsFunc(ownedElsewhere, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	})
}

// A redisCommand sends a command. The reply is an error, with its minus sign, or the
// texts of an array or of one string.
type redisCommand func(args ...string) ([]string, error)

// redisServer starts a redis-server 7.0 for the time of the test.
func redisServer(t *testing.T) redisCommand {
	r := original.Redis(t, original.Options{})
	return func(args ...string) ([]string, error) {
		t.Helper()
		texts, err := readReply(bufio.NewReader(strings.NewReader(r.Do(args...))))
		if err != nil && !strings.HasPrefix(err.Error(), "-") {
			t.Fatal(err)
		}
		return texts, err
	}
}

func readReply(in *bufio.Reader) ([]string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSpace(line)
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '-':
		return nil, errors.New(line)
	case '$':
		text := make([]byte, n+2)
		_, err := io.ReadFull(in, text)
		return []string{string(text[:n])}, err
	case '*':
		var all []string
		for range n {
			texts, err := readReply(in)
			if err != nil {
				return nil, err
			}
			all = append(all, texts...)
		}
		return all, nil
	default:
		return []string{line[1:]}, nil
	}
}

// Every option of Redis 7.0 is known by every one of its names, has Redis's default,
// and is as changeable as there.
func TestAgainstRedis(t *testing.T) {
	redis := redisServer(t)
	schema := config.NewSchema(config.Kept, config.Refused)
	set := schema.NewSet()
	shown, err := redis("CONFIG", "GET", "*")
	if err != nil || len(shown) < 300 {
		t.Fatalf("CONFIG GET *: %d elements, %v", len(shown), err)
	}
	known := schema.Names()
	for pair := range slices.Chunk(shown, 2) {
		name, want := pair[0], pair[1]
		_, isKnown := slices.BinarySearch(known, name)
		if isKnown == isOwnedElsewhere(name) {
			t.Errorf("%s: declared here is %v, and by another package %v", name, isKnown, !isKnown)
		}
		if !isKnown {
			continue
		}
		if got, _ := set.Text(name); got != want {
			t.Errorf("%s is %q by default, and in Redis %q", name, got, want)
		}
		compareSets(t, set, redis, name, want)
	}
}

// compareSets has both set an option to some values, and compares what they say.
func compareSets(t *testing.T, set *config.Set, redis redisCommand, name, initial string) {
	values := []string{initial, "x y", "-99999999999", "65536", "0"}
	if strings.HasPrefix(name, "tls-") {
		values = values[:1] // Redis opens files, and we refuse to
	}
	if name == "jemalloc-bg-thread" {
		values = []string{initial, "maybe"}
	}
	for _, v := range append(values, initial) {
		compareOne(t, set, redis, name, v)
	}
}

func compareOne(t *testing.T, set *config.Set, redis redisCommand, name, v string) {
	gotErr := setAll(set, name, v)
	_, wantErr := redis("CONFIG", "SET", name, v)
	got, want := "OK", "OK"
	if gotErr != nil {
		got = "-ERR " + gotErr.Error()
	}
	if wantErr != nil {
		want = wantErr.Error()
	}
	if got != want {
		t.Errorf("CONFIG SET %s %q\n got %s\nwant %s", name, v, got, want)
	}
	gotText := getAll(set, name)
	wantPair, _ := redis("CONFIG", "GET", name)
	if wantText := strings.Join(wantPair, "="); gotText != wantText {
		t.Errorf("after CONFIG SET %s %q: %s, and Redis %s", name, v, gotText, wantText)
	}
}

// Values of options with a grammar of their own, as both show them.
func TestGrammarsAgainstRedis(t *testing.T) {
	redis := redisServer(t)
	set := config.NewSchema(config.Kept, config.Refused).NewSet()
	for name, values := range map[string][]string{
		"notify-keyspace-events":    {"KEA", "A", "gd", "m", "nK", "tKn", "mEx", "g$lshzxetdK", "q", ""},
		"oom-score-adj-values":      {"1 2", "1 2 3", "1  2 3", "-2000 0 2000", "-2001 0 0", "a b c"},
		"cluster-announce-hostname": {"a-b.C9", "a_b", strings.Repeat("a", 255), strings.Repeat("a", 256)},
		// Those that CONFIG GET * does not show.
		"watchdog-period":                       {"0", "-1", "x", "2147483648"},
		"loading-process-events-interval-bytes": {"2097152", "1023", "1024"},
	} {
		for _, v := range values {
			compareOne(t, set, redis, name, v)
		}
	}
}
