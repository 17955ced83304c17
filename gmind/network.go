package gmind

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// The types in the lines of layers.
const (
	dense     = "Dense"
	leakyReLU = "LeakyRelu"
	sigmoid   = "Sigmoid"
)

// A Network is what a model file has, as plain data: G-Mind's Sequential. NewModel makes a
// Model of it, which computes.
type Network struct {
	Layers []Layer
}

// A Layer is a *Dense, an *Activation, or an *Unknown.
type Layer interface {
	// String returns what the layer is, such as "Dense(784, 128)".
	String() string

	check() error // whether it can be written
	line() any    // as encoding/json writes it
}

// Dense is a layer with a weight for each pair of an input and an output: output o is the sum of
// Weights[o*In+i] times input i over all inputs, plus Biases[o].
// All four slices are needed: before training, the gradients are zeros.
type Dense struct {
	In, Out    int
	Weights    []float32 // Out rows of In
	Biases     []float32 // Out
	GradientsW []float32 // what training has added since the last step, as Weights
	GradientsB []float32 // as Biases
}

// String returns the type and the numbers of inputs and outputs.
func (d *Dense) String() string { return fmt.Sprintf("Dense(%d, %d)", d.In, d.Out) }

// Activation is a LeakyReLU or Sigmoid layer.
type Activation struct {
	Function compute.Activation
	Inputs   []float32 // the last ones, of one sample
}

// String returns the function.
func (a *Activation) String() string { return a.Function.String() }

// Unknown is a layer of a type that this package does not know. It is written as it was read,
// but for white space, and NewModel returns an error for it.
type Unknown struct {
	Type string
	Text string // the line
}

// String returns the type.
func (u *Unknown) String() string { return u.Type }

// ReadNetwork reads a model file. A line that is not one of a layer is an error, which has its
// line and column, in bytes from 1 on. A type that this package does not know is none: see
// Unknown. Errors: those of r, and others for what is not a model file.
func ReadNetwork(r io.Reader) (*Network, error) {
	if check.IsNil(r) {
		return nil, errors.New("gmind: read: the reader is nil")
	}
	n := new(Network)
	err := eachLine(r, func(text []byte) error {
		l, err := parseLine(text)
		n.Layers = append(n.Layers, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gmind: read: %w", err)
	}
	return n, nil
}

// Write writes n as a model file, which ReadNetwork and G-Mind read, with every bit. JSON has
// neither NaN nor infinities: a layer that contains one is an error. Errors name the layer, and
// those before it are written: compute.ErrActivation (another function), compute.ErrLength (a
// slice of a Dense has another length than In and Out say), those of w, and others for a w or a
// layer that is nil.
func (n *Network) Write(w io.Writer) error {
	if check.IsNil(w) {
		return errors.New("gmind: write: the writer is nil")
	}
	if n == nil {
		return errors.New("gmind: write: the network is nil")
	}
	return writeLines(w, len(n.Layers), func(i int) (any, error) {
		l := n.Layers[i]
		if check.IsNil(l) {
			return nil, errors.New("it is nil")
		}
		if err := l.check(); err != nil {
			return nil, err
		}
		return l.line(), nil
	})
}

// writeLines writes n lines, which line returns.
func writeLines(w io.Writer, n int, line func(i int) (any, error)) error {
	lines := json.NewEncoder(w) // ends each value with a newline
	lines.SetEscapeHTML(false)  // of Unknown
	for i := range n {
		v, err := line(i)
		if err == nil {
			err = lines.Encode(v)
		}
		if err != nil {
			return fmt.Errorf("gmind: write: layer %d of %d: %w", i+1, n, err)
		}
	}
	return nil
}

func (d *Dense) check() error {
	if d.In < 1 || d.Out < 1 || d.In > 1<<30 || d.Out > 1<<30 {
		return fmt.Errorf("%v must have 1 to 1<<30 inputs and outputs: %w", d, compute.ErrLength)
	}
	for _, part := range []struct {
		field, number string
		values        []float32
		want          int64
	}{
		{"Weights", "weight", d.Weights, int64(d.In) * int64(d.Out)}, {"Biases", "bias", d.Biases, int64(d.Out)},
		{"GradientsW", "gradient of weight", d.GradientsW, int64(d.In) * int64(d.Out)}, {"GradientsB", "gradient of bias", d.GradientsB, int64(d.Out)},
	} {
		if int64(len(part.values)) != part.want {
			return fmt.Errorf("%v has %d elements in %s; it must have %d: %w", d, len(part.values), part.field, part.want, compute.ErrLength)
		}
		if err := finite(part.number, part.values); err != nil {
			return fmt.Errorf("%v: %w", d, err)
		}
	}
	return nil
}

func (d *Dense) line() any {
	rows := func(v []float32) (rows [][]float32) {
		for i := 0; i < len(v); i += d.In {
			rows = append(rows, v[i:i+d.In])
		}
		return rows
	}
	return struct {
		Type       string      `json:"type"`
		In         int         `json:"in_features"`
		Out        int         `json:"out_features"`
		Weights    [][]float32 `json:"weights"`
		Biases     []float32   `json:"biases"`
		GradientsW [][]float32 `json:"gradients_w"`
		GradientsB []float32   `json:"gradients_b"`
	}{dense, d.In, d.Out, rows(d.Weights), d.Biases, rows(d.GradientsW), d.GradientsB}
}

func (a *Activation) check() error {
	if k := a.Function.Kind; k != compute.KindLeakyReLU && k != compute.KindSigmoid {
		return fmt.Errorf("%v is not a layer of G-Mind model files, which have only LeakyReLU and Sigmoid: %w", a.Function, compute.ErrActivation)
	}
	if err := a.Function.Validate(); err != nil {
		return err
	}
	if err := finite("input", a.Inputs); err != nil {
		return fmt.Errorf("%v: %w", a.Function, err)
	}
	return nil
}

// line has the shortest decimals that are read as the same float32, as encoding/json writes.
func (a *Activation) line() any {
	l := struct {
		Type          string    `json:"type"`
		NegativeSlope *float32  `json:"negative_slope,omitempty"`
		Inputs        []float32 `json:"inputs"`
	}{Type: sigmoid, Inputs: a.Inputs}
	if l.Inputs == nil {
		l.Inputs = []float32{} // not null
	}
	if a.Function.Kind == compute.KindLeakyReLU {
		slope := a.Function.NegativeSlope()
		l.Type, l.NegativeSlope = leakyReLU, &slope
	}
	return l
}

func (u *Unknown) check() error {
	if l, err := parseLine([]byte(u.Text)); err != nil {
		return fmt.Errorf("the text of the unknown layer %q: %w", u.Type, err)
	} else if l, ok := l.(*Unknown); !ok || l.Type != u.Type {
		return fmt.Errorf("the text of the unknown layer %q is one of another type", u.Type)
	}
	return nil
}

func (u *Unknown) line() any { return json.RawMessage(u.Text) }

// finite returns an error if a value is one that JSON does not have.
func finite(what string, values []float32) error {
	for i, v := range values {
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%s %d of %d is %v, which JSON does not have", what, i, len(values), v)
		}
	}
	return nil
}
