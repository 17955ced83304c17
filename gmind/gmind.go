// Package gmind reads and writes the model files of G-Mind, a framework for neural networks
// in GDScript.
//
// A file has one JSON object per line. The lines of a LeakyReLU and a Sigmoid layer are
//
//	{"type":"LeakyRelu","negative_slope":0.01,"inputs":[-2,0,3]}
//	{"type":"Sigmoid","inputs":[-2,0,3]}
//
// where inputs is the last input of the layer, or empty if there is none.
//
// The results of LeakyReLU are those of G-Mind. Its Sigmoid is computed in 64 bits and then
// rounded to float32: that differs from compute.Sigmoid, the nearest float32, for 66 of all
// inputs, by one unit in the last place. Its derivative stays in 64 bits, and is NaN below
// -709.8, where that of compute.Sigmoid is 0.
package gmind

import (
	"bufio"
	"bytes"
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
	leakyReLU = "LeakyRelu"
	sigmoid   = "Sigmoid"
)

// line is the line of a layer. Package encoding/json writes the shortest decimal that is read
// as the same float32.
type line struct {
	Type          string    `json:"type"`
	NegativeSlope *float32  `json:"negative_slope,omitempty"` // of LeakyReLU
	Inputs        []float32 `json:"inputs"`
}

// Read returns the LeakyReLU and Sigmoid layers of a model file, in the order of the file.
// They compute on b. Each has the last input of its line, as after Forward. skipped has the types of the other lines;
// empty lines are ignored. Read makes no layers if it returns an error, which names the line.
// Errors: ErrUnavailable (b is nil), ErrSlope, those of Layer.Remember and of r, and others
// for what is not a model file.
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
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, readErr := lines.ReadBytes('\n')
		if readErr != nil && readErr != io.EOF {
			return layers, nil, fmt.Errorf("gmind: read: line %d: %w", number, readErr)
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			l, typ, err := readLine(text, b)
			switch {
			case err != nil:
				return layers, nil, fmt.Errorf("gmind: read: line %d: %w", number, err)
			case l != nil:
				layers = append(layers, l)
			default:
				skipped = append(skipped, typ)
			}
		}
		if readErr == io.EOF {
			return layers, skipped, nil
		}
	}
}

// readLine returns the layer of a line, or nil if it is of another type, and the type.
func readLine(text []byte, b compute.Backend) (l *compute.Layer, typ string, err error) {
	var head struct {
		Type   string
		Inputs json.RawMessage
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, "", err
	}
	switch {
	case head.Type == "":
		return nil, "", errors.New("a line without type; is this a model file of G-Mind?")
	case head.Type != leakyReLU && head.Type != sigmoid:
		return nil, head.Type, nil
	case bytes.Contains(head.Inputs, []byte("null")): // which would be read as 0
		return nil, head.Type, errors.New("null among the inputs, which must be numbers")
	}
	v := line{Type: head.Type}
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, v.Type, err
	}
	f, err := v.activation()
	if err != nil {
		return nil, v.Type, err
	}
	l = compute.NewLayer(b, f)
	if len(v.Inputs) == 0 {
		return l, v.Type, nil
	}
	if err := l.Remember(v.Inputs); err != nil {
		l.Release()
		return nil, v.Type, err
	}
	return l, v.Type, nil
}

// activation returns the function of v.
func (v *line) activation() (compute.Activation, error) {
	switch {
	case v.Type == sigmoid:
		return compute.Sigmoid(), nil
	case v.NegativeSlope == nil:
		return compute.Activation{}, fmt.Errorf("a %s without negative_slope", leakyReLU)
	}
	f := compute.LeakyReLU(*v.NegativeSlope)
	return f, f.Validate()
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
	lines := json.NewEncoder(w) // ends each value with a newline
	for i, l := range layers {
		v, err := lineOf(l)
		if err == nil {
			err = lines.Encode(v)
		}
		if err != nil {
			return fmt.Errorf("gmind: write: layer %d of %d: %w", i+1, len(layers), err)
		}
	}
	return nil
}

// lineOf returns the line of l.
func lineOf(l *compute.Layer) (v line, err error) {
	if l == nil {
		return v, errors.New("it is nil; make it with compute.NewLayer")
	}
	f := l.Activation()
	switch f.Kind {
	case compute.KindLeakyReLU:
		slope := f.NegativeSlope()
		v = line{Type: leakyReLU, NegativeSlope: &slope}
	case compute.KindSigmoid:
		v = line{Type: sigmoid}
	default:
		return v, fmt.Errorf("%v is not a layer of G-Mind model files, which have only LeakyReLU and Sigmoid: %w", f, compute.ErrActivation)
	}
	if err := f.Validate(); err != nil {
		return v, err
	}
	inputs, err := l.Inputs()
	if errors.Is(err, compute.ErrNoInput) && !errors.Is(err, compute.ErrBitsOnly) {
		inputs, err = []float32{}, nil
	}
	if err != nil {
		return v, err
	}
	for i, x := range inputs {
		if x64 := float64(x); math.IsNaN(x64) || math.IsInf(x64, 0) {
			return v, fmt.Errorf("input %d of %d of %v is %v, which JSON does not have", i, len(inputs), f, x)
		}
	}
	v.Inputs = inputs
	return v, nil
}
