package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/train"
)

// The operations on matrices and sums. Matrices have as many rows as columns, of as many elements
// as there are, or a few less.
const (
	sumOp    = report.Sum // of all elements
	matMulOp = "matmul"   // of two matrices
	stepOp   = "step"     // of training: see trainingStep
)

func linearNames() []string { return []string{sumOp, matMulOp, stepOp} }

// side returns the rows of a matrix of n elements at most.
func side(n int) int {
	s := int(math.Sqrt(float64(n)))
	for s*s > n {
		s--
	}
	return s
}

// linearMeasurements returns the measurements of ops, some of linearNames, on b, and the limit
// of products.
func linearMeasurements(b compute.Backend, ops []string) []measurement {
	var list []measurement
	l, isLinear := compute.As[compute.Linear](b)
	peak, limit := measurement{}, ""
	if p, ok := compute.As[form.Peaker](b); ok && isLinear {
		if peak = peakMeasurement(b, p); peak.call != nil {
			limit = peak.op
		}
	}
	for _, op := range ops {
		switch {
		case op == sumOp:
			list = append(list, sumMeasurement(b))
		case !isLinear: // it has no products
		case op == matMulOp || op == stepOp:
			if peak.call != nil {
				list = append(list, peak)
				peak.call = nil
			}
			if op == matMulOp {
				list = append(list, matMulMeasurement(l, limit))
			} else {
				list = append(list, stepMeasurement(l, limit))
			}
		}
	}
	return list
}

// sumMeasurement is the sum of x, in the first element of dst.
func sumMeasurement(b compute.Backend) measurement {
	m := measurement{op: sumOp, limit: report.Copy, bits: 32, prepare: func(s *set) error { return s.view(s.dst(), 1) }}
	m.check = results{n: 1, flushes: b.Info().FlushesSubnormals, want: func(s *set) func(i int) float32 {
		x := s.x().host
		sum := linear.Sum(len(x), func(i int) float32 { return x[i] })
		return func(int) float32 { return sum }
	}}
	return onDevice(b, m, func(s *set) error {
		return b.Reduce(s.views[viewKey{s.dst().Buffer, 1}], compute.Sum, compute.All(), nil, s.x().Buffer)
	})
}

// peakMeasurement is what b can compute, whatever the size. It has no call if b has no measure of
// that, as a Shard.
func peakMeasurement(b compute.Backend, p form.Peaker) measurement {
	flop, err := p.Peak()
	if flop == 0 && err == nil {
		return measurement{}
	}
	m := measurement{op: report.Peak, flop: func(int) float64 { return flop }, check: unchecked{}}
	return onDevice(b, m, func(*set) error {
		if err != nil {
			return err
		}
		_, err := p.Peak()
		return err
	})
}

// matMulMeasurement is the product of x and dy in dst.
func matMulMeasurement(b compute.Linear, limit string) measurement {
	m := measurement{op: matMulOp, limit: limit, flop: func(n int) float64 { return 2 * cube(side(n)) }, prepare: func(s *set) error {
		n := side(s.len())
		return errors.Join(s.view(s.x(), n*n), s.view(s.dy(), n*n), s.view(s.dst(), n*n))
	}}
	m.check = results{some: true, flushes: b.Info().FlushesSubnormals, want: func(s *set) func(i int) float32 {
		n := side(s.len())
		p := linear.Product{M: n, K: n, N: n}
		return func(i int) float32 { return p.Element(0, s.x().host, s.dy().host, i/n, i%n) }
	}}
	return onDevice(b, m, func(s *set) error {
		n := side(s.len())
		matrix := func(o operand) compute.Buffer { return s.views[viewKey{o.Buffer, n * n}] }
		return b.MatMul(matrix(s.dst()), matrix(s.x()), n, n, matrix(s.dy()), n)
	})
}

func cube(n int) float64 { return float64(n) * float64(n) * float64(n) }

// stepMeasurement is a whole step of training.
func stepMeasurement(b compute.Linear, limit string) measurement {
	m := measurement{op: stepOp, limit: limit, flop: func(n int) float64 { return trainingProducts * 2 * cube(side(n)) }, prepare: func(s *set) error {
		step, err := newTrainingStep(b, s)
		s.step = step
		return err
	}}
	m.check = results{some: true, flushes: b.Info().FlushesSubnormals, want: func(s *set) func(i int) float32 { return s.step.onCPU(s) }}
	return onDevice(b, m, func(s *set) error { return s.step.run() })
}

// trainingProducts is the number of products of matrices in a step.
const trainingProducts = 5

// A trainingStep is a step of a network of two layers, x·w1 and a GELU, then ·w2, that learns
// from a batch by gradient descent: forward, backward and update. The batch, the weights and the
// layers have side rows and columns. w1 is dy of a set, and so are w2 and the targets. Its
// result is w1 after the step, so that the next step begins with the same weights.
type trainingStep struct {
	b    compute.Linear
	n    int
	bufs []compute.Buffer
	// Views of the operands of a set, and buffers of their own.
	x, w, updated, z, h, y, g compute.Buffer
}

