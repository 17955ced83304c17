package compute_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestDerivativesOfOutputs counts the inputs for which a derivative that is computed from the
// result, in float32, differs from that of the library. docs/training.md has the counts.
func TestDerivativesOfOutputs(t *testing.T) {
	text, err := os.ReadFile("docs/training.md")
	if err != nil {
		t.Fatal(err)
	}
	b := testenv.Open(t, cpu.Open)
	stream := func(op compute.Op, f compute.Activation, x []float32) []float32 {
		r := make([]float32, len(x))
		if err := b.Stream(context.Background(), op, f, r, x); err != nil {
			t.Fatal(err)
		}
		return r
	}
	x := values.Uniform(1<<18, 1)
	for i := range x {
		x[i] *= 8
	}
	for _, test := range []struct {
		f      compute.Activation
		output string // f'(x) as a program of y = f(x)
	}{
		{compute.Sigmoid(), "y * (1-y)"},
		{compute.Tanh(), "1 - y*y"},
		{compute.Softplus(), "-expm1(-y)"},
		{compute.Exp(), "y"},
	} {
		y, want := stream(compute.OpForward, test.f, x), stream(compute.OpDerivative, test.f, x)
		got := make([]float32, len(x))
		if err := b.RunSlices(context.Background(), expr.MustParse("f(y) = "+test.output), compute.Slice(got), compute.Slice(y)); err != nil {
			t.Fatal(err)
		}
		differ := 0
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				differ++
			}
		}
		line := fmt.Sprintf("| %v | `%s` | %d |", test.f.Kind, test.output, differ)
		if !strings.Contains(string(text), line) {
			t.Errorf("docs/training.md has no line %s", line)
		}
	}
}
