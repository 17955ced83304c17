package backendtest

import (
	"context"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// testActivationsOfPrograms computes all forms of activations that users make.
func testActivationsOfPrograms(t *testing.T, b compute.Backend) {
	const n = 1003
	xs, dys := append(values.Special(), mixed(n, 1)...), append(mixed(n, 2), values.Special()...)
	args := newArgs(t, b, dys, xs)
	defer releaseArgs(t, args)
	for _, f := range []compute.Activation{
		activation(t, "three(x) = 3"),   // no form reads x
		activation(t, "steep(x) = 2*x"), // the derivative does not
		activation(t, "dent(x, unused, edge, slope, value) = where(x > edge, x, slope*x + value)", 1, 0.25, -2.5, -1),
		activation(t, "bell(d, y) = exp(-(1/y)*d*d)", 1.5), // names of results
	} {
		for _, fm := range form.AllOf(f) {
			for _, place := range fm.Places() {
				run(t, b, fm, f, place, args, dys, xs)
			}
			op, ok := fm.Op()
			if !ok {
				continue
			}
			got := make([]float32, len(xs))
			if err := b.Stream(context.Background(), op, f, got, xs); err != nil {
				t.Fatalf("stream %v of %v: %v", fm, f, err)
			}
			compare(t, b, fm, fm.Results()[0], f, got, dys, xs)
		}
		same(t, "x, an input", read(t, args.X), xs)
	}
	// Other parameters of the same kernels.
	f := activation(t, "dent(x, unused, edge, slope, value) = where(x > edge, x, slope*x + value)", 1, -0.5, 3, 1)
	for _, fm := range form.AllOf(f) {
		run(t, b, fm, f, form.Place{}, args, dys, xs)
	}
	bell := activation(t, "bell(x, w) = exp(-w*x*x)", 0.5)
	wantWords(t, b, "forward mask of "+bell.String(), b.ForwardMask(bell, args.Y, args.M, args.X), compute.ErrActivation, "forward mask", "bell(w=0.5)", "keep x")
}

// activation returns that of a program.
func activation(t *testing.T, text string, params ...float32) compute.Activation {
	t.Helper()
	f, err := compute.ActivationOf(expr.MustParse(text), params...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
