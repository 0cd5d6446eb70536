package geocmd_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/cmdtest"
	"github.com/spineldb/spinel/internal/original"
	"github.com/spineldb/spinel/internal/testenv"
)

// TestAgainstRedis sends random commands to a redis-server 7.0 and to us, with limits that
// make small sets big ones. The replies must be the same bytes, the encodings the same
// names, and in the end Redis's append-only file must hold what we journalled.
func TestAgainstRedis(t *testing.T) {
	p := pair{cmdtest.NewPair(newDB(t), original.Redis(t, original.Options{AppendOnly: true}))}
	p.Original.Do("CONFIG", "SET", "zset-max-listpack-entries", "20")
	p.Keyspace.Limits().ZSetEntries.Store(20)
	p.RecordJournal()
	p.same("SET", "str", "x")
	p.same("ZADD", "odd", "-1", "a", "1e300", "b", "-1e300", "c", "1.5", "d", "9007199254740993", "e",
		"1e19", "f", "inf", "g", "-inf", "h", "4503599627370495", "i")
	rounds := testenv.Number(t, "SPINEL_COMMANDS", 6000)
	g := generator{rand.New(rand.NewPCG(uint64(rounds), 7))}
	for i := range rounds {
		if i%500 == 0 {
			p.Speak(g.of("2 3"))
		}
		p.same(g.command()...)
	}
	p.Speak("2")
	for _, key := range strings.Fields(keys + " " + stored) {
		p.same("ZRANGE", key, "0", "-1")
		p.same("OBJECT", "ENCODING", key)
	}
	p.SameJournal()
}

type pair struct{ *cmdtest.Pair }

// same sends a command to both. Where Redis sorts a part only, the order of what is equally
// far is chance: then the distances must be the same.
func (p pair) same(args ...string) {
	got, want := p.Ask(args...)
	if got == want {
		return
	}
	if strings.EqualFold(args[0], "ZRANGE") && sameScores(got, want) {
		return
	}
	if slices.Contains(args, "COUNT") && strings.HasPrefix(want, "*") {
		got, want := p.Ask(append(slices.Clone(args), "WITHDIST")...)
		if distances(got) == distances(want) {
			return
		}
	}
	p.Differ(got, want)
}

// distances are the lines of a reply that look like distances.
func distances(reply string) string {
	lines := strings.Split(reply, "\r\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool {
		dot := strings.IndexByte(line, '.')
		return dot < 0 || len(line)-dot != len(".0000")
	}), " ")
}

// sameScores compares members with scores that are distances. What Redis stores comes from
// the functions of its C library, of which those here may differ in the last digits.
func sameScores(got, want string) bool {
	a, b := strings.Split(got, "\r\n"), strings.Split(want, "\r\n")
	return slices.EqualFunc(a, b, func(x, y string) bool {
		if strings.HasPrefix(x, "$") && strings.HasPrefix(y, "$") {
			return true
		}
		u, errX := strconv.ParseFloat(strings.TrimPrefix(x, ","), 64)
		v, errY := strconv.ParseFloat(strings.TrimPrefix(y, ","), 64)
		return x == y || errX == nil && errY == nil && math.Abs(u-v) <= 1e-13*math.Abs(v)
	})
}

const (
	keys   = "a b c"
	stored = "s t u"
)

// A generator makes commands, mostly sound, about places that are close to each other or at
// the ends of the world.
type generator struct{ *rand.Rand }

func (g generator) of(line string) string {
	words := strings.Split(line, " ")
	return words[g.IntN(len(words))]
}

func (g generator) key() string { return g.of("a b c a b c a b c a b c odd missing s str") }

func (g generator) member() string {
	if g.IntN(8) == 0 {
		return g.of(" 1 -5 007 a_long_member_of_more_than_a_word 9223372036854775807 nowhere")
	}
	return "m" + strconv.Itoa(g.IntN(60))
}

// near is a number within a distance of another.
func (g generator) near(v float64) float64 {
	return v + (2*g.Float64()-1)*math.Pow(10, float64(g.IntN(7)-5))
}

// place is a longitude and a latitude, but not on the last meridian: numbers there have more
// bits than scores, and Redis's file has the bit that its score has not.
func (g generator) place() (lon, lat string) {
	const latMax = 85.05112878
	var x, y float64
	switch g.IntN(6) {
	case 0: // anywhere
		x, y = 360*g.Float64()-180, latMax*(2*g.Float64()-1)
	case 1: // about a pole
		x, y = 360*g.Float64()-180, math.Copysign(latMax-math.Abs(g.near(0)), g.Float64()-0.5)
	case 2: // about the antimeridian
		x, y = math.Copysign(180-math.Abs(g.near(0)), g.Float64()-0.5), latMax*(2*g.Float64()-1)
	case 3: // where cells meet
		x, y = g.near(float64(g.IntN(9)*45-180)), g.near(latMax/4*float64(g.IntN(9)-4))
	default: // in town
		x, y = g.near(13.4), g.near(52.5)
	}
	if g.IntN(300) == 0 {
		return g.of("181 x nan inf 1e400 -180.0000001 -180 0x10 1e308"),
			g.of("90 85.0511287800001 -85.05112878 x 1")
	}
	x, y = min(max(x, -180), 179.9999999), min(max(y, -latMax), latMax)
	return strconv.FormatFloat(x, 'g', -1, 64), strconv.FormatFloat(y, 'g', -1, 64)
}

