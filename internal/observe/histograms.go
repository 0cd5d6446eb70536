package observe

// Histograms is one event loop's histograms, one for each command that it has
// run. A command that was never called costs a pointer.
type Histograms struct {
	byCommand []*Histogram
}

// NewHistograms returns an empty set for commands numbered from 0 to commands-1.
func NewHistograms(commands int) *Histograms {
	return &Histograms{byCommand: make([]*Histogram, commands)}
}

// Record counts n calls of a command that took ns nanoseconds each. Only the
// first call of a command allocates.
func (s *Histograms) Record(command int, ns int64, n uint32) {
	h := s.byCommand[command]
	if h == nil {
		h = s.touch(command)
	}
	h.Record(ns, n)
}

// Of is a command's histogram, or nil if it was never called.
func (s *Histograms) Of(command int) *Histogram { return s.byCommand[command] }

// MergeInto adds everything that s has counted to a set for as many commands.
// It is how the loops' figures become the server's.
func (s *Histograms) MergeInto(dst *Histograms) {
	for command, h := range s.byCommand {
		if h != nil {
			dst.touch(command).Merge(h)
		}
	}
}

// Reset forgets every call and gives the memory back, as CONFIG RESETSTAT does.
func (s *Histograms) Reset() { clear(s.byCommand) }

func (s *Histograms) touch(command int) *Histogram {
	if s.byCommand[command] == nil {
		s.byCommand[command] = new(Histogram)
	}
	return s.byCommand[command]
}
