package rdb

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/resp"
)

// A peer is an original server, which loads dump.rdb if that is in its folder.
type peer struct {
	t    *testing.T
	dir  string
	r    *bufio.Reader
	w    *bufio.Writer
	sent int // commands whose replies weren't read
}

// startPeer starts the server of a name.
func startPeer(t *testing.T, name string) *peer {
	t.Helper()
	server := original.Start(t, name, "", original.Options{})
	conn, err := net.Dial("unix", server.Socket())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: t, dir: server.Dir, r: bufio.NewReader(conn), w: bufio.NewWriter(conn)}
}

// send sends a command whose reply doesn't matter unless it is an error.
func (p *peer) send(args ...any) {
	p.t.Helper()
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = fmt.Sprint(a)
	}
	if _, err := p.w.Write(resp.AppendCommand(nil, texts...)); err != nil {
		p.t.Fatal(err)
	}
	if p.sent++; p.sent == 100 {
		p.drain()
	}
}

func (p *peer) drain() {
	p.t.Helper()
	if err := p.w.Flush(); err != nil {
		p.t.Fatal(err)
	}
	for ; p.sent > 0; p.sent-- {
		if err, ok := p.reply().(error); ok {
			p.t.Fatal(err)
		}
	}
}

// do sends a command and returns the reply: a string, an int64, a []any, nil, or an
// error.
func (p *peer) do(args ...any) any {
	p.t.Helper()
	p.drain()
	p.send(args...)
	p.sent = 0
	if err := p.w.Flush(); err != nil {
		p.t.Fatal(err)
	}
	return p.reply()
}

// must is do for what has to succeed.
func (p *peer) must(args ...any) any {
	p.t.Helper()
	reply := p.do(args...)
	if err, ok := reply.(error); ok {
		p.t.Fatalf("%.300q: %v", fmt.Sprint(args...), err)
	}
	return reply
}

func (p *peer) reply() any {
	p.t.Helper()
	line, err := p.r.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	line = strings.TrimSuffix(line, "\r\n")
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '+':
		return line[1:]
	case '-':
		return fmt.Errorf("%s", line[1:])
	case ':':
		return int64(n)
	case '$':
		if n < 0 {
			return nil
		}
		text := make([]byte, n+2)
		if _, err := io.ReadFull(p.r, text); err != nil {
			p.t.Fatal(err)
		}
		return string(text[:n])
	case '*':
		all := make([]any, max(n, 0))
		for i := range all {
			all[i] = p.reply()
		}
		return all
	}
	p.t.Fatalf("a reply begins with %q", line)
	return nil
}

func (p *peer) strings(args ...any) []string {
	p.t.Helper()
	var all []string
	for _, x := range p.must(args...).([]any) {
		if n, ok := x.(int64); ok {
			x = fmt.Sprint(n)
		}
		all = append(all, x.(string))
	}
	return all
}

// save returns the file that the server writes.
func (p *peer) save() []byte {
	p.t.Helper()
	p.must("SAVE")
	data, err := os.ReadFile(filepath.Join(p.dir, "dump.rdb"))
	if err != nil {
		p.t.Fatal(err)
	}
	return data
}

