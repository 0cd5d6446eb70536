package config

import "strings"

// A CommandLine is what the arguments of a server ask for.
type CommandLine struct {
	File  string // the configuration file, "" if none was named
	Stdin bool   // directives are to be read from standard input
	Lines []byte // directives, one a line, made of the options
}

// ParseCommandLine reads the arguments of a server, without the program's name and
// without those that don't configure, like --version:
//
//	server.conf --port 7000 --save 900 1 300 10     a file, then options
//	"--port 7000" --bind 127.0.0.1 -::1             name and value in one argument
//	--save                                          an empty value
//	- --port 7000                                   standard input, then options
//
// An option takes every argument up to the next one that begins with two dashes, and
// the first in any case, so a value may begin with dashes too. The options become
// lines of a configuration file, and what is wrong with them is found out by Load.
func ParseCommandLine(args []string) CommandLine {
	var c CommandLine
	i := 0
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		c.File = args[0]
		i = 1
	}
	complete := true // the option so far has a value, so another may begin
	for ; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "-" && (i == 0 || i == len(args)-1):
			c.Stdin = true
		case complete && strings.HasPrefix(arg, "--"):
			if len(c.Lines) > 0 {
				c.Lines = append(c.Lines, '\n')
			}
			c.Lines = append(append(c.Lines, arg[2:]...), ' ')
			words, err := SplitArgs([]byte(arg))
			complete = err != nil || len(words) != 1
			if optionIsWhole(args[i:]) {
				c.Lines = append(c.Lines, emptyValue(arg)...)
				complete = true
			}
		default:
			c.Lines = append(AppendQuoted(c.Lines, arg), ' ')
			complete = true
		}
	}
	return c
}

// optionIsWhole says whether the option that begins args may stand without a value.
// Programs that compose command lines leave out the value of save to turn it off, and
// --sentinel never had one.
func optionIsWhole(args []string) bool {
	name := lowerASCII(args[0])
	last := len(args) == 1 || strings.HasPrefix(args[1], "--")
	return last && (name == "--save" || name == "--sentinel")
}

func emptyValue(arg string) string {
	if lowerASCII(arg) == "--save" {
		return `""`
	}
	return ""
}
