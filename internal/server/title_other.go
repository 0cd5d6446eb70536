//go:build !linux

package server

import "errors"

// retitle cannot be done here without C.
func retitle(string) error { return errors.New("cannot be changed on this system") }
