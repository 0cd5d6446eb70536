package observe

// Percent is how many hundredths n is of whole, 0 of nothing.
func Percent(n, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(n) * 100 / float64(whole)
}

// Ratio is n for each of whole, 1 if one of them is not known.
func Ratio(n, whole int64) float64 {
	if n <= 0 || whole <= 0 {
		return 1
	}
	return float64(n) / float64(whole)
}
