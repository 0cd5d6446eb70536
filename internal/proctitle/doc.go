// Package proctitle changes what ps and top show as the command line of this process.
//
// # On Linux
//
// The kernel shows as a process's command line what lies in the memory that it copied the
// arguments to, followed by the environment:
//
//	argStart                argEnd                          envEnd
//	"redis-server\0redis.conf\0"  "HOME=/root\0TERM=xterm\0"
//
// If the last byte of the arguments is not zero, the process is taken to have overwritten
// them, and what is shown goes from argStart to the first zero, into the environment if
// need be. Go copies the environment when it starts, but os.Args lie there: main clones
// them first.
//
// That memory is not Go's, so it is written through /proc/self/mem.
package proctitle
