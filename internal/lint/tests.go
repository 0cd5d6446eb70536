package lint

import (
	"go/ast"
	"strings"
)

// allocWord is what make test selects by: those tests run once more in a build
// without invariants, whose checks may allocate where the program does not, or
// keep alive what the program would have made anew.
const allocWord = "Alloc"

// CheckAllocTests finds tests that count allocations and do not say so in their name.
func CheckAllocTests(f *File) []Finding {
	if f.Syntax == nil || !f.Test {
		return nil
	}
	var found []Finding
	for _, decl := range f.Syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(fn.Name.Name, "Test") || strings.Contains(fn.Name.Name, allocWord) {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "AllocsPerRun" {
				found = append(found, f.At(sel.Pos(), "%s counts allocations: its name has to say %s",
					fn.Name.Name, allocWord))
			}
			return true
		})
	}
	return found
}
