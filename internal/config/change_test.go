package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/config"
)

// setAll does what CONFIG SET would, with words as its arguments.
func setAll(set *config.Set, words ...string) error {
	var args [][]byte
	for _, word := range words {
		args = append(args, []byte(word))
	}
	return set.ConfigSet(args, false)
}

func getAll(set *config.Set, patterns ...string) string {
	var args [][]byte
	for _, pattern := range patterns {
		args = append(args, []byte(pattern))
	}
	var shown []string
	for _, pair := range set.ConfigGet(args) {
		shown = append(shown, pair.Name+"="+pair.Value)
	}
	return strings.Join(shown, " ")
}

// Replies of CONFIG SET, as redis-server 7.0 gives them. After one that begins with
// OK, the rest of want is what CONFIG GET shows of the first option.
func TestConfigSet(t *testing.T) {
	const failed = "CONFIG SET failed (possibly related to argument '"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"maxmemory-samples", "7"}, "OK 7"},
		{[]string{"MAXMEMORY-samples", "7"}, "OK 7"},
		{[]string{"maxmemory", "1gb"}, "OK 1073741824"},
		{[]string{"maxmemory", "2K"}, "OK 2000"},
		{[]string{"maxmemory-clients", "5%"}, "OK 5%"},
		{[]string{"maxmemory-clients", "1kb"}, "OK 1024"},
		{[]string{"activerehashing", "NO"}, "OK no"},
		{[]string{"maxmemory-policy", "AllKeys-LRU"}, "OK allkeys-lru"},
		{[]string{"shutdown-on-sigint", "now save"}, "OK save now"},
		{[]string{"requirepass", "a b"}, "OK a b"},
		{[]string{"bind", "a b"}, "OK a b"},
		{[]string{"bind", ""}, "OK "},
		{[]string{"save", "900 1 300 10"}, "OK 900 1 300 10"},
		{[]string{"save", ""}, "OK "},
		{[]string{"replica-priority", "4", "slave-priority", "5"}, "OK 5"},

		{[]string{"maxmemory-samples"}, "syntax error"},
		{[]string{"foo", "1"}, "Unknown option or number of arguments for CONFIG SET - 'foo'"},
		{[]string{"rename-command", "a b"},
			"Unknown option or number of arguments for CONFIG SET - 'rename-command'"},
		{[]string{"maxmemory-samples", "x", "foo", "1"},
			"Unknown option or number of arguments for CONFIG SET - 'foo'"},
		{[]string{"DAEMONIZE", "yes"}, failed + "DAEMONIZE') - can't set immutable config"},
		{[]string{"daemonize", "yes", "foo", "1"}, failed + "daemonize') - can't set immutable config"},
		{[]string{"dir", "/tmp"}, failed + "dir') - can't set protected config"},
		{[]string{"maxmemory", "1", "MaxMemory", "2"}, failed + "MaxMemory') - duplicate parameter"},
		{[]string{"MAXMEMORY-SAMPLES", "x"},
			failed + "maxmemory-samples') - argument couldn't be parsed into an integer"},
		{[]string{"slave-priority", " 3"},
			failed + "slave-priority') - argument couldn't be parsed into an integer"},
		{[]string{"maxmemory-samples", "0"},
			failed + "maxmemory-samples') - argument must be between 1 and 64 inclusive"},
		{[]string{"maxmemory", "1gbb"}, failed + "maxmemory') - argument must be a memory value"},
		{[]string{"maxmemory", "-1"}, failed + "maxmemory') - argument must be a memory value"},
		{[]string{"maxmemory-clients", "101%"},
			failed + "maxmemory-clients') - percentage argument must be less or equal to 100"},
		{[]string{"maxmemory-clients", "x%"},
			failed + "maxmemory-clients') - argument must be a memory or percent value"},
		{[]string{"activerehashing", "maybe"}, failed + "activerehashing') - argument must be 'yes' or 'no'"},
		{[]string{"maxmemory-policy", "foo"}, failed + "maxmemory-policy') - argument(s) must be one of " +
			"the following: volatile-lru, allkeys-lru, noeviction"},
		{[]string{"shutdown-on-sigint", ""}, failed + "shutdown-on-sigint') - argument(s) must be one of " +
			"the following: default, save, nosave, now"},
		{[]string{"save", "900  1"}, failed + "save') - Invalid save parameters"},
		{[]string{"save", "1 2 3"}, failed + "save') - Invalid save parameters"},
	} {
		set := config.NewSchema(options).NewSet()
		before := getAll(set, "*")
		got := "OK"
		if err := setAll(set, tt.args...); err != nil {
			got = err.Error()
			if after := getAll(set, "*"); after != before {
				t.Errorf("CONFIG SET %q failed and left %s, before it was %s", tt.args, after, before)
			}
		} else {
			_, value, _ := strings.Cut(getAll(set, tt.args[0]), "=")
			got += " " + value
		}
		if got != tt.want {
			t.Errorf("CONFIG SET %q\n got %s\nwant %s", tt.args, got, tt.want)
		}
	}
}

