package rdb

// An atom is what the elements of a value are made of.
type atom uint8

const (
	atomString    atom = iota
	atomLen            // a length
	atomTime           // 8 bytes, little endian: milliseconds since 1970
	atomID             // 16 bytes, big endian: the two numbers of a stream ID
	atomScore          // 8 bytes, little endian: a double
	atomScoreText      // a byte that is a length, and a double in that many characters
	atomModule         // an opcode, and what it says follows; 0 is the last one
)

// atomBytes is the smallest size of each.
var atomBytes = [...]uint64{1, 1, 8, 16, 8, 1, 1}

// A field is an atom, and what it is called in errors.
type field struct {
	what string
	atom atom
}

// A section is a part of a value that is a row of elements of one shape.
type section uint8

const (
	secEnd         section = iota
	secMinExpire           // the first expiry among a hash's fields
	secCount               // how many elements come
	secElement             // elements, or the whole of a packed value, or a stream's nodes
	secMeta                // of a stream; ends with how many groups come
	secGroup               // ends with how many pending entries come
	secPending             // entries that the group has delivered
	secConsumers           // how many come
	secConsumer            // ends with how many of the pending entries it owns
	secOwned               // their IDs
	secNacks               // how many pending entries nobody owns
	secNack                // their IDs
	secProducers           // what XADD remembers of producers; ends with how many come
	secProducer            // ends with how many of its entries come
	secProduced            // one of them
	secStreamEnd           // statistics of the same
	secModule              // a module's number
	secModuleValue         // its values, of which the last one says that it is
	sections
)

// announces says of the sections whose last length is a number of elements what it
// counts.
var announces = [sections]section{
	secCount: secElement, secMeta: secGroup, secGroup: secPending, secConsumers: secConsumer,
	secConsumer: secOwned, secNacks: secNack, secProducers: secProducer, secProducer: secProduced,
}

// A content says what the elements of a value mean.
type content uint8

const (
	contentText           content = iota // list elements, set members
	contentScored                        // sorted set members
	contentPair                          // hash fields
	contentPairLeft                      // the same, with how long after the first one they expire
	contentPairAt                        // with when they expire, a length; 0 is never
	contentPairTime                      // with when they expire; -1 is never
	contentZiplist                       // a packed list, or a part of one
	contentQuicklist                     // an element alone, or a listpack of them
	contentZiplistPairs                  // packed hash
	contentZiplistScored                 // packed sorted set
	contentZipmap                        // packed hash
	contentIntset                        // packed set
	contentListpack                      // packed set, hash, sorted set
	contentListpackExpire                // packed hash with when fields expire
	contentStream                        // nodes
	contentModule
)

// A layout is how the values of a type are laid out: the one place that says it, for
// the Reader, which looks for their end, and for Pieces, which decode them.
//
//	list, set, ...   Count Element...
//	packed           Element
//	hash 24, 25      MinExpire, and one of the two
//	stream           Count Element... Meta Group...
//	  Group          Group Pending... Consumers Consumer...  [from 27: Nacks Nack...]
//	  Consumer       Consumer Owned...
//	  from 26        Producers Producer... StreamEnd
//	  Producer       Producer Produced...
type layout struct {
	object  ObjectType
	content content
	first   section
	level   int // of a stream: 1 for type 15, 2 for 19, 3 for 21, 4 for 26, 5 for 27
	shapes  [sections][]field
	bytes   [sections]uint64 // smallest size of an element
}

var (
	anElement    = field{"element", atomString}
	aField       = field{"field", atomString}
	aValue       = field{"value", atomString}
	anExpiryLeft = field{"expiry of field", atomLen}
	anExpiryTime = field{"expiry of field", atomTime}
	aScore       = field{"score", atomScore}
	aScoreText   = field{"score", atomScoreText}
	aListpack    = field{"listpack", atomString}
	aZiplist     = field{"ziplist", atomString}
	aZipmap      = field{"zipmap", atomString}
	anIntset     = field{"intset", atomString}
	aContainer   = field{"container", atomLen}
	aNode        = field{"node", atomString}
)

