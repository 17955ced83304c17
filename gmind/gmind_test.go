package gmind_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gmind"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// Example reads a model file. The layers compute on any backend.
func Example() {
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	file := strings.NewReader(`{"type":"Linear","weights":[[1,2],[3,4]]}
{"type":"LeakyRelu","negative_slope":0.5,"inputs":[-2,0,3]}
`)
	layers, skipped, err := gmind.Read(file, b)
	if err != nil {
		log.Fatal(err)
	}
	d, err := layers[0].Derivative() // for the inputs of the file
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(layers, skipped, d)
	if err := gmind.Write(os.Stdout, layers...); err != nil {
		log.Fatal(err)
	}
	// Output:
	// [LeakyReLU(negative_slope=0.5)] [Linear] [0.5 1 1]
	// {"type":"LeakyRelu","negative_slope":0.5,"inputs":[-2,0,3]}
}

// ExampleModel trains the network of a model file with the four inputs of an exclusive or, and
// writes it back.
func ExampleModel() {
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	file := `{"type":"Dense","in_features":2,"out_features":2,"weights":[[1,0.5],[0.5,1]],"biases":[0,-1],"gradients_w":[[0,0],[0,0]],"gradients_b":[0,0]}
{"type":"LeakyRelu","negative_slope":0.125,"inputs":[]}
{"type":"Dense","in_features":2,"out_features":1,"weights":[[1,-1]],"biases":[0],"gradients_w":[[0,0]],"gradients_b":[0]}
`
	network, err := gmind.ReadNetwork(strings.NewReader(file))
	if err != nil {
		log.Fatal(err)
	}
	m, err := gmind.NewModel(b, network)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Release()
	x, err := b.Upload([]float32{0, 0, 0, 1, 1, 0, 1, 1})
	if err != nil {
		log.Fatal(err)
	}
	target, err := b.Upload([]float32{0, 1, 1, 0})
	if err != nil {
		log.Fatal(err)
	}
	for range 200 {
		if err := m.Train(x, target, 4, 0.125); err != nil {
			log.Fatal(err)
		}
	}
	y, err := m.Forward(x, 4)
	if err != nil {
		log.Fatal(err)
	}
	outputs := make([]float32, 4)
	if err := y.Read(outputs); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", outputs)
	if network, err = m.Network(); err != nil {
		log.Fatal(err)
	}
	if err := network.Write(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// [0.025 0.977 0.977 -0.008]
	// {"type":"Dense","in_features":2,"out_features":2,"weights":[[0.9697879,0.9697758],[1.2326567,1.2326404]],"biases":[-0.0018422113,-1.2316041],"gradients_w":[[0,0],[0,0]],"gradients_b":[0,0]}
	// {"type":"LeakyRelu","negative_slope":0.125,"inputs":[1.9377215,1.2336931]}
	// {"type":"Dense","in_features":2,"out_features":1,"weights":[[1.2714351,-1.7989151]],"biases":[-0.2519114],"gradients_w":[[0,0]],"gradients_b":[0]}
}

// TestModelFile: a file that is written is read as the same layers.
func TestModelFile(t *testing.T) {
	for name, open := range map[string]compute.Opener{"cpu": cpu.Open, "opencl": gpu.OpenDevice("any")} {
		t.Run(name, func(t *testing.T) { modelFile(t, testenv.Open(t, open)) })
	}
}

func modelFile(t *testing.T, b compute.Backend) {
	// Every float32 comes back: those with few and many digits, and the ends.
	inputs := []float32{0, float32(math.Copysign(0, -1)), 0.1, -1.0 / 3, 16777217, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1.1754944e-38}
	for _, v := range values.Bits(1000, 1) {
		if !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) {
			inputs = append(inputs, v)
		}
	}
	first, fresh := compute.NewLayer(b, compute.LeakyReLU(0.2)), compute.NewLayer(b, compute.LeakyReLU(0.01))
	if _, err := first.Forward(inputs); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	logistic := compute.NewLayer(b, compute.Sigmoid())
	if _, err := logistic.Forward(inputs[:3]); err != nil {
		t.Fatal(err)
	}
	if err := gmind.Write(&file, first, fresh, logistic); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(file.String(), "\n"); len(lines) != 4 || !strings.HasPrefix(lines[0], `{"type":"LeakyRelu","negative_slope":0.2,"inputs":[0,-0,0.1,-0.33333334,`) ||
		lines[1] != `{"type":"LeakyRelu","negative_slope":0.01,"inputs":[]}` ||
		lines[2] != `{"type":"Sigmoid","inputs":[0,-0,0.1]}` || lines[3] != "" {
		t.Errorf("the file is %.200q", file.String())
	}
	model := `{"type":"Linear","weights":[[1,2]],"inputs":[[1,2]]}` + "\r\n\n" + file.String() + `{"type":"Tanh"}` // without a newline
	layers, skipped, err := gmind.Read(strings.NewReader(model), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) != 3 || !slices.Equal(skipped, []string{"Linear", "Tanh"}) {
		t.Fatalf("read %d layers and skipped %v", len(layers), skipped)
	}
	got, err := layers[0].Inputs()
	if err != nil || !slices.EqualFunc(got, inputs, values.Identical) || layers[0].Activation() != compute.LeakyReLU(0.2) {
		t.Errorf("%v is read with other inputs, or %v", layers[0], err)
	}
	if d, err := layers[0].Derivative(); err != nil || d[3] != 0.2 {
		t.Errorf("the layer that was read has no derivative: %v", err)
	}
	if _, err := layers[1].Derivative(); !errors.Is(err, compute.ErrNoInput) {
		t.Errorf("a layer without inputs: %v", err)
	}
	kept, err := layers[2].Inputs()
	if err != nil || layers[2].Activation() != compute.Sigmoid() || !slices.EqualFunc(kept, inputs[:3], values.Identical) {
		t.Errorf("%v is read with the inputs %v: %v", layers[2], kept, err)
	}
	if d, err := layers[2].Derivative(); err != nil || d[0] != 0.25 {
		t.Errorf("the derivatives of the Sigmoid that was read are %v: %v", d, err)
	}
	release(t, b, append(layers, first, logistic)...)
}