// object asks for all that a key holds, in the form that reading its file gives.
func (p *peer) object(db int, key string) object {
	p.t.Helper()
	p.must("SELECT", db)
	o := object{db: db, key: key, expire: p.expireTime(key)}
	switch kind := p.must("TYPE", key); kind {
	case "string":
		o.items = []string{p.must("GET", key).(string)}
	case "list":
		o.kind = ObjectList
		for _, s := range p.strings("LRANGE", key, 0, -1) {
			o.items = append(o.items, strconv.Quote(s))
		}
	case "set":
		o.kind = ObjectSet
		for _, s := range p.strings("SMEMBERS", key) {
			o.items = append(o.items, strconv.Quote(s))
		}
	case "zset":
		o.kind = ObjectZSet
		for pair := range slices.Chunk(p.strings("ZRANGE", key, 0, -1, "WITHSCORES"), 2) {
			score, err := strconv.ParseFloat(pair[1], 64)
			if err != nil {
				p.t.Fatal(err)
			}
			o.items = append(o.items, fmt.Sprintf("%q %s", pair[0], scoreText(score)))
		}
	case "hash":
		o.kind = ObjectHash
		for pair := range slices.Chunk(p.strings("HGETALL", key), 2) {
			at := int64(None)
			if times, ok := p.do("HPEXPIRETIME", key, "FIELDS", 1, pair[0]).([]any); ok {
				at = times[0].(int64)
			}
			o.items = append(o.items, fmt.Sprintf("%q=%q %d", pair[0], pair[1], at))
		}
	case "stream":
		o.kind = ObjectStream
		o.items = p.stream(key)
	default:
		p.t.Fatalf("%q is a %v", key, kind)
	}
	return o
}

func (p *peer) expireTime(key string) int64 {
	ms := p.must("PEXPIRETIME", key).(int64)
	return max(ms, None)
}

// stream asks for a stream in the form of the pieces of its file.
func (p *peer) stream(key string) (all []string) {
	for _, e := range p.must("XRANGE", key, "-", "+").([]any) {
		entry := e.([]any)
		text := entry[0].(string)
		for pair := range slices.Chunk(entry[1].([]any), 2) {
			text += fmt.Sprintf(" %q=%q", pair[0], pair[1])
		}
		all = append(all, text)
	}
	info := reply(p.must("XINFO", "STREAM", key, "FULL", "COUNT", 0))
	groups := info["groups"].([]any)
	all = append(all, fmt.Sprintf("stream %+v", StreamMeta{
		Length: uint64(info["length"].(int64)), Last: parseID(info["last-generated-id"]),
		MaxDeleted: parseID(info["max-deleted-entry-id"]), Added: uint64(info["entries-added"].(int64)),
		First: parseID(info["recorded-first-entry-id"]), Groups: uint64(len(groups))}))
	for _, g := range groups {
		group := reply(g)
		read, ok := group["entries-read"].(int64)
		if !ok {
			read = EntriesReadUnknown
		}
		pending := group["pending"].([]any)
		last := parseID(group["last-delivered-id"])
		all = append(all, fmt.Sprintf("group %q %v %d %d", group["name"], last, read, len(pending)))
		for _, e := range pending {
			x := e.([]any)
			pending := StreamPending{parseID(x[0]), x[2].(int64), uint64(x[3].(int64))}
			all = append(all, fmt.Sprintf("pending %+v", pending))
		}
		for _, c := range group["consumers"].([]any) {
			consumer := reply(c)
			seen := consumer["seen-time"].(int64)
			active, ok := consumer["active-time"].(int64)
			if !ok {
				active = seen // Redis 7.0 has no such time
			}
			owned := consumer["pending"].([]any)
			all = append(all, fmt.Sprintf("consumer %q %d %d %d", consumer["name"], seen, active, len(owned)))
			for _, e := range owned {
				all = append(all, fmt.Sprintf("owned %v", parseID(e.([]any)[0])))
			}
		}
	}
	return all
}

// reply makes a map of an array of names and values.
func reply(x any) map[string]any {
	m := map[string]any{}
	for pair := range slices.Chunk(x.([]any), 2) {
		m[pair[0].(string)] = pair[1]
	}
	return m
}

func parseID(x any) (id StreamID) {
	_, _ = fmt.Sscanf(x.(string), "%d-%d", &id.MS, &id.Seq)
	return id
}

