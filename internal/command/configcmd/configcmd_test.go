package configcmd_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/command/configcmd"
	"github.com/spineldb/spinel/internal/config"
)

var (
	port    = config.Int(config.Option{Name: "port", Default: 6379, Max: 65535})
	samples = config.Int(config.Option{Name: "maxmemory-samples", Default: 5, Min: 1, Max: 64, Live: true})
	limit   = config.Memory(config.Option{Name: "maxmemory", Live: true})
	folder  = config.String(config.Option{Name: "dir", Default: "./", Live: true, Protected: true})
	secret  = config.String(config.Option{Name: "requirepass", Live: true, Sensitive: true})
)

// A world is a DB with some options, and files that hold what they are told.
type world struct {
	*cmdtest.DB
	set     *config.Set
	log     bytes.Buffer
	files   files
	resets  int
	loading bool
}

type files struct {
	content []byte
	err     error
}

func (f *files) ReadFile(string) ([]byte, error) { return f.content, nil }

func (f *files) ReplaceFile(_ string, content []byte) error {
	if f.err == nil {
		f.content = content
	}
	return f.err
}

func (f *files) Glob(string) ([]string, error) { return nil, errors.ErrUnsupported }

func newWorld(t *testing.T, lines string) *world {
	t.Helper()
	w := &world{}
	w.set = config.NewSchema(configcmd.Options,
		config.NewGroup("test", port, samples, limit, folder, secret)).NewSet()
	src := config.Source{Files: &w.files, Lines: []byte(lines)}
	if strings.Contains(lines, "# a file") {
		w.files.content, src.File, src.Lines = []byte(lines), "/etc/spinel.conf", nil
	}
	if err := w.set.Load(src); err != nil {
		t.Fatal(err)
	}
	w.DB = cmdtest.New(t, configcmd.Family.With(configcmd.Deps{
		Options: w.set, Files: &w.files, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		ResetStats: func() { w.resets++ },
		Loading:    func() bool { return w.loading },
	}))
	return w
}

func TestGet(t *testing.T) {
	w := newWorld(t, "maxmemory 100mb")
	w.Do("CONFIG", "GET", "maxmemory").WantArray("maxmemory", "104857600")
	w.Do("CONFIG", "GET", "MaxMemory*", "port", "nosuch").
		WantArray("maxmemory", "104857600", "maxmemory-samples", "5", "port", "6379")
	w.Do("CONFIG", "GET", "nosuch").WantRaw("*0\r\n")
	w.Do("CONFIG", "GET").WantError("ERR wrong number of arguments for 'config|get' command")
	w.Session.Out.Resp3 = true
	w.Do("CONFIG", "GET", "port").WantRaw("%1\r\n$4\r\nport\r\n$4\r\n6379\r\n")
}

func TestSet(t *testing.T) {
	w := newWorld(t, "")
	w.Do("CONFIG", "SET", "maxmemory", "1gb", "maxmemory-samples", "7").Want("OK")
	w.Do("CONFIG", "GET", "maxmemory*").WantArray("maxmemory", "1073741824", "maxmemory-samples", "7")
	for _, tt := range []struct{ words, want string }{
		{"maxmemory", "ERR wrong number of arguments for 'config|set' command"},
		{"a b c", "ERR syntax error"},
		{"nosuch 1", "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"},
		{"port 1", "ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config"},
		{"maxmemory x", "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - " +
			"argument must be a memory value"},
		{"maxmemory 1 maxmemory-samples 0", "ERR CONFIG SET failed (possibly related to argument " +
			"'maxmemory-samples') - argument must be between 1 and 64 inclusive"},
		{"maxmemory 1 maxmemory 2", "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - " +
			"duplicate parameter"},
	} {
		w.Do(append([]string{"CONFIG", "SET"}, strings.Fields(tt.words)...)...).WantError(tt.want)
	}
	w.Do("CONFIG", "GET", "maxmemory*").WantArray("maxmemory", "1073741824", "maxmemory-samples", "7")
}

