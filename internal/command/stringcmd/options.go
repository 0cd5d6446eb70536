package stringcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
)

// An option is a word behind the keys and values of SET, GETEX and MSETEX, or a set of
// such words.
type option uint16

const (
	optNX option = 1 << iota
	optXX
	optGet
	optEX
	optPX
	optEXAT
	optPXAT
	optKeepTTL
	optPersist
	optIfEq
	optIfNe
	optIfDigestEq
	optIfDigestNe
)

const (
	expiries    = optEX | optPX | optEXAT | optPXAT
	comparisons = optIfEq | optIfNe | optIfDigestEq | optIfDigestNe
	conditions  = optNX | optXX | comparisons
	lifetimes   = expiries | optKeepTTL | optPersist

	forSet    = conditions | optGet | expiries | optKeepTTL
	forMSetEx = optNX | optXX | expiries | optKeepTTL
)

// word is the option that b spells in any case, 0 if it spells none. Letters are made
// small by setting one bit, which makes no other byte a letter.
func word(b []byte) option {
	switch len(b) {
	case 2:
		switch [2]byte{b[0] | 0x20, b[1] | 0x20} {
		case [2]byte{'e', 'x'}:
			return optEX
		case [2]byte{'p', 'x'}:
			return optPX
		case [2]byte{'n', 'x'}:
			return optNX
		case [2]byte{'x', 'x'}:
			return optXX
		}
	case 3:
		if numtext.EqualFold(b, "GET") {
			return optGet
		}
	case 4, 5, 7:
		return longWord(b)
	}
	return 0
}

func longWord(b []byte) option {
	switch b[0] | 0x20 {
	case 'e':
		return spelled(b, "EXAT", optEXAT)
	case 'k':
		return spelled(b, "KEEPTTL", optKeepTTL)
	case 'p':
		return spelled(b, "PXAT", optPXAT) | spelled(b, "PERSIST", optPersist)
	case 'i':
		return spelled(b, "IFEQ", optIfEq) | spelled(b, "IFNE", optIfNe) |
			spelled(b, "IFDEQ", optIfDigestEq) | spelled(b, "IFDNE", optIfDigestNe)
	}
	return 0
}

func spelled(b []byte, upper string, o option) option {
	if numtext.EqualFold(b, upper) {
		return o
	}
	return 0
}

// bars is the set of options that may not have come before this one. Redis lets an
// option be repeated; the last one counts.
func (o option) bars() option {
	switch {
	case o&comparisons != 0:
		return conditions // of these only one, once
	case o&(optNX|optXX) != 0:
		return conditions &^ o
	case o&lifetimes != 0:
		return lifetimes &^ o
	default:
		return 0
	}
}

// options are the words that were found, and where the arguments of two of them are.
type options struct {
	set     option
	time    int // index of the expiry's number
	operand int // index of what a comparison compares with
}

// parseOptions reads the arguments from i on.
func parseOptions(args command.Args, i int, allowed option) (o options, err error) {
	for ; i < len(args); i++ {
		w := word(args[i])
		if w&allowed == 0 || o.set&w.bars() != 0 {
			return o, resp.ErrSyntax
		}
		if w&(expiries|comparisons) != 0 {
			if i++; i == len(args) {
				return o, resp.ErrSyntax
			}
			if w&expiries != 0 {
				o.time = i
			} else {
				o.operand = i
			}
		}
		o.set |= w
	}
	return o, nil
}

// expiry is when the key shall expire, as Txn.SetString understands it.
func (o *options) expiry(c *command.Ctx) (int64, error) {
	switch {
	case o.set&expiries != 0:
		return deadline(c, o.time, o.set&expiries)
	case o.set&optKeepTTL != 0:
		return keyspace.KeepTTL, nil
	default:
		return keyspace.NoTTL, nil
	}
}

// deadline is the time that argument i means in a unit, in milliseconds since the epoch.
func deadline(c *command.Ctx, i int, unit option) (int64, error) {
	at, err := c.Args.Int(i)
	if err != nil {
		return 0, err
	}
	if at <= 0 {
		return 0, resp.InvalidExpire(c.Name())
	}
	if unit&(optEX|optEXAT) != 0 {
		if at > math.MaxInt64/1000 {
			return 0, resp.InvalidExpire(c.Name())
		}
		at *= 1000
	}
	if unit&(optEX|optPX) != 0 {
		if at > math.MaxInt64-int64(c.DB.Now) {
			return 0, resp.InvalidExpire(c.Name())
		}
		at += int64(c.DB.Now)
	}
	return at, nil
}

// decimal is the text of a number, for the journal.
func decimal(n int64) []byte { return numtext.AppendInt(make([]byte, 0, numtext.MaxIntLen), n) }
