package proctitle

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// Set writes a title over the process's arguments.
func Set(title string) error {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return err
	}
	a, err := parseArguments(stat)
	if err != nil {
		return err
	}
	f, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(a.fill(title), a.start)
	return err
}

// arguments is where the kernel put the arguments and the environment.
type arguments struct{ start, end, envEnd int64 }

// fill is what is to lie there: the title, zeros up to the end of the arguments, and at
// that end something else, which says that this is a title.
func (a arguments) fill(title string) []byte {
	title = title[:min(int64(len(title)), a.envEnd-a.start-1)]
	area := make([]byte, max(int64(len(title))+1, a.end-a.start))
	if last := int(a.end-a.start) - 1; len(title) < last {
		area[last] = '.'
	}
	copy(area, title)
	return area
}

var errArguments = errors.New("/proc/self/stat: no place of the arguments")

// parseArguments finds the place in the fields 48 to 51 of /proc/self/stat. The second
// field is a name in parentheses, which may contain both of them and spaces.
func parseArguments(stat []byte) (a arguments, err error) {
	const first, from = 3, 48 // the first field after the name, and the one we want
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= from-first+3 {
		return a, errArguments
	}
	var at [4]int64
	for i := range at {
		if at[i], err = strconv.ParseInt(string(fields[from-first+i]), 10, 64); err != nil {
			return a, fmt.Errorf("/proc/self/stat: field %d: %w", from+i, err)
		}
	}
	a = arguments{at[0], at[1], at[1]}
	if at[2] == at[1] { // the environment is right behind
		a.envEnd = at[3]
	}
	if a.start <= 0 || a.end <= a.start || a.envEnd < a.end || a.envEnd-a.start > argumentsMax {
		return a, errArguments
	}
	return a, nil
}

// argumentsMax bounds what is believed: Linux takes a quarter of the stack's limit at most.
const argumentsMax = 1 << 31
