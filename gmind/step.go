package gmind

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/train"
)

// Forward computes the outputs for batch samples, each a row of x, and returns them: a row for
// each sample. The buffer belongs to the Model, which overwrites or releases it in the next
// Forward. x stays as it is until Backward, which needs it.
//
// The memory that it takes, for each sample and layer, is reused if batch repeats. Errors:
// compute.ErrLength if batch is below 1, or if x has not as many rows of Inputs; compute.ErrClosed
// after Release; those of Backend.Alloc and Linear.MatMul.
func (m *Model) Forward(x compute.Buffer, batch int) (compute.Buffer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.forward(x, batch)
}

func (m *Model) forward(x compute.Buffer, batch int) (compute.Buffer, error) {
	const op = "forward"
	if err := m.open(op); err != nil {
		return nil, err
	}
	if check.IsNil(x) {
		return nil, fmt.Errorf("gmind: %s: the input is nil: %w", op, compute.ErrForeignBuffer)
	}
	if n := x.Len(); batch < 1 || n < batch || n%batch != 0 || m.in != 0 && n/batch != m.in {
		if m.in != 0 {
			return nil, fmt.Errorf("gmind: %s: the input has %d elements, and is to be %d samples of %d; give a buffer with a row for each of at least one sample: %w", op, n, batch, m.in, compute.ErrLength)
		}
		return nil, fmt.Errorf("gmind: %s: the input has %d elements, which are no rows of %d samples: %w", op, n, batch, compute.ErrLength)
	}
	m.ready = false
	if err := m.reserve(batch, x.Len()); err != nil {
		return nil, fmt.Errorf("gmind: %s of %d samples: %w", op, batch, err)
	}
	if err := m.compute(x); err != nil {
		return nil, fmt.Errorf("gmind: %s: %w", op, err)
	}
	m.ready = true
	return m.output(), nil
}

// output returns the result of the last layer.
func (m *Model) output() compute.Buffer { return m.layers[len(m.layers)-1].y }

// reserve makes the buffers of a batch with n inputs in all, unless there are such ones.
func (m *Model) reserve(batch, n int) error {
	if m.batch == batch && m.n == n {
		return nil
	}
	m.batch, m.n = 0, 0
	if err := release(&m.ofBatch); err != nil {
		return err
	}
	var x compute.Buffer
	size := n
	for i := range m.layers {
		l := &m.layers[i]
		l.x, l.y, l.dy, l.biasSum = x, nil, nil, nil
		if l.dense != nil {
			high, elements := bits.Mul(uint(batch), uint(l.dense.Out))
			if high != 0 || elements > math.MaxInt {
				return fmt.Errorf("%v has too many outputs for them: %w", l.dense, compute.ErrOutOfMemory)
			}
			size = int(elements)
		} else if i == 0 { // which keeps its input
			if err := m.alloc(&l.x, n); err != nil {
				return err
			}
		}
		if err := m.alloc(&l.y, size); err != nil {
			return err
		}
		x = l.y
	}
	m.batch, m.n = batch, n
	return nil
}

// alloc sets *x to a buffer of the batch, unless there is one.
func (m *Model) alloc(x *compute.Buffer, n int) error {
	if *x != nil {
		return nil
	}
	made, err := m.b.Alloc(n)
	if err != nil {
		return err
	}
	*x, m.ofBatch = made, append(m.ofBatch, made)
	return nil
}

// compute computes the results of all layers.
func (m *Model) compute(x compute.Buffer) error {
	if first := &m.layers[0]; first.dense != nil {
		first.x = x
	} else if err := m.b.Copy(first.x, x); err != nil {
		return err
	}
	for i := 0; i < len(m.layers); i++ {
		l := &m.layers[i]
		if l.dense == nil {
			if err := m.b.Forward(l.f.Function, l.y, l.x); err != nil {
				return err
			}
			continue
		}
		then := compute.Then(addBias, compute.Row(l.biases))
		if i+1 < len(m.layers) && m.layers[i+1].f != nil { // in the same pass
			i++
			f := m.layers[i].f.Function
			then = compute.Then(biasAnd[f.Kind], append([]compute.Arg{m.layers[i].y, compute.Row(l.biases)}, params(f)...)...)
		}
		err := m.linear.MatMul(l.y, l.x, m.batch, l.dense.In, l.weights, l.dense.Out, compute.TransposeB, then)
		if err != nil {
			return err
		}
	}
	return nil
}

// Loss sets loss[i] to the mean, over the outputs of sample i of the last Forward, of the squared
// difference to target: G-Mind's MSELoss. Errors: compute.ErrNoInput before Forward,
// compute.ErrClosed after Release, and those of Backend.Reduce.
func (m *Model) Loss(loss, target compute.Buffer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.canBackward("loss", target); err != nil {
		return err
	}
	return m.b.Reduce(loss, compute.Mean, compute.Rows(m.output().Len()/m.batch), train.SquaredError, m.output(), target)
}

// canBackward returns an error unless target has an element for each output of the last Forward.
func (m *Model) canBackward(op string, target compute.Buffer) error {
	if err := m.open(op); err != nil {
		return err
	}
	if !m.ready {
		return fmt.Errorf("gmind: %s: there are no outputs; call Forward first: %w", op, compute.ErrNoInput)
	}
	if check.IsNil(target) {
		return fmt.Errorf("gmind: %s: the target is nil: %w", op, compute.ErrForeignBuffer)
	}
	if n := m.output().Len(); target.Len() != n {
		return fmt.Errorf("gmind: %s: the target has %d elements, and the output of %d samples has %d; they must be the same number: %w", op, target.Len(), m.batch, n, compute.ErrLength)
	}
	return nil
}

