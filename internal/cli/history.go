package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	historyLinesMax = 1000    // remembered, in memory and on disk
	historyFileMax  = 4 << 20 // bytes read of the file: its end
)

// A history is the lines typed before, the newest last, and the file that keeps
// them. The file is plain text, a line each, as redis-cli writes it: both
// programs may use the same one.
type history struct {
	path  string // empty: in memory only
	lines []string
}

// historyPath is where the history lives; empty if nowhere.
func historyPath(env func(string) string) string {
	return userFile(env, "REDISCLI_HISTFILE", ".rediscli_history")
}

// userFile is a file that a variable names, or one in the home directory.
func userFile(env func(string) string, variable, name string) string {
	path := env(variable)
	switch {
	case path == os.DevNull:
		return ""
	case path == "" && env("HOME") != "":
		return filepath.Join(env("HOME"), name)
	}
	return path
}

// load reads the file. One that is longer than the history is cut on this
// occasion, and only then: sessions that run side by side append to it.
func (h *history) load() error {
	if h.path == "" {
		return nil
	}
	data, cut, err := readTail(h.path, historyFileMax)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cli: history: %w", err)
	}
	for line := range bytes.Lines(data) {
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			h.lines = append(h.lines, text)
		}
	}
	if extra := len(h.lines) - historyLinesMax; extra > 0 {
		h.lines, cut = slices.Clone(h.lines[extra:]), true
	}
	if !cut {
		return nil
	}
	return h.rewrite()
}

// readTail returns the last max bytes of a file, beginning with a whole line, and
// whether that left something out.
func readTail(path string, max int64) (data []byte, cut bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, false, err
	}
	if info.Size() > max {
		if _, err := file.Seek(-max, io.SeekEnd); err != nil {
			return nil, false, err
		}
		cut = true
	}
	if data, err = io.ReadAll(io.LimitReader(file, max)); cut {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	return data, cut, err
}

// rewrite replaces the file by what is remembered, whole or not at all.
func (h *history) rewrite() error {
	temp, err := os.CreateTemp(filepath.Dir(h.path), ".history-*") // readable by its owner only
	if err != nil {
		return fmt.Errorf("cli: history: %w", err)
	}
	_, err = temp.WriteString(strings.Join(h.lines, "\n") + "\n")
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), h.path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return fmt.Errorf("cli: history: %w", err)
	}
	return nil
}

// add remembers a line, unless it is the last one again.
func (h *history) add(line string) error {
	line = strings.TrimSpace(line)
	if line == "" || strings.ContainsAny(line, "\r\n") ||
		len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return nil
	}
	if h.lines = append(h.lines, line); len(h.lines) > historyLinesMax {
		h.lines = slices.Delete(h.lines, 0, 1)
	}
	if h.path == "" {
		return nil
	}
	file, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cli: history: %w", err)
	}
	_, err = file.WriteString(line + "\n")
	return errors.Join(err, file.Close())
}

// isSecret reports whether a command carries a password, or may: what is in
// doubt stays out of the history.
func isSecret(args []string) bool {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = strings.ToLower(arg)
	}
	has := func(from int, names ...string) bool {
		return slices.ContainsFunc(words[min(from, len(words)):], func(word string) bool {
			return slices.Contains(names, word)
		})
	}
	if len(words) == 0 {
		return false
	}
	second := ""
	if len(words) > 1 {
		second = words[1]
	}
	switch words[0] {
	case "auth":
		return true
	case "acl":
		return second == "setuser"
	case "config":
		return second == "set" && has(2, "requirepass", "masterauth", "masteruser", "primaryauth",
			"primaryuser", "tls-key-file-pass", "tls-client-key-file-pass")
	case "hello":
		return has(2, "auth")
	case "migrate":
		return has(2, "auth", "auth2")
	case "sentinel":
		return (second == "set" || second == "config") &&
			has(2, "auth-pass", "auth-user", "sentinel-pass", "sentinel-user", "requirepass")
	}
	return false
}
