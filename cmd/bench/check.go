package main

import (
	"fmt"
	"math"
	"runtime"
	"sync"
)

// A check checks the results of a call.
type check interface {
	// spoil makes the results wrong, before the call.
	spoil(*set) error
	// difference describes the first wrong element of the results, or returns "".
	difference(*set) (string, error)
}

// oneResult checks a result in dst.
type oneResult struct {
	// right reports whether element i is right, once it is on the host. write and read move
	// the result from and to there; nil if it is there.
	right       func(s *set, i int) bool
	write, read func(*set) error
}

// onDevice returns c for a result in the buffer of dst.
func (c oneResult) onDevice() oneResult {
	c.write = func(s *set) error { return s.dst().Write(s.dst().host) }
	c.read = func(s *set) error { return s.dst().Read(s.dst().host) }
	return c
}

// spoil implements check.
func (c oneResult) spoil(s *set) error {
	if err := spoil(s.dst(), false); err != nil || c.write == nil {
		return err
	}
	return c.write(s)
}

// spoil makes the values of o wrong, on the host, and on the device too if onDevice is true.
func spoil(o operand, onDevice bool) error {
	for i := range o.host {
		o.host[i] = 1234.5678 // not a result of any input
	}
	if !onDevice {
		return nil
	}
	return o.Write(o.host)
}

// difference implements check.
func (c oneResult) difference(s *set) (string, error) {
	if c.read != nil {
		if err := c.read(s); err != nil {
			return "", err
		}
	}
	got := s.dst().host
	i := first(len(got), func(from, to int) int {
		for i := from; i < to; i++ {
			if !c.right(s, i) {
				return i
			}
		}
		return -1
	})
	if i < 0 {
		return "", nil
	}
	return fmt.Sprintf("element %d of %d is %v (0x%08x)", i, len(got), got[i], math.Float32bits(got[i])), nil
}

// first returns the first of the n elements that find finds, or -1. It uses all cores: find
// returns the first one from an element on to another, or -1.
func first(n int, find func(from, to int) int) int {
	workers := runtime.GOMAXPROCS(0)
	share := (n + workers - 1) / workers
	found := make([]int, workers) // in each share
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { found[w] = find(min(w*share, n), min((w+1)*share, n)) })
	}
	wg.Wait()
	for _, i := range found {
		if i >= 0 {
			return i
		}
	}
	return -1
}
