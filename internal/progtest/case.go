// Package progtest makes random calls of programs for tests, and runs them on backends in all
// ways, to compare the results with the reference evaluator.
package progtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/randprog"
)

// A Case is a call of a program on operands.
type Case struct {
	Program *expr.Program
	N       int   // elements
	Args    []Arg // of the program
	Over    []int // by result: the argument that it overwrites, or -1
}

// An Arg is an argument of a Case. Arguments with the same slice are one buffer.
type Arg struct {
	Address kernel.Address
	Floats  []float32 // of an Element, Row or Col
	Words   []uint64  // of a Bit
	Scalar  uint32    // the bits of a float32, a uint32, or 0 and 1
}

// New returns a call of p for n elements, with random operands in random places.
func New(r *rand.Rand, p *expr.Program, n int) *Case {
	c := &Case{Program: p}
	buffers := len(p.Results())
	for _, a := range p.Args() {
		arg := Arg{Address: kernel.Scalar}
		switch kind := r.IntN(6); {
		case a.Type == expr.Uint32 || buffers == expr.MaxBuffers:
		case a.Type == expr.Bool && kind > 1:
			arg.Address = kernel.Bit
		case a.Type == expr.Float32 && kind > 2:
			arg.Address = kernel.Element
		case a.Type == expr.Float32 && kind > 0:
			arg.Address = []kernel.Address{kernel.Row, kernel.Col}[kind-1]
		}
		if arg.Address != kernel.Scalar {
			buffers++
		}
		c.Args = append(c.Args, arg)
	}
	for _, result := range p.Results() {
		address, over := kernel.Element, -1
		if result.Type == expr.Bool {
			address = kernel.Bit
		}
		if list := c.alike(address); len(list) > 0 && r.IntN(2) == 0 {
			over = list[r.IntN(len(list))]
			if slices.Contains(c.Over, over) {
				over = -1
			}
		}
		c.Over = append(c.Over, over)
	}
	return c.Of(r, n)
}

// Of returns the call with other random operands, of n elements, in the same places.
func (c *Case) Of(r *rand.Rand, n int) *Case {
	c = &Case{Program: c.Program, N: n, Args: slices.Clone(c.Args), Over: c.Over}
	for i, a := range c.Program.Args() {
		switch arg := &c.Args[i]; arg.Address {
		case kernel.Scalar:
			arg.Scalar = uint32(randprog.Bits(r, ir.Type(a.Type)))
		case kernel.Bit:
			arg.Words = randomWords(r, n)
		case kernel.Element:
			arg.Floats = randomFloats(r, n)
			// One buffer for two arguments, of which at most one is overwritten.
			if i > 0 && c.Args[i-1].Address == kernel.Element && !slices.Contains(c.Over, i) && r.IntN(4) == 0 {
				arg.Floats = c.Args[i-1].Floats
			}
		default:
			arg.Floats = randomFloats(r, divisor(r, n))
		}
	}
	return c
}

// alike returns the arguments with the address.
func (c *Case) alike(a kernel.Address) []int {
	var list []int
	for i, arg := range c.Args {
		if arg.Address == a {
			list = append(list, i)
		}
	}
	return list
}

func randomFloats(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = math.Float32frombits(uint32(randprog.Bits(r, ir.F32)))
	}
	return v
}

// randomWords returns a mask of n bits. Those after the last are 0.
func randomWords(r *rand.Rand, n int) []uint64 {
	v := make([]uint64, form.MaskWords(n))
	for i := range v {
		v[i] = r.Uint64()
	}
	if n%64 > 0 {
		v[n/64] &= 1<<(n%64) - 1
	}
	return v
}

