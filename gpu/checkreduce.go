//go:build opencl && cgo

package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// checkReduce compares compiled, a kernel of c, with its reference: for short sequences, each
// with one special value, and for one of two chunks; with vectors that begin anywhere, and aligned
// ones, of rows and of columns. Its errors are those of check. If the device flushes subnormals,
// sequences in which the reference has one may have any result.
func (p *pipeline) checkReduce(c *code, kind reduceKind, compiled *opencl.Kernel, text string) error {
	for _, shape := range []struct{ others, length, step int }{
		{43, linear.Lanes + 6, 1}, {1, linear.Chunk + 70, 16}, {16, linear.Lanes + 6, 16},
	} {
		t := newReduceCheck(c, kind, shape.others, shape.length)
		t.step = shape.step
		if err := p.launchReduceCheck(t, kind, compiled); err != nil {
			return err
		}
		if wrong := t.wrongReduction(kind, p.d.flushes.Load()); wrong != "" {
			return fmt.Errorf("%s: %w; the kernel is\n%s", wrong, compute.ErrMiscompiled, text)
		}
	}
	return nil
}

// A reduceCheck is a check whose values are the sequences that are reduced.
type reduceCheck struct {
	*check
	others, length int // sequences, and elements in each
}

// newReduceCheck makes the operands of a call.
func newReduceCheck(c *code, kind reduceKind, others, length int) *reduceCheck {
	r := rand.New(rand.NewPCG(3, 4))
	n := others * length
	t := &reduceCheck{newCheck(r, c, n, 0, 0), others, length}
	t.operands[0] = kernel.Operand[[]float32]{Memory: make([]float32, others*ceil(length, linear.Chunk))}
	special := values.Special()
	for i, a := range c.kernel.Inputs {
		o := t.operands[1+i]
		if a == kernel.Bit {
			continue
		}
		for j := range o.Memory {
			o.Memory[j] = float32(r.NormFloat64())
		}
		if a != kernel.Element || others == 1 {
			continue
		}
		for other := range others {
			o.Memory[t.element(kind, other, r.IntN(length))] = special[(other+i)%len(special)]
		}
		for j := range length {
			o.Memory[t.element(kind, 0, j)] = float32(math.Copysign(0, -1)) // the sum is +0
		}
	}
	return t
}

// element returns the index of element i of a sequence.
func (t *reduceCheck) element(kind reduceKind, other, i int) int {
	if kind.columns {
		return i*t.others + other
	}
	return other*t.length + i
}

// launchReduceCheck runs the call.
func (p *pipeline) launchReduceCheck(t *reduceCheck, kind reduceKind, compiled *opencl.Kernel) error {
	return p.computeCheck(t.check, func(call *driver.Call) error {
		return p.d.enqueueReduce(p.queue, compiled, &reducePass{t.c, call, kind.columns, t.length, t.others, t.length})
	})
}

// wrongReduction describes the first result that differs from the reference, or returns "".
func (t *reduceCheck) wrongReduction(kind reduceKind, flushes bool) string {
	k := t.c.kernel
	reference := newReference(k.Body)
	args := make([]uint64, len(k.Inputs)+len(k.Params))
	for i, bits := range t.params {
		args[len(k.Inputs)+i] = uint64(bits)
	}
	all, subnormal := make([]float32, t.n), make([]bool, t.n)
	for i := range all {
		for j, a := range k.Inputs {
			args[j] = t.at(1+j, a, i)
		}
		nodes := reference.eval(t.index+uint64(i), args)
		all[i] = math.Float32frombits(uint32(nodes[k.Body.Results[0].Value]))
		subnormal[i] = hasSubnormal(k.Body, nodes)
	}
	chunks := ceil(t.length, linear.Chunk)
	for chunk := range chunks {
		for other := range t.others {
			n := min(linear.Chunk, t.length-chunk*linear.Chunk)
			any := false // subnormal
			at := func(i int) float32 {
				i = t.element(kind, other, chunk*linear.Chunk+i)
				any = any || subnormal[i]
				return all[i]
			}
			var want float32
			switch kind.op {
			case compute.Max:
				want = linear.Max(n, at)
			case compute.Min:
				want = linear.Min(n, at)
			case compute.Mean:
				want = linear.Sum(n, at) / float32(t.length)
			default:
				want = linear.Sum(n, at)
			}
			i := other*chunks + chunk
			if kind.columns {
				i = chunk*t.others + other
			}
			if got := t.operands[0].Memory[i]; !values.Same(got, want) && !(flushes && (any || values.IsSubnormal(want))) {
				return fmt.Sprintf("the device computes the %v %d, elements %d to %d of %d, as %s, and not %s",
					kind, other, chunk*linear.Chunk, chunk*linear.Chunk+n, t.length, values.Show(got), values.Show(want))
			}
		}
	}
	return ""
}
