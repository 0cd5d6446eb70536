package catalogcmd_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/command"
)

// hard are the commands whose arguments make the most of the notation.
var hard = map[string]string{
	"SET": `key value [condition=(NX|XX){since 2.6.12}] [GET{since 6.2.0}]
		[expiration=(EX=seconds:integer{since 2.6.12} | PX=milliseconds:integer{since 2.6.12} |
			EXAT=unix-time-seconds:unix-time{since 6.2.0} |
			PXAT=unix-time-milliseconds:unix-time{since 6.2.0} | KEEPTTL{since 6.0.0})]`,
	"GETEX": `key [expiration=(EX=seconds:integer | PX=milliseconds:integer |
		EXAT=unix-time-seconds:unix-time | PXAT=unix-time-milliseconds:unix-time | PERSIST)]`,
	"COPY": "source:key destination:key@1 [DB=destination-db:integer] [REPLACE]",
	"RESTORE": `key ttl:integer serialized-value [REPLACE{since 3.0.0}] [ABSTTL{since 5.0.0}]
		[IDLETIME=seconds:integer{since 5.0.0}] [FREQ=frequency:integer{since 5.0.0}]`,
	"SCAN": "cursor:integer [MATCH=pattern:pattern] [COUNT=count:integer] [TYPE=type{since 6.0.0}]",
	"LCS":  "key1:key key2:key [LEN] [IDX] [MINMATCHLEN=len:integer] [WITHMATCHLEN]",
	"CLIENT KILL": `filter=(ip:port:string{deprecated_since 2.8.12} | new-format=(
		[ID=client-id:integer{since 2.8.12}] |
		[TYPE=normal_master_slave_pubsub=(
			NORMAL|MASTER{since 3.2.0}|SLAVE|REPLICA{since 5.0.0}|PUBSUB){since 2.8.12}] |
		[USER=username] | [ADDR=ip:port:string] | [LADDR=ip:port:string{since 6.2.0}] | [SKIPME=yes/no])...)`,
	"XADD": `key [NOMKSTREAM{since 6.2.0}]
		[trim={strategy=(MAXLEN|MINID{since 6.2.0}) [operator=(equal="="|approximately="~")] threshold
			[LIMIT=count:integer{since 6.2.0}]}]
		id_or_auto=(auto_id="*"|id) {field value}...`,
	"SORT": `key [BY=pattern:pattern@1] [LIMIT={offset:integer count:integer}]
		[GET=pattern:pattern@1{multiple_token}] [order=(ASC|DESC)] [sorting=ALPHA] [STORE=destination:key@2]`,
	"GEOSEARCH": `key from=(FROMMEMBER=member|FROMLONLAT={longitude:double latitude:double})
		by=(circle={BYRADIUS=radius:double unit=(M|KM|FT|MI)} |
			box={BYBOX=width:double height:double unit=(M|KM|FT|MI)})
		[order=(ASC|DESC)] [count={COUNT=count:integer [ANY]}] [WITHCOORD] [WITHDIST] [WITHHASH]`,
	"ZADD": `key [condition=(NX|XX){since 3.0.2}] [comparison=(GT|LT){since 6.2.0}] [change=CH{since 3.0.2}]
		[increment=INCR{since 3.0.2}] {score:double member}...`,
	"MIGRATE": `host port:integer
		key_or_empty_string=(key|empty_string="") destination-db:integer timeout:integer
		[COPY{since 3.0.0}] [REPLACE{since 3.0.0}]
		[authentication=([AUTH=password{since 4.0.7}] | [AUTH2={username password}{since 6.0.0}])]
		[KEYS=key@1...{since 3.0.6}]`,
	"BITFIELD": `key [operation=(GET={encoding offset:integer} | write={[OVERFLOW=(WRAP|SAT|FAIL)]
		write_operation=(SET={encoding offset:integer value:integer} |
			INCRBY={encoding offset:integer increment:integer})})...]`,
}

// TestSyntaxAgainstRedis proves that the notation of Specs can say what Redis says.
func TestSyntaxAgainstRedis(t *testing.T) {
	f := command.Family{}
	boxes := map[string][]*command.Spec{}
	for name, syntax := range hard {
		box, sub, isSub := strings.Cut(name, " ")
		if isSub {
			boxes[box] = append(boxes[box], &command.Spec{Name: sub, Syntax: syntax})
		} else {
			f.Add(command.Spec{Name: name, Syntax: syntax})
		}
	}
	for box, subs := range boxes {
		f.Add(command.Spec{Name: box, Subs: subs})
	}
	p := newPair(t, newServer(t, f.Specs))
	for name := range hard {
		name = strings.ToLower(strings.Replace(name, " ", "|", 1))
		ours, redis := p.ask("COMMAND", "DOCS", name)
		got, want := facts{}, facts{}
		docsFacts(got, name, ours.Elems[1])
		docsFacts(want, name, redis.Elems[1])
		for _, said := range []facts{got, want} {
			maps.DeleteFunc(said, func(fact, _ string) bool {
				return !strings.Contains(fact, " > ") && !strings.HasSuffix(fact, " arguments")
			})
		}
		if len(want) < 5 {
			t.Errorf("%s: Redis says only %v", name, want)
		}
		report(t, "RESP2", got, want)
	}
}