// fill gives a server keys of every type and encoding.
func (p *peer) fill(rng *rand.Rand) {
	text := func() string {
		size := rng.IntN(1 << rng.IntN(8))
		switch rng.IntN(4) {
		case 0:
			return fmt.Sprint(int64(rng.Uint64()) >> rng.IntN(64))
		case 1:
			return strings.Repeat(fmt.Sprint(rng.IntN(1000), " "), size/4)
		default:
			b := make([]byte, size)
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			return string(b)
		}
	}
	p.must("CONFIG", "SET", "set-max-intset-entries", 20)
	for db := range 2 {
		p.must("SELECT", db*7)
		for _, n := range []int{1, 5, 30, 200, 600} {
			if db > 0 && n > 30 {
				break
			}
			for i := range n {
				p.send("RPUSH", fmt.Sprint("list:", n), text())
				p.send("SADD", fmt.Sprint("set:", n), text())
				p.send("SADD", fmt.Sprint("ints:", n), int64(rng.Uint64())>>(8*(n%8)))
				p.send("HSET", fmt.Sprint("hash:", n), text(), text())
				score := fmt.Sprint(float64(rng.IntN(1000)) / 8)
				switch rng.IntN(8) {
				case 0:
					score = "-inf"
				case 1:
					score = "inf"
				case 2:
					score = fmt.Sprint(rng.NormFloat64())
				}
				p.send("ZADD", fmt.Sprint("zset:", n), score, text())
				p.send("SET", fmt.Sprint("string:", i), text())
			}
		}
		p.must("RPUSH", "plain", strings.Repeat("large", 20000), "small", strings.Repeat("large", 30000))
		p.must("SET", "expires", "soon", "PXAT", 4102444800000+db)
		p.must("PEXPIREAT", "hash:30", 4102444800000+db)
		p.fillStreams(rng, text)
	}
}

func (p *peer) fillStreams(rng *rand.Rand, text func() string) {
	p.must("XGROUP", "CREATE", "stream:empty", "group", "$", "MKSTREAM")
	for _, n := range []int{1, 10, 500} {
		key := fmt.Sprint("stream:", n)
		for i := range n {
			args := []any{"XADD", key, fmt.Sprintf("%d-%d", 1_000_000+i/3*100, i%3), "name", text()}
			if rng.IntN(3) == 0 {
				args = append(args, text(), text())
			}
			p.send(args...)
		}
		for g := range 3 {
			group := fmt.Sprint("group", g)
			p.must("XGROUP", "CREATE", key, group, "0")
			p.must("XGROUP", "CREATECONSUMER", key, group, "idle")
			for c := range 3 {
				p.must("XREADGROUP", "GROUP", group, fmt.Sprint("consumer", c), "COUNT", 1+n/5, "STREAMS", key, ">")
			}
			p.must("XACK", key, group, "1000000-0", "1000100-1")
		}
		p.must("XGROUP", "CREATE", key, "at", "1000000-1")
		p.must("XDEL", key, "1000000-1", "1000100-0")
	}
}

// objects asks for all keys.
func (p *peer) objects() (all []object) {
	for _, db := range []int{0, 7} {
		p.must("SELECT", db)
		keys := p.strings("KEYS", "*")
		slices.Sort(keys)
		for _, key := range keys {
			all = append(all, p.object(db, key))
		}
	}
	return all
}

func wantObjects(t *testing.T, got, want []object) {
	t.Helper()
	order := func(a, b object) int {
		if a.db != b.db {
			return a.db - b.db
		}
		return strings.Compare(a.key, b.key)
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if len(got) != len(want) {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if !sameElements(got[i], want[i]) {
			a, b := sortedItems(got[i]), sortedItems(want[i])
			for j := range min(len(a), len(b)) {
				if a[j] != b[j] {
					t.Errorf("element %d:\n got %.300s\nwant %.300s", j, a[j], b[j])
					break
				}
			}
			t.Fatalf("key %d:\n got %.600v\nwant %.600v", i, got[i], want[i])
		}
	}
}

// TestPeers reads what servers saved of every type and encoding, and compares each
// element with what they say. Then it writes that again, in every form of ours, and the
// servers must say the same of it.
func TestPeers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		version Version
	}{
		{"redis-server", VersionLowest},
		{"valkey-server", VersionWritten},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := startPeer(t, tt.name)
			p.fill(rand.New(rand.NewPCG(7, 8)))
			want := p.objects()
			data := p.save()
			got, err := readObjects(t, data, Options{Size: int64(len(data))})
			if err != nil {
				t.Fatal(err)
			}
			wantForms(t, got)
			wantObjects(t, got, want)
			for i, w := range []*rewriter{
				{version: tt.version, e: StringEncoder{Compress: true}},
				{version: tt.version, unpack: true},
			} {
				w.t = t
				p.load(w.rewrite(data))
				if p.dump(want, w); i == 0 {
					p.fieldExpiries()
				}
				wantObjects(t, p.objects(), want)
			}
		})
	}
}

