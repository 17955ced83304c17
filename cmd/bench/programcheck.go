package main

import (
	"fmt"
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/values"
)

// A programCheck checks the results of a program against its reference. On long buffers, where
// the reference would take too long, it checks every k-th element: others each time.
type programCheck struct {
	*program
	backend  compute.Backend
	onDevice bool // whether the results are there, and not on the host
	flushes  bool // whether the device replaces subnormal values by zero
	checks   int  // that were made
}

// constant is the program that makes all bits of a mask the same.
var constant = expr.MustParse("func constant(c bool) (m bool) { m = c; return }")

// spoil implements check. Of a mask, the first bit is wrong, and the others are the same.
func (c *programCheck) spoil(s *set) error {
	k := c.operands()
	for _, o := range s.results[:k.results] {
		if err := spoil(o, c.onDevice); err != nil {
			return err
		}
	}
	if k.maskResults == 0 || s.len() == 0 {
		return nil
	}
	r := c.reference(s)
	r.eval(0)
	masks := s.maskResults
	for j, result := range c.Results() {
		if result.Type != expr.Bool {
			continue
		}
		wrong := r.want(j) == 0
		if c.onDevice {
			if err := c.backend.Run(constant, masks[0].Mask, compute.Bool(wrong)); err != nil {
				return err
			}
		} else {
			for i := range masks[0].words {
				masks[0].words[i] = -bit(wrong)
			}
		}
		masks = masks[1:]
	}
	return nil
}

// difference implements check.
func (c *programCheck) difference(s *set) (string, error) {
	k := c.operands()
	if c.onDevice {
		for _, o := range s.results[:k.results] {
			if err := o.Read(o.host); err != nil {
				return "", err
			}
		}
		for _, m := range s.maskResults[:k.maskResults] {
			if err := m.Read(m.words); err != nil {
				return "", err
			}
		}
	}
	step := c.step(s.len())
	i := c.firstWrong(s, step, c.checks%step)
	c.checks++
	if i < 0 {
		return "", nil
	}
	return fmt.Sprintf("element %d of %d of the result %s", i, s.len(), c.reference(s).describe(i)), nil
}

// firstWrong returns the first wrong element of those with an index that is phase modulo
// step, or -1.
func (c *programCheck) firstWrong(s *set, step, phase int) int {
	return first(s.len(), func(from, to int) int {
		r := c.reference(s)
		for i := from + (step+phase-from%step)%step; i < to; i += step {
			if !r.right(i, c.flushes) {
				return i
			}
		}
		return -1
	})
}

// work is the number of operations that one check evaluates: some tenths of a second.
const work = 1 << 26

// functionWork is how many operations take as long as the reference of a function.
const functionWork = 64

// step returns of how many neighbouring elements one is checked. It is odd, so that all
// elements of a vector have their turn.
func (c *programCheck) step(n int) int {
	perElement := 0
	for _, node := range c.IR().Nodes {
		perElement++
		if node.Op.Info().Function {
			perElement += functionWork
		}
	}
	return int(int64(n)*int64(perElement)/work) | 1
}

// A reference evaluates a program for elements of a set.
type reference struct {
	*ir.Program
	operands     []compute.Arg // results, then arguments: Slice, Words and scalars
	args, values []uint64
}

func (p *program) reference(s *set) *reference {
	ir := p.IR()
	return &reference{ir, p.onHost(s), make([]uint64, len(ir.Args)), make([]uint64, len(ir.Nodes))}
}

// eval evaluates element i.
func (r *reference) eval(i int) {
	for j, a := range r.operands[len(r.Results):] {
		r.args[j] = element(a, i)
	}
	r.Eval(r.values, uint64(i), r.args)
}

// want returns the result j of the element that was evaluated.
func (r *reference) want(j int) uint64 { return r.values[r.Results[j].Value] }

// element returns element i of an operand: the bits of a float32, a uint32, or 0 and 1.
func element(a compute.Arg, i int) uint64 {
	switch v := a.(type) {
	case compute.Slice:
		return uint64(math.Float32bits(v[i]))
	case compute.Words:
		return v[i/64] >> (i % 64) & 1
	case compute.F32:
		return uint64(math.Float32bits(float32(v)))
	case compute.U32:
		return uint64(v)
	case compute.Bool:
		return bit(bool(v))
	}
	return 0
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// right reports whether the results of element i are right. If the device flushes subnormal
// values, any results are right where there is one.
func (r *reference) right(i int, flushes bool) bool {
	r.eval(i)
	for j := range r.Results {
		if !r.same(j, i) {
			return flushes && r.subnormal()
		}
	}
	return true
}

// same reports whether the result j of element i is right. Any NaN stands for any other.
func (r *reference) same(j, i int) bool {
	got, want := element(r.operands[j], i), r.want(j)
	if _, isFloat := r.operands[j].(compute.Slice); isFloat {
		return values.Same(math.Float32frombits(uint32(got)), math.Float32frombits(uint32(want)))
	}
	return got == want
}

// subnormal reports whether the program, for the element that was evaluated, has a subnormal
// value.
func (r *reference) subnormal() bool {
	for i, n := range r.Nodes {
		if n.Type == ir.F32 && values.IsSubnormal(math.Float32frombits(uint32(r.values[i]))) {
			return true
		}
	}
	return false
}

// describe describes the first wrong result of element i, from its name on.
func (r *reference) describe(i int) string {
	r.eval(i)
	for j, result := range r.Results {
		if r.same(j, i) {
			continue
		}
		got, want := fmt.Sprint(element(r.operands[j], i)), fmt.Sprint(r.want(j))
		if v, isFloat := r.operands[j].(compute.Slice); isFloat {
			got, want = values.Show(v[i]), values.Show(math.Float32frombits(uint32(r.want(j))))
		}
		return fmt.Sprintf("%s is %s and should be %s", result.Name, got, want)
	}
	return ""
}
