package geocmd

import (
	"math"

	"github.com/spineldb/spinel/internal/command"
	"github.com/spineldb/spinel/internal/ds/geohash"
	"github.com/spineldb/spinel/internal/numtext"
	"github.com/spineldb/spinel/internal/resp"
	"github.com/spineldb/spinel/internal/value"
)

var (
	errMember   = resp.Errorf("could not decode requested zset member")
	errRadius   = resp.Errorf("need numeric radius")
	errWidth    = resp.Errorf("need numeric width")
	errHeight   = resp.Errorf("need numeric height")
	errCircle   = resp.Errorf("radius cannot be negative")
	errBox      = resp.Errorf("height or width cannot be negative")
	errVertices = resp.Errorf("invalid number of vertices")
	errPolygon  = resp.Errorf("GEOSEARCH BYPOLYGON must have at least 3 vertices")
	errCount    = resp.Errorf("COUNT must be > 0")
	errAny      = resp.Errorf("the ANY argument requires COUNT argument")
	errStore    = resp.Errorf(
		"STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
	errSearchStore = resp.Errorf(
		"GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
)

// What a search starts from, and what bounds it. None is said at first.
type (
	origin uint8
	bound  uint8
)

const (
	fromMember origin = iota + 1
	fromPlace
)

const (
	byRadius bound = iota + 1
	byBox
	byPolygon
)

// An order is which hits come first.
type order uint8

const (
	unsorted order = iota
	ascending
	descending
)

// A query is a call of a command that searches. The first fields say which one it is, the
// rest what its arguments say.
type query struct {
	args    command.Args
	options int  // argument from which on options are
	stores  bool // the result may be given a key to be stored over
	search  bool // it is GEOSEARCH or GEOSEARCHSTORE, and its area is an option

	from          origin
	by            bound
	center        geohash.Point
	radius        float64
	width, height float64
	vertices      []geohash.Point
	unit          float64 // in metres

	order order
	count int64 // 0 for all
	isAny bool

	withDistance, withHash, withPlace bool

	store         int // argument that is the key to be stored over, 0 for none
	storeDistance bool
}

// read reads the arguments. set is what is searched, nil if there is no such key.
func (q *query) read(set *value.ZSet) error {
	if err := q.readCenter(set); err != nil {
		return err
	}
	for i := q.options; i < len(q.args); {
		used, err := q.option(i)
		if err == nil && used == 0 && q.search {
			used, err = q.area(i, set)
		}
		switch {
		case err != nil:
			return err
		case used == 0:
			return resp.ErrSyntax
		}
		i += used
	}
	switch {
	case q.store > 0 && (q.withDistance || q.withHash || q.withPlace):
		if q.search {
			return errSearchStore
		}
		return errStore
	case q.search && q.from == 0 && q.by != byPolygon:
		return resp.Errorf("exactly one of FROMMEMBER or FROMLONLAT can be specified for " + string(q.args[0]))
	case q.search && q.by == 0:
		return resp.Errorf("exactly one of BYRADIUS and BYBOX can be specified for " + string(q.args[0]))
	case q.isAny && q.count == 0:
		return errAny
	}
	if q.order == unsorted && q.count > 0 && !q.isAny {
		q.order = ascending // some that are not just any are the nearest
	}
	return nil
}

// readCenter reads the circle of a command that has it in front of its options.
func (q *query) readCenter(set *value.ZSet) (err error) {
	const center = 2
	switch {
	case q.from == fromPlace:
		q.center, err = readPlace(q.args, center)
	case q.from == 0 || set == nil: // then not even the radius is looked at
		return nil
	default:
		err = q.readMember(center, set)
	}
	if err != nil {
		return err
	}
	return q.readCircle(q.options - 2)
}

// option reads the option that begins with argument i and says nothing of the area. It
// returns how many arguments it has, 0 if it is none.
func (q *query) option(i int) (used int, err error) {
	more, is := len(q.args)-i-1, q.args.Is
	switch {
	case is(i, "WITHDIST"):
		q.withDistance = true
	case is(i, "WITHHASH"):
		q.withHash = true
	case is(i, "WITHCOORD"):
		q.withPlace = true
	case is(i, "ANY"):
		q.isAny = true
	case is(i, "ASC"):
		q.order = ascending
	case is(i, "DESC"):
		q.order = descending
	case is(i, "COUNT") && more >= 1:
		if q.count, err = q.args.Int(i + 1); err == nil && q.count <= 0 {
			err = errCount
		}
		return 2, err
	case q.stores && is(i, "STORE") && more >= 1:
		q.store, q.storeDistance = i+1, false
		return 2, nil
	case q.stores && is(i, "STOREDIST") && more >= 1:
		q.store, q.storeDistance = i+1, true
		return 2, nil
	case q.search && q.store > 0 && is(i, "STOREDIST"):
		q.storeDistance = true
	default:
		return 0, nil
	}
	return 1, nil
}

// area is option for those that say where to search: in a circle or a box around a place
// or a member, or in a polygon.
func (q *query) area(i int, set *value.ZSet) (used int, err error) {
	more, is := len(q.args)-i-1, q.args.Is
	around := q.by != byPolygon
	switch {
	case is(i, "FROMMEMBER") && more >= 1 && q.from != fromPlace && around:
		q.from = fromMember
		return 2, q.readMember(i+1, set)
	case is(i, "FROMLONLAT") && more >= 2 && q.from != fromMember && around:
		q.from = fromPlace
		q.center, err = readPlace(q.args, i+1)
		return 3, err
	case is(i, "BYRADIUS") && more >= 2 && (q.by == 0 || q.by == byRadius):
		return 3, q.readCircle(i + 1)
	case is(i, "BYBOX") && more >= 3 && (q.by == 0 || q.by == byBox):
		return 4, q.readBox(i + 1)
	case is(i, "BYPOLYGON") && more >= 1 && q.from == 0 && (q.by == 0 || q.by == byPolygon):
		err = q.readPolygon(i + 1)
		return 2 + 2*len(q.vertices), err
	}
	return 0, nil
}

// readMember takes the place of a member as the center. Without a set there is nothing to
// find, but the rest of the arguments must be sound.
func (q *query) readMember(i int, set *value.ZSet) error {
	if set == nil {
		return nil
	}
	score, ok := set.Score(q.args[i])
	if !ok {
		return errMember
	}
	q.center = placeOf(score)
	return nil
}

// readCircle reads a radius and its unit.
func (q *query) readCircle(i int) (err error) {
	var ok bool
	q.by = byRadius
	if q.radius, ok = numtext.ParseFloat(q.args[i]); !ok {
		return errRadius
	}
	if q.radius < 0 {
		return errCircle
	}
	q.unit, err = readUnit(q.args, i+1)
	return err
}

// readBox reads a width, a height and their unit.
func (q *query) readBox(i int) (err error) {
	var ok bool
	q.by = byBox
	if q.width, ok = numtext.ParseFloat(q.args[i]); !ok {
		return errWidth
	}
	if q.height, ok = numtext.ParseFloat(q.args[i+1]); !ok {
		return errHeight
	}
	if q.width < 0 || q.height < 0 {
		return errBox
	}
	q.unit, err = readUnit(q.args, i+2)
	return err
}

// readPolygon reads a number of vertices, and them. Distances are in metres.
func (q *query) readPolygon(i int) error {
	n, ok := numtext.ParseInt(q.args[i])
	switch {
	case !ok || n != int64(int32(n)):
		return errVertices
	case n < 3 || n > int64(len(q.args)-i-1)/2:
		return errPolygon
	}
	q.by, q.unit = byPolygon, 1
	q.vertices = make([]geohash.Point, n)
	for j := range q.vertices {
		var err error
		if q.vertices[j], err = readPlace(q.args, i+1+2*j); err != nil {
			return err
		}
	}
	return nil
}

// shape is the area.
func (q *query) shape() geohash.Shape {
	switch q.by {
	case byBox:
		return geohash.Box(q.center, q.width*q.unit, q.height*q.unit)
	case byPolygon:
		return geohash.Polygon(q.vertices)
	}
	return geohash.Circle(q.center, q.radius*q.unit)
}

// streams says whether members are written as they are found.
func (q *query) streams() bool { return q.store == 0 && q.order == unsorted }

// stop is the number of members at which the search ends.
func (q *query) stop() int {
	if q.isAny {
		return int(q.count)
	}
	return math.MaxInt
}

// ranking is which members are kept of those that were found.
func (q *query) ranking() ranking {
	return ranking{most: int(q.count), desc: q.order == descending}
}
