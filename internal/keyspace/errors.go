package keyspace

import "errors"

// Errors of loading.
var (
	errDuplicate = errors.New("keyspace: the key is there already")
	errNoMemory  = errors.New("keyspace: no memory left for the key")
)
