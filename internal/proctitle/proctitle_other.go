//go:build !linux

package proctitle

import "errors"

// Set cannot be done here without C.
func Set(string) error { return errors.New("cannot be changed on this system") }
