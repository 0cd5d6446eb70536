//go:build !linux || !(amd64 || arm64)

package netloop

var backendsHere = []string{BackendNet}

func vary(*Server, string) {}
