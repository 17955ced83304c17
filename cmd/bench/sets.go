package main

import (
	"errors"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/host"
)

// A set is the operands of one call. Operations take the first ones.
type set struct {
	args, results         []operand
	maskArgs, maskResults []mask
	calls                 []compute.Call // of the programs
	views                 map[viewKey]compute.Buffer
	step                  *trainingStep // or nil
}

// A viewKey is the buffer of a view and its length.
type viewKey struct {
	of compute.Buffer
	n  int
}

// view makes a view of the first n elements of o, unless there is one.
func (s *set) view(o operand, n int) error {
	key := viewKey{o.Buffer, n}
	if s.views[key] != nil {
		return nil
	}
	v, err := o.View(0, n)
	if err != nil {
		return err
	}
	if s.views == nil {
		s.views = map[viewKey]compute.Buffer{}
	}
	s.views[key] = v
	return nil
}

// An operand is a buffer of the device, and a slice of the host. If it is an argument, both
// have the same values.
type operand struct {
	compute.Buffer
	host []float32
}

// A mask is one of the device, and its words on the host. If it is an argument, both have the
// same bits.
type mask struct {
	compute.Mask
	words compute.Words
}

// x and dy are arguments, and dst is a result.
func (s *set) x() operand   { return s.args[0] }
func (s *set) dy() operand  { return s.args[1] }
func (s *set) dst() operand { return s.results[0] }

// len returns the number of elements.
func (s *set) len() int { return len(s.x().host) }

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
		if err := s.add(b, in, n, i%(in.len()/n)); err != nil {
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
	one := set{}
	err := one.make(b, in, n, i)
	if err != nil {
		return errors.Join(err, one.release())
	}
	s.list = append(s.list, one)
	return nil
}

// make makes the operands of the i-th n values of in.
func (s *set) make(b compute.Backend, in *input, n, i int) error {
	upload := func(to *[]operand, from [][]float32) error {
		for _, v := range from {
			host := v[i*n : (i+1)*n : (i+1)*n]
			buf, err := b.Upload(host)
			if err != nil {
				return err
			}
			*to = append(*to, operand{buf, host})
		}
		return nil
	}
	if err := errors.Join(upload(&s.args, in.args), upload(&s.results, in.results)); err != nil {
		return err
	}
	for j := range in.count.maskArgs + in.count.maskResults {
		m, err := b.AllocMask(n)
		if err != nil {
			return err
		}
		one := mask{m, make(compute.Words, form.MaskWords(n))}
		if j >= in.count.maskArgs {
			s.maskResults = append(s.maskResults, one)
			continue
		}
		s.maskArgs = append(s.maskArgs, one)
		if err := one.fill(b, s.args[j%len(s.args)]); err != nil {
			return err
		}
	}
	return nil
}

// notNegative makes the bits of masks that are arguments.
var notNegative = expr.MustParse("func notNegative(x float32) (m bool) { m = x >= 0; return }")

// fill sets m to whether the values of x are at least 0.
func (m mask) fill(b compute.Backend, x operand) error {
	for i, v := range x.host {
		if v >= 0 {
			m.words[i/64] |= 1 << (i % 64)
		}
	}
	return b.Run(notNegative, m.Mask, x.Buffer)
}

// release releases all buffers and masks.
func (s *set) release() (err error) {
	for _, o := range slices.Concat(s.args, s.results) {
		err = errors.Join(err, o.Release())
	}
	for _, m := range slices.Concat(s.maskArgs, s.maskResults) {
		err = errors.Join(err, m.Release())
	}
	for _, v := range s.views {
		err = errors.Join(err, v.Release())
	}
	if s.step != nil {
		err = errors.Join(err, s.step.release())
	}
	return err
}

// prepare prepares the calls of m on all sets.
func (s *sets) prepare(m measurement) error {
	if m.prepare == nil {
		return nil
	}
	for i := range s.list {
		if err := m.prepare(&s.list[i]); err != nil {
			return err
		}
	}
	return nil
}

// release releases all sets.
func (s *sets) release() (err error) {
	for i := range s.list {
		err = errors.Join(err, s.list[i].release())
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
