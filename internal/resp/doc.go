// Package resp is the protocol between clients and servers, RESP2 and RESP3: the
// requests that arrive, the replies that leave, and the errors among them.
//
// A request is an array of bulk strings, or a line of words for people with
// telnet (an inline command):
//
//	*2\r\n $3\r\nGET\r\n $4\r\nname\r\n        GET name\r\n
//
// A Parser finds requests in the bytes of one connection, in place: arguments are
// slices of the bytes that it was given, and nothing is copied but what a read cut
// in two. A Writer collects replies. AppendCommand makes requests.
//
// Source of the format: the RESP specification and, for the exact texts of
// protocol errors, the observed behaviour of redis-server 7.0.
package resp
