package server

import (
	"crypto/rand"
	"encoding/hex"
)

// randomHex is n random bytes in hexadecimal, for ids.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
