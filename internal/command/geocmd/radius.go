package geocmd

import "github.com/spineldb/spinel/internal/command"

const radiusComplexity = "O(N+log(M)) where N is the number of elements inside the bounding box of the " +
	"circular area delimited by center and radius and M is the number of items inside the index."

// What the arguments behind the center are. Only GEORADIUS tells when ANY came.
const (
	radiusSyntax = " radius:double unit=" + unitSyntax + " [WITHCOORD] [WITHDIST] [WITHHASH] "
	orderSyntax  = " [order=(ASC|DESC)]"
	storeSyntax  = " [STORE=key@1] [STOREDIST=key@2]"
	placeSyntax  = "key longitude:double latitude:double" + radiusSyntax +
		"[count={COUNT=count:integer [ANY{since 6.2.0}]}]" + orderSyntax
	memberSyntax = "key member" + radiusSyntax + "[count={COUNT=count:integer [ANY]}]" + orderSyntax
)

// Where the options begin.
const (
	placeOptions  = 6
	memberOptions = 5
)

var _ = Family.Add(command.Spec{
	Name: "GEORADIUS",
	Summary: "Query a sorted set representing a geospatial index to fetch members matching a given maximum " +
		"distance from a point",
	Since:      "3.2.0",
	Complexity: radiusComplexity,
	Deprecated: "6.2.0",
	ReplacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
	History: [][2]string{
		{"6.2.0", "Added the `ANY` option for `COUNT`."},
		{"7.0.0", "Added support for uppercase unit names."},
	},
	Syntax:   placeSyntax + storeSyntax,
	Arity:    -6,
	Flags:    command.Write | command.DenyOOM | command.MovableKeys,
	ACL:      command.CatGeo,
	Keys:     radiusKeys(placeOptions),
	FindKeys: func(args command.Args) ([]command.KeyRef, error) { return storeKeys(args, placeOptions), nil },
	Run:      func(c *command.Ctx) error { return aroundPlace(c, true) },
})

var _ = Family.Add(command.Spec{
	Name:       "GEORADIUS_RO",
	Summary:    "A read-only variant for GEORADIUS",
	Since:      "3.2.10",
	Complexity: radiusComplexity,
	Deprecated: "6.2.0",
	ReplacedBy: "`GEOSEARCH` with the `BYRADIUS` argument",
	History:    [][2]string{{"6.2.0", "Added the `ANY` option for `COUNT`."}},
	Syntax:     placeSyntax,
	Arity:      -6,
	Flags:      command.ReadOnly,
	ACL:        command.CatGeo,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return aroundPlace(c, false) },
})

func aroundPlace(c *command.Ctx, stores bool) error {
	q := query{args: c.Args, options: placeOptions, stores: stores, from: fromPlace}
	return q.run(c, c.Args[1])
}

var _ = Family.Add(command.Spec{
	Name: "GEORADIUSBYMEMBER",
	Summary: "Query a sorted set representing a geospatial index to fetch members matching a given maximum " +
		"distance from a member",
	Since:      "3.2.0",
	Complexity: radiusComplexity,
	Deprecated: "6.2.0",
	ReplacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
	History:    [][2]string{{"7.0.0", "Added support for uppercase unit names."}},
	Syntax:     memberSyntax + storeSyntax,
	Arity:      -5,
	Flags:      command.Write | command.DenyOOM | command.MovableKeys,
	ACL:        command.CatGeo,
	Keys:       radiusKeys(memberOptions),
	FindKeys:   func(args command.Args) ([]command.KeyRef, error) { return storeKeys(args, memberOptions), nil },
	Run:        func(c *command.Ctx) error { return aroundMember(c, true) },
})

var _ = Family.Add(command.Spec{
	Name:       "GEORADIUSBYMEMBER_RO",
	Summary:    "A read-only variant for GEORADIUSBYMEMBER",
	Since:      "3.2.10",
	Complexity: radiusComplexity,
	Deprecated: "6.2.0",
	ReplacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
	Syntax:     memberSyntax,
	Arity:      -5,
	Flags:      command.ReadOnly,
	ACL:        command.CatGeo,
	Keys:       command.OneKey(1, command.RO|command.Access),
	Run:        func(c *command.Ctx) error { return aroundMember(c, false) },
})

func aroundMember(c *command.Ctx, stores bool) error {
	q := query{args: c.Args, options: memberOptions, stores: stores, from: fromMember}
	return q.run(c, c.Args[1])
}

// radiusKeys is what COMMAND INFO shows of the keys.
func radiusKeys(options int) []command.KeySpec {
	return []command.KeySpec{
		{Flags: command.RO | command.Access, Index: 1, Step: 1},
		{Flags: command.OW | command.Update, Keyword: "STORE", StartFrom: options, Step: 1},
		{Flags: command.OW | command.Update, Keyword: "STOREDIST", StartFrom: options, Step: 1},
	}
}

// storeKeys finds the keys of a call. Behind a word that is given twice the second key is the
// one that is stored over, and is found here, though the specification above would find the
// first. As in Redis, STORE and STOREDIST together give two keys of which one is used.
func storeKeys(args command.Args, options int) []command.KeyRef {
	var store, distances int
	for i := options; i+1 < len(args); i++ {
		switch {
		case args.Is(i, "STORE"):
			i++
			store = i
		case args.Is(i, "STOREDIST"):
			i++
			distances = i
		}
	}
	refs := []command.KeyRef{{Index: 1, Flags: command.RO | command.Access}}
	for _, at := range [...]int{store, distances} {
		if at > 0 {
			refs = append(refs, command.KeyRef{Index: at, Flags: command.OW | command.Update})
		}
	}
	return refs
}
