package infocmd

import (
	"bytes"
	"math"
	"strconv"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/numtext"
)

var percentiles = config.Custom(config.Option{
	Name:    "latency-tracking-info-percentiles",
	Default: []float64{50, 99, 99.9},
	Live:    true,

	AlwaysRewrite: true,
	Doc: `Which percentiles of the latency of each command INFO latencystats shows: numbers from 0 to 100. An empty
text shows none.`,
}, config.Codec[[]float64]{Parse: parsePercentiles, Append: appendPercentiles, Lines: percentileLines})

// percentilesMax bounds how many there may be.
const percentilesMax = 1000

func parsePercentiles(args []string, _ []float64, _ bool) ([]float64, error) {
	if len(args) == 0 || len(args) == 1 && args[0] == "" {
		return nil, nil
	}
	if len(args) > percentilesMax {
		return nil, config.Reason("Invalid latency-tracking-info-percentiles parameters")
	}
	out := make([]float64, len(args))
	for i, a := range args {
		p, ok := numtext.ParseFloat([]byte(a))
		if !ok {
			return nil, config.Reason("Invalid latency-tracking-info-percentiles parameters")
		}
		if p < 0 || p > 100 {
			return nil, config.Reason(
				"latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
		}
		out[i] = math.Abs(p) // there is a -0
	}
	return out, nil
}

func appendPercentiles(dst []byte, ps []float64) []byte {
	for i, p := range ps {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendPercentile(dst, p)
	}
	return dst
}

// appendPercentile appends six decimals, without the zeros at their end.
func appendPercentile(dst []byte, p float64) []byte {
	text := strconv.AppendFloat(nil, p, 'f', 6, 64)
	text = bytes.TrimRight(bytes.TrimRight(text, "0"), ".")
	if len(text) == 0 {
		text = []byte("0")
	}
	return append(dst, text...)
}

func percentileLines(ps []float64) []string {
	if len(ps) == 0 {
		return []string{`""`}
	}
	return []string{string(appendPercentiles(nil, ps))}
}

// Options are this package's options.
var Options = config.NewGroup("what INFO shows", percentiles)
