package gmind

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/train"
)

// The programs of a Model.
var (
	addBias       = expr.MustParse("addBias(z, bias) = z + bias")
	add           = expr.MustParse("add(sum, x) = sum + x")
	square        = expr.MustParse("square(x) = x * x")
	clip          = expr.MustParse("clip(g, squares, limit) = g * where(squares > limit, limit/squares, 1)")
	errorGradient = train.SquaredError.Backward("p")
	biasAnd       = programsOf(withBias)
	gradient      = programsOf(func(f compute.Activation) *expr.Program { return f.Program().Backward("x") })
)

// programsOf returns what of returns for each function of a model file.
func programsOf(of func(f compute.Activation) *expr.Program) map[compute.Kind]*expr.Program {
	return map[compute.Kind]*expr.Program{
		compute.KindLeakyReLU: of(compute.LeakyReLU(0)),
		compute.KindSigmoid:   of(compute.Sigmoid()),
	}
}

// params returns the parameters of f as arguments.
func params(f compute.Activation) []compute.Arg {
	if f.Kind == compute.KindLeakyReLU {
		return []compute.Arg{compute.F32(f.NegativeSlope())}
	}
	return nil
}

// withBias returns the program of x = z + bias and y = f(x), whose results are x and y, and
// whose arguments are z, bias and the parameters of f.
func withBias(f compute.Activation) *expr.Program {
	b, p := expr.NewBuilder("bias"+f.Kind.String()), f.Program()
	x := b.Op("+", b.Arg("z", expr.Float32), b.Arg("bias", expr.Float32))
	args := []expr.Value{x}
	for _, a := range p.Args()[1:] {
		args = append(args, b.Arg(a.Name, a.Type))
	}
	b.Result("x", x)
	b.Result("y", b.Call(p, args...)[0])
	made, err := b.Program()
	if err != nil {
		panic(err) // as expr.MustParse does
	}
	return made
}

// A Model is a network that computes on a backend, and trains there as G-Mind does. A call
// takes a batch: a matrix with a row for each sample, where G-Mind takes samples one after the
// other. Nothing is read from the device but by Network.
//
// The results have the same bits on every backend: those of float32 operations, with sums in
// the order of compute.Linear and compute.Reduction. G-Mind computes some of them in 64 bits,
// and sums one after the other, so its last bits may differ.
//
// Its methods may be called from several goroutines at once, one of which then computes.
type Model struct {
	b      compute.Backend
	linear compute.Linear // b, or what it wraps

	mu                sync.Mutex
	layers            []modelLayer
	in, out           int            // elements of a sample; 0 if there is no Dense
	params, gradients compute.Buffer // of all Dense layers; nil if there is none
	squares           compute.Buffer // of the gradients: one element
	owned             []compute.Buffer
	released          bool

	batch, n int              // of the buffers that depend on them: samples, and elements of the input
	ofBatch  []compute.Buffer // these
	ready    bool             // whether the last Forward succeeded
}

// A modelLayer is a layer on the device.
type modelLayer struct {
	dense *Dense      // its sizes, or nil
	f     *Activation // with its inputs before the first Forward, or nil

	// Of a Dense: views of Model.params and Model.gradients.
	weights, biases, gradientsW, gradientsB compute.Buffer

	// For the batch, or nil. The input of the first layer is the caller's, if it is a Dense.
	x, y    compute.Buffer
	dy      compute.Buffer // of a Dense, from the first Backward on: the gradient for y
	biasSum compute.Buffer // of a Dense: its sum over the batch
}

// NewModel returns a Model of n on b, with the weights, gradients and inputs of n. It holds
// memory of b until Release.
//
// Errors: compute.ErrUnavailable if b is nil or is no compute.Linear; compute.ErrActivation and
// compute.ErrLength for layers that Network.Write does not write either, or if a Dense has
// another number of inputs than the one before it has outputs; one for an Unknown; those of
// Backend.Upload.
func NewModel(b compute.Backend, n *Network) (*Model, error) {
	m, err := newModel(b, n)
	if err != nil {
		return nil, fmt.Errorf("gmind: model: %w", err)
	}
	return m, nil
}

func newModel(b compute.Backend, n *Network) (*Model, error) {
	if check.IsNil(b) {
		return nil, fmt.Errorf("the backend is nil; open one: %w", compute.ErrUnavailable)
	}
	l, ok := compute.As[compute.Linear](b)
	if !ok {
		return nil, fmt.Errorf("%s multiplies no matrices: it is no compute.Linear; use a backend of this module: %w", b.Info().Name, compute.ErrUnavailable)
	}
	if n == nil || len(n.Layers) == 0 {
		return nil, errors.New("the network has no layers")
	}
	m := &Model{b: b, linear: l}
	var params, gradients []float32
	for i, of := range n.Layers {
		if err := m.add(of); err != nil {
			return nil, fmt.Errorf("layer %d of %d: %w", i+1, len(n.Layers), err)
		}
		if d, ok := of.(*Dense); ok {
			params = append(append(params, d.Weights...), d.Biases...)
			gradients = append(append(gradients, d.GradientsW...), d.GradientsB...)
		}
	}
	if err := m.upload(params, gradients); err != nil {
		m.Release()
		return nil, err
	}
	return m, nil
}

