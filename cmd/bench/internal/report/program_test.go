package report

import (
	"bytes"
	"strings"
	"testing"
)

// programs returns a report with a program in place of each operation.
func programs() *Report {
	r := measured(1, 0.1, 7)
	r.Activation, r.Slope = "", 0
	r.Programs = []Program{
		{"biasGELU_backward", "func biasGELU_backward(x float32) (y float32) {\n\ty = 2 * x\n\treturn\n}", "s=0.5, n=7"},
		{"σ", "σ(x) = x", ""},
	}
	for i := range r.Results {
		switch res := &r.Results[i]; res.Op {
		case "forward":
			res.Op = "biasGELU_backward"
		case "backward":
			res.Op = "σ"
		}
	}
	return r
}

// TestProgram: the subject and the text in one line.
func TestProgram(t *testing.T) {
	r := programs()
	if got, want := r.Programs[0].String(), "func biasGELU_backward(x float32) (y float32) { y = 2 * x; return; }, s=0.5, n=7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := r.Programs[1].String(); got != "σ(x) = x" {
		t.Error(got)
	}
	if got := r.Subject(); got != "biasGELU_backward, σ" {
		t.Error(got)
	}
	r.Activation = "LeakyReLU(0.01)"
	if got := r.Subject(); got != "LeakyReLU(0.01), biasGELU_backward, σ" {
		t.Error(got)
	}
}

// TestLongNames: long names of programs do not move the columns of tables.
func TestLongNames(t *testing.T) {
	r := programs()
	var text bytes.Buffer
	table := Table{W: &text, Programs: r.Programs}
	table.Device(Device{Name: "gpu"})
	table.Rows([]Result{timed("biasGELU_backward", OnHost, "", 8<<20, 100e3), timed("σ", OnDevice, "", 8<<20, 100e3)})
	if want := `
gpu
  elements                     median      ±       min    events     GB/s  of limit
  1Mi, 
    biasGELU_backward, host    100 µs   0.0%    100 µs              83.89
    σ                          100 µs   0.0%    100 µs              83.89
`; text.String() != want {
		t.Errorf("got %s\nwant %s", &text, want)
	}
	c, err := Compare(r, r, 0.05, false)
	if err != nil {
		t.Fatal(err)
	}
	text.Reset()
	c.WriteText(&text)
	for _, want := range []string{"operation         elements  data ", "biasGELU_backward     1000  device", "σ                     1000  device"} {
		if !strings.Contains("\n"+text.String(), "\n"+want) {
			t.Errorf("%q is not in %s", want, &text)
		}
	}
}

// TestProgramOutputs: the programs are in every format.
func TestProgramOutputs(t *testing.T) {
	r := programs()
	for name, test := range map[string]struct {
		write func(*bytes.Buffer) error
		want  []string
	}{
		"benchfmt": {func(b *bytes.Buffer) error { return r.WriteBenchfmt(b) },
			[]string{"\nprogram1: func biasGELU_backward(x float32) (y float32) { y = 2 * x; return; }, s=0.5, n=7\nprogram2: σ(x) = x\n", "\nBenchmarkBiasGELU_backward/", "\nBenchmarkΣ/"}},
		"html": {func(b *bytes.Buffer) error { return r.WriteHTML(b) },
			[]string{"Benchmark of biasGELU_backward, σ on", "<th scope=\"row\">σ</th><td><code>σ(x) = x</code>"}},
		"json": {func(b *bytes.Buffer) error { return r.WriteJSON(b) }, []string{`"text": "σ(x) = x"`}},
		"svg":  {func(b *bytes.Buffer) error { return r.WritePlot(b, "svg") }, []string{"biasGELU_backward, σ: GB/s"}},
	} {
		var text bytes.Buffer
		if err := test.write(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: without %q", name, want)
			}
		}
		if strings.Contains(text.String(), "slope: ") || strings.Contains(text.String(), ">Activation<") {
			t.Errorf("%s has an activation", name)
		}
	}
}
