// Package lint holds the tree to its own rules: what CONTRIBUTING.md asks and a
// machine can see is checked here, by go test, and not by reviewers.
//
// Each rule is a function from source to findings. Its tests feed it a source
// that breaks it, so a rule that has stopped biting fails too.
//
//	graph.go     who may import whom; the graph itself is text in deps_test.go
//	imports.go   what only some packages may use: unsafe, the clock, sockets
//	size.go      lines, functions, files and packages that outgrew their reader
//	docs.go      package comments, package names, links between pages
//	tests.go     names by which make test chooses
//	text.go      what no file may contain: paths of build machines, binaries
//	tree.go      finds and parses the files
//
// Nothing imports this package.
package lint

import "fmt"

// Module is the import path that every package of the tree begins with.
const Module = "github.com/spineldb/spinel"

// A Finding is one place that breaks a rule.
type Finding struct {
	Path string // relative to the root of the tree, with slashes
	Line int    // 0 if it is about the whole file or folder
	What string
}

func (f Finding) String() string {
	if f.Line == 0 {
		return f.Path + ": " + f.What
	}
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.What)
}
