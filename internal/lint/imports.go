package lint

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Reserved thing is an import or a function that only some code may use.
type Reserved struct {
	Import string // its path; "example.org/x/..." means every package below as well
	Name   string // of a function or variable; empty if the import itself is reserved
	Why    string

	// Allow names packages as deps_test.go does, "ds/..." for all below, "main"
	// for every command, or single files by their path.
	Allow []string
}

// CheckReserved finds uses of r in f that r does not allow. Tests may use anything.
func (r Reserved) CheckReserved(f *File) []Finding {
	if f.Syntax == nil || f.Test || r.allows(f) {
		return nil
	}
	var found []Finding
	for _, spec := range f.Syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil || !within(imported, r.Import) {
			continue
		}
		if r.Name == "" {
			found = append(found, f.At(spec.Pos(), "import of %s: %s", imported, r.Why))
			continue
		}
		local := path.Base(imported)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != r.Name {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				found = append(found, f.At(sel.Pos(), "use of %s.%s: %s", local, r.Name, r.Why))
			}
			return true
		})
	}
	return found
}

func (r Reserved) allows(f *File) bool {
	name := Package(f.Dir())
	return slices.ContainsFunc(r.Allow, func(allowed string) bool {
		return within(name, allowed) || f.Path == allowed || allowed == "main" && f.Syntax.Name.Name == "main"
	})
}

// within says whether a path is the pattern, or lies below it if it ends in /...
func within(name, pattern string) bool {
	above, wild := strings.CutSuffix(pattern, "/...")
	return name == above || wild && strings.HasPrefix(name, above+"/")
}

// CheckModules finds imports from modules that no entry of reserved names: a
// dependency is a decision, and its reason is written down where it is allowed.
func CheckModules(f *File, reserved []Reserved) []Finding {
	if f.Syntax == nil || f.Test {
		return nil
	}
	var found []Finding
	for _, spec := range f.Syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		host, _, _ := strings.Cut(imported, "/")
		if err != nil || !strings.Contains(host, ".") || within(imported, Module+"/...") {
			continue
		}
		named := slices.ContainsFunc(reserved, func(r Reserved) bool { return within(imported, r.Import) })
		if !named {
			found = append(found, f.At(spec.Pos(), "import of %s: internal/lint does not know this module", imported))
		}
	}
	return found
}
