// Command gotest runs go test and says what came of it in one line at the end.
//
//	go run ./internal/gen/gotest [go test's flags and packages] [-- more of them]
//
// Each -- begins another run of go test, whatever came of the one before; the counts
// of all are added. It prints a line for each package, the output of the tests that failed, and
// last 'N passed, N failed', the line that Redis's suite ends with as well. A
// package that does not build, or that dies outside a test, counts as one failed.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
)

func main() {
	var total counts
	for _, args := range runs(os.Args[1:]) {
		n, err := run(args)
		if err != nil {
			fmt.Fprintln(os.Stderr, "gotest:", err)
			os.Exit(2)
		}
		total.add(n)
	}
	fmt.Println(total)
	if total.failed > 0 {
		os.Exit(1)
	}
}

// runs splits arguments at each --.
func runs(args []string) [][]string {
	i := slices.Index(args, "--")
	if i < 0 {
		return [][]string{args}
	}
	return append([][]string{args[:i]}, runs(args[i+1:])...)
}

// run runs go test once.
func run(args []string) (counts, error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return counts{}, err
	}
	if err := cmd.Start(); err != nil {
		return counts{}, err
	}
	n, err := summarize(os.Stdout, events)
	if err != nil {
		return n, err
	}
	if err := cmd.Wait(); err != nil && n.failed == 0 {
		n.failed = 1 // go test itself refused: its words are on standard error
	}
	return n, nil
}
