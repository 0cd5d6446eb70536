package observe

import (
	"math"
	"strconv"
	"strings"
)

// The form of LATENCY GRAPH: columns are samples, four rows of three heights
// each are their values, and below stands, downwards, how long ago each was.
const (
	graphColumns = 80
	graphRows    = 4
	graphHeights = "_o#" // within a row
	graphFill    = '|'   // in the rows below
	graphSteps   = graphRows * len(graphHeights)
)

// Graph draws an event's samples as LATENCY GRAPH does, and says whether there
// are any.
func (m *LatencyMonitor) Graph(event string) (string, bool) {
	now := m.clock.Wall() / 1_000_000
	m.mu.Lock()
	e := m.events[event]
	if e == nil {
		m.mu.Unlock()
		return "", false
	}
	samples, worst := e.inOrder(), e.max
	m.mu.Unlock()

	low, high := int64(math.MaxInt64), int64(0)
	for _, s := range samples {
		low, high = min(low, s.Millis), max(high, s.Millis)
	}
	var b strings.Builder
	b.WriteString(event + " - high " + millisText(high) + ", low " + millisText(low) +
		" (all time high " + millisText(worst) + ")\n")
	b.WriteString(strings.Repeat("-", graphColumns) + "\n")
	for first := 0; first < len(samples); first += graphColumns {
		if first > 0 {
			b.WriteByte('\n')
		}
		block := samples[first:min(first+graphColumns, len(samples))]
		drawBars(&b, block, low, high)
		drawAges(&b, block, now)
	}
	return b.String(), true
}

func millisText(millis int64) string { return strconv.FormatInt(millis, 10) + " ms" }

// drawBars draws the values between low and high as columns, and an empty row.
func drawBars(b *strings.Builder, block []LatencySample, low, high int64) {
	span := max(high-low, 1)
	for row := graphRows - 1; row >= 0; row-- {
		base := row * len(graphHeights)
		for _, s := range block {
			step := min(int((s.Millis-low)*int64(graphSteps)/span), graphSteps-1)
			switch {
			case step < base:
				b.WriteByte(' ')
			case step < base+len(graphHeights):
				b.WriteByte(graphHeights[step-base])
			default:
				b.WriteByte(graphFill)
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString(strings.Repeat(" ", len(block)) + "\n")
}

// drawAges writes "12s", "3m" and the like downwards, one under each column.
func drawAges(b *strings.Builder, block []LatencySample, now int64) {
	ages, rows := make([]string, len(block)), 0
	for i, s := range block {
		ages[i] = ageText(now - s.Unix)
		rows = max(rows, len(ages[i]))
	}
	for row := range rows {
		for _, age := range ages {
			if row < len(age) {
				b.WriteByte(age[row])
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
}

// ageText is a number of seconds in its largest whole unit. A clock that was
// set back makes samples from the future: they are as old as now.
func ageText(seconds int64) string {
	const minute, hour, day = 60, 60 * 60, 24 * 60 * 60
	switch seconds = max(seconds, 0); {
	case seconds < minute:
		return strconv.FormatInt(seconds, 10) + "s"
	case seconds < hour:
		return strconv.FormatInt(seconds/minute, 10) + "m"
	case seconds < day:
		return strconv.FormatInt(seconds/hour, 10) + "h"
	default:
		return strconv.FormatInt(seconds/day, 10) + "d"
	}
}
