package dump

import (
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/ds/stream"
	"github.com/spineldb/spinel/internal/mem"
	"github.com/spineldb/spinel/internal/rdb"
	"github.com/spineldb/spinel/internal/value"
)

func fileID(id stream.ID) rdb.StreamID { return rdb.StreamID{MS: id.Ms, Seq: id.Seq} }

func streamID(id rdb.StreamID) stream.ID { return stream.ID{Ms: id.MS, Seq: id.Seq} }

// AppendRest appends what comes behind the elements: of a stream its figures and groups.
func (w *Writer) AppendRest(dst []byte, c *value.Cell) []byte {
	if c.Type() != record.Stream {
		return dst
	}
	s := value.StreamIn(c)
	dst = appendFigures(dst, &s.S)
	for groups := s.S.EachGroup(c.Arena); groups.Next(); {
		g := groups.Group()
		dst = w.appendGroup(dst, c.Arena, groups.Name(), &g)
	}
	return dst
}

func appendFigures(dst []byte, s *stream.Stream) []byte {
	return rdb.AppendStream(dst, &rdb.StreamMeta{
		Length: s.Length, Last: fileID(s.Last), First: fileID(s.First),
		MaxDeleted: fileID(s.MaxDeleted), Added: s.Added, Groups: uint64(s.Groups()),
	})
}

func (w *Writer) appendGroup(dst []byte, a *mem.Arena, name []byte, g *stream.Group) []byte {
	dst = rdb.AppendGroup(dst, &rdb.StreamGroup{
		Name: name, Last: fileID(g.Last), EntriesRead: g.Reads, Pending: uint64(g.PendingCount()),
	}, &w.Strings)
	for it := g.Pending(a, stream.ID{}); it.Next(); {
		dst = appendPending(dst, it.Pending)
	}
	dst = rdb.AppendLen(dst, uint64(g.Consumers()))
	for consumers := g.EachConsumer(a); consumers.Next(); {
		c := consumers.Consumer()
		dst = w.appendConsumer(dst, &c)
		for it := g.OwnedIDs(a, c.Number); it.Next(); {
			dst = rdb.AppendOwned(dst, fileID(it.ID))
		}
	}
	return dst
}

func appendPending(dst []byte, p stream.Pending) []byte {
	return rdb.AppendPending(dst, &rdb.StreamPending{
		ID: fileID(p.ID), DeliveredMS: p.Delivered, Deliveries: p.Deliveries,
	})
}

func (w *Writer) appendConsumer(dst []byte, c *stream.Consumer) []byte {
	return rdb.AppendConsumer(dst, w.Version.StreamType(), &rdb.StreamConsumer{
		Name: c.Name, SeenMS: c.Seen, ActiveMS: c.Active, Pending: uint64(c.Pending),
	}, &w.Strings)
}

// appendStreamPart appends a part of a stream: a node, or what comes behind the nodes, in the
// order in which a snapshot finds it.
func (w *Writer) appendStreamPart(dst []byte, e *value.Element) []byte {
	id := rdb.StreamID{MS: e.MS, Seq: e.Seq}
	switch e.Part {
	case stream.PartNode:
		return rdb.AppendStreamNode(dst, id, e.Node, &w.Strings)
	case stream.PartFigures:
		s := stream.Load(e.Node)
		return appendFigures(dst, &s)
	case stream.PartGroup:
		g := stream.GroupOf(e.Node)
		return rdb.AppendGroup(dst, &rdb.StreamGroup{
			Name: e.Name.Bytes, Last: id, EntriesRead: g.Reads, Pending: g.Pending,
		}, &w.Strings)
	case stream.PartPending:
		return appendPending(dst, stream.PendingOf(streamID(id), e.Node))
	case stream.PartConsumers:
		return rdb.AppendLen(dst, stream.GroupOf(e.Node).Consumers)
	case stream.PartConsumer:
		c := stream.ConsumerOf(e.Name.Bytes, e.Node)
		return w.appendConsumer(dst, &c)
	default:
		return rdb.AppendOwned(dst, id)
	}
}

// A streamBuilder remembers which group and consumer the next pieces belong to.
type streamBuilder struct {
	old      bool // from before 7.0, when nobody counted what groups had read
	group    stream.Group
	consumer stream.Consumer
}

// add takes a piece of a stream.
func (b *streamBuilder) add(c *value.Cell, p *rdb.Piece) (err error) {
	if p.Kind == rdb.PieceStreamNode {
		_, err = value.Add(c, &value.Element{MS: p.ID.MS, Seq: p.ID.Seq, Node: p.Packed})
		return err
	}
	s, h := value.StreamIn(c), c.Heap()
	defer s.Store()
	switch p.Kind {
	case rdb.PieceStream:
		m := stream.Meta{
			Length: p.Stream.Length, Last: streamID(p.Stream.Last),
			MaxDeleted: streamID(p.Stream.MaxDeleted), Added: p.Stream.Added,
		}
		if b.old = p.Stream.Old; b.old {
			m.MaxDeleted, m.Added = stream.ID{}, s.S.Added
		}
		err = s.S.SetMeta(m)
	case rdb.PieceGroup:
		var isNew bool
		reads := p.Group.EntriesRead
		if b.old {
			reads = s.S.Ordinal(streamID(p.Group.Last))
		}
		b.group, isNew, err = s.S.CreateGroup(h, p.Group.Name, streamID(p.Group.Last), reads)
		if err == nil && !isNew {
			err = rdb.ErrDuplicate
		}
	case rdb.PiecePending:
		err = b.group.AddPending(h, streamID(p.Pending.ID), p.Pending.DeliveredMS, p.Pending.Deliveries)
	case rdb.PieceConsumer:
		var isNew bool
		b.consumer, isNew, err = b.group.CreateConsumer(h, p.Consumer.Name, p.Consumer.SeenMS, p.Consumer.ActiveMS)
		if err == nil && !isNew {
			err = rdb.ErrDuplicate
		}
	case rdb.PieceOwned:
		err = b.group.Assign(h, streamID(p.ID), b.consumer.Number)
	case rdb.PieceNack:
		err = b.group.Assign(h, streamID(p.ID), stream.Nobody)
	}
	return err
}
