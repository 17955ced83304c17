package gmind_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gmind"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestModelErrors: no bad argument is a panic or a wrong result.
func TestModelErrors(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := func() *gmind.Dense {
		return &gmind.Dense{In: 2, Out: 1, Weights: []float32{1, 2}, Biases: []float32{3}, GradientsW: []float32{0, 0}, GradientsB: []float32{0}}
	}
	with := func(change func(d *gmind.Dense)) *gmind.Dense {
		d := good()
		change(d)
		return d
	}
	for _, test := range []struct {
		layers []gmind.Layer
		want   error // or nil for any
		words  string
	}{
		{nil, nil, "no layers"},
		{[]gmind.Layer{good(), nil}, nil, "layer 2 of 2: it is nil"},
		{[]gmind.Layer{(*gmind.Dense)(nil)}, nil, "nil"},
		{[]gmind.Layer{good(), good()}, compute.ErrLength, "Dense(2, 1) follows a layer of 1 outputs"},
		{[]gmind.Layer{with(func(d *gmind.Dense) { d.In = 0 })}, compute.ErrLength, "inputs and outputs"},
		{[]gmind.Layer{with(func(d *gmind.Dense) { d.Weights = nil })}, compute.ErrLength, "0 elements in Weights; it must have 2"},
		{[]gmind.Layer{with(func(d *gmind.Dense) { d.GradientsB = []float32{1, 2} })}, compute.ErrLength, "GradientsB"},
		{[]gmind.Layer{with(func(d *gmind.Dense) { d.Weights[1] = nan })}, nil, "weight 1 of 2 is NaN"},
		{[]gmind.Layer{&gmind.Activation{Function: compute.Tanh()}}, compute.ErrActivation, "not a layer of G-Mind"},
		{[]gmind.Layer{&gmind.Activation{Function: compute.LeakyReLU(inf)}}, compute.ErrSlope, "slope"},
		{[]gmind.Layer{&gmind.Activation{Function: compute.Sigmoid(), Inputs: []float32{inf}}}, nil, "input 0 of 1 is +Inf"},
		{[]gmind.Layer{&gmind.Unknown{Type: "A", Text: `{"type":"B"}`}}, nil, "another type"},
		{[]gmind.Layer{&gmind.Unknown{Type: "A", Text: `{`}}, nil, "unexpected end"},
	} {
		n := &gmind.Network{Layers: test.layers}
		_, err := gmind.NewModel(b, n)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("NewModel of %v: error %v; want one with %q", test.layers, err, test.words)
		}
		if err := n.Write(new(bytes.Buffer)); err == nil && len(test.layers) == 1 {
			t.Errorf("Write of %v: no error", test.layers)
		}
	}
	n := &gmind.Network{Layers: []gmind.Layer{good(), &gmind.Activation{Function: compute.Sigmoid()}}}
	type notLinear struct{ compute.Backend }
	hidden := hides{b}
	for _, none := range []compute.Backend{nil, (*notLinear)(nil), hidden} {
		if _, err := gmind.NewModel(none, n); !errors.Is(err, compute.ErrUnavailable) {
			t.Errorf("on %v: %v", none, err)
		}
	}
	m := newModel(t, b, n)
	if m.Inputs() != 2 || m.Outputs() != 1 {
		t.Errorf("%d inputs and %d outputs", m.Inputs(), m.Outputs())
	}
	x := upload(t, b, []float32{1, 2, 3, 4})
	two, one, three := upload(t, b, []float32{0, 0}), upload(t, b, []float32{0}), upload(t, b, make([]float32, 3))
	forward := func(x compute.Buffer, batch int) error { _, err := m.Forward(x, batch); return err }
	check := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", what, err, want)
		}
	}
	check("Backward before Forward", m.Backward(two), compute.ErrNoInput)
	check("Loss before Forward", m.Loss(two, two), compute.ErrNoInput)
	check("Forward", forward(x, 2), nil)
	check("a batch of 0", forward(x, 0), compute.ErrLength)
	check("a batch of -1", forward(x, -1), compute.ErrLength)
	check("a batch of 1", forward(x, 1), compute.ErrLength)
	check("half samples", forward(three, 2), compute.ErrLength)
	check("no input", forward(nil, 2), compute.ErrForeignBuffer)
	check("Backward after all", m.Backward(two), nil)
	check("no target", m.Backward(nil), compute.ErrForeignBuffer)
	check("a short target", m.Backward(one), compute.ErrLength)
	check("a short loss", m.Loss(one, two), compute.ErrLength)
	check("a rate of NaN", m.Step(nan, true), compute.ErrArgument)
	check("an infinite rate", m.Train(x, two, 2, inf), compute.ErrArgument)
	check("a limit of 0", m.ClipGradients(0), compute.ErrArgument)
	check("a limit of NaN", m.ClipGradients(nan), compute.ErrArgument)
	foreign := testenv.Open(t, cpu.Open)
	check("a foreign input", forward(upload(t, foreign, []float32{1, 2, 3, 4}), 2), compute.ErrForeignBuffer)
	check("Backward after Forward failed", m.Backward(two), compute.ErrNoInput)
	check("Release", m.Release(), nil)
	check("Release again", m.Release(), nil)
	check("Forward after Release", forward(x, 2), compute.ErrClosed)
	check("Backward after Release", m.Backward(two), compute.ErrClosed)
	check("Loss after Release", m.Loss(two, two), compute.ErrClosed)
	check("Step after Release", m.Step(1, true), compute.ErrClosed)
	check("ClipGradients after Release", m.ClipGradients(1), compute.ErrClosed)
	_, err := m.Network()
	check("Network after Release", err, compute.ErrClosed)
	if err := (&gmind.Network{}).Write(nil); err == nil {
		t.Error("Write to nil: no error")
	}
	if err := (*gmind.Network)(nil).Write(new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "network is nil") {
		t.Errorf("Write of nil: %v", err)
	}
}

// TestModelWithoutBackend: a Model that NewModel has not made returns errors.
func TestModelWithoutBackend(t *testing.T) {
	m := new(gmind.Model)
	x := upload(t, testenv.Open(t, cpu.Open), []float32{1})
	_, forward := m.Forward(x, 1)
	_, network := m.Network()
	for name, err := range map[string]error{
		"Forward": forward, "Network": network, "Loss": m.Loss(x, x), "Backward": m.Backward(x),
		"ClipGradients": m.ClipGradients(1), "Step": m.Step(1, true), "Train": m.Train(x, x, 1, 1),
	} {
		if !errors.Is(err, compute.ErrUnavailable) {
			t.Errorf("%s: got error %v, want %v", name, err, compute.ErrUnavailable)
		}
	}
	if err := m.Release(); err != nil {
		t.Error(err)
	}
}

// failing is a backend whose first Upload fails.
type failing struct {
	compute.Linear
	failed *bool
}

func (b failing) Upload(v []float32) (compute.Buffer, error) {
	if !*b.failed {
		*b.failed = true
		return nil, compute.ErrOutOfMemory
	}
	return b.Linear.Upload(v)
}

// TestModelWithoutMemory: a Model that cannot be made leaves no buffers.
func TestModelWithoutMemory(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	if _, err := gmind.NewModel(failing{b.(compute.Linear), new(bool)}, golden(t, "exact.gmind")); !errors.Is(err, compute.ErrOutOfMemory) {
		t.Errorf("got error %v, want %v", err, compute.ErrOutOfMemory)
	}
	if n := b.Info().LiveBuffers; n != 0 {
		t.Errorf("%d buffers are live", n)
	}
}