var (
	gelu     = expr.MustParse("func layer(xw float32) (h, z float32) { z = xw; h = gelu(z); return }")
	backGELU = expr.MustParse("gelu(z) = gelu(z)").Backward("z")
	distance = expr.MustParse("distance(y, t, scale) = scale * (y - t)")
)

const trainingRate = 0.01

// stepBuffers is how many buffers a step has besides the operands of a set, of their length.
const stepBuffers = 4

func newTrainingStep(b compute.Linear, s *set) (*trainingStep, error) {
	n := side(s.len())
	t := &trainingStep{b: b, n: n}
	var err error
	keep := func(buf compute.Buffer, e error) compute.Buffer {
		if err = errors.Join(err, e); e == nil {
			t.bufs = append(t.bufs, buf)
		}
		return buf
	}
	t.x, t.w, t.updated = keep(s.x().View(0, n*n)), keep(s.dy().View(0, n*n)), keep(s.dst().View(0, n*n))
	for _, to := range [stepBuffers]*compute.Buffer{&t.z, &t.h, &t.y, &t.g} {
		*to = keep(b.Alloc(n * n))
	}
	if err != nil {
		return nil, errors.Join(err, t.release())
	}
	return t, nil
}

func (t *trainingStep) release() (err error) {
	for _, buf := range t.bufs {
		err = errors.Join(err, buf.Release())
	}
	t.bufs = nil
	return err
}

func (t *trainingStep) run() error {
	b, n, rate := t.b, t.n, compute.F32(trainingRate)
	return errors.Join(
		b.MatMul(t.h, t.x, n, n, t.w, n, compute.Then(gelu, t.z)),
		b.MatMul(t.y, t.h, n, n, t.w, n, compute.Then(distance, t.w, compute.F32(1/float32(n)))),
		b.MatMul(t.g, t.h, n, n, t.y, n, compute.TransposeA),
		b.Run(train.SGD, t.g, t.w, t.g, rate), // the new w2
		b.MatMul(t.h, t.y, n, n, t.w, n, compute.TransposeB, compute.Then(backGELU, t.z)),
		b.MatMul(t.g, t.x, n, n, t.h, n, compute.TransposeA),
		b.Run(train.SGD, t.updated, t.w, t.g, rate),
	)
}

// onCPU returns the elements of the result on the CPU backend.
func (t *trainingStep) onCPU(s *set) func(i int) float32 {
	want := make([]float32, t.n*t.n)
	err := func() error {
		b, err := cpu.Open()
		if err != nil {
			return err
		}
		defer b.Close() // releases all buffers
		own := set{}
		for _, host := range [][]float32{s.x().host, s.dy().host, s.dst().host} {
			buf, err := b.Upload(host)
			if err != nil {
				return err
			}
			own.args = append(own.args, operand{buf, host})
		}
		own.results = own.args[2:]
		step, err := newTrainingStep(b.(compute.Linear), &own)
		if err != nil {
			return err
		}
		return errors.Join(step.run(), step.updated.Read(want))
	}()
	return func(i int) float32 {
		if err != nil {
			return float32(math.Inf(1)) // no result of a step: it will be reported as wrong
		}
		return want[i]
	}
}

// results checks elements of dst, on the device.
type results struct {
	n       int  // how many there are; 0 for a matrix
	some    bool // whether a sample is checked
	flushes bool // whether the device replaces subnormal values by zero
	want    func(s *set) func(i int) float32
}

// sampled is how many elements of a large result are compared.
const sampled = 256

// spoil implements check.
func (r results) spoil(s *set) error { return oneResult{}.onDevice().spoil(s) }

// difference implements check. If the device flushes subnormal values, and there are some, any
// result is right.
func (r results) difference(s *set) (string, error) {
	got := s.dst().host
	if err := s.dst().Read(got); err != nil {
		return "", err
	}
	n := r.n
	if n == 0 {
		n = side(len(got)) * side(len(got))
	}
	want := r.want(s)
	for k := range min(n, sampled) {
		i := k
		if r.some && n > sampled {
			i = rand.IntN(n)
		}
		if w := want(i); !values.Same(got[i], w) {
			if r.flushes && (slices.ContainsFunc(s.x().host, values.IsSubnormal) || slices.ContainsFunc(s.dy().host, values.IsSubnormal)) {
				return "", nil
			}
			return fmt.Sprintf("element %d of %d is %v (0x%08x), and should be %v", i, n, got[i], math.Float32bits(got[i]), w), nil
		}
	}
	return "", nil
}

// unchecked is the check of a call without a result.
type unchecked struct{}

func (unchecked) spoil(*set) error                { return nil }
func (unchecked) difference(*set) (string, error) { return "", nil }
