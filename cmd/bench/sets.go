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

	buffers []compute.Buffer // x, dy, dst
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
		if err := s.add(b, in, n, i%(len(in.x)/n)); err != nil {
			if i > 0 && errors.Is(err, compute.ErrOutOfMemory) {
				break // fewer than wanted
			}
			return nil, "", errors.Join(err, s.release())
		}
	}
	if len(s.list) < cache/4/n {
		return s, report.Warm, nil
	}
	return s, report.Cold, nil
}

// add adds a set of the i-th n values of in.
func (s *sets) add(b compute.Backend, in *input, n, i int) error {
	window := func(v []float32) []float32 { return v[i*n : (i+1)*n : (i+1)*n] }
	one := set{hostX: window(in.x), hostDY: window(in.dy), hostDst: window(in.dst)}
	for _, v := range [][]float32{one.hostX, one.hostDY, one.hostDY} {
		buf, err := b.Upload(v)
		if err != nil {
			for _, buf := range one.buffers {
				err = errors.Join(err, buf.Release())
			}
			return err
		}
		one.buffers = append(one.buffers, buf)
	}
	one.x, one.dy, one.dst = one.buffers[0], one.buffers[1], one.buffers[2]
	s.list = append(s.list, one)
	return nil
}

// release releases all buffers.
func (s *sets) release() (err error) {
	for _, one := range s.list {
		for _, buf := range one.buffers {
			err = errors.Join(err, buf.Release())
		}
	}
	return err
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
