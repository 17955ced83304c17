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
	for _, f := range form.Programs() {
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
