package lint

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Graph says who may import whom.
//
// It is written as rules "a, b < c, d < e;": whatever stands on the right may
// import whatever stands left of it, and what that may import, and so on. The
// word NONE stands for nothing; other words in capitals are landmarks, names
// for a set of packages and no packages themselves. '#' begins a comment.
//
// A name has to stand on the right of a rule before it may stand on the left
// of one, so the text reads upwards, floor by floor.
type Graph struct {
	below map[string]map[string]bool // each name to the names that it may import
}

const none = "NONE"

// ParseGraph reads rules, and refuses cycles.
func ParseGraph(text string) (*Graph, error) {
	g := &Graph{below: map[string]map[string]bool{none: {}}}
	var clean strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		clean.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	statements := strings.Split(clean.String(), ";")
	if rest := strings.TrimSpace(statements[len(statements)-1]); rest != "" {
		return nil, fmt.Errorf("rule without a semicolon: %s", rest)
	}
	for _, statement := range statements[:len(statements)-1] {
		if err := g.addRule(statement); err != nil {
			return nil, fmt.Errorf("%w, in: %s", err, strings.TrimSpace(statement))
		}
	}
	closed := map[string]bool{}
	for name := range g.below {
		if err := g.close(name, nil, closed); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *Graph) addRule(statement string) error {
	var left []string
	for i, list := range strings.Split(statement, "<") {
		var right []string
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			if name == "" || strings.ContainsAny(name, " \t\n") {
				return fmt.Errorf("not a name: %q", name)
			}
			if i == 0 && g.below[name] == nil {
				return fmt.Errorf("%s is used before a rule places it", name)
			}
			if g.below[name] == nil {
				g.below[name] = map[string]bool{}
			}
			for _, l := range left {
				g.below[name][l] = true
			}
			right = append(right, name)
		}
		left = right
	}
	return nil
}

// close adds to name what may be imported by what it may import. Path is how it
// was come to; closed are the names that need no second visit.
func (g *Graph) close(name string, path []string, closed map[string]bool) error {
	if closed[name] {
		return nil
	}
	if slices.Contains(path, name) {
		return fmt.Errorf("cycle: %s", strings.Join(append(path, name), " < "))
	}
	path = append(path, name)
	for _, l := range slices.Sorted(maps.Keys(g.below[name])) {
		if err := g.close(l, path, closed); err != nil {
			return err
		}
		maps.Copy(g.below[name], g.below[l])
	}
	closed[name] = true
	return nil
}

// Knows says whether a rule places the package.
func (g *Graph) Knows(name string) bool { return name != none && g.below[name] != nil }

// Allows says whether package from may import package to.
func (g *Graph) Allows(from, to string) bool { return g.below[from][to] }

// CheckImports holds one file's imports of packages of this tree to the graph.
// What tests import is their own affair: they drive a package from above.
func (g *Graph) CheckImports(f *File) []Finding {
	if f.Syntax == nil || f.Test {
		return nil
	}
	from := Package(f.Dir())
	if !g.Knows(from) {
		return []Finding{{f.Path, 0, from + ": no rule of internal/lint/deps_test.go places this package"}}
	}
	var found []Finding
	for _, spec := range f.Syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil || imported != Module && !strings.HasPrefix(imported, Module+"/") {
			continue
		}
		dir := strings.TrimPrefix(strings.TrimPrefix(imported, Module), "/")
		if dir == "" {
			dir = "."
		}
		if to := Package(dir); !g.Allows(from, to) {
			found = append(found, f.At(spec.Pos(), "%s may not import %s", from, to))
		}
	}
	return found
}
