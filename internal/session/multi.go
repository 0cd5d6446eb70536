package session

// A Queued is one command of a transaction, with arguments of its own.
type Queued struct {
	Spec any // *command.Spec; session knows no commands
	Args [][]byte
}

// Multi is the state of a transaction between MULTI and EXEC.
type Multi struct {
	Open     bool
	Poisoned bool // a command was refused; EXEC will fail
	Queue    []Queued
	Flags    uint32 // of all queued commands together
	Lacks    uint32 // the flags that some queued command does not have
	Bytes    int    // of the queued arguments, which count towards the client's memory
	Watch    any    // what the keyspace keeps for WATCH
}

// Push queues a copy of args: the bytes belong to a read buffer that will be reused.
func (m *Multi) Push(spec any, args [][]byte) {
	total := 0
	for _, a := range args {
		total += len(a)
	}
	store := make([]byte, 0, total)
	own := make([][]byte, len(args))
	for i, a := range args {
		from := len(store)
		store = append(store, a...)
		own[i] = store[from:len(store):len(store)]
	}
	m.Queue = append(m.Queue, Queued{spec, own})
	m.Bytes += total + 24*len(args)
}

// Reset ends the transaction; Watch is the caller's to undo.
func (m *Multi) Reset() { *m = Multi{Watch: m.Watch} }

// Poison makes the coming EXEC fail, after a command that was refused.
func (m *Multi) Poison() {
	if m.Open {
		m.Poisoned = true
	}
}
