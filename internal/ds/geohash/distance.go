package geohash

import (
	"math"

	"github.com/spineldb/spinel/internal/numtext"
)

// earthRadius is Redis's, in metres: the Earth as a sphere.
const earthRadius = 6372797.560856

const degree = math.Pi / 180

func radians(degrees float64) float64 { return degrees * degree }

func degrees(radians float64) float64 { return radians / degree }

// far is the square of the sine of half of an angle from which on distances are taken to be
// far, 4100 kilometres.
const far = 0.1

// Distance is how far two places are from each other, in metres, along a great circle
// (the haversine formula).
func Distance(lon1, lat1, lon2, lat2 float64) float64 {
	phi1, phi2, lambda1, lambda2 := radians(lat1), radians(lat2), radians(lon1), radians(lon2)
	v := math.Sin((lambda2 - lambda1) / 2)
	if v == 0 {
		return latDistance(lat1, lat2)
	}
	u := math.Sin((phi2 - phi1) / 2)
	a := float64(u*u) + float64(math.Cos(phi1)*math.Cos(phi2)*v*v)
	if a > far {
		return farDistance(phi1, phi2, lambda1, lambda2)
	}
	return 2 * earthRadius * math.Asin(math.Sqrt(a))
}

// latDistance is the distance of places on one meridian.
func latDistance(lat1, lat2 float64) float64 {
	return earthRadius * math.Abs(radians(lat2)-radians(lat1))
}

// AppendDistance writes a distance in some unit as replies have it, with four digits behind
// the point. They come from a multiplication, which rounds in a few cases otherwise than
// the exact value would be.
func AppendDistance(dst []byte, d float64) []byte {
	const scale = 10000
	n := int64(float64(d*scale) + 0.5)
	dst = numtext.AppendInt(dst, n/scale)
	dst = append(dst, '.')
	for unit := int64(scale / 10); unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+n/unit%10))
	}
	return dst
}
