// Package config holds the options of a server: what they are called, what they
// may be, what they are now, and how they are read from and written to files.
//
// An option is declared once, as a package variable beside the code that uses it:
//
//	var samples = config.Int(config.Option{
//		Name:    "maxmemory-samples",
//		Default: 5,
//		Min:     1,
//		Max:     64,
//		Stress:  []int64{1, 64},
//		Live:    true,
//		Doc:     `How many keys the eviction policies look at to evict one.`,
//	})
//
//	var Options = config.NewGroup("memory", samples, policy)
//
// The variable is a handle: samples.Get(set) is the option's value in one server.
// Nothing is registered globally. The server assembles the groups that it knows
// into a Schema, and each instance has a Set of values:
//
//	schema := config.NewSchema(keyspace.ConfigOptions, netloop.Options, config.Kept, config.Refused)
//	set := schema.NewSet()      // everything at its default
//	err := set.Load(source)     // the file, standard input, the command line
//
// Options of Redis whose subsystems are not there yet are declared here, in Kept and
// Refused, so that a configuration file of Redis's is understood or refused, line by
// line, but never misunderstood.
//
// # Layout
//
//	handle  id=7 ──────────────┐      (numbered when declared, once per process)
//	                           ▼
//	Set.slots  [ 0 | ... | n, ref | ... ]      one slot for every id up to the
//	                                           schema's largest
//
// A number, a flag and a choice are the slot's n, any other value is behind ref.
// Because ids belong to the process, any number of schemas and sets may share the
// same handles without agreeing on anything.
//
// # Invariants
//
//  1. A slot always holds a value that its option's parser or default produced, or
//     that its subsystem put there with Store.
//  2. A change of several options is seen by the hooks either whole or not at all.
//  3. Values behind ref are never changed in place, so a reader may keep what Get
//     returned for as long as it likes.
//  4. Names and aliases are lower case and unique within a schema.
//
// # Costs
//
// Get is a bounds check and an atomic load, and allocates nothing. Everything else
// is for start-up and CONFIG: it allocates freely and takes the set's lock.
package config
