package rdb

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/hash"
)

// The file that docs/format/rdb.md shows byte for byte is what is written.
func TestDocumentedFile(t *testing.T) {
	e := &StringEncoder{Compress: true}
	b := AppendHeader(nil, VersionWritten)
	b = AppendInfo(b, &Info{RedisVersion: "7.2.4", CTime: 1700000000, UsedMemBytes: 1000000})
	b = AppendResizeDB(AppendSelectDB(b, 0), 3, 1)
	b = AppendExpire(b, 4102444800123)
	b = AppendInt(AppendKey(b, TypeString, []byte("k"), e), 5)
	b = AppendString(AppendKey(b, TypeString, []byte("hello"), e), []byte("world"), e)
	b = AppendString(AppendKey(b, TypeString, []byte("lzf"), e), bytes.Repeat([]byte("a"), 52), e)
	b = AppendEOF(b, hash.CRC64(0, b))

	page, err := os.ReadFile("../../docs/format/rdb.md")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(page), "\n## A whole file\n")
	_, block, _ := strings.Cut(behind, "```\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatal("the page has no whole file")
	}
	var shown strings.Builder
	for line := range strings.Lines(block) {
		digits, _, _ := strings.Cut(strings.TrimSpace(line), "  ") // the rest explains them
		shown.WriteString(digits)
	}
	if want := unhex(t, shown.String()); !bytes.Equal(b, want) {
		t.Errorf("written % x\nshown   % x", b, want)
	}
}
