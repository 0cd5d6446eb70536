//go:build unix && !linux

package mem

const mapNoReserve = 0

func (region) adviseHuge(_, _ uintptr) {}

func populate([]byte) {}
