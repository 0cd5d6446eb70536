package replication

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// words is a command as it is read in a table: PING|REPLCONF listening-port 7000.
func words(sent []byte) string {
	var out []string
	lines := strings.Split(strings.TrimSuffix(string(sent), "\r\n"), "\r\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "*"):
			out = append(out, "|")
		case !strings.HasPrefix(line, "$") || i > 0 && strings.HasPrefix(lines[i-1], "$"):
			out = append(out, line)
		}
	}
	return strings.TrimPrefix(strings.ReplaceAll(strings.Join(out, " "), " | ", "|"), "| ")
}

func TestWords(t *testing.T) {
	if got := words(append(command("PING"), command("PSYNC", "?", "-1")...)); got != "PING|PSYNC ? -1" {
		t.Errorf("%q", got)
	}
}

const introduction = "REPLCONF listening-port 7000|REPLCONF capa eof capa psync2|REPLCONF version 9.1.0"

// What a replica says, and what it makes of the answers. A line of the master is followed by
// what it is told then.
func TestHandshake(t *testing.T) {
	const known = "+PONG / " + introduction + " / +OK / / +OK / / +OK / "
	for _, tt := range []struct {
		name    string
		intro   Intro
		talk    string
		verdict Verdict
		id      string
		offset  int64
		err     string
	}{
		{"first time", Intro{}, known + "PSYNC ? -1 / +FULLRESYNC " + idA + " 17 / ", Full, idA, 17, ""},
		{"again", Intro{ID: idA, Offset: 99}, known + "PSYNC " + idA + " 100 / +CONTINUE / ",
			Continue, idA, 99, ""},
		{"again, elsewhere", Intro{ID: idA}, known + "PSYNC " + idA + " 1 / +CONTINUE " + idB + " / ",
			Continue, idB, 0, ""},
		{"too late", Intro{ID: idA, Offset: 99},
			known + "PSYNC " + idA + " 100 / +FULLRESYNC " + idB + " 0 / ", Full, idB, 0, ""},
		{"a master that is slow", Intro{}, " / / +PONG / " + introduction + " / / / +OK / / / / +OK / / +OK / " +
			"PSYNC ? -1 / / / +FULLRESYNC " + idA + " 0 / ", Full, idA, 0, ""},
		{"with a password", Intro{Password: "p"}, "-NOAUTH Authentication required. / AUTH p|" + introduction +
			" / +OK / / +OK / / +OK / / +OK / PSYNC ? -1", More, "", 0, ""},
		{"with a user", Intro{User: "u", Password: "p"}, "-NOPERM no / AUTH u p|" + introduction, More, "", 0, ""},
		{"a user alone is none", Intro{User: "u"}, "+PONG / " + introduction, More, "", 0, ""},
		{"with a wrong password", Intro{Password: "p"}, "+PONG / AUTH p|" + introduction + " / -WRONGPASS no / ",
			Failed, "", 0, "Unable to AUTH to MASTER: -WRONGPASS no"},
		{"elsewhere", Intro{Address: "10.0.0.1"}, "+PONG / REPLCONF listening-port 7000|" +
			"REPLCONF ip-address 10.0.0.1|REPLCONF capa eof capa psync2|REPLCONF version 9.1.0", More, "", 0, ""},
		{"an old master", Intro{ID: idA}, "+PONG / " + introduction +
			" / -ERR what / / -ERR what / / -ERR what / PSYNC " + idA + " 1 / -ERR unknown command 'PSYNC' / SYNC",
			Bare, "", 0, ""},
		{"a master that is busy", Intro{}, known + "PSYNC ? -1 / -BUSY x / ", Failed, "", 0,
			"the master cannot synchronize now: -BUSY x"},
		{"a wrong letter", Intro{}, known + "PSYNC ? -1 / -ERR unknown command 'PSYNB'", Failed, "", 0,
			"the master cannot synchronize now: -ERR unknown command 'PSYNB'"},
		{"a master without a master", Intro{}, known + "PSYNC ? -1 / -NOMASTERLINK Can't SYNC / ", Failed, "", 0,
			"the master cannot synchronize now: -NOMASTERLINK Can't SYNC"},
		{"a master that loads", Intro{}, known + "PSYNC ? -1 / -LOADING x / ", Failed, "", 0,
			"the master cannot synchronize now: -LOADING x"},
		{"failover", Intro{ID: idA, Failover: true},
			known + "PSYNC " + idA + " 1 FAILOVER / +CONTINUE " + idB + " / ", Continue, idB, 0, ""},
		{"failover refused", Intro{ID: idA, Failover: true},
			known + "PSYNC " + idA + " 1 FAILOVER / -NOPERM x / ", Failed, "", 0,
			"Failover target rejected psync request: -NOPERM x"},

		{"no master", Intro{}, "HTTP/1.1 400 Bad Request / ", Failed, "", 0,
			"Error reply to PING from master: 'HTTP/1.1 400 Bad Request'"},
		{"a master in trouble", Intro{}, "-MISCONF x / ", Failed, "", 0,
			"Error reply to PING from master: '-MISCONF x'"},
		{"half of a reply", Intro{}, known + "PSYNC ? -1 / +FULLRESYNC " + idA + " / ", Failed, "", 0,
			"Master replied with wrong +FULLRESYNC syntax."},
		{"no ID", Intro{}, known + "PSYNC ? -1 / +FULLRESYNC ../../etc/passwd 1 / ", Failed, "", 0,
			"Master replied with wrong +FULLRESYNC syntax."},
		{"a negative offset", Intro{}, known + "PSYNC ? -1 / +FULLRESYNC " + idA + " -1 / ", Failed, "", 0,
			"Master replied with wrong +FULLRESYNC syntax."},
		{"the last offset", Intro{}, known + "PSYNC ? -1 / +FULLRESYNC " + idA + " 9223372036854775807 / ", Failed,
			"", 0, "Master replied with wrong +FULLRESYNC syntax."},
		{"not asked for", Intro{}, known + "PSYNC ? -1 / +CONTINUE " + idA + " / ", Failed, "", 0,
			"the master goes on with a stream that was not asked for"},
		{"short ID", Intro{ID: idA}, known + "PSYNC " + idA + " 1 / +CONTINUE bbb / ", Failed, "", 0,
			"Master replied with wrong +CONTINUE syntax."},
		{"no reply at all", Intro{}, known + "PSYNC ? -1 / :1 / ", Failed, "", 0,
			"Unexpected reply to PSYNC from master: :1"},
	} {
		tt.intro.Port = 7000
		h, sent := NewHandshake(tt.intro)
		if words(sent) != "PING" {
			t.Fatalf("%s: begins with %q", tt.name, sent)
		}
		var last Step
		talk := strings.Split(tt.talk, "/ ")
		for i := 0; i < len(talk); i++ {
			line := strings.TrimSpace(talk[i])
			want := ""
			if i+1 < len(talk) && line != "" {
				i++
				want = strings.TrimSpace(talk[i])
			}
			if last = h.Line(line); words(last.Send) != want {
				t.Fatalf("%s: told %q behind %q, want %q", tt.name, words(last.Send), line, want)
			}
		}
		err := ""
		if last.Err != nil {
			err = last.Err.Error()
		}
		if last.Verdict != tt.verdict || last.ID != tt.id || last.Offset != tt.offset || err != tt.err {
			t.Errorf("%s: %d %s %d %q, want %d %s %d %q", tt.name, last.Verdict, last.ID, last.Offset, err,
				tt.verdict, tt.id, tt.offset, tt.err)
		}
	}
}

