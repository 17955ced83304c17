package compute

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// A model file of G-Mind holds one JSON object in each line. That of a LeakyReLU
// layer is
//
//	{"type":"LeakyRelu","negative_slope":0.01,"inputs":[...]}

// gmindType is the type of a Layer in a model file.
const gmindType = "LeakyRelu"

// gmindLine is the line of a Layer. encoding/json writes a float32 in as few digits as
// give it back, and reads it to the nearest.
type gmindLine struct {
	Type          string    `json:"type"`
	NegativeSlope *float32  `json:"negative_slope"`
	Inputs        []float32 `json:"inputs"`
}

// inGMind returns an error unless f is a function that G-Mind has as gmindType.
func inGMind(f Activation) error {
	if f.Kind != KindLeakyReLU {
		return fmt.Errorf("%v is not a layer of G-Mind model files, which hold LeakyReLU alone: %w", f, ErrActivation)
	}
	return nil
}

// MarshalJSON returns the line of the layer in a G-Mind model file, without the line
// end, with every bit of the last input; it has none before the first Forward.
// JSON knows neither NaN nor infinities: an input that holds one is an error. Errors:
// ErrActivation, if the layer is not a LeakyReLU; ErrSlope; ErrNoInput after
// ForwardBuffer; and those of Inputs.
func (l *Layer) MarshalJSON() ([]byte, error) {
	f := l.Activation()
	line := gmindLine{Type: gmindType, NegativeSlope: &f.NegativeSlope, Inputs: []float32{}}
	if err := cmp.Or(inGMind(f), f.Validate()); err != nil {
		return nil, fmt.Errorf("compute: marshal: %w", err)
	}
	inputs, err := l.Inputs()
	switch {
	case err == nil:
		line.Inputs = inputs
	case !errors.Is(err, ErrNoInput) || l.signsOnly():
		return nil, err
	}
	for i, v := range line.Inputs {
		if v64 := float64(v); math.IsNaN(v64) || math.IsInf(v64, 0) {
			return nil, fmt.Errorf("compute: marshal of %v: input %d of %d is %v, which JSON cannot hold", f, i, len(line.Inputs), v)
		}
	}
	return json.Marshal(line)
}

func (l *Layer) signsOnly() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.knows == knowsSigns
}

// UnmarshalJSON makes the layer, a LeakyReLU made by NewLayer, the one in the line of a
// G-Mind model file: its slope, and its inputs, which it then remembers as after Forward;
// an empty list is remembered as none. After an error it is as before, unless the memory
// of the device was at fault. Errors: ErrUnavailable (no backend), ErrActivation (the
// layer is another function), ErrSlope, and those of Buffer.Write.
func (l *Layer) UnmarshalJSON(data []byte) error {
	var line gmindLine
	if err := json.Unmarshal(data, &line); err != nil {
		return fmt.Errorf("compute: unmarshal of a layer: %w", err)
	}
	if line.Type != gmindType {
		return fmt.Errorf("compute: unmarshal of a layer: its type is %q, not %q", line.Type, gmindType)
	}
	if line.NegativeSlope == nil {
		return errors.New("compute: unmarshal of a layer: it has no negative_slope")
	}
	f := LeakyReLU(*line.NegativeSlope)
	if err := f.Validate(); err != nil {
		return fmt.Errorf("compute: unmarshal of a layer: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.open(); err != nil {
		return err
	}
	if err := inGMind(l.f); err != nil {
		return fmt.Errorf("compute: unmarshal of a layer: %w", err)
	}
	l.f = f
	if len(line.Inputs) == 0 {
		l.knows, l.n = knowsNothing, 0
		return nil
	}
	return l.remember(line.Inputs)
}

// ReadModel returns the LeakyReLU layers of a G-Mind model file, in its order, to
// compute on b, and the types of the lines that are none. Empty lines are skipped.
// Its error names the line; those of UnmarshalJSON and of r. The layers before are
// then released.
func ReadModel(r io.Reader, b Backend) (layers []*Layer, skipped []string, err error) {
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
		line, readErr := lines.ReadBytes('\n')
		if readErr != nil && readErr != io.EOF {
			return layers, skipped, fmt.Errorf("compute: model file, line %d: %w", number, readErr)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var head struct{ Type string }
			if err := json.Unmarshal(line, &head); err != nil {
				return layers, skipped, fmt.Errorf("compute: model file, line %d: %w", number, err)
			}
			if head.Type != gmindType {
				skipped = append(skipped, head.Type)
			} else {
				l := NewLayer(b, LeakyReLU(DefaultNegativeSlope))
				if err := json.Unmarshal(line, l); err != nil {
					return layers, skipped, fmt.Errorf("compute: model file, line %d: %w", number, err)
				}
				layers = append(layers, l)
			}
		}
		if readErr == io.EOF {
			return layers, skipped, nil
		}
	}
}

// WriteModel writes the layers, all LeakyReLU, as a G-Mind model file. Errors: those of
// MarshalJSON and of w, and one for a layer that is nil. The lines before are written.
func WriteModel(w io.Writer, layers ...*Layer) error {
	e := json.NewEncoder(w) // which ends each with a line end
	for i, l := range layers {
		if l == nil {
			return fmt.Errorf("compute: model file: layer %d of %d is nil; make it with NewLayer", i+1, len(layers))
		}
		if err := e.Encode(l); err != nil {
			return fmt.Errorf("compute: model file: layer %d of %d: %w", i+1, len(layers), err)
		}
	}
	return nil
}
