// Package model plays operations on a backend, and the same ones on plain slices of
// Go beside it, and compares all that can be seen: results, by their bits, and
// errors. What is played is read from bytes, which a fuzzer makes, or a generator
// of random numbers.
package model

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
)

// A Session is a backend on which players play, several of them at once.
type Session struct {
	b           compute.Backend
	foreign     compute.Buffer // of another backend
	foreignMask compute.Mask
	flushes     bool
	state       atomic.Int32
}

// The states of a backend, in their order.
const (
	open int32 = iota
	closing
	closed
)

// NewSession returns a session on b, that the players may close. The buffers of
// another backend are foreign to it.
func NewSession(b, other compute.Backend) (*Session, error) {
	s := &Session{b: b, flushes: b.Info().FlushesSubnormals}
	var err error
	if s.foreign, err = other.Alloc(3); err != nil {
		return nil, err
	}
	s.foreignMask, err = other.AllocMask(3)
	return s, err
}

// Play plays each script with a player of its own, all at once. Only player closer,
// if there is one of that number, may close the backend, after which the others must
// see nothing but compute.ErrClosed. At the end all buffers are released, and nothing
// else may be live on the backend.
func (s *Session) Play(scripts [][]byte, closer int) error {
	errs := make([]error, len(scripts))
	var wg sync.WaitGroup
	for i, script := range scripts {
		wg.Go(func() {
			p := s.Player()
			p.MayClose = i == closer
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

// Balance is an error if anything is live on the backend.
func (s *Session) Balance() error {
	if info := s.b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
		return fmt.Errorf("%d buffers of %d bytes are live when all are released", info.LiveBuffers, info.LiveBytes)
	}
	return nil
}

// Name returns that of the backend.
func (s *Session) Name() string { return s.b.Info().Name }

// Closed tells whether a player has closed the backend.
func (s *Session) Closed() bool { return s.state.Load() != open }

// End releases what the session has of the other backend.
func (s *Session) End() error { return errors.Join(s.foreign.Release(), s.foreignMask.Release()) }

// errorsKnown are all that a call may return, to tell them apart.
var errorsKnown = []error{
	compute.ErrUnavailable, compute.ErrClosed, compute.ErrLength, compute.ErrOverlap, compute.ErrForeignBuffer, compute.ErrSlope,
	compute.ErrActivation, compute.ErrNoInput, compute.ErrOutOfMemory, compute.ErrDevice,
}

// is tells whether err wraps want, and none of the other errors of package compute;
// nil is nil.
func is(err, want error) bool {
	if err == nil || want == nil {
		return err == want
	}
	for _, known := range errorsKnown {
		if known != want && errors.Is(err, known) {
			return false
		}
	}
	return errors.Is(err, want)
}
