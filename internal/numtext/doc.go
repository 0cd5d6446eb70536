// Package numtext is where numbers become text and text becomes numbers, by
// Redis's rules to the byte: which spellings are accepted, and how a result is
// printed, is visible to every client and stored in every file.
//
// There are several kinds of text for a number, and they accept different things:
//
//	            ParseInt  ParseUint  ParseFloat  ParseLongDouble  ParseMemory
//	"7"            7          7          7              7              7
//	"007"          -          7          7              7              7
//	"+7", " 7"     -          7       7 and -        7 and -           -
//	"7.50", "0x7"  -          -        7.5, 7         7.5, 7           -
//	"inf"          -          -         +Inf           +Inf            -
//	"nan"          -          -          -              -              -
//	"7kb"          -          -          -              -             7168
//	""             -          -          -              -              0
//
// Integers are canonical (ParseInt) where a value may be stored as an integer
// and must come back as the bytes that were sent.
//
// Doubles are printed with the fewest digits that come back as the same double,
// as since Redis 7.2. INCRBYFLOAT and its kin compute with the 80-bit long
// double of x86 processors instead, see [LongDouble].
//
// Nothing here allocates, except what has to do with LongDouble, and
// ParseFloat of a number that is out of range or longer than 32 bytes.
package numtext
