// Package gmind reads and writes the model files of G-Mind, a framework for neural networks
// in GDScript, and trains what is in them, on any backend.
//
// A file has one JSON object per line, for each layer of a Sequential:
//
//	{"type":"Dense","in_features":2,"out_features":1,"weights":[[1,-1]],"biases":[0.5],"gradients_w":[[0,0]],"gradients_b":[0]}
//	{"type":"LeakyRelu","negative_slope":0.01,"inputs":[-2,0,3]}
//	{"type":"Sigmoid","inputs":[-2,0,3]}
//
// weights has a row for each output. The gradients are what training has added since the last
// step. inputs is the last input of the layer, or empty if there is none. A line of another type
// may have any members.
//
// ReadNetwork reads a whole file as plain data, and NewModel makes a Model of it, which computes
// batches and trains as G-Mind does. Read and Write are for the activations alone, as layers of
// package compute.
//
// # Differences
//
// G-Mind computes in 64 bits what GDScript computes, and rounds to float32 what it keeps. Here
// all is float32, with fixed bits. Both have the same bits where no operation rounds.
//
//   - A negative slope is a float32: 0.01 is the nearest one to it. Where a product with that
//     rounds differently, results differ by one unit in the last place. For a slope above 1,
//     forward differs, since G-Mind returns the greater of x and the product.
//   - Sigmoid is the nearest float32, from which G-Mind's differs for 66 of all inputs, by one
//     unit in the last place. G-Mind's derivative is NaN below -709.8; here it is 0.
//   - Sums have the order of compute.Linear and compute.Reduction.
//   - The mean over a batch divides once, before the gradients, and not each product.
//
// What G-Mind does in its own way is the same here: its MSELoss is the mean over the outputs of
// a sample, but its gradient is not divided by their number; clip_gradients compares with the
// sum of squares, not with its root; Step keeps the gradients unless it is told to set them to 0.
package gmind

import (
	"errors"
	"fmt"
	"io"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// Read returns the LeakyReLU and Sigmoid layers of a model file, in the order of the file.
// They compute on b. Each has the last input of its line, as after Forward. skipped has the types of
// the other lines; empty lines are ignored. Read makes no layers if it returns an error, which
// names the line and the column. Errors: ErrUnavailable (b is nil), those of Layer.Remember and
// of r, and others for what is not a model file. ReadNetwork reads all layers.
func Read(r io.Reader, b compute.Backend) (layers []*compute.Layer, skipped []string, err error) {
	if check.IsNil(r) {
		return nil, nil, errors.New("gmind: read: the reader is nil")
	}
	if check.IsNil(b) {
		return nil, nil, fmt.Errorf("gmind: read: the backend is nil; open one: %w", compute.ErrUnavailable)
	}
	defer func() {
		if err != nil {
			for _, l := range layers {
				l.Release()
			}
			layers, skipped = nil, nil
		}
	}()
	err = eachLine(r, func(text []byte) error {
		parsed, err := parseLine(text)
		if err != nil {
			return err
		}
		a, ok := parsed.(*Activation)
		if !ok {
			skipped = append(skipped, typeOf(parsed))
			return nil
		}
		l := compute.NewLayer(b, a.Function)
		layers = append(layers, l)
		if len(a.Inputs) == 0 {
			return nil
		}
		return l.Remember(a.Inputs)
	})
	if err != nil {
		return layers, nil, fmt.Errorf("gmind: read: %w", err)
	}
	return layers, skipped, nil
}

// typeOf returns the type in the line of a layer that is no Activation.
func typeOf(l Layer) string {
	if u, ok := l.(*Unknown); ok {
		return u.Type
	}
	return dense
}

// Write writes a model file of the layers, all LeakyReLU or Sigmoid, with every bit of their
// last inputs. JSON has neither NaN nor infinities: an input that contains one is an error. Errors
// name the layer, and those before it are written: ErrActivation (another function),
// ErrSlope, ErrBitsOnly (the last input was that of ForwardBuffer), those of Layer.Inputs
// and of w, and others for a w or a layer that is nil.
func Write(w io.Writer, layers ...*compute.Layer) error {
	if check.IsNil(w) {
		return errors.New("gmind: write: the writer is nil")
	}
	return writeLines(w, len(layers), func(i int) (any, error) { return lineOf(layers[i]) })
}

// lineOf returns the line of l.
func lineOf(l *compute.Layer) (any, error) {
	if l == nil {
		return nil, errors.New("it is nil; make it with compute.NewLayer")
	}
	a := &Activation{Function: l.Activation()}
	if err := a.check(); err != nil { // before the inputs are read
		return nil, err
	}
	var err error
	a.Inputs, err = l.Inputs()
	if errors.Is(err, compute.ErrNoInput) && !errors.Is(err, compute.ErrBitsOnly) {
		err = nil
	}
	if err == nil {
		err = a.check()
	}
	return a.line(), err
}
