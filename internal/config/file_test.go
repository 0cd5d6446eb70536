package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/config"
)

// memFiles are files in memory.
type memFiles map[string]string

func (m memFiles) ReadFile(name string) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func (m memFiles) Glob(pattern string) ([]string, error) {
	var names []string
	for name := range m {
		if ok, err := path.Match(pattern, name); err != nil {
			return nil, err
		} else if ok {
			names = append(names, name)
		}
	}
	return names, nil
}

func load(files memFiles, args ...string) (*config.Set, error) {
	set := config.NewSchema(ownOptions, config.Kept, config.Refused).NewSet()
	c := config.ParseCommandLine(args)
	src := config.Source{Files: files, File: c.File, Lines: c.Lines}
	if c.Stdin {
		src.Stdin = []byte(files["-"])
	}
	return set, set.Load(src)
}

// What a server has read after starting with some arguments; a.conf is the file.
func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		file, args string
		show, want string
	}{
		{"maxmemory 5\n", "a.conf", "maxmemory", "5"},
		{" \tMAXMEMORY \t'5'\r\n# maxmemory 6\n\n", "a.conf", "maxmemory", "5"},
		{"requirepass \"a b\\x41\"", "a.conf", "requirepass", "a bA"},
		{"cluster-slave-validity-factor 3", "a.conf", "cluster-replica-validity-factor", "3"},
		{"maxmemory 5\nmaxmemory 6", "a.conf", "maxmemory", "6"},
		{"maxmemory 5\ninclude b.conf\n", "a.conf", "maxmemory", "77"},
		{"include conf.d/*.conf\n", "a.conf", "maxmemory", "2"},
		{"maxmemory 5\ninclude none/*.conf\n", "a.conf", "maxmemory", "5"},
		{"maxmemory 5", "conf.d/?.conf", "maxmemory", "2"},
		{"maxmemory 5", "a.conf --maxmemory 6", "maxmemory", "6"},
		{"maxmemory 5", "a.conf -", "maxmemory", "99"},
		{"maxmemory 5", "- --requirepass x", "maxmemory", "99"},
		{"maxmemory 5", "a.conf - --maxmemory 6", "", `a.conf`},
		{"save 900 1\nsave 300 10", "a.conf", "save", "900 1 300 10"},
		{`save "900 1 300 10"`, "a.conf", "save", "900 1 300 10"},
		{"save 900 1", "a.conf --save 300 10", "save", "900 1 300 10"},
		{"save 900 1", "a.conf --save ", "save", ""},
		{"save 900 1", "a.conf --save", "save", ""},
		{"save 900 1", "a.conf --save --maxmemory 1", "save", ""},
		{"", "--SAVE 5|5|6|6 --maxmemory 1", "save", "5 5 6 6"},
		{"", "--save 5 5 --maxmemory 1", "save", "5 5"},
		{"", "--bind a -::1 --maxmemory 1", "bind", "a -::1"},
		{"", "--bind|a --maxmemory|8 --requirepass x", "maxmemory", "8"},
		{"", "--requirepass --abc --maxmemory 5", "requirepass", "--abc"},
		{"", "--requirepass a\"b\\n", "requirepass", `a"b\n`},
		{"", "--oom-score-adj-values -1 0 1", "oom-score-adj-values", "-1 0 1"},
		{`shutdown-on-sigint "save  now"`, "a.conf", "shutdown-on-sigint", "save now"},
		{"list-max-ziplist-entries 3", "a.conf", "maxmemory", "104857600"},
		{"rename-command a b\nrename-command c ''", "a.conf", "rename-command", "a to b;c to ;"},
	} {
		files := memFiles{
			"a.conf": tt.file, "b.conf": "maxmemory 77", "-": "maxmemory 99",
			"conf.d/1.conf": "maxmemory 1", "conf.d/2.conf": "maxmemory 2",
		}
		args := strings.Split(tt.args, " ")
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "|", " ")
		}
		set, err := load(files, args...)
		if tt.show == "" {
			if err == nil {
				t.Errorf("%q with %q started", tt.args, tt.file)
			}
			continue
		}
		got, ok := set.Text(tt.show)
		if err != nil || !ok || got != tt.want {
			t.Errorf("%q with %q: %s is %q, %v, want %q", tt.args, tt.file, tt.show, got, err, tt.want)
		}
	}
}

