package server

import "sync"

// A crew is the goroutines that somebody waits for. Unlike with a sync.WaitGroup, others may
// start while he does: loops begin tasks as long as they run.
type crew struct {
	mu      sync.Mutex
	working int
	free    sync.Cond // working is 0; its L is &mu once somebody has waited
}

// start runs a function on a goroutine of its own.
func (c *crew) start(task func()) {
	c.mu.Lock()
	c.working++
	c.mu.Unlock()
	go func() {
		defer c.leave()
		task()
	}()
}

func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.working--; c.working == 0 {
		c.free.Broadcast()
	}
}

// wait waits until nobody is working.
func (c *crew) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free.L = &c.mu
	for c.working > 0 {
		c.free.Wait()
	}
}
