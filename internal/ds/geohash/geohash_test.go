package geohash_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/ds/geohash"
)

// The example of the package comment.
func TestExample(t *testing.T) {
	palermo := geohash.Encode(13.361389, 38.115556)
	if palermo != 3479099956230698 {
		t.Errorf("Palermo is %d", palermo)
	}
	if text := string(geohash.AppendText(nil, palermo)); text != "sqc8b49rny0" {
		t.Errorf("Palermo is %s", text)
	}
}

// A member is a place of the recording, as a sorted set has it.
type member struct {
	score uint64
	name  string
}

// A recording is what a redis-server 7.0.15 said:
//
//	place lon lat score text lon lat      GEOADD, ZSCORE, GEOHASH, GEOPOS
//	dist i j metres                       GEODIST of the i-th and j-th place
//	search lon lat radius ; i=metres ...  GEOSEARCH, unsorted, with distances
//	search lon lat width height ; ...
type recording struct {
	t       *testing.T
	members []member
}

// TestAgainstRedis replays the recording. All texts must be the same.
func TestAgainstRedis(t *testing.T) {
	data, err := os.ReadFile("testdata/redis-7.0.15.txt")
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{t: t}
	for line := range strings.Lines(string(data)) {
		said, results, _ := strings.Cut(strings.TrimSpace(line), " ; ")
		fields := strings.Fields(strings.TrimSuffix(said, " ;"))
		switch fields[0] {
		case "place":
			r.place(fields[1:])
		case "dist":
			i, j := r.members[number(t, fields[1])], r.members[number(t, fields[2])]
			lon1, lat1 := geohash.Decode(i.score)
			lon2, lat2 := geohash.Decode(j.score)
			if got := metres(geohash.Distance(lon1, lat1, lon2, lat2)); got != fields[3] {
				t.Errorf("from %v %v to %v %v: %s, want %s", lon1, lat1, lon2, lat2, got, fields[3])
			}
		case "search":
			r.search(fields[1:], results)
		}
	}
}

func (r *recording) place(f []string) {
	r.t.Helper()
	lon, lat := float(r.t, f[0]), float(r.t, f[1])
	score := geohash.Encode(lon, lat)
	r.members = append(r.members, member{score, strconv.Itoa(len(r.members))})
	lon, lat = geohash.Decode(score)
	text := string(geohash.AppendText(nil, score))
	got := []string{strconv.FormatUint(score, 10), text, human(lon), human(lat)}
	if !slices.Equal(got, f[2:]) {
		r.t.Errorf("%s %s: %q, want %q", f[0], f[1], got, f[2:])
	}
}

func (r *recording) search(f []string, want string) {
	r.t.Helper()
	center := geohash.Point{Lon: float(r.t, f[0]), Lat: float(r.t, f[1])}
	shape := geohash.Circle(center, float(r.t, f[2]))
	if len(f) == 4 {
		shape = geohash.Box(center, float(r.t, f[2]), float(r.t, f[3]))
	}
	sorted := slices.SortedFunc(slices.Values(r.members), func(a, b member) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.name, b.name))
	})
	var got []string
	for _, in := range shape.Cover(nil) {
		for _, m := range sorted {
			if m.score < in.Min || m.score >= in.Max {
				continue
			}
			lon, lat := geohash.Decode(m.score)
			if d, ok := shape.Contains(geohash.Point{Lon: lon, Lat: lat}); ok {
				got = append(got, m.name+"="+metres(d))
			}
		}
	}
	if got := strings.Join(got, " "); got != want {
		r.t.Errorf("around %v:\n got %.300s\nwant %.300s", f, got, want)
	}
}

func metres(d float64) string { return string(geohash.AppendDistance(nil, d)) }

// A distance that four digits cannot tell exactly is rounded after it was multiplied.
func TestAppendDistance(t *testing.T) {
	for _, tt := range []struct {
		d    float64
		want string
	}{
		{0, "0.0000"}, {0.00005, "0.0001"}, {1, "1.0000"}, {166274.1516, "166274.1516"},
		{9372233.026949999854, "9372233.0270"}, // it is less than half
	} {
		if got := metres(tt.d); got != tt.want {
			t.Errorf("%v is written %s, want %s", tt.d, got, tt.want)
		}
	}
}

