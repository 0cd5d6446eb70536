package lint

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// The words are put together from pieces, so that this file does not hold what it refuses.
var banned = []struct {
	pattern *regexp.Regexp
	why     string
}{
	{regexp.MustCompile(`(^|[^\w.])/(wo` + `rk|ro` + `ot|User` + `s)/`), "the path of some build machine"},
	{regexp.MustCompile(`(^|[^\w.])/ho` + `me/\w+`), "the path of some build machine"},
	{regexp.MustCompile(`\bshar` + `ed/(tools|design|style|reference)\b`), "names what is outside of this tree"},
	{regexp.MustCompile(`\b(pro` + `xy|su` + `m)\.golang\.org\b`), "names a registry"},
	{regexp.MustCompile(`\b(go` + `proxy|py` + `pi|registry\.np` + `mjs|registry\.ya` + `rnpkg|cra` + `tes)\.(io|org|com|cn)\b`),
		"names a registry"},
	{regexp.MustCompile(`(?m)^(<{7}|>{7})` + ` `), "the mark of a merge that was not finished"},
	{regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`), "work that is left is an issue, not a comment"},
}

// CheckText finds what no file of the tree may contain.
func CheckText(f *File) []Finding {
	var found []Finding
	for _, b := range banned {
		for _, at := range b.pattern.FindAllIndex(f.Text, -1) {
			line := 1 + bytes.Count(f.Text[:at[1]], []byte("\n")) // its start may be the line before
			found = append(found, Finding{f.Path, line, fmt.Sprintf("%q: %s", f.Text[at[0]:at[1]], b.why)})
		}
	}
	return found
}

// binaryFolders hold bytes on purpose: samples of damaged or foreign files.
const binaryFolders = "/testdata/"

// CheckBlob refuses large files, programs, archives and logs.
func CheckBlob(f *File) []Finding {
	switch {
	case f.Size > maxCommittedSize:
		return []Finding{{f.Path, 0, fmt.Sprintf("%d bytes, at most %d", f.Size, maxCommittedSize)}}
	case path.Ext(f.Path) == ".log":
		return []Finding{{f.Path, 0, "a log"}}
	case bytes.HasPrefix(f.Text, []byte("\x7fELF")):
		return []Finding{{f.Path, 0, "a program"}}
	case bytes.IndexByte(f.Text, 0) >= 0 && !strings.Contains("/"+f.Path, binaryFolders):
		return []Finding{{f.Path, 0, "binary, and not under testdata"}}
	}
	return nil
}