// release releases the layers, and fails the test if the backend has other buffers.
func release(t *testing.T, b compute.Backend, layers ...*compute.Layer) {
	t.Helper()
	for _, l := range layers {
		if err := l.Release(); err != nil {
			t.Error(err)
		}
	}
	if live := b.Info().LiveBuffers; live != 0 {
		t.Errorf("%d buffers are live", live)
	}
}

func TestReadErrors(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	good := `{"type":"LeakyRelu","negative_slope":0.01,"inputs":[1]}` + "\n"
	for model, words := range map[string]string{
		`{"type":`: "line 2, column 9: unexpected end",
		`[1]`:      "line 2, column 1: a line without type",
		`null`:     "line 2, column 1: a line without type",
		`{}`:       "line 2, column 1: a line without type",
		`{"type":"LeakyRelu","negative_slope":0.01,"inputs":[1,null]}`: "line 2, column 55: null in inputs",
		`{"type":"LeakyRelu","negative_slope":0.01,"inputs":[nan]}`:    "line 2, column 54: invalid character",
		`{"type":"LeakyRelu","negative_slope":0.01,"inputs":[1e99]}`:   "line 2, column 53: 1e99",
		`{"type":"LeakyRelu","negative_slope":1e99,"inputs":[1]}`:      "line 2, column 38: 1e99",
		`{"type":"LeakyRelu","negative_slope":"0.01","inputs":[1]}`:    "line 2, column 38: ",
		`{"type":"Sigmoid","inputs":[1,null]}`:                         "line 2, column 31: null in inputs",
		`{"type":"Sigmoid","inputs":[1e99]}`:                           "line 2, column 29: 1e99",
		`{"type":"LeakyRelu","inputs":[1]}`:                            "line 2, column 1: a LeakyRelu without negative_slope",
		`{"type":"LeakyRelu","negative_slope":0.01,"inputs":{"a":1}}`:  "line 2, column 52: inputs are {",
	} {
		layers, _, err := gmind.Read(strings.NewReader(good+model), b)
		if err == nil || layers != nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %d layers, error %v; want an error with %q", model, len(layers), err, words)
		}
	}
	failed := errors.New("the disk failed")
	if layers, _, err := gmind.Read(io.MultiReader(strings.NewReader(good), iotest.ErrReader(failed)), b); !errors.Is(err, failed) || layers != nil || !strings.Contains(err.Error(), "line 2: ") {
		t.Errorf("with a reader that fails: %d layers, error %v", len(layers), err)
	}
	release(t, b)
	for _, none := range []io.Reader{nil, (*bytes.Buffer)(nil)} {
		if _, _, err := gmind.Read(none, b); err == nil || !strings.Contains(err.Error(), "reader is nil") {
			t.Errorf("from nil: %v", err)
		}
	}
	type wrapper struct{ compute.Backend }
	for _, none := range []compute.Backend{nil, (*wrapper)(nil)} {
		if _, _, err := gmind.Read(strings.NewReader(good), none); !errors.Is(err, compute.ErrUnavailable) {
			t.Errorf("on no backend: %v", err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if layers, _, err := gmind.Read(strings.NewReader(good), b); !errors.Is(err, compute.ErrClosed) || layers != nil {
		t.Errorf("on a closed backend: %d layers, error %v", len(layers), err)
	}
}

// limited is a writer that fails after some lines.
type limited struct {
	bytes.Buffer
	lines int
}

var errFull = errors.New("disk full")

func (w *limited) Write(p []byte) (int, error) {
	if w.lines--; w.lines < 0 {
		return 0, errFull
	}
	return w.Buffer.Write(p)
}

// TestWriteErrors: what a model file cannot have is not written as something else, and the
// lines before it are.
func TestWriteErrors(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	forward := func(x ...float32) *compute.Layer {
		l := compute.NewLayer(b, compute.LeakyReLU(0.5))
		if _, err := l.Forward(x); err != nil {
			t.Fatal(err)
		}
		return l
	}
	good, bits := forward(), compute.NewLayer(b, compute.LeakyReLU(0.5))
	buf, err := b.Upload([]float32{1})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(bits.ForwardBuffer(buf, buf), buf.Release()); err != nil {
		t.Fatal(err)
	}
	type test struct {
		layer *compute.Layer
		want  error // or nil for any
		words string
	}
	tests := []test{
		{nil, nil, "nil"},
		{bits, compute.ErrBitsOnly, "only a bit"},
		{compute.NewLayer(b, compute.LeakyReLU(float32(math.Inf(1)))), compute.ErrSlope, "slope"},
	}
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		tests = append(tests, test{forward(1, v), nil, "input 1 of 2"})
	}
	for _, kind := range []compute.Kind{0, compute.KindLeakyReLU + 1, 255} {
		f := compute.Activation{Kind: kind, Params: compute.LeakyReLU(0.5).Params}
		tests = append(tests, test{compute.NewLayer(b, f), compute.ErrActivation, f.String() + " is not a layer of G-Mind"})
	}
	const line = `{"type":"LeakyRelu","negative_slope":0.5,"inputs":[]}` + "\n"
	for _, test := range tests {
		var file bytes.Buffer
		err := gmind.Write(&file, good, test.layer, good)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), "layer 2 of 3") || !strings.Contains(err.Error(), test.words) {
			t.Errorf("Write of %v returns error %v; want one of layer 2 of 3, with %q", test.layer, err, test.words)
		}
		if file.String() != line {
			t.Errorf("Write of %v has written %q, want %q", test.layer, file.String(), line)
		}
	}
	for lines := range 2 {
		w := &limited{lines: lines}
		if err := gmind.Write(w, good, good); !errors.Is(err, errFull) || w.String() != strings.Repeat(line, lines) {
			t.Errorf("on a disk with space for %d lines: error %v, written %q", lines, err, w.String())
		}
	}
	for _, none := range []io.Writer{nil, (*bytes.Buffer)(nil)} {
		if err := gmind.Write(none, good); err == nil || !strings.Contains(err.Error(), "writer is nil") {
			t.Errorf("to nil: %v", err)
		}
	}
	for _, test := range tests {
		if test.layer != nil {
			test.layer.Release()
		}
	}
	release(t, b, good)
}