func makeLayout(o ObjectType, c content, first section, element ...field) *layout {
	l := &layout{object: o, content: c, first: first}
	l.shapes[secMinExpire] = []field{{"first expiry", atomTime}}
	l.shapes[secCount] = []field{{"number of elements", atomLen}}
	l.shapes[secElement] = element
	l.shapes[secModule] = []field{{"module", atomLen}}
	l.shapes[secModuleValue] = []field{{"module value", atomModule}}
	return l.measure()
}

func (l *layout) measure() *layout {
	for s, shape := range l.shapes {
		l.bytes[s] = 0
		for _, f := range shape {
			l.bytes[s] += atomBytes[f.atom]
		}
	}
	return l
}

func makeStreamLayout(level int) *layout {
	l := makeLayout(ObjectStream, contentStream, secCount, field{"node ID", atomString}, aNode)
	l.level = level
	lens := func(what ...string) (shape []field) {
		for _, w := range what {
			shape = append(shape, field{w, atomLen})
		}
		return shape
	}
	meta := lens("stream length", "last ID", "last ID")
	group := append([]field{{"group name", atomString}}, lens("last ID of group", "last ID of group")...)
	consumer := []field{{"consumer name", atomString}, {"seen time", atomTime}}
	if level >= 2 {
		meta = append(meta, lens("first ID", "first ID", "max deleted ID", "max deleted ID", "entries added")...)
		group = append(group, lens("entries read")...)
	}
	if level >= 3 {
		consumer = append(consumer, field{"active time", atomTime})
	}
	pending, owned := field{"pending entry", atomID}, field{"owned entry", atomID}
	producer, produced := field{"producer", atomString}, field{"producer's entry", atomString}
	l.shapes[secMeta] = append(meta, lens("number of groups")...)
	l.shapes[secGroup] = append(group, lens("number of pending entries")...)
	l.shapes[secPending] = append([]field{pending, {"delivery time", atomTime}}, lens("deliveries")...)
	l.shapes[secConsumers] = lens("number of consumers")
	l.shapes[secConsumer] = append(consumer, lens("number of owned entries")...)
	l.shapes[secOwned] = []field{owned}
	l.shapes[secNacks] = lens("number of entries without owner")
	l.shapes[secNack] = []field{{"entry without owner", atomID}}
	l.shapes[secProducers] = lens("duration", "max entries", "number of producers")
	l.shapes[secProducer] = append([]field{producer}, lens("number of its entries")...)
	l.shapes[secProduced] = append([]field{produced}, lens("entry ID", "entry ID")...)
	l.shapes[secStreamEnd] = lens("entries produced", "duplicates produced")
	return l.measure()
}

// layouts are those of the types that we read, but for strings, which aren't taken
// apart.
var layouts = [...]*layout{
	TypeList:             makeLayout(ObjectList, contentText, secCount, anElement),
	TypeSet:              makeLayout(ObjectSet, contentText, secCount, anElement),
	typeZSet1:            makeLayout(ObjectZSet, contentScored, secCount, anElement, aScoreText),
	TypeHash:             makeLayout(ObjectHash, contentPair, secCount, aField, aValue),
	TypeZSet2:            makeLayout(ObjectZSet, contentScored, secCount, anElement, aScore),
	typeModule2:          makeLayout(ObjectModule, contentModule, secModule),
	typeHashZipmap:       makeLayout(ObjectHash, contentZipmap, secElement, aZipmap),
	typeListZiplist:      makeLayout(ObjectList, contentZiplist, secElement, aZiplist),
	TypeSetIntset:        makeLayout(ObjectSet, contentIntset, secElement, anIntset),
	typeZSetZiplist:      makeLayout(ObjectZSet, contentZiplistScored, secElement, aZiplist),
	typeHashZiplist:      makeLayout(ObjectHash, contentZiplistPairs, secElement, aZiplist),
	typeQuicklist:        makeLayout(ObjectList, contentZiplist, secCount, aZiplist),
	typeStream1:          makeStreamLayout(1),
	TypeHashListpack:     makeLayout(ObjectHash, contentListpack, secElement, aListpack),
	TypeZSetListpack:     makeLayout(ObjectZSet, contentListpack, secElement, aListpack),
	TypeQuicklist2:       makeLayout(ObjectList, contentQuicklist, secCount, aContainer, aNode),
	TypeStream2:          makeStreamLayout(2),
	TypeSetListpack:      makeLayout(ObjectSet, contentListpack, secElement, aListpack),
	TypeStream3:          makeStreamLayout(3),
	typeHashMetaRC:       makeLayout(ObjectHash, contentPairAt, secCount, anExpiryLeft, aField, aValue),
	typeHashListpackExRC: makeLayout(ObjectHash, contentListpackExpire, secElement, aListpack),
	TypeHashMeta:         makeLayout(ObjectHash, contentPairLeft, secMinExpire, anExpiryLeft, aField, aValue),
	TypeHashListpackEx:   makeLayout(ObjectHash, contentListpackExpire, secMinExpire, aListpack),
	typeStream4:          makeStreamLayout(4),
	typeStream5:          makeStreamLayout(5),
}

