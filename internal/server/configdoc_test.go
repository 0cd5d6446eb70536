package server_test

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/server"
)

var update = flag.Bool("update", false, "write docs/config.md anew instead of comparing it")

// configDocument is docs/config.md, seen from this package.
const configDocument = "../../docs/config.md"

// processors is the default that depends on the machine, and what the document says of
// it instead.
var processors = regexp.MustCompile("(### io-threads\n\n.*default )`[0-9]+`")

// TestConfigDocument holds docs/config.md to the declarations of the options. After a
// change of those it is made anew by
//
//	go test ./internal/server -run TestConfigDocument -update
func TestConfigDocument(t *testing.T) {
	want := config.AppendMarkdown(nil, server.Schema())
	if !processors.Match(want) {
		t.Fatal("the document names no default of io-threads that could be replaced")
	}
	want = processors.ReplaceAll(want, []byte("${1}the number of processors"))
	if *update {
		if err := os.WriteFile(configDocument, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(configDocument)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || !bytes.Equal(gotLines[i], wantLines[i]) {
			t.Fatalf("docs/config.md is stale from line %d on: run this test with -update", i+1)
		}
	}
}