// divisor returns a random divisor of n.
func divisor(r *rand.Rand, n int) int {
	var list []int
	for d := 1; d <= n && d <= 2000; d++ {
		if n%d == 0 {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return 0
	}
	return list[r.IntN(len(list))]
}

// Random returns a random program that backends run: of operations that they compute, with
// results that are float32 or bool.
func Random(r *rand.Rand, operations int) *expr.Program {
	return Runnable(randprog.New(r, randprog.Options{Operations: operations}))
}

// Runnable returns p with the bits of a float32 in place of each result that is a uint32.
func Runnable(p *ir.Program) *expr.Program {
	b := &ir.Builder{}
	args := make([]ir.Value, len(p.Args))
	for i, a := range p.Args {
		args[i] = b.Arg(a.Name, a.Type)
	}
	nodes := b.Inline(p, args)
	for _, r := range p.Results {
		v := nodes[r.Value]
		if b.Type(v) == ir.U32 {
			v = b.Op(ir.FromBits, v)
		}
		b.Result(r.Name, v)
	}
	return expr.FromIR(ir.Simplify(b.Program(p.Name)))
}

// Batch returns one program that computes several random ones, of the same arguments. All results
// of one are folded into one result.
func Batch(r *rand.Rand, operations, programs int) *expr.Program {
	b := &ir.Builder{}
	byType := map[ir.Type][]ir.Value{}
	for i, t := range []ir.Type{ir.F32, ir.F32, ir.F32, ir.U32, ir.U32, ir.Bool} {
		byType[t] = append(byType[t], b.Arg(fmt.Sprintf("a%d", i), t))
	}
	for i := range programs {
		p := randprog.New(r, randprog.Options{Operations: operations})
		var args []ir.Value
		for _, a := range p.Args {
			args = append(args, byType[a.Type][r.IntN(len(byType[a.Type]))])
		}
		nodes := b.Inline(p, args)
		folded := b.Const(ir.U32, 0)
		for _, result := range p.Results {
			v := nodes[result.Value]
			switch b.Type(v) {
			case ir.F32:
				v = b.Op(ir.Bits, v)
			case ir.Bool:
				v = b.Op(ir.WhereU32, v, b.Const(ir.U32, 1), b.Const(ir.U32, 0))
			}
			folded = b.Op(ir.AddU32, b.Op(ir.MulU32, folded, b.Const(ir.U32, 31)), v)
		}
		b.Result(fmt.Sprintf("r%d", i), b.Op(ir.FromBits, folded))
	}
	return expr.FromIR(ir.Simplify(b.Program("batch")))
}

// A Result is what a call computes of one result.
type Result struct {
	Floats []float32
	Words  []uint64
}

// Want returns the results by the reference evaluator.
func (c *Case) Want() []Result {
	p := c.Program.IR()
	results := make([]Result, len(p.Results))
	for j, r := range p.Results {
		if p.Nodes[r.Value].Type == ir.Bool {
			results[j].Words = make([]uint64, form.MaskWords(c.N))
		} else {
			results[j].Floats = make([]float32, c.N)
		}
	}
	nodes, args := make([]uint64, len(p.Nodes)), make([]uint64, len(p.Args))
	for i := range c.N {
		for j := range args {
			args[j] = c.Args[j].at(i, c.N)
		}
		p.Eval(nodes, uint64(i), args)
		for j, r := range p.Results {
			if results[j].Words != nil {
				results[j].Words[i/64] |= nodes[r.Value] << (i % 64)
			} else {
				results[j].Floats[i] = math.Float32frombits(uint32(nodes[r.Value]))
			}
		}
	}
	return results
}

// loose reports whether a device that flushes subnormals may have other results at element i,
// since a value there is subnormal, or the smallest that is not.
func (c *Case) loose(i int) bool {
	p := c.Program.IR()
	nodes, args := make([]uint64, len(p.Nodes)), make([]uint64, len(p.Args))
	for j := range args {
		args[j] = c.Args[j].at(i, c.N)
	}
	p.Eval(nodes, uint64(i), args)
	for k, v := range nodes {
		if x := math.Float32frombits(uint32(v)); p.Nodes[k].Type == ir.F32 && x != 0 && math.Abs(float64(x)) <= 0x1p-126 {
			return true
		}
	}
	return false
}

// at returns the bits of the argument at element i of n.
func (a *Arg) at(i, n int) uint64 {
	switch a.Address {
	case kernel.Scalar:
		return uint64(a.Scalar)
	case kernel.Bit:
		return a.Words[i/64] >> (i % 64) & 1
	case kernel.Row:
		i %= len(a.Floats)
	case kernel.Col:
		i /= n / len(a.Floats)
	}
	return uint64(math.Float32bits(a.Floats[i]))
}

// scalar returns a scalar argument of the type.
func scalar(t expr.Type, bits uint32) compute.Arg {
	switch t {
	case expr.Float32:
		return compute.F32(math.Float32frombits(bits))
	case expr.Uint32:
		return compute.U32(bits)
	}
	return compute.Bool(bits != 0)
}

// String returns the program, and what is given to it.
func (c *Case) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v\nof %d elements:", c.Program, c.N)
	for i, a := range c.Program.Args() {
		arg := c.Args[i]
		name := [...]string{"an element", "a row", "a column", "a bit", "a scalar"}[arg.Address]
		fmt.Fprintf(&b, " %s is %s", a.Name, name)
		switch arg.Address {
		case kernel.Row, kernel.Col:
			fmt.Fprintf(&b, " of %d", len(arg.Floats))
		case kernel.Scalar:
			fmt.Fprintf(&b, ", %#x", arg.Scalar)
		}
		b.WriteString(";")
	}
	fmt.Fprintf(&b, " results are over the arguments %v", c.Over)
	return b.String()
}
