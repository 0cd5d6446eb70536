package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	statHead = "------- data ------ --------------------- load -------------------- - child -\n" +
		"keys       mem      clients blocked requests            connections          \n"

	// statHeadRows is after how many rows the head comes again.
	statHeadRows = 20
)

// stat prints a row of figures of the server again and again.
func (p *Program) stat(s *session) error {
	interval := s.opts.interval
	if interval == 0 {
		interval = time.Second
	}
	requests := int64(0)
	for row := 0; ; row++ {
		reply, err := s.ask("INFO")
		switch {
		case err != nil:
			return err
		case reply.IsError():
			s.complain("ERROR: %s", appendVisible(nil, reply.Text))
			return errFailed
		}
		info := parseInfo(reply.Text)
		var text []byte
		if row%statHeadRows == 0 {
			text = append(text, statHead...)
		}
		now := info.number("total_commands_processed")
		if row == 0 {
			requests = now
		}
		text = info.appendRow(text, now, now-requests)
		requests = now
		if err := s.print(text); err != nil {
			return err
		}
		s.sleep(interval)
	}
}

// An info is the fields of a reply of INFO.
type info map[string]string

func parseInfo(text string) info {
	fields := info{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

func (f info) number(name string) int64 {
	n, _ := strconv.ParseInt(f[name], 10, 64)
	return n
}

// keys is the number of keys in all databases.
func (f info) keys() (n int64) {
	for name, value := range f {
		if number, ok := strings.CutPrefix(name, "db"); ok && isNumber(number) {
			for part := range strings.SplitSeq(value, ",") {
				if count, ok := strings.CutPrefix(part, "keys="); ok {
					keys, _ := strconv.ParseInt(count, 10, 64)
					n += keys
				}
			}
		}
	}
	return n
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// appendRow appends the row of figures: requests, and how many since the last row.
func (f info) appendRow(dst []byte, requests, since int64) []byte {
	dst = fmt.Appendf(dst, "%-11d%-9s%-8d%-8d%-20s%-12d", f.keys(), humanBytes(f.number("used_memory")),
		f.number("connected_clients"), f.number("blocked_clients"),
		fmt.Sprintf("%d (+%d)", requests, since), f.number("total_connections_received"))
	saves, rewrites := f.number("rdb_bgsave_in_progress") != 0, f.number("aof_rewrite_in_progress") != 0
	switch {
	case saves && rewrites:
		dst = append(dst, "SAVE+AOF"...)
	case saves:
		dst = append(dst, "SAVE"...)
	case rewrites:
		dst = append(dst, "AOF"...)
	case f.number("loading") != 0:
		dst = append(dst, "LOAD"...)
	}
	return append(dst, '\n')
}

// humanBytes is a size with two digits and the greatest unit that leaves something before the
// point.
func humanBytes(n int64) string {
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + "B"
	}
	size, unit := float64(n)/(1<<10), "K"
	for _, larger := range [...]string{"M", "G"} {
		if size < 1<<10 {
			break
		}
		size, unit = size/(1<<10), larger
	}
	return fmt.Sprintf("%.2f%s", size, unit)
}