// FuzzModelFile: any file is read or rejected, and leaves no buffers on the backend. What
// was read is written such that it is read as the same.
func FuzzModelFile(f *testing.F) {
	f.Add([]byte(`{"type":"LeakyRelu","negative_slope":0.01,"inputs":[1,-2.5,1e-45]}` + "\n" + `{"type":"Dense"}` + "\n"))
	f.Add([]byte(`{"type":"Sigmoid","inputs":[1,-2.5]}` + "\n" + `{"type":"Sigmoid"}`))
	f.Add([]byte(`{"type":"LeakyRelu","negative_slope":1e39,"inputs":[]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		b, err := cpu.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		defer release(t, b)
		layers, _, err := gmind.Read(bytes.NewReader(file), b)
		if err != nil {
			if layers != nil {
				t.Errorf("layers and the error %v", err)
			}
			return
		}
		first := written(t, layers)
		layers, skipped, err := gmind.Read(bytes.NewReader(first), b)
		if err != nil || len(skipped) > 0 {
			t.Fatalf("%s, which was written, cannot be read: %v, skipped %v", first, err, skipped)
		}
		if second := written(t, layers); !bytes.Equal(first, second) {
			t.Errorf("written as %s, and then as %s", first, second)
		}
	})
}

// written returns layers as a model file, and releases them.
func written(t *testing.T, layers []*compute.Layer) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := gmind.Write(&file, layers...); err != nil {
		t.Error(err)
	}
	for _, l := range layers {
		l.Release()
	}
	return file.Bytes()
}
