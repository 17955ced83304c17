package main

import (
	"errors"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/internal/host"
)

// A set is the operands of one call: buffers of the device, and slices of the host with the
// same values.
type set struct {
	x, dy, dst             compute.Buffer
	hostX, hostDY, hostDst []float32
}

// sets are operands on one device and of one size. They rotate, so that those of the next
// call are not in the cache.
type sets struct {
	list []set
	next int // of list
}

// deviceCache returns the size of the last-level cache of b in bytes. OpenCL reports only the
// cache next to the cores, so for a device with memory of its own it is the size of the
// largest one in existence (AMD's MI300X).
func deviceCache(b compute.Backend) int {
	if info := b.Info(); info.Backend == "cpu" || info.SharedMemory {
		return host.LastCache()
	}
	return 256 << 20
}

// maxSets bounds the time to make them.
const maxSets = 128 << 10

// setCount returns the number of sets of n elements for which the host has values.
func setCount(n int) int { return setsFor(n, host.LastCache()) }

// setsFor returns the number of sets of n elements that together exceed twice the cache, by
// the bytes that a kernel reads and writes, so that none is cached when its turn comes.
func setsFor(n, cache int) int { return min(cache/4/n+1, maxSets) }

// newSets returns the sets of n elements for the cache state. The actual state is warm if
// that would take too many sets, or more memory than the device has.
func newSets(b compute.Backend, in *input, n int, state string) (_ *sets, actual string, err error) {
	cache, count := deviceCache(b), 1
	if state == report.Cold {
		count = setsFor(n, cache)
	}
	s := &sets{}
	for i := range count {
		one, err := newSet(b, in, n, i%(len(in.x)/n))
		if err != nil {
			if i > 0 && errors.Is(err, compute.ErrOutOfMemory) {
				break // fewer than wanted
			}
			return nil, "", errors.Join(err, s.release())
		}
		s.list = append(s.list, one)
	}
	if len(s.list) < cache/4/n {
		return s, report.Warm, nil
	}
	return s, report.Cold, nil
}

// newSet makes a set of the i-th n values of in.
func newSet(b compute.Backend, in *input, n, i int) (s set, err error) {
	window := func(v []float32) []float32 { return v[i*n : (i+1)*n : (i+1)*n] }
	s.hostX, s.hostDY, s.hostDst = window(in.x), window(in.dy), window(in.dst)
	if s.x, err = b.Upload(s.hostX); err != nil {
		return s, err
	}
	if s.dy, err = b.Upload(s.hostDY); err == nil {
		s.dst, err = b.Upload(s.hostDY)
	}
	if err != nil {
		err = errors.Join(err, s.release())
	}
	return s, err
}

func (s set) release() error {
	var errs []error
	for _, buf := range []compute.Buffer{s.x, s.dy, s.dst} {
		if buf != nil {
			errs = append(errs, buf.Release())
		}
	}
	return errors.Join(errs...)
}

// release releases all buffers.
func (s *sets) release() error {
	var errs []error
	for _, one := range s.list {
		errs = append(errs, one.release())
	}
	return errors.Join(errs...)
}

// take returns the next set.
func (s *sets) take() *set {
	one := &s.list[s.next]
	if s.next++; s.next == len(s.list) {
		s.next = 0
	}
	return one
}

// after returns the set that take will return at the last of that many calls.
func (s *sets) after(calls int) *set { return &s.list[(s.next+calls-1)%len(s.list)] }
