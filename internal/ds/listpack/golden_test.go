package listpack

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestRedisBytes does what Redis was made to do, and wants the bytes that it got.
func TestRedisBytes(t *testing.T) {
	file, err := os.ReadFile("testdata/redis-7.0.15.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		steps, want, _ := strings.Cut(strings.TrimSpace(line), " => ")
		b := make([]byte, 1<<16)
		AppendEmpty(b[:0])
		for step := range strings.SplitSeq(steps, " | ") {
			do(t, b, strings.Fields(step))
		}
		l := In(b)
		if err := Validate(l, true, nil); err != nil {
			t.Fatalf("%s: %v", steps, err)
		}
		got := hex.EncodeToString(l)
		if strings.HasPrefix(want, "sha256:") {
			sum := sha256.Sum256(l)
			got = "sha256:" + hex.EncodeToString(sum[:])
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", steps, got, want)
		}
	}
	if rows < 80 {
		t.Errorf("%d rows", rows)
	}
}

// do runs a command of the list family on the list in b.
func do(t *testing.T, b []byte, words []string) {
	var args [][]byte
	for _, word := range words[1:] {
		text := word
		if c, n, ok := strings.Cut(word, "*"); ok {
			times, _ := strconv.Atoi(n)
			text = strings.Repeat(c, times)
		} else if word == "_" {
			text = ""
		}
		args = append(args, []byte(text))
	}
	l := In(b)
	switch words[0] {
	case "RPUSH":
		AppendAll(b, args)
	case "LPUSH":
		PrependAll(b, args)
	case "LSET":
		index, _ := strconv.Atoi(words[1])
		Replace(b, l.Seek(index), Text(args[1]))
	case "LINSERT":
		if at := l.Find(Text(args[0]), l.First(), 0); at != 0 {
			Insert(b, at, Text(args[1]))
		}
	case "LREM":
		if at := l.Find(Text(args[1]), l.First(), 0); at != 0 {
			Delete(b, at, 1)
		}
	case "LPOP":
		Delete(b, HeaderSize, 1)
	case "LTRIM": // 1 -2
		if at := l.Last(); at != 0 {
			Delete(b, at, 1)
			Delete(b, HeaderSize, 1)
		}
	default:
		t.Fatalf("%s is not known here", words[0])
	}
}
