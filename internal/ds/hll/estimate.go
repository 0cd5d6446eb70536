package hll

import "math"

// alphaInf is the constant of bias of infinitely many registers, 1/(2 ln 2).
const alphaInf = 0.721347520444481703680

// Estimate is how many different elements one has seen.
func Estimate(b []byte) (uint64, error) {
	if IsDense(b) {
		h := histogramOfDense(b[headerSize:])
		return h.estimate(), nil
	}
	h, err := histogramOfRuns(b[headerSize:])
	return h.estimate(), err
}

// Estimate is how many different elements all of them together have seen.
func (s *Set) Estimate() uint64 {
	h := s.histogram()
	return h.estimate()
}

// estimate is Ertl's improved raw estimator (his algorithm 6). The conversions keep
// processors that can from fusing a multiplication with an addition, which would round
// otherwise than Redis.
func (h *histogram) estimate() uint64 {
	const m = float64(Registers)
	z := m * tau((m-float64(h[MaxRank]))/m)
	for rank := MaxRank - 1; rank >= 1; rank-- {
		z = (z + float64(h[rank])) * 0.5
	}
	z += float64(m * sigma(float64(h[0])/m))
	return uint64(math.Round(alphaInf * m * m / z))
}

// tau corrects for registers that are full, sigma for those that are empty. Both sum a
// series until it stops changing.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		before := z
		x = math.Sqrt(x)
		y *= 0.5
		z -= float64(float64((1-x)*(1-x)) * y)
		if z == before {
			return z / 3
		}
	}
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		before := z
		x *= x
		z += float64(x * y)
		y += y
		if z == before {
			return z
		}
	}
}
