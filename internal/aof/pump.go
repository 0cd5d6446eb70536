package aof

import "sync/atomic"

// A pump hands commands over to a Replayer on another goroutine, so that reading goes on
// while they are executed. Memory is bounded: a few chunks, and what is larger than one
// is executed while the reader waits.
//
//	reader --take--> chunks --> Replayer
//	          a transaction is held until it has ended
type pump struct {
	r      Replayer
	work   chan work
	free   chan []byte
	ended  chan struct{}
	failed atomic.Pointer[error]

	chunk []byte
	held  [][]byte // the beginning of a transaction that has not ended
}

// A work is commands to be executed, or a question: answer is told when everything before
// was executed.
type work struct {
	data   []byte
	answer chan error
}

const (
	// chunkSize is how many bytes of commands are handed over at a time, about.
	chunkSize = blockSize
	// chunksAhead is how many chunks wait to be executed at most.
	chunksAhead = 4
)

func newPump(r Replayer) *pump {
	p := &pump{r: r, work: make(chan work, chunksAhead), free: make(chan []byte, chunksAhead+2),
		ended: make(chan struct{})}
	go p.execute()
	return p
}

// execute is the other goroutine.
func (p *pump) execute() {
	defer close(p.ended)
	for w := range p.work {
		var err error
		if len(w.data) > 0 && p.failed.Load() == nil {
			err = p.r.Run(w.data)
		}
		if w.answer != nil {
			if err == nil {
				err = p.r.Wait()
			}
			p.fail(err)
			w.answer <- p.err()
			continue
		}
		p.fail(err)
		select {
		case p.free <- w.data[:0]:
		default:
		}
	}
}

func (p *pump) fail(err error) {
	if err != nil {
		p.failed.CompareAndSwap(nil, &err)
	}
}

// err is why nothing is executed any more.
func (p *pump) err() error {
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// take takes commands. Those behind closed are in a transaction that has not ended.
func (p *pump) take(raw []byte, closed int) error {
	if closed > 0 {
		for _, piece := range p.held {
			if err := p.give(piece); err != nil {
				return err
			}
		}
		p.held = nil
		if err := p.give(raw[:closed]); err != nil {
			return err
		}
	}
	if rest := raw[closed:]; len(rest) > 0 {
		p.held = append(p.held, append([]byte(nil), rest...))
	}
	return p.err()
}

// give adds commands to the chunk.
func (p *pump) give(data []byte) error {
	if len(p.chunk)+len(data) > chunkSize {
		p.send()
	}
	if len(data) > chunkSize {
		return p.ask(data)
	}
	if p.chunk == nil {
		select {
		case p.chunk = <-p.free:
		default:
			p.chunk = make([]byte, 0, chunkSize)
		}
	}
	p.chunk = append(p.chunk, data...)
	return p.err()
}

func (p *pump) send() {
	if len(p.chunk) > 0 {
		p.work <- work{data: p.chunk}
		p.chunk = nil
	}
}

// ask has data executed and waits for that, and for everything before.
func (p *pump) ask(data []byte) error {
	answer := make(chan error, 1)
	p.work <- work{data, answer}
	return <-answer
}

// drop forgets a transaction that does not end.
func (p *pump) drop() { p.held = nil }

// wait waits until everything is executed.
func (p *pump) wait() error {
	p.send()
	return p.ask(nil)
}

// close ends the pump. What was not waited for may not be executed.
func (p *pump) close() {
	close(p.work)
	<-p.ended
	p.r.Close()
}
