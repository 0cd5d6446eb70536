package resp

// An Error is a reply that begins with '-'. Code is the first word, which
// clients switch on; Text is the rest, which people read. Both are part of the
// protocol: the conformance suite compares them byte for byte.
type Error struct {
	Code string
	Text string
}

func (e *Error) Error() string { return e.Code + " " + e.Text }

// Errors that any command may reply with. They are values made once, so
// returning one allocates nothing and comparing one compares a pointer.
var (
	ErrSyntax       = &Error{"ERR", "syntax error"}
	ErrNotInteger   = &Error{"ERR", "value is not an integer or out of range"}
	ErrNotFloat     = &Error{"ERR", "value is not a valid float"}
	ErrOutOfRange   = &Error{"ERR", "index out of range"}
	ErrNumKeys      = &Error{"ERR", "numkeys should be greater than 0"}
	ErrNotPositive  = &Error{"ERR", "value is out of range, must be positive"}
	ErrWrongType    = &Error{"WRONGTYPE", "Operation against a key holding the wrong kind of value"}
	ErrNoKey        = &Error{"ERR", "no such key"}
	ErrReadOnly     = &Error{"READONLY", "You can't write against a read only replica."}
	ErrOOM          = &Error{"OOM", "command not allowed when used memory > 'maxmemory'."}
	ErrNoAuth       = &Error{"NOAUTH", "Authentication required."}
	ErrLoading      = &Error{"LOADING", "Redis is loading the dataset in memory"}
	ErrBusyKey      = &Error{"BUSYKEY", "Target key name already exists."}
	ErrSameObject   = &Error{"ERR", "source and destination objects are the same"}
	ErrExecAbort    = &Error{"EXECABORT", "Transaction discarded because of previous errors."}
	ErrStringTooBig = &Error{"ERR", "string exceeds maximum allowed size (proto-max-bulk-len)"}
	ErrDBIndex      = &Error{"ERR", "DB index is out of range"}
)

// Errorf makes an ERR reply whose text is made when it happens.
func Errorf(text string) *Error { return &Error{Code: "ERR", Text: text} }

// WrongArity is made when it happens, because it names the command, in small letters.
func WrongArity(command string) *Error {
	return &Error{"ERR", "wrong number of arguments for '" + command + "' command"}
}

// InvalidExpire names the command, too.
func InvalidExpire(command string) *Error {
	return &Error{"ERR", "invalid expire time in '" + command + "' command"}
}
