package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestFunctions: peers that are right, wrong, slow, broken or missing.
func TestFunctions(t *testing.T) {
	for _, test := range []struct {
		peer  string
		want  []string // in the output
		there int      // results of peers
		notes int
	}{
		// Five peers have three operations, at two sizes.
		{"right", []string{"- Fake 1.0", "\ntanh: GB/s by", "\nexp: ns for an element", "| tanh backward "}, 2 * 5 * 3, 0},
		{"wrong", []string{"WRONG: exp forward of oneDNN, 16 elements", "WRONG: tanh backward of vek"}, 2 * 5 * 3, 2 * 5 * 3},
		{"slow", []string{"- Fake 1.0"}, 5 * 3, 0}, // only the first size
		{"broken", []string{"- oneDNN: no memory", "- vek: no memory"}, 0, 0},
		{"dies", []string{"ended: EOF"}, 2 * 5 * 3, 0},
		{"", []string{"- PyTorch: not installed", "- ONNX Runtime: not installed"}, 0, 0},
	} {
		t.Run(test.peer, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "out.json")
			c, err := parse([]string{"-n", "16,1Ki", "-rounds", "2", "-functions", "exp,tanh", "-json", file})
			if err != nil {
				t.Fatal(err)
			}
			c.functionRest, c.minSample = 0, 0
			fakeCommands(t, &c, test.peer)
			out, r := reported(t, c, file, test.want)
			if r.Results != nil || strings.Contains(out, "LeakyReLU") {
				t.Errorf("LeakyReLU is measured:\n%s", out)
			}
			if len(r.Functions.Notes) != test.notes {
				t.Errorf("%d notes, want %d: %q", len(r.Functions.Notes), test.notes, r.Functions.Notes)
			}
			ours, there := 0, 0
			for _, res := range r.Functions.Results {
				switch res.Who {
				case colCopy, colOurs:
					ours++
					if res.Missing != "" || !res.Verified {
						t.Errorf("%+v", res)
					}
				default:
					there++
					if right := test.peer != "dies"; (res.Missing == "") != right || right && !(res.MedianNS >= res.MinNS && res.MinNS > 0) {
						t.Errorf("%+v", res)
					}
				}
			}
			if ours != 2*2*4 || there != test.there {
				t.Errorf("%d results of this library, want %d; %d of peers, want %d", ours, 2*2*4, there, test.there)
			}
		})
	}
}

// fakeCommands makes all peers of c fake ones of a kind, or missing.
func fakeCommands(t *testing.T, c *config, kind string) {
	t.Setenv("PEER", kind)
	command := []string{os.Args[0]}
	if kind == "" {
		command = []string{"./none"}
	}
	c.onednn, c.torch, c.numexpr, c.onnx, c.onnxruntime, c.gopeers, c.openblas = command, command, command, command, command, command, command
}

// TestGroups: a table for each function if there are several sizes.
func TestGroups(t *testing.T) {
	r := functionReport{Functions: []string{"exp", "tanh"}, Results: []result{{N: 16}, {N: 16}}}
	if got := fmt.Sprint(r.groups()); got != "[[exp tanh]]" {
		t.Errorf("one size: %s", got)
	}
	r.Results = append(r.Results, result{N: 1024})
	if got := fmt.Sprint(r.groups()); got != "[[exp] [tanh]]" {
		t.Errorf("two sizes: %s", got)
	}
}

// TestVerifyFunctions: this library has to be right in every bit, a peer about right, and both
// at the last element.
func TestVerifyFunctions(t *testing.T) {
	h := functionMemory(10_000)
	form := functionForms[0]
	p := form.of("sigmoid")
	for _, test := range []struct {
		column string
		change func(y []float32)
		wrong  bool
	}{
		{colOurs, func([]float32) {}, false},
		{colVek, func([]float32) {}, false},
		{colOurs, func(y []float32) { y[9999] = math.Nextafter32(y[9999], 2) }, true},
		{colVek, func(y []float32) { y[9999] = math.Nextafter32(y[9999], 2) }, false},
		{colVek, func(y []float32) { y[9999] += 0.0001 }, true},
		{colVek, func(y []float32) { y[0] = float32(math.NaN()) }, true},
	} {
		c := &contestant{column: test.column, want: func(dy, x float32) float32 { return form.eval(p, dy, x) }, result: func(dst []float32) error {
			fakeFunction("sigmoid", dst, h.x, h.dy)
			test.change(dst)
			return nil
		}}
		err := verifyFunctions([]*contestant{c}, h)
		if (c.wrong != "") != test.wrong || (err != nil) != (test.wrong && test.column == colOurs) {
			t.Errorf("%s: wrong is %q, want %v; %v", test.column, c.wrong, test.wrong, err)
		}
	}
}

