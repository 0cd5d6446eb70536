package netloop

import (
	"testing"
	"unsafe"
)

// What this package keeps for an idle client, beside its session.
func TestIdleMemory(t *testing.T) {
	if n := unsafe.Sizeof(conn{}) + unsafe.Sizeof(slot{}); n > 400 {
		t.Errorf("%d bytes for a connection", n)
	} else {
		t.Logf("%d bytes for a connection", n)
	}
}
