package keycmd

import (
	"fmt"
	"testing"

	"github.com/spineldb/spinel/internal/clock"
	"github.com/spineldb/spinel/internal/ds/listpack"
	"github.com/spineldb/spinel/internal/ds/record"
	"github.com/spineldb/spinel/internal/keyspace"
	"github.com/spineldb/spinel/internal/value"
)

// X17: what would be too long to be an argument is no payload, and is given up before all of
// it is made.
func TestDumpX17TooLong(t *testing.T) {
	ks, err := keyspace.New(keyspace.Options{Databases: 1, Reserve: 1 << 28, Clock: clock.NewManual(1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ks.Close()
	x := ks.NewTxn()
	x.Begin(0, 1)
	x.LockAll()
	defer x.Unlock()
	key := []byte("k")
	fill := func(c *value.Cell) error {
		for i := range 20_000 {
			e := value.Element{Name: listpack.Text(fmt.Append(nil, "element:", i))}
			if _, err := value.Add(c, &e); err != nil {
				return err
			}
		}
		return nil
	}
	for _, typ := range []record.Type{record.List, record.Set} {
		if _, err := x.Replace(key, typ, keyspace.NoTTL, fill); err != nil {
			t.Fatal(err)
		}
		v, _ := x.Peek(key)
		d := &dumper{most: payloadMax}
		whole, ok := d.append(nil, v)
		if !ok || len(whole) < 100_000 {
			t.Fatalf("%d bytes, %v", len(whole), ok)
		}
		for most, want := range map[int]bool{len(whole): true, len(whole) - 11: false, 1000: false, 0: false} {
			d.most = most
			if _, ok := d.append(nil, v); ok != want {
				t.Errorf("a payload of %d bytes of which %d are allowed: %v", len(whole), most, ok)
			}
		}
		d.most = 1000
		if short, _ := d.append(nil, v); cap(short) > len(whole)/2 {
			t.Errorf("%d bytes were made for nothing", cap(short))
		}
	}
	if err := x.SetString(key, make([]byte, 5000), keyspace.NoTTL); err != nil {
		t.Fatal(err)
	}
	v, _ := x.Peek(key)
	if _, ok := (&dumper{most: 100}).append(nil, v); ok {
		t.Error("a long string is a payload")
	}
}