// load makes the server load a file.
func (p *peer) load(data []byte) {
	p.t.Helper()
	path := filepath.Join(p.dir, "dump.rdb")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		p.t.Fatal(err)
	}
	if checker, err := exec.LookPath("redis-check-rdb"); err == nil {
		if out, err := exec.Command(checker, path).CombinedOutput(); err != nil && data[8] == '0' {
			p.t.Errorf("redis-check-rdb: %v\n%s", err, out)
		}
	}
	p.must("DEBUG", "RELOAD", "NOSAVE")
}

// dump decodes the server's payload of each key, and restores one of ours in its place.
func (p *peer) dump(want []object, w *rewriter) {
	p.t.Helper()
	for _, o := range want {
		if o.kind == ObjectString {
			continue
		}
		p.must("SELECT", o.db)
		d, err := ParseDump([]byte(p.must("DUMP", o.key).(string)))
		var v Pieces
		if err == nil {
			err = v.BeginDump(d)
		}
		got := object{db: o.db, key: o.key, kind: v.Object.Type, expire: o.expire}
		var pieces []Piece
		var piece Piece
		for ok := err == nil; ok; {
			if ok, err = v.Next(&piece); ok {
				got.add(p.t, &piece)
				pieces = append(pieces, clonePiece(&piece))
			}
		}
		if err != nil || !sameElements(got, o) {
			p.t.Fatalf("%.300v is dumped as %.300v, %v", o, got, err)
		}
		t, val := w.value(o.kind, pieces)
		payload := AppendDumpFooterOf(append([]byte{byte(t)}, val...), 0, w.version)
		p.must("RESTORE", o.key, max(o.expire, 0), string(payload), "REPLACE", "ABSTTL")
	}
}

// fieldExpiries reads fields that expire, if the server has such, and what we make of
// them. Valkey doesn't read that.
func (p *peer) fieldExpiries() {
	p.t.Helper()
	p.must("SELECT", 1)
	for _, n := range []int{3, 900} {
		key := fmt.Sprint("fields:", n)
		for i := range n {
			p.must("HSET", key, fmt.Sprint("field", i), i)
			if i%2 == 0 {
				at := 4102444800000 + 1000*(i%7)
				reply := p.do("HPEXPIREAT", key, at, "FIELDS", 1, fmt.Sprint("field", i))
				if _, ok := reply.(error); ok { // Redis 7.0 has none
					p.must("FLUSHDB")
					return
				}
			}
		}
	}
	want := []object{p.object(1, "fields:3"), p.object(1, "fields:900")}
	data := p.save()
	w := &rewriter{t: p.t, version: VersionFieldExpiry}
	for _, data := range [][]byte{data, w.rewrite(data)} {
		all, err := readObjects(p.t, data, Options{})
		if err != nil {
			p.t.Fatal(err)
		}
		wantObjects(p.t, slices.DeleteFunc(all, func(o object) bool { return o.db != 1 }), want)
	}
	p.must("FLUSHDB")
}

// wantForms sees that the file had every kind of piece.
func wantForms(t *testing.T, got []object) {
	var seen [32]bool
	for _, o := range got {
		for _, form := range o.forms {
			seen[form] = true
		}
	}
	for kind := PieceElement; kind <= PieceOwned; kind++ {
		if !seen[kind] && kind != PieceListpackEx {
			t.Errorf("no piece of kind %d", kind)
		}
	}
}
