// Command fuzzall runs every fuzz target of the given packages, one after another.
//
//	go run ./internal/gen/fuzzall [-time 30s] [packages]
//
// go test takes one target at a time, so this finds them: the functions named
// FuzzXxx in the test files. It goes on after a failure and exits 1 at the end.
// What a target found is in its package's testdata/fuzz, ready to be committed
// as a seed with the fix.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	each := flag.Duration("time", 30*time.Second, "how long each target runs")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	targets, err := find(patterns)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzzall:", err)
		os.Exit(2)
	}
	failed := 0
	for _, t := range targets {
		fmt.Println("==", t.pkg, t.name)
		if err := t.run(*each); err != nil {
			failed++
		}
	}
	fmt.Printf("%d passed, %d failed\n", len(targets)-failed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

// A target is one fuzz function.
type target struct{ pkg, name string }

func (t target) run(each time.Duration) error {
	cmd := exec.Command("go", "test", "-tags", "invariants", "-run", "^$",
		"-fuzz", "^"+t.name+"$", "-fuzztime", each.String(), t.pkg)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// find lists the targets in the packages that the patterns name.
func find(patterns []string) ([]target, error) {
	args := append([]string{"list", "-tags", "invariants", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"},
		patterns...)
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var targets []target
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Dir           string
			TestGoFiles, XTestGoFiles []string
		}
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return targets, nil
		case err != nil:
			return nil, fmt.Errorf("reading go list: %w", err)
		}
		for _, file := range append(p.TestGoFiles, p.XTestGoFiles...) {
			names, err := fuzzFuncs(filepath.Join(p.Dir, file), nil)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				targets = append(targets, target{p.ImportPath, name})
			}
		}
	}
}

// fuzzFuncs names the fuzz targets of one file. A nil source means its contents.
func fuzzFuncs(path string, source any) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") && fn.Type.Params.NumFields() == 1 {
			names = append(names, fn.Name.Name)
		}
	}
	return names, nil
}