// What Redis prints about a bad line. want is the line's number, text and the reason.
func TestBadLines(t *testing.T) {
	for _, tt := range []struct{ file, args, want string }{
		{"maxmemory 1\nfoo bar\n", "a.conf", "2 'foo bar' Bad directive or wrong number of arguments"},
		{`maxmemory "1`, "a.conf", `1 'maxmemory "1' Unbalanced quotes in configuration line`},
		{"maxmemory 1 2", "a.conf", "1 'maxmemory 1 2' wrong number of arguments"},
		{"maxmemory", "a.conf", "1 'maxmemory' wrong number of arguments"},
		{"save 1\n", "a.conf", "1 'save 1' Invalid save parameters"},
		{"\n  MAXMEMORY x  \n", "a.conf", "2 'MAXMEMORY x' argument must be a memory value"},
		{"maxmemory 1\n", "a.conf --maxmemory", "3 'maxmemory' wrong number of arguments"},
		{"maxmemory 1\n", "a.conf foo bar",
			`3 '"foo" "bar"' Bad directive or wrong number of arguments`},
		{"", "--maxmemory 1 a.conf", `2 'maxmemory "1" "a.conf"' wrong number of arguments`},
		{"", "--maxmemory=5 --foo", "2 'maxmemory=5 \"--foo\"' Bad directive or wrong number of arguments"},
		{"x", "--foo", "2 'foo' Bad directive or wrong number of arguments"},
		{"include", "a.conf", "1 'include' Bad directive or wrong number of arguments"},
		{"include b.conf", "a.conf", "2 'bad' Bad directive or wrong number of arguments"},
		{"include a.conf", "a.conf", "1 'include a.conf' include files are nested deeper than 16"},
		{`""`, "a.conf", `1 '""' Bad directive or wrong number of arguments`},
		{"list-max-ziplist-entries 3 4", "a.conf",
			"1 'list-max-ziplist-entries 3 4' Bad directive or wrong number of arguments"},
		{"maxmemory 1\x00gb", "a.conf", "1 'maxmemory 1\x00gb' zero byte in configuration line"},
		{"cluster-enabled yes", "a.conf",
			"1 'cluster-enabled yes' cluster-enabled yes is not supported yet by this version"},
		{"user a >secret", "a.conf", "1 'user a >secret' user is not supported yet by this version"},
		{"tls-port 1", "a.conf", "1 'tls-port 1' tls-port other than 0 is not supported yet by this version"},
		{"aclfile x", "a.conf", "1 'aclfile x' aclfile x is not supported yet by this version"},
	} {
		_, err := load(memFiles{"a.conf": tt.file, "b.conf": "\nbad\n"}, strings.Split(tt.args, " ")...)
		bad, ok := errors.AsType[*config.LineError](err)
		if !ok {
			t.Errorf("%q with %q: %v, want a LineError", tt.args, tt.file, err)
			continue
		}
		got := fmt.Sprintf("%d '%s' %v", bad.Line, bad.Text, bad.Reason)
		if got != tt.want {
			t.Errorf("%q with %q:\n got %s\nwant %s", tt.args, tt.file, got, tt.want)
		}
	}
}

func TestLineErrorReport(t *testing.T) {
	_, err := load(memFiles{"a.conf": "\nfoo bar"}, "a.conf")
	bad, ok := errors.AsType[*config.LineError](err)
	const want = "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\n" +
		"Reading the configuration file, at line 2\n>>> 'foo bar'\n" +
		"Bad directive or wrong number of arguments\n"
	if !ok || bad.Report("Redis 7.0.15") != want || bad.File != "a.conf" {
		t.Errorf("got %v", err)
	}
}

func TestMissingFile(t *testing.T) {
	for file, args := range map[string]string{"include none.conf": "a.conf", "": "none.conf"} {
		_, err := load(memFiles{"a.conf": file}, args)
		if missing, ok := errors.AsType[*config.FileError](err); !ok || missing.File != "none.conf" ||
			!errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// Files that include the next two each stop at the bound, not after 2 to the 16th.
func TestIncludeBound(t *testing.T) {
	files := memFiles{"15.conf": ""}
	for i := range 15 {
		files[fmt.Sprintf("%d.conf", i)] = fmt.Sprintf("include %[1]d.conf\ninclude %[1]d.conf\n", i+1)
	}
	_, err := load(files, "0.conf")
	if err == nil || !strings.Contains(err.Error(), "more than 1024 files") {
		t.Errorf("got %v", err)
	}
}

// FuzzLoad checks that no file panics or escapes the bounds, and that what was loaded
// can be rewritten and loaded again to the same effect.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("maxmemory 1gb\nsave 900 1\nsave 300 10\ninclude a.conf\nbind a \"b c\"\n# x\n"))
	f.Add([]byte("\f\n\vmaxmemory 1"))
	f.Add([]byte("notify-keyspace-events KEAn\noom-score-adj-values 1 2 3\nrequirepass \"\\x00\"\n"))
	schema := config.NewSchema(ownOptions, config.Kept, config.Refused)
	f.Fuzz(func(t *testing.T, text []byte) {
		files := memFiles{"a.conf": string(text)}
		set := schema.NewSet()
		if err := set.Load(config.Source{Files: files, File: "a.conf"}); err != nil {
			return
		}
		out := &replaced{files: files}
		if err := set.Rewrite(out); err != nil {
			t.Fatal(err)
		}
		again := schema.NewSet()
		if err := again.Load(config.Source{Files: files, File: "a.conf"}); err != nil {
			t.Fatalf("%q became %q: %v", text, files["a.conf"], err)
		}
		for _, name := range schema.Names() {
			a, _ := set.Text(name)
			b, _ := again.Text(name)
			if a != b {
				t.Fatalf("%s was %q and is %q after rewriting\n%q\nto\n%q", name, a, b, text, files["a.conf"])
			}
		}
	})
}

// replaced keeps what Rewrite writes among the files that it came from.
type replaced struct{ files memFiles }

func (r *replaced) ReadFile(name string) ([]byte, error) { return r.files.ReadFile(name) }

func (r *replaced) ReplaceFile(name string, content []byte) error {
	r.files[name] = string(content)
	return nil
}