func TestProtected(t *testing.T) {
	set := config.NewSchema(options).NewSet()
	err := set.ConfigSet([][]byte{[]byte("dir"), []byte("/tmp")}, true)
	if err != nil || dir.Get(set) != "/tmp" {
		t.Errorf("dir is %q after %v", dir.Get(set), err)
	}
}

func TestConfigGet(t *testing.T) {
	set := config.NewSchema(options).NewSet()
	for _, tt := range []struct{ patterns, want string }{
		{"maxmemory", "maxmemory=104857600"},
		{"MaxMemory maxmemory maxmem?ry", "MaxMemory=104857600"},
		{"*PRIORITY", "replica-priority=100 slave-priority=100"},
		{"slave-priority", "slave-priority=100"},
		{"*prio* slave-p*", "replica-priority=100 slave-priority=100"},
		{"save bind unixsocketperm", "bind=* -::* save=3600 1 300 100 unixsocketperm=0"},
		{"[s]ave", "save=3600 1 300 100"},
		{"debug-dela?", ""},
		{"debug-delay", "debug-delay=0"},
		{"rename-command rename*", ""},
		{"nothing", ""},
	} {
		if got := getAll(set, strings.Fields(tt.patterns)...); got != tt.want {
			t.Errorf("CONFIG GET %s\n got %s\nwant %s", tt.patterns, got, tt.want)
		}
	}
}

// Several options take effect together: apply hooks run once for a request, in the
// order of its arguments, and change hooks after all of them.
func TestHooks(t *testing.T) {
	set := config.NewSchema(options).NewSet()
	var calls []string
	set.OnChange(samples, func() { calls = append(calls, "samples changed") })
	set.OnApply(bind, func() error {
		calls = append(calls, "listen "+strings.Join(bind.Get(set), ",")+" "+dir.Get(set))
		return nil
	}, requirePassOrDir()...)
	set.OnApply(maxmemory, func() error { calls = append(calls, "maxmemory"); return nil })

	err := setAll(set, "maxmemory-samples", "9", "maxmemory", "1", "bind", "a b", "requirepass", "x")
	want := []string{"maxmemory", "listen a,b .", "samples changed"}
	if err != nil || !slices.Equal(calls, want) {
		t.Errorf("hooks %q, %v, want %q", calls, err, want)
	}
	calls = nil
	if err := setAll(set, "maxmemory-samples", "9", "bind", "a b"); err != nil || calls != nil {
		t.Errorf("hooks %q, %v of a request that changed nothing", calls, err)
	}
}

func requirePassOrDir() []config.Handle { return []config.Handle{pass, dir} }

// A refusal when the values take effect puts every option back, and applies that.
func TestRefusedApply(t *testing.T) {
	set := config.NewSchema(options).NewSet()
	var calls []string
	set.OnApply(maxmemory, func() error {
		calls = append(calls, "maxmemory "+mustText(set, "maxmemory"))
		return nil
	})
	set.OnApply(bind, func() error {
		calls = append(calls, "bind "+mustText(set, "bind"))
		if mustText(set, "bind") == "nowhere" {
			return config.Reason("Failed to bind to specified addresses.")
		}
		return nil
	})
	set.OnChange(maxmemory, func() { calls = append(calls, "changed") })

	before := getAll(set, "*")
	err := setAll(set, "replica-priority", "1", "slave-priority", "2", "maxmemory", "7", "bind", "nowhere")
	const want = "CONFIG SET failed (possibly related to argument 'bind') - " +
		"Failed to bind to specified addresses."
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if after := getAll(set, "*"); after != before {
		t.Errorf("left %s\nbefore %s", after, before)
	}
	wantCalls := []string{"maxmemory 7", "bind nowhere", "maxmemory 104857600", "bind * -::*"}
	if !slices.Equal(calls, wantCalls) {
		t.Errorf("hooks %q, want %q", calls, wantCalls)
	}
}

func mustText(set *config.Set, name string) string {
	text, ok := set.Text(name)
	if !ok {
		panic(name)
	}
	return text
}

// CONFIG SET on one goroutine while others read is what a server does all the time.
func TestConcurrentReads(t *testing.T) {
	set := config.NewSchema(options).NewSet()
	done := make(chan bool)
	go func() {
		defer close(done)
		for range 1000 {
			_ = setAll(set, "maxmemory-samples", "9", "bind", "a b", "requirepass", "x")
			_ = setAll(set, "maxmemory-samples", "8", "bind", "c", "requirepass", "")
		}
	}()
	for range 1000 {
		if v := samples.Get(set); v != 5 && v != 8 && v != 9 {
			t.Fatalf("read %d", v)
		}
		if n := len(bind.Get(set)); n != 1 && n != 2 {
			t.Fatalf("read %d addresses", n)
		}
		_ = pass.Get(set)
	}
	<-done
}
