//go:build linux && (amd64 || arm64)

package netloop

// uring-whole is what kernels before 6.12 can do: a buffer for each receive.
// uring-tiny runs out of everything all the time: submissions, completions, buffers.
var backendsHere = []string{BackendEpoll, BackendUring, "uring-whole", "uring-tiny", BackendNet}

func vary(s *Server, variant string) {
	s.newPoller = func(l *loop) poller {
		p := newUring(l).(*uring)
		p.pieces = bufferSizes{}
		if variant == "tiny" {
			p.entries = 2
			p.pieces = bufferSizes{size: 4 << 10, start: 1, most: 3}
			p.whole = bufferSizes{size: 1 << 10, start: 1, most: 3}
		}
		return p
	}
}
