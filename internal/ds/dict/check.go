package dict

import "fmt"

// Check walks the table and reports the first invariant that does not hold.
func (d *Dict) Check() error {
	dir := d.dir.Load()
	if dir == nil {
		if d.count != 0 {
			return fmt.Errorf("dict: %d records and no table", d.count)
		}
		return nil
	}
	total := 0
	for at := uint64(0); at < uint64(len(dir.segs)); {
		s := dir.segment(at)
		if s.at != at || s.depth > dir.depth {
			return fmt.Errorf("dict: segment at entry %d says that it begins at %d", at, s.at)
		}
		count := 0
		for i := range s.n {
			n, err := d.checkBucket(s, i)
			if err != nil {
				return err
			}
			count += n
		}
		if count != int(dir.counts[at]) {
			return fmt.Errorf("dict: segment %d counts %d records and holds %d", at, dir.counts[at], count)
		}
		total += count
		at += 1 << (dir.depth - s.depth)
	}
	if total != d.count {
		return fmt.Errorf("dict: counts %d records and holds %d", d.count, total)
	}
	return nil
}

func (d *Dict) checkBucket(s segment, i int) (count int, err error) {
	for b := d.bucketAt(s.buckets, i); ; b = d.next(b) {
		used := 0
		for j := range b.places() {
			if b.tags[j] == 0 {
				continue
			}
			used++
			p := d.hash(KeyOf(d.arena.Ptr(b.refs[j])))
			pos := p << d.skip
			if tagOf(p) != b.tags[j] || bucketOf(pos, s.depth, s.n) != i {
				return 0, fmt.Errorf("dict: record %d is in bucket %d of segment %d, or has tag %d, wrongly",
					b.refs[j], i, s.at, b.tags[j])
			}
		}
		count += used
		if !b.chained() {
			return count, nil
		}
		if used != b.places() || b.tags[Places-1] != 0 {
			return 0, fmt.Errorf("dict: chained bucket %d of segment %d has %d records", i, s.at, used)
		}
	}
}
