// Package chaos asks a whole server without sockets what becomes of the data when the power
// fails, when calls fail, and when bits do. All commands run over a keyspace with a
// snapshot.Saver and an aof.Keeper, whose files are package vfs's doubles:
//
//	clients --turns--> executor --journal--> Keeper --disk, Faults--> Mem + Record
//	                      |                                              |
//	                  an ack when a reply leaves               images of every moment
//	                                                                     |
//	                  the contents behind each write  <--compare--  aof.Load
//
// The contents behind every write are remembered by a fingerprint. What a load gives has to be
// one of them, so it is a prefix of what was done and holds no half of a transaction; and it
// may not be one before what was acknowledged and promised at that moment.
//
// Each harness has to find bugs that are put in for it: see TestSeededBugs.
//
// Tests that take long in full are short by default; the environment asks for more:
//
//	SPINEL_IMAGES   images of power failures, over all policies       900
//	SPINEL_FAULTS   runs in which a call fails                         36
//	SPINEL_FLIPS    bits that flip in each file, or all               300
//	SPINEL_SEED     seed of what the clients do                         1
package chaos
