package gmind_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gmind"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/testenv/everywhere"
	"github.com/gmind-go/compute/internal/values"
)

// golden returns the network of a file, which is written after G-Mind's save_model.
func golden(t *testing.T, file string) *gmind.Network {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := gmind.ReadNetwork(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func upload(t *testing.T, b compute.Backend, v []float32) compute.Buffer {
	t.Helper()
	x, err := b.Upload(v)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func newModel(t *testing.T, b compute.Backend, n *gmind.Network) *gmind.Model {
	t.Helper()
	m, err := gmind.NewModel(b, n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantBuffer(t *testing.T, what string, x compute.Buffer, want []float32) {
	t.Helper()
	got := make([]float32, x.Len())
	err := x.Read(got)
	testenv.Equal(t, what, got, want, err)
}

// wantNetwork compares all bits of what a model has become.
func wantNetwork(t *testing.T, what string, m *gmind.Model, want *gmind.Network) {
	t.Helper()
	got, err := m.Network()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Layers) != len(want.Layers) {
		t.Fatalf("%s: %v, want %v", what, got.Layers, want.Layers)
	}
	for i, l := range got.Layers {
		at := fmt.Sprintf("%s: layer %d, %v: ", what, i, l)
		switch l := l.(type) {
		case *gmind.Dense:
			want := want.Layers[i].(*gmind.Dense)
			testenv.Equal(t, at+"weights", l.Weights, want.Weights, nil)
			testenv.Equal(t, at+"biases", l.Biases, want.Biases, nil)
			testenv.Equal(t, at+"gradients of weights", l.GradientsW, want.GradientsW, nil)
			testenv.Equal(t, at+"gradients of biases", l.GradientsB, want.GradientsB, nil)
		case *gmind.Activation:
			want := want.Layers[i].(*gmind.Activation)
			testenv.Equal(t, at+"inputs", l.Inputs, want.Inputs, nil)
			if l.Function != want.Function {
				t.Errorf("%s%v, want %v", at, l.Function, want.Function)
			}
		}
	}
}

// TestOrigin: where no operation rounds, a Model has the bits of G-Mind: outputs, losses,
// gradients, and what a step makes of the file.
func TestOrigin(t *testing.T) {
	inputs := []float32{1, -2, 0.5, 3, -1.5, -0.5, 2, 0}
	targets := []float32{1, 0, -2, 0.5, 3, -1, 0.25, 2}
	b := testenv.Open(t, cpu.Open)
	n := golden(t, "exact.gmind")
	o, m := newOrigin(n), newModel(t, b, n)
	x, target, losses := upload(t, b, inputs), upload(t, b, targets), upload(t, b, make([]float32, 4))
	var outputs, wantLosses []float32
	for i := 0; i < len(inputs); i += 2 {
		y := o.forward(inputs[i : i+2])
		outputs, wantLosses = append(outputs, y...), append(wantLosses, float32(loss(y, targets[i:i+2])))
		o.backward(y, targets[i:i+2], 4)
	}
	y, err := m.Forward(x, 4)
	if err != nil {
		t.Fatal(err)
	}
	wantBuffer(t, "the output", y, outputs)
	if err := errors.Join(m.Loss(losses, target), m.Backward(target)); err != nil {
		t.Fatal(err)
	}
	wantBuffer(t, "the losses", losses, wantLosses)
	wantNetwork(t, "after Backward", m, o.network())
	o.step(0.25, false)
	if err := m.Step(0.25, false); err != nil {
		t.Fatal(err)
	}
	wantNetwork(t, "after Step", m, o.network())
	if err := m.Release(); err != nil {
		t.Error(err)
	}
}

// TestNearOrigin: where operations round, a step of training comes near to one of G-Mind.
func TestNearOrigin(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	n := golden(t, "model.gmind")
	o, m := newOrigin(n), newModel(t, b, n)
	inputs, targets := values.Normal(6, 1), values.Normal(6, 2)
	for i := 0; i < len(inputs); i += 2 {
		o.backward(o.forward(inputs[i:i+2]), targets[i:i+2], 3)
	}
	o.clip(0.01)
	o.step(0.5, false)
	x, target := upload(t, b, inputs), upload(t, b, targets)
	if _, err := m.Forward(x, 3); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Backward(target), m.ClipGradients(0.01), m.Step(0.5, false)); err != nil {
		t.Fatal(err)
	}
	got, err := m.Network()
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range o.network().Layers {
		want, ok := l.(*gmind.Dense)
		if !ok {
			continue
		}
		d := got.Layers[i].(*gmind.Dense)
		for _, pair := range [][2][]float32{{d.Weights, want.Weights}, {d.Biases, want.Biases}, {d.GradientsW, want.GradientsW}, {d.GradientsB, want.GradientsB}} {
			for j, v := range pair[0] {
				if math.Abs(float64(v-pair[1][j])) > 3e-7 {
					t.Errorf("layer %d, %v: %v, and G-Mind has %v", i, d, pair[0], pair[1])
					break
				}
			}
		}
	}
}

// TestModel compares three steps of training with plain Go, bit by bit.
func TestModel(t *testing.T) {
	random := func(seed uint64, sizes ...int) *gmind.Network { // with several functions in a row
		n := new(gmind.Network)
		f := []compute.Activation{compute.LeakyReLU(0.3), compute.Sigmoid()}
		for i, in := range sizes[:len(sizes)-1] {
			out := sizes[i+1]
			n.Layers = append(n.Layers, &gmind.Dense{In: in, Out: out,
				Weights: values.Normal(in*out, seed), Biases: values.Normal(out, seed+1), GradientsW: values.Normal(in*out, seed+2), GradientsB: values.Normal(out, seed+3)})
			for j := range i {
				n.Layers = append(n.Layers, &gmind.Activation{Function: f[j%2]})
			}
			seed += 4
		}
		return n
	}
	functions := []gmind.Layer{&gmind.Activation{Function: compute.LeakyReLU(-2)}, &gmind.Activation{Function: compute.Sigmoid()}}
	file := func() *gmind.Network { return golden(t, "model.gmind") }
	for name, of := range map[string]struct {
		network  func() *gmind.Network
		in, out  int
		batches  []int
		backends bool // all of them
	}{
		"file":  {file, 2, 2, []int{5, 1, 1}, true},
		"three": {func() *gmind.Network { return random(1, 30, 20, 7, 3) }, 30, 3, []int{17, 4, 300}, false},
		"one":   {func() *gmind.Network { return random(1, 3, 1) }, 3, 1, []int{2, 2, 2}, false},
		"functions first": {func() *gmind.Network {
			return &gmind.Network{Layers: append(slices.Clone(functions), random(1, 3, 2).Layers...)}
		}, 3, 2, []int{3, 3, 1}, false},
		"functions": {func() *gmind.Network { return &gmind.Network{Layers: slices.Clone(functions)} }, 5, 5, []int{3, 3, 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(t *testing.T, b compute.Backend) {
				m, p := newModel(t, b, of.network()), &plain{Network: of.network()}
				for i, batch := range of.batches {
					inputs, targets := values.Normal(batch*of.in, uint64(10+i)), values.Normal(batch*of.out, uint64(20+i))
					x, target, losses := upload(t, b, inputs), upload(t, b, targets), upload(t, b, make([]float32, batch))
					outputs := p.forward(inputs, batch)
					p.backward(targets)
					if i == 1 { // a step in one call
						p.step(0.5, true)
						if err := m.Train(x, target, batch, 0.5); err != nil {
							t.Fatal(err)
						}
					} else {
						y, err := m.Forward(x, batch)
						if err != nil {
							t.Fatal(err)
						}
						wantBuffer(t, "the output", y, outputs)
						if err := errors.Join(m.Backward(target), m.Loss(losses, target)); err != nil {
							t.Fatal(err)
						}
						wantBuffer(t, "the losses", losses, p.loss(targets))
						wantNetwork(t, "after Backward", m, p.Network)
						limit := []float32{0.5, 0, 1e9}[i]
						p.clip(limit)
						p.step(-0.25, false)
						if err := errors.Join(m.ClipGradients(limit), m.Step(-0.25, false)); err != nil {
							t.Fatal(err)
						}
					}
					wantNetwork(t, fmt.Sprint("after step ", i), m, p.Network)
					for _, x := range []compute.Buffer{x, target, losses} {
						x.Release()
					}
				}
				if err := m.Release(); err != nil {
					t.Error(err)
				}
				if n := b.Info().LiveBuffers; n != 0 {
					t.Errorf("%d buffers are live", n)
				}
			}
			if of.backends {
				everywhere.Run(t, run)
			} else {
				run(t, testenv.Open(t, cpu.Open))
			}
		})
	}
}

// TestNetworkFile: every bit of every float32 is written and read, by way of a Model too.
func TestNetworkFile(t *testing.T) {
	finite := slices.DeleteFunc(append(values.Special(), values.Bits(997, 1)...), func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
	finite = finite[:len(finite)/4*4]
	n := &gmind.Network{Layers: []gmind.Layer{
		&gmind.Dense{In: 4, Out: len(finite) / 4, Weights: finite, Biases: finite[:len(finite)/4], GradientsW: finite, GradientsB: finite[len(finite)/4*3:]},
		&gmind.Activation{Function: compute.LeakyReLU(-1.0 / 3), Inputs: finite},
		&gmind.Activation{Function: compute.Sigmoid(), Inputs: []float32{}},
	}}
	var file bytes.Buffer
	if err := n.Write(&file); err != nil {
		t.Fatal(err)
	}
	first := file.String()
	read, err := gmind.ReadNetwork(&file)
	if err != nil {
		t.Fatal(err)
	}
	b := testenv.Open(t, cpu.Open)
	wantNetwork(t, "the network that was read", newModel(t, b, read), n)
	again, err := newModel(t, b, read).Network()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Write(&file); err != nil || file.String() != first {
		t.Errorf("written again it is another file: %v", err)
	}

	// What other programs have written, in another order and with other types.
	text := `{"b":1,"type":"Tan\u0068", "x":["]",{"y":"<\"}"}]}` + "\n\n  " +
		`{ "weights" : [ [1.0, -2e0] ], "type":"Dense","in_features":2.0,"out_features":1,"biases":[0],"gradients_w":[[0,0]],"gradients_b":[0],"more":{"a":[1]}} ` + "\r\n"
	n, err = gmind.ReadNetwork(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []gmind.Layer{
		&gmind.Unknown{Type: "Tanh", Text: `{"b":1,"type":"Tan\u0068", "x":["]",{"y":"<\"}"}]}`},
		&gmind.Dense{In: 2, Out: 1, Weights: []float32{1, -2}, Biases: []float32{0}, GradientsW: []float32{0, 0}, GradientsB: []float32{0}},
	}
	if !reflect.DeepEqual(n.Layers, want) {
		t.Errorf("read as %v", n.Layers)
	}
	if _, err := gmind.NewModel(b, n); err == nil || !strings.Contains(err.Error(), `layer 1 of 2: the type "Tanh" is unknown`) {
		t.Errorf("a model of an unknown layer: %v", err)
	}
	file.Reset()
	if err := n.Write(&file); err != nil {
		t.Fatal(err)
	}
	wantText := `{"b":1,"type":"Tan\u0068","x":["]",{"y":"<\"}"}]}` + "\n" +
		`{"type":"Dense","in_features":2,"out_features":1,"weights":[[1,-2]],"biases":[0],"gradients_w":[[0,0]],"gradients_b":[0]}` + "\n"
	if file.String() != wantText {
		t.Errorf("written as\n%swant\n%s", file.String(), wantText)
	}
}

// TestReadNetworkErrors: what is no layer is refused, with its line and column.
func TestReadNetworkErrors(t *testing.T) {
	line := func(in, out, weights, biases string) string {
		return `{"type":"Dense","in_features":` + in + `,"out_features":` + out + `,"weights":` + weights + `,"biases":` + biases + `,"gradients_w":[[0,0]],"gradients_b":[0]}`
	}
	for text, words := range map[string]string{
		line("2", "1", "[[1,2]]", "[1]") + "}":  "column 121: invalid character '}'",
		line("2", "1", "[[1,2]]", "[1,]"):       "column 80: invalid character ']'",
		line("2", "1", "[[1,2]]", "[1,2]"):      "column 77: 2 numbers in biases, where 1 must be",
		line("2", "1", "[[1,2,3]]", "[1]"):      "column 61: 3 numbers in weights, where 2 must be",
		line("2", "1", "[[1,2],[3,4]]", "[1]"):  "column 60: 2 rows in weights, where 1 must be",
		line("2", "1", "[1,2]", "[1]"):          "column 61: weights are 1, not an array",
		line("2", "1", "[[1,true]]", "[1]"):     "column 64: true in weights, where a number must be",
		line("2", "1", "[[1,[2]]]", "[1]"):      "column 64: [2] in weights, where a number must be",
		line("2", "1", "[[1,1e39]]", "[1]"):     "column 64: 1e39 in weights is no float32",
		line("2", "1", "[[1,2]]", `{"a":[1]}`):  `column 77: biases are {"a":[1]}, not an array`,
		line("2", "1", "null", "[1]"):           "column 60: weights are null, not an array",
		line("1.5", "1", "[[1,2]]", "[1]"):      "column 31: in_features is 1.5",
		line("2", "0", "[[1,2]]", "[1]"):        "column 48: out_features is 0",
		line(`"2"`, "1", "[[1,2]]", "[1]"):      `column 31: in_features is "2"`,
		line("3e9", "1", "[[1,2]]", "[1]"):      "column 31: in_features is 3e9",
		`{"type":""}`:                           "column 9: a line without type",
		line("1e300", "1", "[[1,2]]", "[1]"):    "column 31: in_features is 1e300",
		`{"type":"Dense","in_features":2}`:      "column 1: a Dense without out_features",
		`{"type":7}`:                            "column 9: a line without type",
		`  "Dense"`:                             "column 3: a line without type",
		`{"type":"Sigmoid","inputs":[1]`:        "column 31: unexpected end",
		"{\"type\":\"Sigmoid\",\"inputs\":\x00": "column 28: invalid character",
	} {
		n, err := gmind.ReadNetwork(strings.NewReader(`{"type":"Sigmoid"}` + "\n\n" + text + "\n"))
		if err == nil || n != nil || !strings.Contains(err.Error(), "line 3, "+words) {
			t.Errorf("%s: error %v; want one with %q", text, err, words)
		}
	}
	for _, none := range []*bytes.Buffer{nil} {
		if _, err := gmind.ReadNetwork(none); err == nil || !strings.Contains(err.Error(), "reader is nil") {
			t.Errorf("from nil: %v", err)
		}
	}
}

// TestModelOfFunctions: without a Dense, samples may have any size, and there is nothing to train.
func TestModelOfFunctions(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	f := &gmind.Activation{Function: compute.LeakyReLU(0.5), Inputs: []float32{7}}
	m := newModel(t, b, &gmind.Network{Layers: []gmind.Layer{f}})
	f.Function, f.Inputs[0] = compute.Sigmoid(), 8 // the Model has a copy
	wantNetwork(t, "a new model", m, &gmind.Network{Layers: []gmind.Layer{&gmind.Activation{Function: compute.LeakyReLU(0.5), Inputs: []float32{7}}}})
	for _, inputs := range [][]float32{{1, -2}, {-4, 4, -6, 6}} {
		x := upload(t, b, inputs)
		y, err := m.Forward(x, 2)
		if err != nil {
			t.Fatal(err)
		}
		want := clone(inputs)
		for i, v := range want {
			want[i] = max(v, v/2)
		}
		wantBuffer(t, "the output", y, want)
		if err := errors.Join(m.Train(x, x, 2, 0.5), m.ClipGradients(1)); err != nil {
			t.Error(err)
		}
		wantNetwork(t, "after a step", m, &gmind.Network{Layers: []gmind.Layer{&gmind.Activation{Function: compute.LeakyReLU(0.5), Inputs: inputs[len(inputs)/2:]}}})
	}
	if _, err := m.Forward(upload(t, b, nil), 2); !errors.Is(err, compute.ErrLength) {
		t.Errorf("two samples of nothing: %v", err)
	}
}

// hides is a backend of which As finds nothing.
type hides struct{ compute.Backend }

func (hides) Unwrap() compute.Backend { return nil }

// FuzzNetwork: any file is read or rejected, and what was read is written such that it is read
// as the same.
func FuzzNetwork(f *testing.F) {
	for _, name := range []string{"exact.gmind", "model.gmind"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"type":"Tanh","a":["]\"",{}]}` + "\r\n \n" + `{"type":"Sigmoid"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		n, err := gmind.ReadNetwork(bytes.NewReader(file))
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := n.Write(&first); err != nil {
			t.Fatalf("%q is read, and cannot be written: %v", file, err)
		}
		text := first.String()
		if n, err = gmind.ReadNetwork(&first); err != nil {
			t.Fatalf("%s, which was written, cannot be read: %v", text, err)
		}
		if err := n.Write(&second); err != nil || second.String() != text {
			t.Errorf("written as %s, and then as %s: %v", text, second.String(), err)
		}
	})
}
