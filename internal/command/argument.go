package command

// An Argument is one node of the tree of arguments that COMMAND DOCS shows.
type Argument struct {
	Name       string
	Type       string // key, string, integer, double, pattern, unix-time, pure-token, oneof, block
	Token      string // the word before the value, or the word itself of a pure-token
	HasToken   bool
	Display    string // if it differs from Name
	KeySpec    int    // number of the key specification, -1 if it is not a key
	Since      string
	Deprecated string
	Optional   bool
	Multiple   bool
	MultiToken bool // the token is repeated with each value
	Args       []Argument
}
