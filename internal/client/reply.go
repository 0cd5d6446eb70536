package client

import "strconv"

// A Kind says which type of the protocol a [Reply] is.
type Kind uint8

// The types of RESP2 and RESP3. Both spellings of nothing in RESP2 ("$-1" and
// "*-1") and RESP3's "_" are Null: no command gives them different meanings.
const (
	Invalid   Kind = iota
	Simple         // +OK
	Error          // -ERR text
	Integer        // :1
	Bulk           // $3 abc
	Null           // _
	Array          // *2
	Map            // %1
	Set            // ~2
	Double         // ,1.5
	BigNumber      // (123
	Bool           // #t
	Verbatim       // =7 txt:abc
	BlobError      // !7 ERR abc
	Attribute      // |1
	Push           // >2
)

// A Reply is what a server sent for one command, or one push message.
//
// It owns its bytes and stays valid for ever. Which fields mean something
// depends on Kind:
//
//	Simple, Error, Bulk, BlobError    Text
//	Integer, Bool                     Int, a bool as 0 or 1
//	Double, BigNumber                 Text, the digits exactly as they were sent
//	Verbatim                          Text, and Format ("txt", "mkd")
//	Array, Set, Push                  Elems
//	Map, Attribute                    Elems: key, value, key, value, ...
//
// Attr is the attribute that came before the reply, or nil. A map keeps the
// order of the server, and may have keys of any kind, so it is no Go map.
type Reply struct {
	Kind   Kind
	Format [3]byte
	Int    int64
	Text   string
	Elems  []Reply
	Attr   *Reply
}

// A ReplyError is an error reply as a Go error.
type ReplyError string

func (e ReplyError) Error() string { return string(e) }

// IsError reports whether the server refused the command.
func (r Reply) IsError() bool { return r.Kind == Error || r.Kind == BlobError }

// IsNull reports whether the reply is nothing.
func (r Reply) IsNull() bool { return r.Kind == Null }

// IsAggregate reports whether the reply consists of other replies.
func (r Reply) IsAggregate() bool {
	switch r.Kind {
	case Array, Map, Set, Push, Attribute:
		return true
	}
	return false
}

// Err is the error reply as a [ReplyError], or nil for any other reply.
func (r Reply) Err() error {
	if r.IsError() {
		return ReplyError(r.Text)
	}
	return nil
}

// Bool is the value of a Bool, and whether r is one.
func (r Reply) Bool() (value, ok bool) { return r.Int != 0, r.Kind == Bool }

// Float is the value of a Double. The reader has checked its form, so only a
// reply of another kind, or one too large for a float64, is an error.
func (r Reply) Float() (float64, error) {
	if r.Kind != Double {
		return 0, &strconv.NumError{Func: "Float", Num: r.Text, Err: strconv.ErrSyntax}
	}
	return strconv.ParseFloat(r.Text, 64)
}

// Pairs calls yield with each key and value of a Map or Attribute, and with the
// neighbours of an Array that stands for a map in RESP2. An odd last element is
// left out: a server that sends one broke its own promise.
func (r Reply) Pairs(yield func(key, value Reply) bool) {
	for i := 0; i+1 < len(r.Elems); i += 2 {
		if !yield(r.Elems[i], r.Elems[i+1]) {
			return
		}
	}
}