func TestUlps(t *testing.T) {
	inf, most := float32(math.Inf(1)), float32(math.MaxFloat32)
	for _, test := range []struct {
		got, want float32
		ulps      float64
	}{
		{1 + 0x1p-23, 1, 1}, {1, 1 + 0x1p-23, 1}, {-1 - 0x1p-23, -1, 1}, {1, 1 - 0x1p-24, 1}, {1 - 0x1p-24, 1, 0.5},
		{3, 1, 0x1p24}, {0, 1, 0x1p23}, {-1, 1, 0x1p24},
		{0x1p-149, 0, 1}, {0, 0x1p-149, 1}, {0x1p-126, 0x1p-126 - 0x1p-149, 1}, {-0x1p-149, 0x1p-149, 2},
		{inf, most, 1}, {most, inf, 1}, {-inf, most, 0x1p25 - 1},
	} {
		if got := ulps(test.got, test.want); got != test.ulps {
			t.Errorf("ulps(%v, %v) is %v, want %v", test.got, test.want, got, test.ulps)
		}
	}
}

func TestAccuracy(t *testing.T) {
	nan, zero := float32(math.NaN()), float32(0)
	in := inputs{x: []float32{1, 2, 3, 4, 5, 6}, normal: 2}
	want := []float32{1, zero, nan, 1, nan, 1}
	for _, test := range []struct {
		got                  []float32
		normal, all, example string
	}{
		{[]float32{1, -zero, nan, 1, nan, 1}, "0", "0", ""},
		{[]float32{1, 0x1p-149, nan, 1 + 0x1p-23, nan, 1 + 0x1p-22}, "50.0 %, 1.00 ulp", "50.0 %, 2.00 ulp", "f(6) = 1, not 1.0000002"},
		{[]float32{1.001, zero, nan, nan, 1, 1}, "50.0 %, 8.4e+03 ulp", "50.0 %", "2 wrong by a NaN"},
		{[]float32{1, zero, 1, 1, nan, 1 - 0x1p-24}, "0", "50.0 %, 0.500 ulp", "f(6) = 1, not 0.99999994; 1 wrong by a NaN"},
	} {
		var c functionCheck
		c.add(in, test.got, want)
		if c.normal.String() != test.normal || c.all.String() != test.all || c.all.example() != test.example {
			t.Errorf("%v: %q, %q, %q; want %q, %q, %q", test.got, c.normal, c.all, c.all.example(), test.normal, test.all, test.example)
		}
	}
	if a := (accuracy{inputs: 1_000_000, wrong: 1}); a.String() != "<0.001 %" {
		t.Errorf("a millionth is %v", a)
	}
}

// TestCheckFunctions: peers that are wrong or missing are printed.
func TestCheckFunctions(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	in := newInputs(100, 0xffff_fff1/1000)
	if in.normal != 100 || len(in.x) < 1100 || len(in.x) > 1102+len(values.Special()) {
		t.Fatalf("%d inputs", len(in.x))
	}
	for _, test := range []struct {
		peer string
		want []string // in the output
	}{
		{"right", []string{"| tanh backward | 0 | 0 | 0 | 0 | 0 | 0 |", "| exp backward | 0 | | | | | |"}},
		{"wrong", []string{"| tanh | 0 | 1.00 %, ", "- tanh, vek: f(", "- tanh backward, PyTorch: f("}},
		{"", []string{"- ONNX Runtime: not installed", "| function | compute |\n"}},
	} {
		var c config
		fakeCommands(t, &c, test.peer)
		rivals, stop := startRivals(c)
		var out strings.Builder
		err := checkFunctions([]string{"exp", "tanh"}, in, b, rivals, &out, io.Discard)
		stop()
		if err != nil {
			t.Errorf("%s: %v", test.peer, err)
		}
		plain := strings.ReplaceAll(out.String(), " ", "")
		for _, want := range test.want {
			if !strings.Contains(plain, strings.ReplaceAll(want, " ", "")) {
				t.Errorf("%s: %q is not in the output:\n%s", test.peer, want, &out)
			}
		}
	}
	if err := firstDifference("exp", []float32{0, 1}, []float32{1, 2.5}, []float32{1, math.E}); err == nil {
		t.Error("no difference is found")
	}
}
