package servercmd

import (
	"math/rand/v2"
	"strings"

	"github.com/spineldb/spinel/internal/command"
)

var _ = Family.Add(command.Spec{
	Name:    "LOLWUT",
	Summary: "Display some computer art and the Redis version",
	Since:   "5.0.0",
	Syntax:  "[VERSION=version:integer]",
	Arity:   -1,
	Flags:   command.ReadOnly | command.Fast,
}, Deps.lolwut)

// How many gems there are, unless the arguments say otherwise, and at most.
const (
	gemColumns, gemRows       = 5, 2
	gemColumnsMax, gemRowsMax = 12, 12
)

// lolwut shows a tray of spinels. LOLWUT [VERSION n] [columns] [rows]: in Redis every
// version has a piece of its own; here there is one, whatever version is asked for.
func (d Deps) lolwut(c *command.Ctx) error {
	from := 1
	if len(c.Args) >= 3 && c.Args.Is(1, "VERSION") {
		if _, err := c.Args.Int(2); err != nil {
			return err
		}
		from = 3
	}
	size := [2]int64{gemColumns, gemRows}
	bounds := [2]int64{gemColumnsMax, gemRowsMax}
	for i := 0; i < len(size) && from+i < len(c.Args); i++ {
		n, err := c.Args.Int(from + i)
		if err != nil {
			return err
		}
		size[i] = min(max(n, 1), bounds[i])
	}
	rng := rand.New(rand.NewPCG(uint64(d.Clock.Wall()), 0))
	text := tray(rng, int(size[0]), int(size[1])) +
		"\nSpinel ver. " + d.Version + " (Redis ver. " + d.RedisVersion + ")\n"
	c.Out.Verbatim("txt", text)
	return nil
}

// The size of a gem in characters, which are about twice as high as wide.
const (
	gemHalfHeight = 4
	gemHalfWidth  = 2 * gemHalfHeight
)

// facetInks are from dark to bright.
const facetInks = ".:-=+*%#"

// A gem is an octahedron, which is how spinel grows, seen from the side: four facets
// meet at an edge that leans with the turn of the stone.
type gem struct {
	turn   float64 // of the stone around its axis, from -1 to 1
	facets [4]byte // upper left, upper right, lower left, lower right
}

// cut makes a gem and lights it from the upper left, more or less.
func cut(rng *rand.Rand) gem {
	g := gem{turn: 1.6*rng.Float64() - 0.8}
	light := 0.25 + 0.5*rng.Float64()
	for i := range g.facets {
		shade := light + 0.3*rng.Float64()
		if i%2 == 1 {
			shade -= 0.35 // right
		}
		if i >= 2 {
			shade -= 0.2 // below
		}
		at := min(max(int(shade*float64(len(facetInks))), 0), len(facetInks)-1)
		g.facets[i] = facetInks[at]
	}
	return g
}

// ink is the character of a gem at a place relative to its middle.
func (g *gem) ink(x, y int) byte {
	depth := gemHalfHeight - max(y, -y-1) // rows from here to the nearer tip
	half := 2*depth - 1
	facet := 0
	if y >= 0 {
		facet = 2
	}
	switch {
	case x < -half || x > half:
		return ' '
	case x == -half && y < 0 || x == half && y >= 0:
		return '/'
	case x == half && y < 0 || x == -half && y >= 0:
		return '\\'
	case float64(x) > g.turn*float64(half):
		facet++
	}
	return g.facets[facet]
}

// tray draws rows of gems.
func tray(rng *rand.Rand, columns, rows int) string {
	var b strings.Builder
	for range rows {
		gems := make([]gem, columns)
		for i := range gems {
			gems[i] = cut(rng)
		}
		for y := -gemHalfHeight; y < gemHalfHeight; y++ {
			line := make([]byte, 0, columns*2*gemHalfWidth)
			for i := range gems {
				for x := -gemHalfWidth; x < gemHalfWidth; x++ {
					line = append(line, gems[i].ink(x, y))
				}
			}
			b.WriteString(strings.TrimRight(string(line), " ") + "\n")
		}
	}
	return b.String()
}
