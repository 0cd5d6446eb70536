package exec

import (
	"strconv"
	"strings"

	"github.com/spineldb/spinel/internal/config"
	"github.com/spineldb/spinel/internal/numtext"
)

// Options of the way of a request.
var (
	QueryLimit = config.Memory(config.Option{
		Name: "client-query-buffer-limit", Default: 1 << 30, Min: 1 << 20, Live: true,
		Doc: `The most bytes of requests not yet executed that are kept for a connection, before it is closed.`,
	})
	BulkMax = config.Memory(config.Option{
		Name: "proto-max-bulk-len", Default: 512 << 20, Min: 1 << 20, Live: true,
		Doc: `The most bytes of one argument, and of one string value.`,
	})
	OutputLimit = config.Custom(config.Option{
		Name: "client-output-buffer-limit", Live: true,
		Default: [3]OutputClass{{}, {256 << 20, 64 << 20, 60}, {32 << 20, 8 << 20, 60}},
		Doc: `For each class of client (normal, replica, pubsub): the bytes of replies not yet sent at which
it is closed at once, and those at which it is closed after so many seconds. 0 is no limit.`,
	}, config.Codec[[3]OutputClass]{Parse: parseOutput, Append: appendOutput, Lines: outputLines})
	Rename = config.Custom(config.Option{
		Name: "rename-command", FileOnly: true, Default: map[string]string(nil),
		Doc: `Gives a command another name; "" takes it away.`,
	}, config.Codec[map[string]string]{
		Parse:  parseRename,
		Append: func(dst []byte, _ map[string]string) []byte { return dst },
	})
	ClientsMemory = config.MemoryPercent(config.Option{
		Name: "maxmemory-clients", Default: 0, Live: true,
		Doc: `Not supported yet: only 0 is accepted.`,
	}, func(n int64) error {
		if n != 0 {
			return config.Reason("maxmemory-clients is not supported yet by this version")
		}
		return nil
	})
)

// Options are this package's.
var Options = config.NewGroup("requests", QueryLimit, BulkMax, OutputLimit, Rename, ClientsMemory)

// An OutputClass bounds the replies that wait for clients of one class.
type OutputClass struct {
	Hard, Soft  int64 // bytes
	SoftSeconds int64
}

// outputClasses are their names, an alias last.
var outputClasses = [...]string{"normal", "slave", "pubsub", "replica"}

func parseOutput(args []string, old [3]OutputClass, _ bool) ([3]OutputClass, error) {
	if len(args) == 0 || len(args)%4 != 0 {
		return old, config.Reason("Wrong number of arguments in buffer limit configuration.")
	}
	for ; len(args) > 0; args = args[4:] {
		class := -1
		for i, name := range outputClasses {
			if strings.EqualFold(args[0], name) {
				class = i
			}
		}
		if class < 0 {
			return old, config.Reason("Invalid client class specified in buffer limit configuration.")
		}
		if class == 3 {
			class = 1
		}
		hard, ok1 := numtext.ParseMemory([]byte(args[1]))
		soft, ok2 := numtext.ParseMemory([]byte(args[2]))
		seconds, err := strconv.ParseInt(args[3], 10, 32)
		if !ok1 || !ok2 || err != nil || seconds < 0 || hard < 0 || soft < 0 {
			return old, config.Reason("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		old[class] = OutputClass{hard, soft, seconds}
	}
	return old, nil
}

func appendClass(dst []byte, i int, c OutputClass) []byte {
	dst = append(dst, outputClasses[i]...)
	for _, n := range []int64{c.Hard, c.Soft, c.SoftSeconds} {
		dst = strconv.AppendInt(append(dst, ' '), n, 10)
	}
	return dst
}

func appendOutput(dst []byte, v [3]OutputClass) []byte {
	for i, c := range v {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendClass(dst, i, c)
	}
	return dst
}

func outputLines(v [3]OutputClass) (lines []string) {
	for i, c := range v {
		lines = append(lines, string(appendClass(nil, i, c)))
	}
	return lines
}

func parseRename(args []string, old map[string]string, _ bool) (map[string]string, error) {
	if len(args) != 2 {
		return nil, config.ErrBadDirective
	}
	all := map[string]string{}
	for from, to := range old {
		all[from] = to
	}
	all[args[0]] = args[1]
	return all, nil
}
