package driver

import (
	"fmt"
	"math/bits"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/linear"
)

// MatMul implements compute.Linear.
func (b *Backend) MatMul(c, a compute.Buffer, m, k int, bb compute.Buffer, n int, options ...compute.MatMulOption) error {
	const op = "matmul"
	if err := b.enter(op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if err := b.usable(op); err != nil {
		return err
	}
	cl := b.call(op)
	if m < 0 || k < 0 || n < 0 {
		return cl.fail(compute.ErrArgument, "m is %d, k is %d and n is %d; none of them can be negative", m, k, n)
	}
	var o compute.Product
	for i, option := range options {
		if option == nil {
			return cl.fail(compute.ErrArgument, "option %d of %d is nil; give TransposeA, TransposeB, Accumulate or Then(...)", i+1, len(options))
		}
		option(&o)
	}
	if o.Thens > 1 {
		return cl.fail(compute.ErrArgument, "Then is given %d times; write one program", o.Thens)
	}
	p := &product{call: cl, Product: linear.Product{M: m, K: k, N: n, TransposeA: o.TransposeA, TransposeB: o.TransposeB, Accumulate: o.Accumulate}}
	for i, arg := range []struct {
		name       string
		buf        compute.Buffer
		rows, cols int
	}{{"c", c, m, n}, {"a", a, m, k}, {"b", bb, k, n}} {
		p.operands[i] = b.own(arg.buf)
		if p.operands[i] == nil || p.operands[i].isMask {
			return cl.foreign(arg.name, arg.buf, false)
		}
		high, size := bits.Mul(uint(arg.rows), uint(arg.cols))
		if have := p.operands[i].n; high != 0 || size != uint(have) {
			return cl.fail(compute.ErrLength, "%s has %d elements, and %d rows of %d columns are given; they must be the same number", arg.name, have, arg.rows, arg.cols)
		}
	}
	all := p.operands[:]
	if o.Then != nil {
		then, err := b.thenCall(&o, c)
		if err != nil {
			return err
		}
		p.then = then
		if p.thenAll, err = b.ownAll(then); err != nil {
			return err
		}
		if p.code, err = then.compile(b); err != nil {
			return err
		}
		all = append(all, p.thenAll...)
	} else if len(o.Args) > 0 {
		return cl.fail(compute.ErrArgument, "Then has %d arguments, and no program", len(o.Args))
	}
	sorted := byID(make([]*store, len(all)), all)
	lockAll(sorted)
	defer unlockAll(sorted)
	return b.matMul(p)
}

// A product is a call of MatMul.
type product struct {
	call
	linear.Product
	operands [3]*memory   // c, a, b
	then     *programCall // or nil
	thenAll  []*memory    // its operands
	code     *compiled    // of it
}

// thenCall returns the call of o.Then. c is its first result, and its first argument.
func (b *Backend) thenCall(o *compute.Product, c compute.Buffer) (*programCall, error) {
	const op = "matmul then"
	if err := o.Then.Err(); err != nil {
		return nil, b.call(op).wrap(err)
	}
	results, params := len(o.Then.Results())-1, len(o.Then.Args())-1
	if given := givenArgs(o.Args); params < 0 || given != results+params {
		return nil, b.call(op+" "+o.Then.Name()).fail(compute.ErrArgument, "%d arguments were given, and the program has %d as results and %d as arguments; the first of each are the product, so give the others: results, then arguments", given, results+1, params+1)
	}
	args := []compute.Arg{c}
	args = append(append(args, o.Args[:results]...), c)
	return b.newProgramCall(op, false, o.Then, append(args, o.Args[results:]...))
}

// check returns what is wrong with the memory of p. It is locked.
func (p *product) check(b *Backend) error {
	for i, name := range []string{"c", "a", "b"} {
		if p.operands[i].released {
			return p.released(name)
		}
		if i > 0 && p.operands[0].overlaps(p.operands[i]) {
			return p.fail(compute.ErrOverlap, "c and %s share memory; give c a buffer of its own", name)
		}
	}
	if p.then == nil {
		return nil
	}
	if err := p.then.check(b, p.thenAll, p.then.at); err != nil {
		return err
	}
	for i := 1; i < p.then.results; i++ {
		for j, name := range []string{"a", "b"} {
			if p.thenAll[i].overlaps(p.operands[1+j]) {
				return p.then.fail(compute.ErrOverlap, "%s and %s share memory; give the result a buffer of its own", p.then.names[i], name)
			}
		}
	}
	return nil
}

// matMul computes p, whose memory is locked.
func (b *Backend) matMul(p *product) error {
	if err := p.check(b); err != nil {
		return err
	}
	if err := b.usable(p.op); err != nil { // since a call for which this one waited
		return err
	}
	if p.M == 0 || p.N == 0 {
		return nil
	}
	call := &MatMulCall{Product: p.Product, C: p.operands[0].device, A: p.operands[1].device, B: p.operands[2].device}
	if p.then != nil {
		call.Then = p.then.launch(p.code, p.thenAll, p.M*p.N)
	}
	if err := b.multiply(call); err != nil {
		return b.failed(p.op, p.size(), err)
	}
	return nil
}

// size returns the extents of p, for errors.
func (p *product) size() string {
	return fmt.Sprintf("%d by %d by %d elements", p.M, p.K, p.N)
}

// multiply runs call, where K may be 0.
func (b *Backend) multiply(call *MatMulCall) error {
	if call.K > 0 {
		return b.device.MatMul(call)
	}
	if !call.Accumulate {
		if err := b.device.Write(call.C, make([]float32, call.M*call.N)); err != nil {
			return err
		}
	}
	if call.Then == nil {
		return nil
	}
	return b.device.Launch(call.Then)
}