// Where enable-protected-configs stands, and where the client is, decide together.
func TestProtected(t *testing.T) {
	const refused = "ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config"
	for _, tt := range []struct {
		enable, remote string
		unix, want     bool
	}{
		{"no", "127.0.0.1:1", false, false},
		{"no", "/tmp/sock", true, false},
		{"yes", "10.0.0.1:1", false, true},
		{"local", "10.0.0.1:1", false, false},
		{"local", "127.0.0.1:1", false, true},
		{"local", "[::1]:1", false, true},
		{"local", "[::ffff:127.0.0.1]:1", false, true},
		{"local", "[2001:db8::1]:1", false, false},
		{"local", "/tmp/sock", true, true},
		{"local", "", false, false},
	} {
		w := newWorld(t, "enable-protected-configs "+tt.enable)
		w.Session.Remote, w.Session.Unix = tt.remote, tt.unix
		if reply := w.Do("CONFIG", "SET", "dir", "/data"); tt.want {
			reply.Want("OK")
		} else {
			reply.WantError(refused)
		}
	}
}

// A change is logged, but not its secrets.
func TestSetIsLogged(t *testing.T) {
	w := newWorld(t, "")
	w.Do("CONFIG", "SET", "RequirePass", "hush", "maxmemory", "5").Want("OK")
	log := w.log.String()
	if strings.Contains(log, "hush") || strings.Count(log, "CONFIG SET") != 2 ||
		!strings.Contains(log, "option=maxmemory value=5") || !strings.Contains(log, "option=requirepass") {
		t.Errorf("logged %s", log)
	}
	call := bytes.Fields([]byte("CONFIG SET maxmemory 5 requirepass hush odd"))
	shown := configcmd.Redacted(w.set.Schema(), call)
	got, want := string(bytes.Join(shown, []byte(" "))), "CONFIG SET maxmemory 5 requirepass (redacted) odd"
	if got != want {
		t.Errorf("shown as %s", got)
	}
	if string(call[5]) != "hush" {
		t.Error("the call itself was changed")
	}
}

func TestRewrite(t *testing.T) {
	newWorld(t, "").Do("CONFIG", "REWRITE").WantError("ERR The server is running without a config file")

	w := newWorld(t, "# a file\nmaxmemory 1mb\n")
	w.Do("CONFIG", "SET", "maxmemory", "2mb").Want("OK")
	w.Do("CONFIG", "REWRITE").Want("OK")
	if got := string(w.files.content); !strings.HasPrefix(got, "# a file\nmaxmemory 2mb\n") {
		t.Errorf("the file is now %q", got)
	}
	w.files.err = &fs.PathError{Op: "open", Path: "/etc/spinel.conf", Err: syscall.EACCES}
	w.Do("CONFIG", "REWRITE").WantError("ERR Rewriting config file: Permission denied")
	if log := w.log.String(); !strings.Contains(log, "CONFIG REWRITE failed") {
		t.Errorf("logged %s", log)
	}
}

func TestResetStatAndHelp(t *testing.T) {
	w := newWorld(t, "")
	w.Do("CONFIG", "RESETSTAT").Want("OK")
	if w.resets != 1 {
		t.Errorf("%d resets, want 1", w.resets)
	}
	if text := w.Do("CONFIG", "HELP").Text(); !strings.HasPrefix(text, "[CONFIG <subcommand> ") {
		t.Errorf("the help begins with %.40s", text)
	}
	w.Do("CONFIG", "FOO").WantError("ERR unknown subcommand 'FOO'. Try CONFIG HELP.")
	w.Do("CONFIG").WantError("ERR wrong number of arguments for 'config' command")
}

// While the data are loaded, what says where they are stays as it is.
func TestSetWhileLoading(t *testing.T) {
	w := newWorld(t, "")
	w.loading = true
	w.Do("CONFIG", "SET", "maxmemory", "1mb", "DIR", "/nowhere").
		WantError("LOADING Redis is loading the dataset in memory")
	w.Do("CONFIG", "SET", "maxmemory", "2mb").Want("OK")
}
