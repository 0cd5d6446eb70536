package session_test

import (
	"runtime"
	"testing"

	"github.com/spineldb/spinel/internal/session"
)

// waking is a connection whose loop does something whenever it is woken.
type waking struct {
	session.Link
	wake func()
}

func (l waking) Wake() { l.wake() }

// The reply that ends a wait and the order to go on come together, whenever the loop looks.
func TestAnswer(t *testing.T) {
	const rounds = 2000
	var s session.Session
	wakes := 0
	s.Link = waking{wake: func() { wakes++ }}
	ready := make(chan bool)
	go func() {
		for range rounds {
			s.Answer([]byte("+OK\r\n"))
			<-ready
		}
	}()
	for i := 0; i < rounds; {
		b, orders := s.TakeAll()
		if orders.Unblock != (len(b) > 0) {
			t.Fatalf("round %d: %q, %+v", i, b, orders)
		}
		if orders.Unblock {
			i++
			ready <- true
		} else {
			runtime.Gosched()
		}
	}
	if wakes != rounds {
		t.Errorf("the loop was woken %d times for %d answers", wakes, rounds)
	}
}
