package stream

// UnknownReads says that it is not known how many entries a group has read.
const UnknownReads = -1

// HasTombstones says whether an entry between two IDs may have been deleted: whether
// the greatest that ever was lies there. Then counting on from one says nothing.
func (s *Stream) HasTombstones(from, to ID) bool {
	if s.Length == 0 || s.MaxDeleted.IsZero() {
		return false
	}
	return !s.MaxDeleted.Less(from) && !to.Less(s.MaxDeleted)
}

// Ordinal is how many entries had been added when id had, as far as the stream's
// figures tell, else UnknownReads.
func (s *Stream) Ordinal(id ID) int64 {
	if s.Added == 0 {
		return 0
	}
	switch order := id.Compare(s.Last); {
	case order > 0:
		return UnknownReads // of what is still to come nothing is known
	case order == 0 || s.Length == 0:
		return int64(s.Added)
	}
	if s.MaxDeleted.IsZero() || s.MaxDeleted.Less(s.First) {
		// What is there has no holes, so that the first entry's ordinal is known.
		switch order := id.Compare(s.First); {
		case order < 0:
			return int64(s.Added - s.Length)
		case order == 0:
			return int64(s.Added-s.Length) + 1
		}
	}
	return UnknownReads
}

// Lag is how many entries a group that has read up to last, and so many in all, has
// still to read. It is not known if entries were deleted among those to come.
//
// Redis before 7.4 counts trimmed entries that the group had not read; here, as in later
// ones, a group that is to read all that is left has just that to read.
func (s *Stream) Lag(last ID, reads int64) (lag int64, known bool) {
	switch {
	case s.Added == 0:
		return 0, true
	case last.Less(s.First) && s.MaxDeleted.Less(s.First):
		return int64(s.Length), true
	case reads == UnknownReads || s.HasTombstones(last, MaxID):
		reads = s.Ordinal(last)
	}
	return int64(s.Added) - reads, reads != UnknownReads
}

// ReadsAfter is how many entries a group has read when it has got the entry of an ID
// greater than last, where it had read so many.
func (s *Stream) ReadsAfter(last ID, reads int64, id ID) int64 {
	switch {
	case reads != UnknownReads && !last.Less(s.First) && !s.HasTombstones(last, MaxID):
		return reads + 1
	case s.Added != 0:
		return s.Ordinal(id)
	}
	return reads
}
