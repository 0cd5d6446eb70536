package observe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Doctor is the report of LATENCY DOCTOR: every event in figures, then what to
// look at first. slowMicros is the slow log's threshold, negative if it is off,
// because the slow log is where slow commands have names.
//
// Its opening words are Redis's, which scripts look for; the advice is ours.
func (m *LatencyMonitor) Doctor(slowMicros int64) string {
	now := m.clock.Wall() / 1_000_000
	threshold := m.Threshold()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.events) == 0 && threshold == 0 {
		return "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Spinel instance. " +
			"Switch it on with \"CONFIG SET latency-monitor-threshold <milliseconds>\", " +
			"for instance 100, and ask again when something was slow.\n"
	}
	if len(m.events) == 0 {
		return fmt.Sprintf("Dave, no latency spike was observed during the lifetime of this Spinel instance. "+
			"Nothing that is watched took %d ms or longer. "+
			"If clients see delays, look at the network and at the clients.\n", threshold)
	}
	var b strings.Builder
	b.WriteString("Dave, I have observed latency spikes in this Spinel instance. Here is what I know.\n\n")
	var advice []string
	for i, name := range slices.Sorted(maps.Keys(m.events)) {
		e := m.events[name]
		b.WriteString(e.summary(i+1, name, now))
		for _, a := range adviceFor(name, slowMicros) {
			if !slices.Contains(advice, a) {
				advice = append(advice, a)
			}
		}
	}
	if len(advice) == 0 {
		return b.String()
	}
	b.WriteString("\nWhat to look at first:\n\n")
	for _, a := range advice {
		b.WriteString("- " + a + "\n")
	}
	return b.String()
}

// summary is an event in one line. The figures are those of Redis: the mean, how
// far samples are from it on average, and the seconds between spikes.
func (e *latencyEvent) summary(number int, name string, now int64) string {
	samples := e.inOrder()
	count := int64(len(samples))
	sum, deviation, first := int64(0), int64(0), now
	for _, s := range samples {
		sum += s.Millis
		first = min(first, s.Unix)
	}
	mean := sum / count
	for _, s := range samples {
		deviation += max(s.Millis-mean, mean-s.Millis)
	}
	return fmt.Sprintf("%d. %s: %d latency spikes (average %dms, mean deviation %dms, period %.2f sec). "+
		"Worst all time event %dms.\n",
		number, name, count, mean, deviation/count, float64(now-first)/float64(count), e.max)
}

// adviceFor is what usually makes an event slow, and what helps.
func adviceFor(event string, slowMicros int64) []string {
	switch {
	case event == "command" && slowMicros < 0:
		return []string{
			"The slow log is off, so nobody knows which commands were slow. Switch it on with " +
				"\"CONFIG SET slowlog-log-slower-than <microseconds>\".", adviceBig}
	case event == "command":
		return []string{fmt.Sprintf(
			"SLOWLOG GET names the commands that took %d microseconds or longer. Those that visit a whole "+
				"collection (KEYS, SMEMBERS, SORT, a wide LRANGE) have cheaper forms with cursors and limits.",
			slowMicros), adviceBig}
	case event == "fast-command":
		return []string{
			"Commands that do constant work were slow, so they were kept waiting: by too few processors " +
				"for the load, by swapping, or by the neighbours of a virtual machine. Watch the steal " +
				"and swap figures."}
	case strings.HasPrefix(event, "aof-"), strings.HasPrefix(event, "rdb-"):
		return []string{
			"The disk did not keep up. See who else writes to it, prefer a local SSD, and choose " +
				"appendfsync everysec over always if losing a second of writes is acceptable."}
	case strings.HasPrefix(event, "expire-"):
		return []string{
			"Many keys expired within the same moment. Spread their times to live by adding some " +
				"random seconds."}
	case strings.HasPrefix(event, "eviction-"):
		return []string{
			"Memory is at its limit and making room took long. Raise maxmemory, or store less at once.",
			adviceBig}
	}
	return nil
}

const adviceBig = "Removing a very large key takes time in proportion to its size. " +
	"Prefer UNLINK to DEL for those, or keep the data in several smaller keys."
