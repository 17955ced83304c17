package main

import (
	"errors"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/internal/host"
)

// A set is the operands of one call: buffers of the device, and the slices of the
// host that they were made of.
type set struct {
	x, dy, dst             compute.Buffer
	hostX, hostDY, hostDst []float32
}

// sets are the operands that take turns, on one device and of one size, so that a
// cache does not have those of the next call.
type sets struct {
	list []set
	next int // of list
}

// deviceCache is the size in bytes of the last cache of the device of b. For one with
// memory of its own it is the largest that there is (AMD's MI300X), since drivers do not
// tell: OpenCL asks for the cache next to the cores.
func deviceCache(b compute.Backend) int {
	if info := b.Info(); info.Backend == "cpu" || info.SharedMemory {
		return host.LastCache()
	}
	return 256 << 20
}

// maxSets bounds what it takes to make them.
const maxSets = 128 << 10

// setCount returns how many sets of n elements the host has values for.
func setCount(n int) int { return setsFor(n, host.LastCache()) }

// setsFor returns how many sets of n elements together exceed twice the cache, by what a
// kernel reads and writes of each, so that none is cached when its turn comes.
func setsFor(n, cache int) int { return min(cache/4/n+1, maxSets) }

// newSets returns the sets of n elements for the cache state, and the state that they
// come to, if there are too many or the device has not the memory for them.
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

// newSet makes a set of the values at number i of in.
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

// take returns the set whose turn it is.
func (s *sets) take() *set {
	one := &s.list[s.next]
	if s.next++; s.next == len(s.list) {
		s.next = 0
	}
	return one
}

// after returns the set that the last of the next so many calls will have.
func (s *sets) after(calls int) *set { return &s.list[(s.next+calls-1)%len(s.list)] }