func TestTransient(t *testing.T) {
	for line, want := range map[string]bool{"-LOADING x": true, "-NOMASTERLINK x": true, "+CONTINUE": false} {
		h := &Handshake{state: asking}
		if got := errors.Is(h.Line(line).Err, ErrTransient); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// fed is what came out of a transfer.
type fed struct {
	payload, rest []byte
	done          bool
	err           string
}

// feed gives bytes to a transfer in pieces of some size.
func feed(b []byte, piece func() int) (f fed) {
	var t Transfer
	for len(b) > 0 && f.err == "" {
		n := min(max(piece(), 1), len(b))
		payload, rest, err := t.Feed(b[:n])
		f.payload = append(append(f.payload, payload[0]...), payload[1]...)
		f.rest = append(f.rest, rest...)
		if err != nil {
			f.err = err.Error()
		}
		b = b[n:]
	}
	f.done = t.Done()
	return f
}

func TestTransfer(t *testing.T) {
	aaab := strings.Repeat("a", 39) + "b" // a mark that begins again and again
	for _, tt := range []struct {
		in            string
		payload, rest string
		done          bool
		err           string
	}{
		{"$5\r\nREDIS", "REDIS", "", true, ""},
		{"\n\n$5\r\nREDIS*1\r\n", "REDIS", "*1\r\n", true, ""},
		{"$5\r\nRED", "RED", "", false, ""},
		{"$EOF:" + idA + "\r\nREDIS" + idA, "REDIS", "", true, ""},
		{"\r\n\n$EOF:" + idA + "\r\nREDIS" + idA + "more", "REDIS", "more", true, ""},
		{"$EOF:" + idA + "\r\n" + idA, "", "", true, ""},
		{"$EOF:" + aaab + "\r\n" + idA + aaab + "x", idA, "x", true, ""},
		{"$EOF:" + aaab + "\r\n" + aaab[1:] + aaab[2:] + aaab + aaab, aaab[1:] + aaab[2:], aaab, true, ""},
		{"$0\r\n*1\r\n", "", "*1\r\n", true, ""},
		{"-ERR out of memory\r\n", "", "", false, "MASTER aborted replication with an error: ERR out of memory"},
		{"$EOF:short\r\n", "", "", false, "Bad protocol from MASTER, no size of a snapshot: '$EOF:short'"},
		{"$-5\r\n", "", "", false, "Bad protocol from MASTER, no size of a snapshot: '$-5'"},
		{"+OK\r\n", "", "", false, "Bad protocol from MASTER, the first byte is not '$' (we received '+OK'), " +
			"are you sure the host and port are right?"},
		{strings.Repeat("x", 2000), "", "", false, "a line of more than 1024 bytes in front of the snapshot"},
	} {
		for _, size := range []int{1, 2, 3, 7, 39, 40, 41, 1000, 5000} {
			got := feed([]byte(tt.in), func() int { return size })
			if string(got.payload) != tt.payload || string(got.rest) != tt.rest || got.done != tt.done ||
				got.err != tt.err {
				t.Errorf("%.60q by %d: %.80q, %q, %v, %q", tt.in, size, got.payload, got.rest, got.done, got.err)
			}
		}
	}
}

// Whatever the snapshot and wherever it is cut, what comes out is the snapshot. The letters
// are few, so that it often begins like the mark.
func TestTransferOfAnything(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(5, seed))
		letters := func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = "ab"[rng.IntN(20)/19]
			}
			return b
		}
		mark, snapshot, behind := letters(40), letters(rng.IntN(500)), letters(rng.IntN(100))
		whole := append(append(append([]byte(nil), snapshot...), mark...), behind...)
		at := bytes.Index(whole, mark)
		in := append(fmt.Appendf(nil, "$EOF:%s\r\n", mark), whole...)
		got := feed(in, func() int { return rng.IntN(60) })
		if !got.done || !bytes.Equal(got.payload, whole[:at]) || !bytes.Equal(got.rest, whole[at+40:]) {
			t.Fatalf("seed %d: %v %q and %q, want %q and %q",
				seed, got.done, got.payload, got.rest, whole[:at], whole[at+40:])
		}
	}
}