// Shapes that the recording has not: those of Redis 8 and Valkey 9.
func TestPolygon(t *testing.T) {
	// An arrow that points north, with a notch in the south.
	arrow := geohash.Polygon([]geohash.Point{
		{Lon: 0, Lat: 0}, {Lon: 10, Lat: 20}, {Lon: 20, Lat: 0}, {Lon: 10, Lat: 8},
	})
	for _, tt := range []struct {
		lon, lat float64
		want     bool
	}{
		{10, 10, true}, {10, 19.9, true}, {10, 7.9, false}, {2, 2, true}, {18, 2, true}, {10, 0.1, false},
		{-1, 0, false}, {21, 0, false}, {10, 20.1, false}, {3, 8, false}, {17, 8, false}, {5, 5, true},
	} {
		d, ok := arrow.Contains(geohash.Point{Lon: tt.lon, Lat: tt.lat})
		if ok != tt.want {
			t.Errorf("%v %v is inside: %v", tt.lon, tt.lat, ok)
		}
		if c := arrow.Center(); ok && d != geohash.Distance(c.Lon, c.Lat, tt.lon, tt.lat) {
			t.Errorf("%v %v is %v metres from the center", tt.lon, tt.lat, d)
		}
	}
}

// TestCoverMissesNothing compares the places in the ranges with all places, for shapes that
// end before the poles and the 180th meridian.
func TestCoverMissesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		c := geohash.Point{Lon: rng.Float64()*240 - 120, Lat: rng.Float64()*120 - 60}
		size := math.Pow(10, rng.Float64()*6)
		reach := size / 60000 // degrees, at 60 degrees north
		at := func() geohash.Point {
			return geohash.Point{Lon: c.Lon + (rng.Float64()*2-1)*reach, Lat: c.Lat + (rng.Float64()*2-1)*reach/2}
		}
		shapes := []geohash.Shape{geohash.Circle(c, size), geohash.Box(c, size, size*rng.Float64()),
			geohash.Polygon([]geohash.Point{at(), at(), at(), at(), at()})}
		for _, shape := range shapes {
			var ranges [geohash.CoverMax]geohash.Range
			covered := shape.Cover(ranges[:0])
			for range 20 {
				p := at()
				score := geohash.Encode(p.Lon, p.Lat)
				p.Lon, p.Lat = geohash.Decode(score)
				_, inside := shape.Contains(p)
				if inside && !slices.ContainsFunc(covered, func(r geohash.Range) bool {
					return r.Min <= score && score < r.Max
				}) {
					t.Fatalf("%v is in %+v, but not in %v", p, shape, covered)
				}
			}
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add(13.361389, 38.115556)
	f.Add(180.0, 85.05112878)
	f.Add(-180.0, -85.05112878)
	f.Fuzz(func(t *testing.T, lon, lat float64) {
		if !geohash.Valid(lon, lat) {
			return
		}
		score := geohash.Encode(lon, lat)
		lon2, lat2 := geohash.Decode(score)
		const cell = 360.0 / (1 << 26)
		if !geohash.Valid(lon2, lat2) || math.Abs(lon-lon2) > cell || math.Abs(lat-lat2) > cell {
			t.Fatalf("%v %v comes back as %v %v", lon, lat, lon2, lat2)
		}
		if n := len(geohash.AppendText(nil, score)); n != 11 {
			t.Fatalf("the text has %d characters", n)
		}
		d := geohash.Distance(lon, lat, lon2, lat2)
		if !(d >= 0 && d < 4) {
			t.Fatalf("%v %v has moved by %v metres", lon, lat, d)
		}
	})
}

func TestAllocations(t *testing.T) {
	shape := geohash.Circle(geohash.Point{Lon: 13, Lat: 38}, 200_000)
	var ranges [geohash.CoverMax]geohash.Range
	var text [32]byte
	n := testing.AllocsPerRun(10, func() {
		_ = shape.Cover(ranges[:0])
		d, _ := shape.Contains(geohash.Point{Lon: 14, Lat: 38})
		_ = geohash.AppendDistance(text[:0], d)
		_ = geohash.AppendText(text[:0], geohash.Encode(14, 38))
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkContains(b *testing.B) {
	for name, p := range map[string]geohash.Point{"near": {Lon: 14, Lat: 38}, "far": {Lon: -160, Lat: -38}} {
		b.Run(name, func(b *testing.B) {
			shape := geohash.Circle(geohash.Point{Lon: 13, Lat: 38}, 200_000)
			for b.Loop() {
				shape.Contains(p)
			}
		})
	}
}

func BenchmarkCover(b *testing.B) {
	shape := geohash.Circle(geohash.Point{Lon: 13, Lat: 38}, 200_000)
	var ranges [geohash.CoverMax]geohash.Range
	for b.Loop() {
		shape.Cover(ranges[:0])
	}
}

// human is a number as Redis prints coordinates.
func human(v float64) string {
	s := strconv.FormatFloat(v, 'f', 17, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func float(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
