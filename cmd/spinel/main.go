// Command spinel is every program of the suite in one: started as spinel-server,
// redis-server or valkey-server it is the server, as spinel-cli the client, and so on;
// started as spinel it takes the program's name as its first argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spineldb/spinel/internal/benchmark"
	"github.com/spineldb/spinel/internal/check"
	"github.com/spineldb/spinel/internal/cli"
	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/server"
	"github.com/spineldb/spinel/internal/vfs"
)

func main() {
	// The server's title is written over the memory that these lie in.
	for i, arg := range os.Args {
		os.Args[i] = strings.Clone(arg)
	}
	os.Exit(run(os.Args))
}

func run(args []string) int {
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	for _, prefix := range []string{"spinel-", "redis-", "valkey-"} {
		if program, ok := strings.CutPrefix(name, prefix); ok {
			return start(program, name, args[1:])
		}
	}
	if len(args) > 1 {
		return start(args[1], "spinel "+args[1], args[2:])
	}
	fmt.Fprintln(os.Stderr, "usage: spinel server|cli|benchmark|check-aof|check-rdb [arguments]")
	return 2
}

func start(program, name string, args []string) int {
	switch program {
	case "server":
		return server.Main(args, os.Stdin, os.Stdout, os.Stderr)
	case "check-aof", "check-rdb":
		checker := check.Program{Name: name, Version: server.Version, FS: vfs.OS{}, Clock: clock.System{},
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
		if program == "check-rdb" {
			return checker.RDB(args)
		}
		return checker.AOF(args)
	case "cli":
		client := cli.Program{Name: name, Version: server.RedisVersion}
		return client.Main(args, os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	case "benchmark":
		generator := benchmark.Program{Name: name, Version: server.RedisVersion}
		return generator.Main(args, os.Stdin, os.Stdout, os.Stderr)
	default:
		fmt.Fprintf(os.Stderr, "%s: there is no program %q in this version; there are server, cli, benchmark, "+
			"check-aof and check-rdb\n",
			name, program)
		return 2
	}
}
