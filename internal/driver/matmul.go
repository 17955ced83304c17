package driver

import (
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
	for _, option := range options {
		option(&o)
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
		if p.then = then; then != nil {
			if p.thenAll, err = b.ownAll(then); err != nil {
				return err
			}
			all = append(all, p.thenAll...)
		}
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
}

// thenCall returns the call of o.Then. c is its first result, and its first argument.
func (b *Backend) thenCall(o *compute.Product, c compute.Buffer) (*programCall, error) {
	results := len(o.Then.Results())
	cl := b.call("matmul then " + o.Then.Name())
	if err := o.Then.Err(); err != nil {
		return nil, cl.wrap(err)
	}
	if len(o.Args) < results-1 {
		return nil, cl.fail(compute.ErrArgument, "%d arguments were given, and the program has %d results beside the product; give these first", len(o.Args), results-1)
	}
	args := []compute.Arg{c}
	args = append(append(args, o.Args[:results-1]...), c)
	return b.newProgramCall("matmul then", false, o.Then, append(args, o.Args[results-1:]...))
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
	if have := p.thenAll[p.then.last()].n; have != p.operands[0].n {
		return p.then.fail(compute.ErrLength, "%s has %d elements, and the product has %d; they must be the same number", p.then.names[p.then.last()], have, p.operands[0].n)
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
	var code *compiled
	var err error
	if p.then != nil {
		if code, err = p.then.compile(b); err != nil {
			return err
		}
	}
	if err := p.check(b); err != nil {
		return err
	}
	if p.M == 0 || p.N == 0 {
		return nil
	}
	call := &MatMulCall{Product: p.Product, C: p.operands[0].device, A: p.operands[1].device, B: p.operands[2].device}
	if p.then != nil {
		call.Then = p.then.launch(code, p.thenAll, p.M*p.N)
	}
	if err := b.multiply(call); err != nil {
		return b.failed(p.op, p.size(), err)
	}
	return nil
}

// size returns the extents of p, for errors.
func (p *product) size() string {
	return elements(p.M) + " by " + elements(p.K) + " by " + elements(p.N)
}

// multiply runs call, where K may be 0.
func (b *Backend) multiply(call *MatMulCall) error {
	switch m, ok := b.device.(Multiplier); {
	case call.K == 0:
		if !call.Accumulate {
			if err := b.device.Write(call.C, make([]float32, call.M*call.N)); err != nil {
				return err
			}
		}
	case ok:
		return m.MatMul(call)
	default:
		if err := b.multiplyOnHost(call); err != nil {
			return err
		}
	}
	if call.Then == nil {
		return nil
	}
	return b.device.Launch(call.Then)
}

// multiplyOnHost computes the product for a device that cannot.
func (b *Backend) multiplyOnHost(call *MatMulCall) error {
	x, y, z := make([]float32, call.M*call.K), make([]float32, call.K*call.N), make([]float32, call.M*call.N)
	for _, r := range []struct {
		from Memory
		to   []float32
	}{{call.A, x}, {call.B, y}, {call.C, z}} {
		if r.from == call.C && !call.Accumulate {
			continue
		}
		if err := b.device.Read(r.from, r.to); err != nil {
			return err
		}
	}
	linear.MatMul(call.Product, z, x, y)
	return b.device.Write(call.C, z)
}
