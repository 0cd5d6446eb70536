package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A File is one file of the tree. Go files are parsed, comments included.
type File struct {
	Path string
	Size int64
	Text []byte

	Syntax    *ast.File // nil unless the name ends in .go
	Positions *token.FileSet
	Test      bool // the name ends in _test.go
	Generated bool // its first lines say so, in the form that go generate asks for
}

// Parse makes a File of a text, which is all that most rules need.
func Parse(name, text string) (*File, error) {
	f := &File{Path: name, Size: int64(len(text)), Text: []byte(text)}
	if path.Ext(name) != ".go" {
		return f, nil
	}
	f.Positions = token.NewFileSet()
	syntax, err := parser.ParseFile(f.Positions, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f.Syntax = syntax
	f.Test = strings.HasSuffix(name, "_test.go")
	f.Generated = ast.IsGenerated(syntax)
	return f, nil
}

// Dir is the folder of the file, "." for the root of the tree.
func (f *File) Dir() string { return path.Dir(f.Path) }

// At makes a finding at a position of the file's syntax.
func (f *File) At(pos token.Pos, format string, args ...any) Finding {
	return Finding{f.Path, f.Positions.Position(pos).Line, fmt.Sprintf(format, args...)}
}

// Package is the name that deps_test.go gives the package in a folder: without
// internal/, and "spinel" for the root.
func Package(dir string) string {
	if dir == "." {
		return "spinel"
	}
	return strings.TrimPrefix(dir, "internal/")
}

// maxTextBytes is what Load reads of one file; size.go refuses larger ones anyway.
const maxTextBytes = 1 << 20

// Load reads the tree under root: every file that .gitignore does not name.
// Files that do not parse are left to the compiler.
func Load(root string) ([]*File, error) {
	ignore, err := readIgnore(filepath.Join(root, ".gitignore"))
	if err != nil {
		return nil, err
	}
	var files []*File
	err = filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case rel == ".git" || ignore.matches(rel, d.IsDir()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		f, err := loadFile(at, rel)
		files = append(files, f)
		return err
	})
	return files, err
}

func loadFile(at, rel string) (*File, error) {
	info, err := os.Stat(at)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxTextBytes {
		return &File{Path: rel, Size: info.Size()}, nil
	}
	text, err := os.ReadFile(at)
	if err != nil {
		return nil, err
	}
	f, err := Parse(rel, string(text))
	if err != nil {
		return &File{Path: rel, Size: info.Size(), Text: text}, nil // the compiler says what is wrong with it
	}
	return f, nil
}

// ignored is what .gitignore names, in the three forms that ours uses.
type ignored struct{ rooted, folders, globs []string }

func readIgnore(name string) (ignored, error) {
	var ig ignored
	text, err := os.ReadFile(name)
	if err != nil {
		return ig, err
	}
	for line := range bytes.Lines(text) {
		p := strings.TrimSpace(string(line))
		switch {
		case p == "" || p[0] == '#':
		case p[0] == '/':
			ig.rooted = append(ig.rooted, strings.Trim(p, "/"))
		case strings.HasSuffix(p, "/"):
			ig.folders = append(ig.folders, strings.TrimSuffix(p, "/"))
		case !strings.ContainsAny(p, "/!"):
			ig.globs = append(ig.globs, p)
		default:
			return ig, fmt.Errorf("%s: %q: a form that internal/lint does not read", name, p)
		}
	}
	return ig, nil
}

func (ig ignored) matches(rel string, dir bool) bool {
	if slices.Contains(ig.rooted, rel) || dir && slices.Contains(ig.folders, path.Base(rel)) {
		return true
	}
	return slices.ContainsFunc(ig.globs, func(glob string) bool {
		ok, err := path.Match(glob, path.Base(rel))
		return ok && err == nil
	})
}

// Packages groups the Go files by folder.
func Packages(files []*File) map[string][]*File {
	packages := map[string][]*File{}
	for _, f := range files {
		if f.Syntax != nil && !strings.Contains("/"+f.Path, "/testdata/") {
			packages[f.Dir()] = append(packages[f.Dir()], f)
		}
	}
	return packages
}
