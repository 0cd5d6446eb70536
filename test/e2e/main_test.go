//go:build linux

// Package e2e runs the real program as its users do: started under the names that they
// know, with the files that they have, over real sockets, and killed in the middle.
//
// A test here is about what needs a process: start and end, signals, files, limits of the
// system, bytes that no client library sends. What needs none is tested where it lives.
//
// Every server listens on the loopback address at a port that was free, writes only below
// the test's own folder, and is ended by its process id. Tests that take long in full are
// short by default; the environment asks for more:
//
//	SPINEL_KILL_ROUNDS   kill -9 during a save                           5
//	SPINEL_AOF_ROUNDS    kill -9 with an append-only file              12
//	SPINEL_LANES         servers that are killed at the same time         1
//	SPINEL_BIG_MB        size of the largest argument                    64
//	SPINEL_SLOW_CLIENTS  clients that send one byte a second          1000
//	SPINEL_DEAF_CLIENTS  clients that never read their replies          20
//	SPINEL_DIFFERENTIAL  random commands to us and to redis-server   20000
//	SPINEL_SERVER        another server in place of ours, to try a test out
//	SPINEL_SEED          seed of these commands                         1
package e2e

import (
	"os"
	"testing"

	"github.com/spineldb/spinel/internal/testenv"

	// So that no result is taken from the cache when the program has changed.
	_ "github.com/spineldb/spinel/internal/cli"
	_ "github.com/spineldb/spinel/internal/server"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// server is the path of the server, ours if there is no other to try a test out.
func server(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("SPINEL_SERVER"); path != "" {
		return path
	}
	return testenv.Program(t)
}