// valkeyHash2 is the layout of Valkey's type 22.
var valkeyHash2 = makeLayout(ObjectHash, contentPairTime, secCount, aField, aValue, anExpiryTime)

// layout returns that of type t in version v, or nil if we don't read it.
func (v Version) layout(t Type) *layout {
	switch {
	case v.typeName(t) == "":
		return nil
	case v.IsValkey() && t >= valkeyTypesFrom:
		if t == valkeyTypesFrom {
			return valkeyHash2
		}
		return nil
	case int(t) < len(layouts):
		return layouts[t]
	}
	return nil
}

// A place is where in a value something stands.
type place struct {
	section section
	left    uint64 // elements of the section that are still to be read

	groups, consumers, producers uint64 // that are still to be read
}

// isHead says whether what stands there belongs to the first part of a value.
func (p *place) isHead() bool {
	return p.section == secMinExpire || p.section == secCount || p.section == secModule
}

func (l *layout) start() place { return place{section: l.first, left: 1} }

// pass moves p behind an element of its section, whose last length was n.
func (l *layout) pass(p *place, n uint64) {
	p.left--
	switch p.section {
	case secMinExpire:
		if p.section, p.left = secCount, 1; l.content == contentListpackExpire {
			p.section = secElement
		}
	case secModule:
		p.section, p.left = secModuleValue, 1<<64-1
	case secModuleValue:
		if n == 0 {
			p.section = secEnd
		}
	case secMeta:
		p.groups = n
	case secConsumers:
		p.consumers = n
	case secProducers:
		p.producers = n
	case secCount, secGroup, secConsumer, secNacks, secProducer:
		p.section, p.left = announces[p.section], n
	}
	for p.left == 0 && p.section != secEnd {
		l.leave(p)
	}
}

// leave moves p from the end of its section to the beginning of the next, which may be
// empty.
func (l *layout) leave(p *place) {
	p.left = 1
	switch p.section {
	case secElement:
		if p.section = secEnd; l.object == ObjectStream {
			p.section = secMeta
		}
	case secPending:
		p.section = secConsumers
	case secConsumers, secOwned:
		switch {
		case p.consumers > 0:
			p.consumers--
			p.section = secConsumer
		case l.level >= 5:
			p.section = secNacks
		default:
			l.leaveGroup(p)
		}
	case secMeta, secNack:
		l.leaveGroup(p)
	case secProducers, secProduced:
		if p.section = secStreamEnd; p.producers > 0 {
			p.producers--
			p.section = secProducer
		}
	default:
		p.section = secEnd
	}
}

func (l *layout) leaveGroup(p *place) {
	switch {
	case p.groups > 0:
		p.groups--
		p.section = secGroup
	case l.level >= 4:
		p.section = secProducers
	default:
		p.section = secEnd
	}
}
