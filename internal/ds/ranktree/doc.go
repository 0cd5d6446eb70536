// Package ranktree keeps byte strings in memcmp order and knows the rank of each.
package ranktree
