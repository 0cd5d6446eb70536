package debugcmd

import (
	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

var (
	errNeedsResp3 = &resp.Error{Code: "ERR", Text: "RESP2 is not supported by this command"}
	errNoType     = &resp.Error{Code: "ERR", Text: "Wrong protocol type name. Please use one of the " +
		"following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"}
)

// protocol replies with one value of each type that the protocol has. They are Redis's,
// which tests of clients expect.
func (d Deps) protocol(c *command.Ctx) error {
	w := c.Out
	switch a := c.Args; {
	case a.Is(2, "STRING"):
		w.BulkString("Hello World")
	case a.Is(2, "INTEGER"):
		w.Int(12345)
	case a.Is(2, "DOUBLE"):
		w.Double(3.141)
	case a.Is(2, "BIGNUM"):
		w.BigNumber("1234567999999999999999999999999999999")
	case a.Is(2, "NULL"):
		w.Null()
	case a.Is(2, "ARRAY"):
		w.Array(3)
		writeInts(w, 0, 1, 2)
	case a.Is(2, "SET"):
		w.Set(3)
		writeInts(w, 0, 1, 2)
	case a.Is(2, "MAP"):
		w.Map(3)
		for i := range int64(3) {
			w.Int(i)
			w.Bool(i == 1)
		}
	case a.Is(2, "ATTRIB"):
		if w.Resp3 {
			w.Attribute(1)
			w.BulkString("key-popularity")
			w.Array(2)
			w.BulkString("key:123")
			w.Int(90)
		}
		w.BulkString("Some real reply following the attribute")
	case a.Is(2, "PUSH"):
		if !w.Resp3 {
			return errNeedsResp3
		}
		w.Push(2)
		w.BulkString("server-cpu-usage")
		w.Int(42)
		w.BulkString("Some real reply following the push reply")
	case a.Is(2, "TRUE"):
		w.Bool(true)
	case a.Is(2, "FALSE"):
		w.Bool(false)
	case a.Is(2, "VERBATIM"):
		w.Verbatim("txt", "This is a verbatim\nstring")
	default:
		return errNoType
	}
	return nil
}

func writeInts(w *resp.Writer, ns ...int64) {
	for _, n := range ns {
		w.Int(n)
	}
}
