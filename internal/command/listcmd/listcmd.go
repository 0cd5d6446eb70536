// Package listcmd is the list family of commands.
//
//	push.go   LPUSH and its kin
//	pop.go    LPOP RPOP LMPOP, and BLPOP BRPOP BLMPOP, which wait
//	move.go   LMOVE RPOPLPUSH, and BLMOVE BRPOPLPUSH, which wait
//	read.go   LLEN LINDEX LRANGE LPOS
//	edit.go   LSET LINSERT LREM LTRIM
package listcmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/resp"
)

// Family is every command in this package; each file adds its own.
var Family = command.Family{Group: "list"}

// side reads LEFT or RIGHT.
func side(args command.Args, i int) (front bool, err error) {
	switch {
	case args.Is(i, "LEFT"):
		return true, nil
	case args.Is(i, "RIGHT"):
		return false, nil
	}
	return false, resp.ErrSyntax
}

// positive reads a count that may be 0.
func positive(args command.Args, i int) (int, error) {
	n, err := args.Int(i)
	if err != nil || n < 0 || n > math.MaxInt32 && math.MaxInt == math.MaxInt32 {
		return 0, resp.ErrNotPositive
	}
	return int(n), nil
}
