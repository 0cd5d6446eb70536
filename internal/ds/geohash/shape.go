package geohash

import "math"

// A Point is a place in degrees.
type Point struct{ Lon, Lat float64 }

// A Shape is an area to search: a circle, a box or a polygon.
type Shape struct {
	kind          kind
	center        Point
	radius        float64 // of the circle, or of one around the shape, in metres
	width, height float64 // of the box, in metres
	vertices      []Point // of the polygon
}

type kind uint8

const (
	circle kind = iota
	box
	polygon
)

// Circle is all that is at most radius metres from a place.
func Circle(center Point, radius float64) Shape {
	return Shape{kind: circle, center: center, radius: radius}
}

// Box is all that is at most half of the height north or south of a place, and half of
// the width east or west of its meridian, in metres.
func Box(center Point, width, height float64) Shape {
	w, h := width/2, height/2
	return Shape{kind: box, center: center, width: width, height: height,
		radius: math.Sqrt(float64(w*w) + float64(h*h))}
}

// Polygon is the area within straight lines, on a map of degrees, from each vertex to the
// next and from the last to the first. The vertices are kept. Distances are counted from
// their mean.
func Polygon(vertices []Point) Shape {
	s := Shape{kind: polygon, vertices: vertices}
	for _, p := range vertices {
		s.center.Lon += p.Lon
		s.center.Lat += p.Lat
	}
	s.center.Lon /= float64(len(vertices))
	s.center.Lat /= float64(len(vertices))
	for _, p := range vertices {
		s.radius = max(s.radius, Distance(s.center.Lon, s.center.Lat, p.Lon, p.Lat))
	}
	return s
}

// Center is the place that distances are counted from.
func (s *Shape) Center() Point { return s.center }

// Contains says whether a place is in the shape, and how far it is from the center.
func (s *Shape) Contains(p Point) (distance float64, ok bool) {
	c := s.center
	switch s.kind {
	case box:
		if latDistance(p.Lat, c.Lat) > s.height/2 || Distance(p.Lon, p.Lat, c.Lon, p.Lat) > s.width/2 {
			return 0, false
		}
	case polygon:
		if !s.encloses(p) {
			return 0, false
		}
	}
	distance = Distance(c.Lon, c.Lat, p.Lon, p.Lat)
	return distance, s.kind != circle || distance <= s.radius
}

// encloses counts the sides that a line from p to the east crosses: it is inside if they
// are odd. A side includes its southern end only, so a vertex between two sides that go on
// north counts once.
func (s *Shape) encloses(p Point) (inside bool) {
	last := s.vertices[len(s.vertices)-1]
	for _, v := range s.vertices {
		if (v.Lat > p.Lat) != (last.Lat > p.Lat) {
			share := (p.Lat - v.Lat) / (last.Lat - v.Lat)
			if p.Lon < v.Lon+float64(share*(last.Lon-v.Lon)) {
				inside = !inside
			}
		}
		last = v
	}
	return inside
}

// bounds are the least and greatest degrees of the shape. A parallel is shorter the
// farther it is from the equator, so the side that is wider in degrees decides.
func (s *Shape) bounds() (west, south, east, north float64) {
	if s.kind == polygon {
		west, south, east, north = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, p := range s.vertices {
			west, east = min(west, p.Lon), max(east, p.Lon)
			south, north = min(south, p.Lat), max(north, p.Lat)
		}
		return west, south, east, north
	}
	c, w, h := s.center, s.radius, s.radius
	if s.kind == box {
		w, h = s.width/2, s.height/2
	}
	dLat := degrees(h / earthRadius)
	edge := c.Lat + dLat
	if c.Lat < 0 {
		edge = c.Lat - dLat
	}
	dLon := degrees(w / earthRadius / math.Cos(radians(edge)))
	return c.Lon - dLon, c.Lat - dLat, c.Lon + dLon, c.Lat + dLat
}
