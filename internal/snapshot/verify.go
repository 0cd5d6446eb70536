package snapshot

import (
	"errors"
	"io"

	"github.com/spineldb/spinel/internal/rdb"
)

// Verify reads a snapshot to its end without keeping anything of it: that it is whole, and
// that its checksum is right. A replica does so before it gives up its own data for those of
// a file. path names it in errors.
func (s *Saver) Verify(src io.Reader, size int64, path string) error {
	r := rdb.NewReader(src, rdb.Options{
		Size: size, Accept: rdb.Collections, SkipChecksum: !optChecksum.Get(s.Options),
	})
	var raw []byte
	for {
		var rec rdb.Raw
		var err error
		raw, err = r.NextRaw(raw[:0], &rec)
		if cap(raw) > batchBytesKept {
			raw = nil
		}
		if corrupt, ok := errors.AsType[*rdb.CorruptError](err); ok {
			corrupt.Path = path
			s.Log.Warn(corrupt.LogText())
		}
		if unsupported, ok := errors.AsType[*rdb.UnsupportedTypeError](err); ok {
			unsupported.Path = path
		}
		if err != nil {
			return err
		}
		if rec.Kind == rdb.KindSelectDB && rec.DB >= s.Keyspace.Databases() {
			err := &DatabaseError{Path: path, Offset: rec.Offset, DB: rec.DB, Databases: s.Keyspace.Databases()}
			s.Log.Warn(err.text())
			return err
		}
		if rec.Kind == rdb.KindEOF {
			return nil
		}
	}
}