func (g generator) length() string {
	if g.IntN(12) == 0 {
		return g.of("0 -1 x nan inf 1e308 1e-300 6378137 20037726.37 -0 ")
	}
	return strconv.FormatFloat(math.Pow(10, 8*g.Float64()-1), 'g', -1, 64)
}

func (g generator) unit() string { return g.of("m m m km ft mi M KM Ft m km ft mi m m k") }

func (g generator) command() []string {
	switch g.IntN(20) {
	case 0, 1, 2, 3, 4:
		return g.add()
	case 5, 6:
		args := []string{g.of("GEOPOS GEOHASH geopos"), g.key(), g.member(), g.member(), g.member()}
		return args[:2+g.IntN(4)]
	case 7, 8:
		args := []string{"GEODIST", g.key(), g.member(), g.member(), g.unit(), "m"}
		return args[:4+g.IntN(2)+g.IntN(20)/19]
	case 9:
		args := []string{"ZREM", g.of(keys)}
		for range 1 + g.IntN(12) {
			args = append(args, g.member())
		}
		return args
	case 10:
		if g.IntN(4) > 0 {
			return []string{"ZRANGE", g.of(stored), "0", "-1", "WITHSCORES"}
		}
		return []string{g.of("DEL TYPE ZCARD"), g.of(keys + " " + stored)}
	case 11, 12, 13:
		return g.radius()
	}
	return g.search()
}

func (g generator) add() []string {
	args := []string{"GEOADD", g.of("a b c a b c a b c missing s str")}
	if args[1] == "missing" {
		args = append(args, "XX")
	}
	for g.IntN(4) == 0 {
		args = append(args, g.of("NX XX CH nx ch"))
	}
	for range 1 + g.IntN(5) {
		lon, lat := g.place()
		args = append(args, lon, lat, g.member())
	}
	if g.IntN(50) == 0 {
		args = args[:len(args)-1-g.IntN(4)]
	}
	return args
}

// options are what may stand behind an area. What is stored is not cut to a number, as
// which of several at the same distance it is would be chance.
func (g generator) options(args []string, stores bool) []string {
	for g.IntN(3) > 0 {
		switch g.IntN(4) {
		case 0:
			args = append(args, g.of("ASC DESC asc"))
		case 1:
			if !stores || g.IntN(20) == 0 {
				args = append(args, g.of("WITHDIST WITHCOORD WITHHASH withdist"))
			}
		case 2:
			args = append(args, "COUNT", g.of("1 2 5 10 100 1 2 5 10 100 1 2 5 0 -1 x"))
			if stores || g.IntN(2) == 0 {
				args = append(args, "ANY")
			}
		case 3:
			if g.IntN(20) == 0 {
				args = append(args, g.of("ANY COUNT STORE STOREDIST x FROMMEMBER BYBOX"))
			}
		}
	}
	return args
}

func (g generator) radius() []string {
	lon, lat := g.place()
	args := []string{g.of("GEORADIUS GEORADIUS_RO"), g.key(), lon, lat, g.length(), g.unit()}
	if g.IntN(2) == 0 {
		args = []string{g.of("georadiusbymember georadiusbymember_ro"), g.key(), g.member(), g.length(), g.unit()}
	}
	stores := g.IntN(3) == 0
	args = g.options(args, stores)
	if stores {
		args = append(args, g.of("STORE STOREDIST store"), g.of(stored))
	}
	return args
}

func (g generator) search() []string {
	args := []string{"GEOSEARCH", g.key()}
	stores := g.IntN(3) == 0
	if stores {
		args = []string{"GEOSEARCHSTORE", g.of(stored), g.key()}
	}
	from := []string{"FROMMEMBER", g.member()}
	if g.IntN(2) == 0 {
		lon, lat := g.place()
		from = []string{"FROMLONLAT", lon, lat}
	}
	by := []string{"BYRADIUS", g.length(), g.unit()}
	if g.IntN(2) == 0 {
		by = []string{"BYBOX", g.length(), g.length(), g.unit()}
	}
	if g.IntN(40) == 0 {
		from, by = by, [][]string{from, by, {"ASC"}}[g.IntN(3)]
	}
	args = g.options(append(append(args, from...), by...), stores)
	if stores && g.IntN(2) == 0 {
		args = append(args, "STOREDIST")
	}
	return args
}
