package lint

import (
	"path"
	"slices"
	"strings"
)

// noNames are package names that say nothing, and so attract everything.
var noNames = []string{
	"util", "utils", "common", "base", "helper", "helpers", "type", "types", "misc",
}

// CheckPackageName refuses names that say nothing, and names unlike their folder.
func CheckPackageName(dir string, files []*File) []Finding {
	var found []Finding
	if folder := path.Base(dir); slices.Contains(noNames, folder) {
		found = append(found, Finding{dir, 0, "a package is named for what it holds, not " + folder})
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Syntax.Name.Name, "_test")
		folder := path.Base(dir)
		switch {
		case name == "main" || name == folder || dir == "." && name == "spinel":
		default:
			found = append(found, f.At(f.Syntax.Name.Pos(), "package %s in folder %s", name, folder))
		}
	}
	return found
}

// CheckPackageDoc asks for one comment that begins "Package name ", or "Command
// name " for a program. A package that is all tests may carry it in a test.
func CheckPackageDoc(dir string, files []*File) []Finding {
	onlyTests := !slices.ContainsFunc(files, func(f *File) bool { return !f.Test })
	for _, f := range files {
		if f.Syntax.Doc == nil || f.Test && !onlyTests {
			continue
		}
		name := strings.TrimSuffix(f.Syntax.Name.Name, "_test")
		begin := "Package " + name
		if name == "main" {
			begin = "Command " + path.Base(dir)
		}
		if text := f.Syntax.Doc.Text(); strings.HasPrefix(text, begin+" ") || strings.HasPrefix(text, begin+"\n") {
			return nil
		}
	}
	return []Finding{{dir, 0, "no package comment that begins 'Package name' (or 'Command name')"}}
}
