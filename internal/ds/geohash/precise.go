package geohash

import "math"

// The functions of package math are off by less than one unit of the last place, those of
// the C library that Redis uses by hardly more than a half: they nearly always return what
// is nearest to the true value. From some thousand kilometres on, and most of all between
// places that are opposite each other on Earth, the difference shows in what is printed. So
// far distances take sines and cosines in twice the precision, at some 20 times the cost.

// A double is a number of some 106 bits: the sum of two, of which the second is less than
// a unit of the last place of the first.
type double struct{ hi, lo float64 }

// sum is the exact sum of numbers of which the first is not the smaller one.
func sum(a, b float64) double {
	s := a + b
	return double{s, b - (s - a)}
}

func (x double) plus(y double) double {
	s := x.hi + y.hi
	part := s - x.hi
	rest := (x.hi - (s - part)) + (y.hi - part)
	return sum(s, rest+x.lo+y.lo)
}

func (x double) times(y double) double {
	p := x.hi * y.hi
	rest := math.FMA(x.hi, y.hi, -p)
	return sum(p, rest+float64(x.hi*y.lo)+float64(x.lo*y.hi))
}

func (x double) over(n float64) double {
	q := x.hi / n
	rest := math.FMA(-q, n, x.hi) + x.lo
	return sum(q, rest/n)
}

// series sums term - term*x²/(n+1)(n+2) + ...: the sine of x from the term x with n = 1,
// the cosine from 1 with n = 0. x is at most 180 degrees, so the terms do not grow to more
// than some five digits would say, and vanish after twenty of them.
func series(term double, x, n float64) double {
	square := double{x, 0}.times(double{-x, 0})
	total := term
	for math.Abs(term.hi) > 1e-34 {
		term = term.times(square).over((n + 1) * (n + 2))
		total = total.plus(term)
		n += 2
	}
	return total
}

func sine(x float64) double { return series(double{x, 0}, x, 1) }

func cosine(x float64) double { return series(double{1, 0}, x, 0) }

// arcSine improves an estimate by one step of Newton's.
func arcSine(y float64) float64 {
	if y >= 1 {
		return math.Pi / 2
	}
	x := math.Asin(y)
	off := double{y, 0}.plus(double{-1, 0}.times(sine(x)))
	return x + off.hi/cosine(x).hi
}

// farDistance is Distance for places that are far from each other. It rounds as that does.
func farDistance(phi1, phi2, lambda1, lambda2 float64) float64 {
	u, v := sine((phi2-phi1)/2).hi, sine((lambda2-lambda1)/2).hi
	a := float64(u*u) + float64(cosine(phi1).hi*cosine(phi2).hi*v*v)
	return 2 * earthRadius * arcSine(math.Sqrt(a))
}