// FuzzHandshake feeds whatever a master may send, whole and in pieces: the verdict is the
// same, nothing is made of a master that was not asked for, and nothing is lost.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+FULLRESYNC "+idA+" 0\r\n\n$5\r\nREDIS*1\r\n"), uint8(3))
	const introduced = "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n"
	f.Add([]byte(introduced+"+FULLRESYNC "+idA+" 0\r\n\n$EOF:"+idA+"\r\nREDIS"+idA+"*1\r\n"), uint8(7))
	f.Add([]byte(introduced+"+CONTINUE "+idB+"\r\n*1\r\n"), uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, piece uint8) {
		h, _ := NewHandshake(Intro{ID: idA, Offset: 10, Port: 1})
		rest, step := in, Step{}
		for step.Verdict == More {
			line, behind, ok := bytes.Cut(rest, []byte("\n"))
			if !ok {
				return
			}
			rest = behind
			step = h.Line(strings.TrimSuffix(string(line), "\r"))
		}
		switch step.Verdict {
		case Failed:
			if step.Err == nil {
				t.Fatal("failed for no reason")
			}
		case Continue:
			if step.Offset != 10 || !IsID(step.ID) {
				t.Fatalf("goes on at %d of %q", step.Offset, step.ID)
			}
		case Full, Bare:
			if step.Verdict == Full && (!IsID(step.ID) || step.Offset < 0) {
				t.Fatalf("a snapshot at %d of %q", step.Offset, step.ID)
			}
			whole := feed(rest, func() int { return len(rest) })
			cut := feed(rest, func() int { return int(piece) })
			if whole.err != cut.err && len(rest) < transferHeadMax || whole.err == "" && cut.err == "" &&
				(!bytes.Equal(whole.payload, cut.payload) || !bytes.Equal(whole.rest, cut.rest)) {
				t.Fatalf("whole: %+v, in pieces of %d: %+v", whole, piece, cut)
			}
		}
	})
}
