package replication

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Transfer takes a snapshot out of what a master sends behind FULLRESYNC:
//
//	\n \n $<length>\r\n <so many bytes>              of which it knows the size, from a file
//	\n \n $EOF:<40 bytes>\r\n <bytes> <the 40 again> of which it does not, as it is made
//
// The empty lines show that the master is alive. What comes behind the snapshot is the
// stream. A mark is found wherever it is, also when reads cut it.
type Transfer struct {
	state transferState
	line  []byte // the head, so far

	size int64 // of the snapshot; 0 if a mark ends it
	left int64
	mark []byte
	// held are bytes that may be the beginning of the mark, and was those of the time before,
	// which are being given back.
	held, was []byte
	read      int64
}

type transferState uint8

const (
	transferHead transferState = iota
	transferSized
	transferMarked
	transferDone
	transferFailed
)

// transferHeadMax bounds the line in front of a snapshot, in bytes.
const transferHeadMax = 1024

// Begun says whether the snapshot's first line has come.
func (t *Transfer) Begun() bool { return t.state != transferHead }

// Done says whether the whole snapshot has come.
func (t *Transfer) Done() bool { return t.state == transferDone }

// Size is the snapshot's size in bytes, 0 if the master does not say.
func (t *Transfer) Size() int64 { return t.size }

// Read is how many bytes of the snapshot have come.
func (t *Transfer) Read() int64 { return t.read }

// Feed takes the next bytes. It returns what of the snapshot is in them, in two pieces that
// are valid until the next call, and what came behind its end.
func (t *Transfer) Feed(b []byte) (payload [2][]byte, rest []byte, err error) {
	for t.state == transferHead && len(b) > 0 {
		if b, err = t.head(b); err != nil {
			t.state = transferFailed
			return payload, nil, err
		}
	}
	switch t.state {
	case transferSized:
		n := min(t.left, int64(len(b)))
		payload[1], rest = b[:n], b[n:]
		if t.left -= n; t.left == 0 {
			t.state = transferDone
		}
	case transferMarked:
		payload, rest = t.untilMark(b)
	case transferDone:
		rest = b
	case transferFailed:
		err = errors.New("the transfer has failed before")
	}
	t.read += int64(len(payload[0]) + len(payload[1]))
	return payload, rest, err
}

// head takes bytes of the first line.
func (t *Transfer) head(b []byte) (rest []byte, err error) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		if len(t.line)+len(b) > transferHeadMax {
			return nil, fmt.Errorf("a line of more than %d bytes in front of the snapshot", transferHeadMax)
		}
		t.line = append(t.line, b...)
		return nil, nil
	}
	line := string(bytes.TrimRight(append(t.line, b[:i]...), "\r"))
	t.line, rest = t.line[:0], b[i+1:]
	if line == "" {
		return rest, nil
	}
	size, isSize := strings.CutPrefix(line, "$")
	mark, isMark := strings.CutPrefix(size, "EOF:")
	switch {
	case line[0] == '-':
		return nil, fmt.Errorf("MASTER aborted replication with an error: %s", shown(line[1:]))
	case !isSize:
		//lint:ignore ST1005 Redis's words
		return nil, fmt.Errorf("Bad protocol from MASTER, the first byte is not '$' (we received '%s'), "+
			"are you sure the host and port are right?", shown(line))
	case isMark && len(mark) == IDLen:
		t.state, t.mark = transferMarked, []byte(mark)
		return rest, nil
	}
	if t.size, err = strconv.ParseInt(size, 10, 64); err != nil || t.size < 0 || isMark {
		t.size = 0
		//lint:ignore ST1005 Redis's words
		return nil, fmt.Errorf("Bad protocol from MASTER, no size of a snapshot: '%s'", shown(line))
	}
	t.state, t.left = transferSized, t.size
	return rest, nil
}

// untilMark takes bytes of a snapshot that the mark ends.
func (t *Transfer) untilMark(b []byte) (payload [2][]byte, rest []byte) {
	t.was = append(t.was[:0], t.held...)
	was, n := t.was, len(t.was)
	if n > 0 { // it may have begun in what is held
		seam := append(t.held, b[:min(len(b), IDLen-1)]...)
		t.held = seam[:0]
		if i := bytes.Index(seam, t.mark); i >= 0 && i <= n {
			t.state = transferDone
			payload[0] = was[:i]
			return payload, b[i+IDLen-n:]
		}
	}
	payload[0] = was
	if i := bytes.Index(b, t.mark); i >= 0 {
		t.state = transferDone
		payload[1] = b[:i]
		return payload, b[i+IDLen:]
	}
	k := t.begun(was, b)
	if k <= len(b) {
		payload[1] = b[:len(b)-k]
		t.held = append(t.held[:0], b[len(b)-k:]...)
		return payload, nil
	}
	k -= len(b)
	payload[0] = was[:n-k]
	t.held = append(append(t.held[:0], was[n-k:]...), b...)
	return payload, nil
}

// begun is how many of the last bytes, of what was held and of b behind it, may be the
// beginning of the mark.
func (t *Transfer) begun(was, b []byte) int {
	var tail [2 * IDLen]byte
	end := tail[:0]
	if len(b) < IDLen-1 {
		end = append(end, was...)
	}
	end = append(end, b[max(0, len(b)-IDLen+1):]...)
	for k := min(len(end), IDLen-1); k > 0; k-- {
		if bytes.HasSuffix(end, t.mark[:k]) {
			return k
		}
	}
	return 0
}
