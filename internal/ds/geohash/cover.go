package geohash

// A Range is the numbers from Min up to and without Max.
type Range struct{ Min, Max uint64 }

// CoverMax is the most ranges that Cover returns: a cell and its neighbours.
const CoverMax = 9

// around is where the cells that may be searched are from the one in the middle, in columns
// east and rows north, in the order in which Redis searches them. That order is the order
// of the results that nobody asked to sort.
var around = [CoverMax]struct{ east, north int }{
	{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1},
}

// Cover appends to dst the ranges in which everything is that the shape contains, and more.
//
// Cells are chosen so big that one with its neighbours covers the shape, then neighbours
// that lie outside are left out. Around the poles and the 180th meridian, and for areas that
// are a good part of the world, what is left out is what Redis leaves out.
func (s *Shape) Cover(dst []Range) []Range {
	west, south, east, north := s.bounds()
	step := estimateStep(s.radius, s.center.Lat)
	middle := encode(s.center.Lon, s.center.Lat, LatMin, LatMax, step)
	// Redis takes one greater size at most, which is enough for its estimate.
	for tries := 1; step > 1 && (tries > 0 || s.kind == polygon); tries-- {
		if middle.reaches(west, south, east, north) {
			break
		}
		step--
		middle = encode(s.center.Lon, s.center.Lat, LatMin, LatMax, step)
	}
	w, so, e, n := middle.edges()
	last := -1
	var previous cell
	for i, to := range around {
		if step >= 2 && (to.north < 0 && so < south || to.north > 0 && n > north ||
			to.east < 0 && w < west || to.east > 0 && e > east) {
			continue
		}
		c := middle.neighbor(to.east, to.north)
		if last > 0 && c == previous {
			continue // cells so big that east is west
		}
		last, previous = i, c
		shift := Bits - 2*uint(step)
		dst = append(dst, Range{c.bits << shift, (c.bits + 1) << shift})
	}
	return dst
}

// reaches says whether a cell with its neighbours covers the bounds.
func (c cell) reaches(west, south, east, north float64) bool {
	_, _, _, top := c.neighbor(0, 1).edges()
	_, bottom, _, _ := c.neighbor(0, -1).edges()
	_, _, right, _ := c.neighbor(1, 0).edges()
	left, _, _, _ := c.neighbor(-1, 0).edges()
	return top >= north && bottom <= south && right >= east && left <= west
}

// mercatorMax is half of the equator, in metres.
const mercatorMax = 20037726.37

// estimateStep is the step of cells that are at least as big as a circle, twice as big
// where meridians are close to each other.
func estimateStep(radius, lat float64) uint8 {
	if radius == 0 {
		return stepMax
	}
	step := -1
	for ; radius < mercatorMax; radius *= 2 {
		step++
	}
	if lat > 66 || lat < -66 {
		step--
		if lat > 80 || lat < -80 {
			step--
		}
	}
	return uint8(min(max(step, 1), stepMax))
}
