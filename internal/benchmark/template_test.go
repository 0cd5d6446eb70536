package benchmark

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestTemplate shows where the random numbers of a request go.
func TestTemplate(t *testing.T) {
	sc := &scenario{args: []string{"SET", "a__rand_int__", "__rand_int____rand_int__", "__rand_int"}}
	const text = "*4\r\n$3\r\nSET\r\n$13\r\na__rand_int__\r\n$24\r\n__rand_int____rand_int__\r\n" +
		"$10\r\n__rand_int\r\n"
	tpl := newTemplate(sc, true)
	if string(tpl.text) != text || len(tpl.marks) != 3 {
		t.Fatalf("%q with %d marks", tpl.text, len(tpl.marks))
	}
	if plain := newTemplate(sc, false); string(plain.text) != text || len(plain.marks) != 0 {
		t.Errorf("without -r: %q with %d marks", plain.text, len(plain.marks))
	}
	batch := tpl.repeat(3)
	tpl.fill(batch, 2, rand.NewPCG(1, 2), 1)
	zero := strings.ReplaceAll(text, randomMark, "000000000000")
	if string(batch) != zero+zero+text {
		t.Errorf("two of three requests filled: %q", batch)
	}
	if inline := newTemplate(&scenario{inline: "PING\r\n"}, true); string(inline.text) != "PING\r\n" {
		t.Errorf("inline: %q", inline.text)
	}
}

// TestFill shows that all numbers below the limit come, and no others.
func TestFill(t *testing.T) {
	for _, keyspace := range []uint64{0, 1, 7, 1000} {
		tpl := newTemplate(&scenario{args: []string{"__rand_int__"}}, true)
		rng := rand.NewPCG(1, 2)
		seen := map[string]bool{}
		batch := tpl.repeat(1)
		for range 20 * (keyspace + 1) {
			tpl.fill(batch, 1, rng, keyspace)
			seen[string(batch[tpl.marks[0]:len(batch)-2])] = true
		}
		if want := int(max(1, keyspace)); len(seen) != want {
			t.Errorf("-r %d: %d different numbers", keyspace, len(seen))
		}
		for number := range seen {
			if len(number) != 12 || strings.Trim(number, "0123456789") != "" || keyspace > 0 &&
				strings.TrimLeft(number, "0") >= "999" && len(strings.TrimLeft(number, "0")) > 3 {
				t.Errorf("-r %d: %q", keyspace, number)
			}
		}
	}
	var rngs [2][]byte
	for i := range rngs {
		tpl := newTemplate(&scenario{args: []string{"__rand_int__"}}, true)
		rngs[i] = tpl.repeat(5)
		tpl.fill(rngs[i], 5, rand.NewPCG(9, 0), 1e9)
	}
	if string(rngs[0]) != string(rngs[1]) {
		t.Errorf("the same seed gives %q and %q", rngs[0], rngs[1])
	}
}

// TestSelected shows what -t chooses, and that it tells of what there is not.
func TestSelected(t *testing.T) {
	const needed = "LPUSH (needed to benchmark LRANGE)"
	for _, tt := range []struct{ tests, titles, warnings string }{
		{"get,set", "SET GET", ""},
		{"ping", "PING_INLINE PING_MBULK", ""},
		{"ping_mbulk", "PING_MBULK", ""},
		{"lrange_300", needed + " LRANGE_300 (first 300 elements)", ""},
		{"lrange,", needed + " LRANGE_100 (first 100 elements) LRANGE_300 (first 300 elements) " +
			"LRANGE_500 (first 500 elements) LRANGE_600 (first 600 elements)", ""},
		{"mset, xadd", "MSET (10 keys) XADD", ""},
		{"se,get,nosuch", "GET", "There is no test named 'se'. There is no test named 'nosuch'."},
	} {
		o := defaults()
		o.tests = tt.tests
		chosen, warnings := selected(&o)
		var titles []string
		for _, sc := range chosen {
			titles = append(titles, sc.title)
		}
		if got := strings.Join(titles, " "); got != tt.titles || strings.Join(warnings, " ") != tt.warnings {
			t.Errorf("-t %s: %s; %q", tt.tests, got, warnings)
		}
	}
}

// TestCustom shows what a command of one's own becomes.
func TestCustom(t *testing.T) {
	o := defaults()
	o.stdinLast = true
	sc := custom(&o, []string{"set", "k:__rand_int__", "<__data__>"}, []byte("in\nput"))
	want := []string{"set", "k:__rand_int__", "<" + payload(3) + ">", "in\nput"}
	if strings.Join(sc.args, " ") != strings.Join(want, " ") || sc.title != "set k:__rand_int__ <__data__>" {
		t.Errorf("%q, %q", sc.title, sc.args)
	}
	if text := newTemplate(&sc, true).text; sc.bytes != len(text) {
		t.Errorf("%d bytes of payload, not %d", sc.bytes, len(text))
	}
}
