package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// What a reader can hold. Reaching one of these fails; CONTRIBUTING.md gives the
// sizes to aim at, which are far smaller.
const (
	maxLineBytes     = 110
	maxFuncLines     = 120
	maxFileLines     = 1200
	maxPackageFiles  = 25
	longFuncReason   = "//lint:long " // and why, in the function's doc comment
	maxCommittedSize = 1 << 20
)

// CheckSize holds a Go file to the limits on lines, functions and length.
// Generated files are nobody's reading; tests may be long lists.
func CheckSize(f *File) []Finding {
	if f.Syntax == nil || f.Generated {
		return nil
	}
	found := checkLines(f)
	if f.Test {
		return found
	}
	if n := bytes.Count(f.Text, []byte("\n")); n > maxFileLines {
		found = append(found, Finding{f.Path, 0, fmt.Sprintf("%d lines, at most %d", n, maxFileLines)})
	}
	for _, decl := range f.Syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := f.Positions.Position(fn.End()).Line - f.Positions.Position(fn.Pos()).Line + 1
		if n > maxFuncLines && !saysWhyLong(fn.Doc) {
			found = append(found, f.At(fn.Pos(), "%s has %d lines, at most %d", fn.Name.Name, n, maxFuncLines))
		}
	}
	return found
}

func saysWhyLong(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, longFuncReason) && len(c.Text) > len(longFuncReason) {
			return true
		}
	}
	return false
}

func checkLines(f *File) []Finding {
	var found []Finding
	raw := rawLines(f)
	n := 0
	for line := range bytes.Lines(f.Text) {
		n++
		line = bytes.TrimRight(line, "\r\n")
		if len(line) > maxLineBytes && !raw[n] && !mayBeLong(string(line)) {
			found = append(found, Finding{f.Path, n, fmt.Sprintf("%d bytes, at most %d", len(line), maxLineBytes)})
		}
	}
	return found
}

// mayBeLong excepts what breaking would spoil: URLs, rows of a table, drawings.
func mayBeLong(line string) bool {
	text := strings.TrimSpace(line)
	drawing := strings.HasPrefix(text, "//\t") || strings.HasPrefix(text, "//  ")
	code, _, _ := strings.Cut(text, " // ")
	row := strings.HasSuffix(strings.TrimSpace(code), "},") && strings.ContainsAny(text[:1], "{\"'0123456789")
	return drawing || row || strings.Contains(text, "://")
}

// rawLines marks the lines inside raw strings: their breaks are data.
func rawLines(f *File) map[int]bool {
	lines := map[int]bool{}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if ok && lit.Kind == token.STRING && lit.Value[0] == '`' {
			for l := f.Positions.Position(lit.Pos()).Line; l <= f.Positions.Position(lit.End()).Line; l++ {
				lines[l] = true
			}
		}
		return true
	})
	return lines
}

// CheckPackageSize counts the files that a reader of a package opens.
func CheckPackageSize(dir string, files []*File) []Finding {
	n := 0
	for _, f := range files {
		if !f.Test && !f.Generated {
			n++
		}
	}
	if n <= maxPackageFiles {
		return nil
	}
	return []Finding{{dir, 0, fmt.Sprintf("%d files, at most %d", n, maxPackageFiles)}}
}
