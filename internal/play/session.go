// Package play makes random calls to a backend, right ones and wrong ones, and does the
// same on slices of Go. It compares what can be observed: errors, and results bit by bit. The
// calls are read from bytes, which come from a fuzzer or a random number generator.
package play

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
)

// A Session is a backend that players call, several of them at once.
type Session struct {
	b           compute.Backend
	foreign     compute.Buffer // of another backend
	foreignMask compute.Mask
	flushes     bool
	others      []compute.Activation // see Player.activation
	state       atomic.Int32
}

// The states of a backend, in order.
const (
	open int32 = iota
	closing
	closed
)

// NewSession returns a session on b. Players pass it buffers of other too, which are
// foreign to b.
func NewSession(b, other compute.Backend) (*Session, error) {
	info := b.Info()
	s := &Session{b: b, flushes: info.FlushesSubnormals, others: others()}
	if info.Backend != "cpu" {
		s.others = few()
	}
	var err error
	if s.foreign, err = other.Alloc(3); err != nil {
		return nil, err
	}
	s.foreignMask, err = other.AllocMask(3)
	return s, err
}

// Play plays all scripts at once, each with a player of its own. Player number closer may
// close the backend, if there is one; all calls must then return compute.ErrClosed. At the
// end all buffers are released, and it is an error if anything is live on the backend.
func (s *Session) Play(scripts [][]byte, closer int) error {
	errs := make([]error, len(scripts))
	var wg sync.WaitGroup
	for i, script := range scripts {
		wg.Go(func() {
			p := s.Player()
			p.mayClose = i == closer
			errs[i] = p.Play(script)
			if errs[i] == nil {
				errs[i] = p.Release()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.Balance()
}

// Balance returns an error if anything is live on the backend.
func (s *Session) Balance() error {
	if info := s.b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
		return fmt.Errorf("%d buffers of %d bytes are live after all were released", info.LiveBuffers, info.LiveBytes)
	}
	return nil
}

// Name returns the name of the backend.
func (s *Session) Name() string { return s.b.Info().Name }

// Closed reports whether a player has closed the backend.
func (s *Session) Closed() bool { return s.state.Load() != open }

// End releases the buffers of the other backend.
func (s *Session) End() error { return errors.Join(s.foreign.Release(), s.foreignMask.Release()) }

// sentinels are the errors that a call may wrap.
var sentinels = []error{
	compute.ErrUnavailable, compute.ErrClosed, compute.ErrLength, compute.ErrOverlap, compute.ErrForeignBuffer, compute.ErrSlope,
	compute.ErrActivation, compute.ErrNoInput, compute.ErrOutOfMemory, compute.ErrArgument, compute.ErrCompile, compute.ErrMiscompiled, compute.ErrDevice,
}

// is reports whether err wraps want and no other sentinel, or both are nil.
func is(err, want error) bool {
	if err == nil || want == nil {
		return err == want
	}
	for _, known := range sentinels {
		if known != want && errors.Is(err, known) {
			return false
		}
	}
	return errors.Is(err, want)
}
