// Command gotest runs go test and says what came of it in one line at the end.
//
//	go run ./internal/gen/gotest [go test's flags and packages]
//
// It prints a line for each package, the output of the tests that failed, and
// last 'N passed, N failed', the line that Redis's suite ends with as well. A
// package that does not build, or that dies outside a test, counts as one failed.
package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	cmd := exec.Command("go", append([]string{"test", "-json"}, os.Args[1:]...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		fail(err)
	}
	if err := cmd.Start(); err != nil {
		fail(err)
	}
	total, err := summarize(os.Stdout, events)
	if err != nil {
		fail(err)
	}
	err = cmd.Wait()
	if err != nil && total.failed == 0 {
		total.failed = 1 // go test itself refused: its words are on standard error
	}
	fmt.Println(total)
	if total.failed > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gotest:", err)
	os.Exit(2)
}