// Backward adds to the gradients of all weights and biases those for the last Forward: of the
// sum of squared differences between outputs and target, divided by the number of samples. As
// G-Mind's MSELoss, it does not divide by the number of outputs, as Loss does. The division
// comes first, and not, as in G-Mind, after each product.
//
// Errors: as for Loss.
func (m *Model) Backward(target compute.Buffer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.backward(target)
}

func (m *Model) backward(target compute.Buffer) error {
	const op = "backward"
	if err := m.canBackward(op, target); err != nil {
		return err
	}
	if m.params == nil {
		return nil
	}
	if err := m.propagate(target); err != nil {
		return fmt.Errorf("gmind: %s: %w", op, err)
	}
	return nil
}

// propagate goes through the layers in reverse order, down to the first Dense.
func (m *Model) propagate(target compute.Buffer) error {
	i := m.denseBefore(len(m.layers))
	if err := m.reserveGradient(i); err != nil {
		return err
	}
	dy := m.layers[i].dy
	if err := m.b.Run(errorGradient, dy, compute.F32(1/float32(m.batch)), m.output(), target); err != nil {
		return err
	}
	for j := len(m.layers) - 1; ; j-- {
		for ; j > i; j-- { // the activations after Dense i
			if err := m.b.Backward(m.layers[j].f.Function, dy, dy, m.layers[j].x); err != nil {
				return err
			}
		}
		l := &m.layers[i]
		if err := m.accumulate(l); err != nil {
			return err
		}
		if i = m.denseBefore(i); i < 0 {
			return nil
		}
		if err := m.reserveGradient(i); err != nil {
			return err
		}
		dx, options := m.layers[i].dy, []compute.MatMulOption(nil)
		if a := &m.layers[j-1]; a.f != nil { // in the same pass
			j--
			f := a.f.Function
			options = append(options, compute.Then(gradient[f.Kind], append([]compute.Arg{a.x}, params(f)...)...))
		}
		if err := m.linear.MatMul(dx, dy, m.batch, l.dense.Out, l.weights, l.dense.In, options...); err != nil {
			return err
		}
		dy = dx
	}
}

// denseBefore returns the index of the last Dense before layer i, or -1.
func (m *Model) denseBefore(i int) int {
	for i--; i >= 0 && m.layers[i].dense == nil; i-- {
	}
	return i
}

// reserveGradient makes what Backward needs of a Dense.
func (m *Model) reserveGradient(i int) error {
	l := &m.layers[i]
	if err := m.alloc(&l.dy, l.y.Len()); err != nil {
		return err
	}
	return m.alloc(&l.biasSum, l.dense.Out)
}

// accumulate adds the gradients of l, for its dy.
func (m *Model) accumulate(l *modelLayer) error {
	err := m.linear.MatMul(l.gradientsW, l.dy, l.dense.Out, m.batch, l.x, l.dense.In, compute.TransposeA, compute.Accumulate)
	if err != nil {
		return err
	}
	if err := m.b.Reduce(l.biasSum, compute.Sum, compute.Cols(l.dense.Out), nil, l.dy); err != nil {
		return err
	}
	return m.b.Run(add, l.gradientsB, l.gradientsB, l.biasSum)
}

// ClipGradients is G-Mind's clip_gradients: if the sum of the squares of all gradients exceeds
// limit, it multiplies them by limit divided by that sum, without a square root. For the usual
// rule, see train.ClipNorm. Errors: compute.ErrArgument unless limit is above 0;
// compute.ErrClosed after Release; those of Backend.Reduce.
func (m *Model) ClipGradients(limit float32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open("clip"); err != nil {
		return err
	}
	if !(limit > 0) {
		return fmt.Errorf("gmind: clip: the limit is %v; give one above 0: %w", limit, compute.ErrArgument)
	}
	if m.params == nil {
		return nil
	}
	if err := m.b.Reduce(m.squares, compute.Sum, compute.All(), square, m.gradients); err != nil {
		return fmt.Errorf("gmind: clip: %w", err)
	}
	return m.b.Run(clip, m.gradients, m.gradients, compute.Row(m.squares), compute.F32(limit))
}

// Step subtracts rate times its gradient from each weight and bias, and then, if zero is set,
// sets the gradients to 0. Errors: compute.ErrArgument if rate is NaN or infinite;
// compute.ErrClosed after Release; those of Backend.Run.
func (m *Model) Step(rate float32, zero bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.step(rate, zero)
}

func (m *Model) step(rate float32, zero bool) error {
	if err := m.open("step"); err != nil {
		return err
	}
	if err := finiteRate(rate); err != nil {
		return err
	}
	if m.params == nil {
		return nil
	}
	if err := m.b.Run(train.SGD, m.params, m.params, m.gradients, compute.F32(rate)); err != nil {
		return fmt.Errorf("gmind: step: %w", err)
	}
	if !zero {
		return nil
	}
	return m.b.Fill(m.gradients, 0)
}

// finiteRate returns an error for a rate that would make all weights NaN or infinite.
func finiteRate(rate float32) error {
	if r := float64(rate); math.IsNaN(r) || math.IsInf(r, 0) {
		return fmt.Errorf("gmind: step: the rate is %v; give a finite one: %w", rate, compute.ErrArgument)
	}
	return nil
}

// Train is one step of training with batch samples, rows of x, and their targets: Forward,
// Backward, and Step, which sets the gradients to 0. Errors: theirs.
func (m *Model) Train(x, target compute.Buffer, batch int, rate float32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := finiteRate(rate); err != nil {
		return err
	}
	if _, err := m.forward(x, batch); err != nil {
		return err
	}
	if err := m.backward(target); err != nil {
		return err
	}
	return m.step(rate, true)
}
