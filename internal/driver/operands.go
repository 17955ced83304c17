package driver

import (
	"fmt"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/kernel"
)

// A signature is what the checks of a call know of its operands: the results, then the
// arguments that are buffers or masks.
type signature struct {
	op        string // of the call, in errors
	streamed  string // op on slices
	names     []string
	addresses []kernel.Address
	results   int // how many of them are results
}

// own returns the memory of v, a buffer or a mask of b, or nil.
func (b *Backend) own(v any) *memory {
	var m *memory
	switch v := v.(type) {
	case *buffer:
		if v != nil {
			m = &v.memory
		}
	case *mask:
		if v != nil {
			m = &v.memory
		}
	}
	if m == nil || m.owner != b {
		return nil
	}
	return m
}

// byID sets sorted, of the length of all, to the stores of these in the order in which they are
// locked, and returns it without repetitions. All calls lock by id, so that no two wait for each
// other.
func byID(sorted []*store, all []*memory) []*store {
	n := 0
	for _, m := range all {
		i := n
		for i > 0 && sorted[i-1].id > m.id {
			i--
		}
		if i > 0 && sorted[i-1] == m.store {
			continue
		}
		for j := n; j > i; j-- { // a call of copy takes longer
			sorted[j] = sorted[j-1]
		}
		sorted[i] = m.store
		n++
	}
	return sorted[:n]
}

func lockAll(sorted []*store) {
	for _, s := range sorted {
		s.mu.Lock()
	}
}

func unlockAll(sorted []*store) {
	for _, s := range sorted {
		s.mu.Unlock()
	}
}

// fits reports whether check finds nothing wrong with all, the operands of a form, where that
// is soon told.
func (s *signature) fits(all []*memory) bool {
	n := all[0].n
	for _, m := range all {
		if m.released || m.n != n || m.isView {
			return false
		}
	}
	return s.results == 1 || all[0] != all[1]
}

// check returns what is wrong with all, the operands of a call on b, which are locked. at is
// the part that the call is of a longer one, with Total 0 if it is whole.
func (s *signature) check(b *Backend, all []*memory, at kernel.At) error {
	for i, m := range all {
		if m.released {
			return b.call(s.op).released(s.names[i])
		}
	}
	c := b.call(s.op)
	if err := checkSizes(c, s, func(i int) int { return all[i].n }, at, func(i, j int) bool { return all[i].overlaps(all[j]) }); err != nil {
		return err
	}
	for i, result := range all[:s.results] {
		for j, input := range all[s.results:] {
			if result.overlaps(input) && result.from != input.from {
				return c.fail(compute.ErrOverlap, "%s and %s share a part of their memory; give views of the same elements, or of separate ones", s.names[i], s.names[s.results+j])
			}
		}
	}
	return nil
}

// checkSizes returns what is wrong with the lengths of operands, or with the memory that they
// share. overlap reports whether two of them share memory.
func checkSizes(c call, s *signature, length func(i int) int, at kernel.At, overlap func(i, j int) bool) error {
	last := s.last()
	n := length(last)
	total := n
	if at.Total > 0 {
		total = at.Total
	}
	for i, a := range s.addresses {
		switch have := length(i); {
		case a != kernel.Row && a != kernel.Col:
			if have != n {
				return c.lengths(s.names[i], have, s.names[last], n)
			}
		case have == 0 && total > 0 || have > 0 && total%have != 0:
			return c.fail(compute.ErrLength, "%s repeats %d elements, and %s has %d, which is no multiple; give it a length that divides %d", s.names[i], have, s.names[last], total, total)
		}
	}
	for i := range s.results {
		for j := i + 1; j < len(s.addresses); j++ {
			repeats := s.addresses[j] == kernel.Row || s.addresses[j] == kernel.Col
			switch {
			case j >= s.results && !repeats || !overlap(i, j):
			case j < s.results:
				return c.fail(compute.ErrOverlap, "%s and %s are the same buffer; give each result its own", s.names[i], s.names[j])
			default:
				return c.fail(compute.ErrOverlap, "%s is written and repeated as %s; give the result a buffer of its own", s.names[i], s.names[j])
			}
		}
	}
	return nil
}

// last returns the index of the last operand that is not repeated. Its length is that of the
// call.
func (s *signature) last() int {
	last := len(s.addresses) - 1
	for s.addresses[last] == kernel.Row || s.addresses[last] == kernel.Col {
		last--
	}
	return last
}

// period returns how many neighboring elements of a call have the same value of an operand
// with the address and the length.
func period(a kernel.Address, length, n int, at kernel.At) int {
	if a != kernel.Col || length == 0 {
		return 0
	}
	if at.Total > 0 {
		n = at.Total
	}
	return n / length
}

func elements(n int) string { return fmt.Sprintf("%d elements", n) }
