package lint

import (
	"bytes"
	"path"
	"regexp"
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

var mdLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// CheckLinks finds links of a Markdown page to files that are not there.
func CheckLinks(f *File, exists func(path string) bool) []Finding {
	if path.Ext(f.Path) != ".md" {
		return nil
	}
	var found []Finding
	for _, at := range mdLink.FindAllSubmatchIndex(f.Text, -1) {
		link, _, _ := strings.Cut(string(f.Text[at[2]:at[3]]), "#")
		if link == "" || strings.Contains(link, ":") || exists(path.Join(f.Dir(), link)) {
			continue
		}
		line := 1 + bytes.Count(f.Text[:at[2]], []byte("\n"))
		found = append(found, Finding{f.Path, line, "link to " + link + ", which is not there"})
	}
	return found
}
