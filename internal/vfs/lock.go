package vfs

import "errors"

// ErrLocked means that another process, or another server of this one, has a lock.
var ErrLocked = errors.New("another server uses it")