// add appends a layer.
func (m *Model) add(of Layer) error {
	if check.IsNil(of) {
		return errors.New("it is nil")
	}
	if err := of.check(); err != nil {
		return err
	}
	switch of := of.(type) {
	case *Dense:
		if m.out != 0 && m.out != of.In {
			return fmt.Errorf("%v follows a layer of %d outputs: %w", of, m.out, compute.ErrLength)
		}
		m.in, m.out = cmp.Or(m.in, of.In), of.Out
		m.layers = append(m.layers, modelLayer{dense: &Dense{In: of.In, Out: of.Out}})
	case *Activation:
		m.layers = append(m.layers, modelLayer{f: &Activation{of.Function, slices.Clone(of.Inputs)}})
	default:
		return fmt.Errorf("the type %q is unknown; a Model has the types %s, %s and %s", of, dense, leakyReLU, sigmoid)
	}
	return nil
}

// upload makes the buffers that do not depend on a batch.
func (m *Model) upload(params, gradients []float32) (err error) {
	if len(params) == 0 {
		return nil
	}
	keep := func(x compute.Buffer, e error) compute.Buffer {
		if e == nil { // also after the error of another
			m.owned = append(m.owned, x)
		}
		err = cmp.Or(err, e)
		return x
	}
	m.params, m.gradients = keep(m.b.Upload(params)), keep(m.b.Upload(gradients))
	m.squares = keep(m.b.Alloc(1))
	if err != nil {
		return err
	}
	from := 0
	for i := range m.layers {
		l := &m.layers[i]
		if l.dense == nil {
			continue
		}
		biases := from + l.dense.In*l.dense.Out
		to := biases + l.dense.Out
		l.weights, l.gradientsW = keep(m.params.View(from, biases)), keep(m.gradients.View(from, biases))
		l.biases, l.gradientsB = keep(m.params.View(biases, to)), keep(m.gradients.View(biases, to))
		from = to
	}
	return err
}

// Inputs returns the number of inputs of a sample. It is 0 if any is right, since no layer is a
// Dense.
func (m *Model) Inputs() int { return m.in }

// Outputs returns the number of outputs of a sample. It is 0 if it is that of the inputs, since
// no layer is a Dense.
func (m *Model) Outputs() int { return m.out }

// Network returns the layers as they are now, with the inputs of the last sample of the last
// Forward. It reads from the device. Errors: compute.ErrClosed after Release, and those of
// Buffer.Read.
func (m *Model) Network() (*Network, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open("network"); err != nil {
		return nil, err
	}
	n := new(Network)
	for i := range m.layers {
		l, err := m.layers[i].read(m)
		if err != nil {
			return nil, fmt.Errorf("gmind: network: %w", err)
		}
		n.Layers = append(n.Layers, l)
	}
	return n, nil
}

// read returns the layer as it is now.
func (l *modelLayer) read(m *Model) (Layer, error) {
	if l.dense == nil {
		a := &Activation{l.f.Function, slices.Clone(l.f.Inputs)}
		if !m.ready {
			return a, nil
		}
		a.Inputs = make([]float32, l.x.Len()/m.batch)
		return a, l.x.ReadAt(a.Inputs, l.x.Len()-len(a.Inputs))
	}
	d := &Dense{In: l.dense.In, Out: l.dense.Out}
	for _, part := range []struct {
		to   *[]float32
		from compute.Buffer
	}{{&d.Weights, l.weights}, {&d.Biases, l.biases}, {&d.GradientsW, l.gradientsW}, {&d.GradientsB, l.gradientsB}} {
		*part.to = make([]float32, part.from.Len())
		if err := part.from.Read(*part.to); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// open returns an error after Release, and for a Model that NewModel has not made.
func (m *Model) open(op string) error {
	if m.b == nil {
		return fmt.Errorf("gmind: %s: the model has no backend; make one with NewModel: %w", op, compute.ErrUnavailable)
	}
	if m.released {
		return fmt.Errorf("gmind: %s: the model is released: %w", op, compute.ErrClosed)
	}
	return nil
}

// Release frees the memory of the Model. Later calls of it do nothing and return nil; those of
// the other methods return compute.ErrClosed. Errors: compute.ErrDevice.
func (m *Model) Release() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.released, m.ready = true, false
	return cmp.Or(release(&m.ofBatch), release(&m.owned))
}

// release releases the buffers.
func release(buffers *[]compute.Buffer) error {
	var err error
	for _, x := range *buffers {
		err = cmp.Or(err, x.Release())
	}
	*buffers = nil
	return err
}
