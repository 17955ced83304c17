//go:build opencl && cgo

package gpu

import (
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/kernels"
)

// openAs opens the first device as one whose shape is s.
func openAs(t *testing.T, s shape) compute.Backend {
	t.Helper()
	candidates, err := listWith(Options{}, func(*opencl.Device) program { return program{kernels.Source, s} })
	if len(candidates) == 0 {
		testenv.Lacking(t, "an OpenCL device: %v", err)
	}
	b, err := candidates[0].open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestViews: operands that begin anywhere, where those of other calls are aligned, and calls
// with views and without them in turns.
func TestViews(t *testing.T) {
	b := openAs(t, shape{width: 4, vectors: 2, group: 16, aligned: true, short: true})
	const n, columns = 1500, 5
	xs := values.Normal(n, 1)
	x, err := b.Upload(xs)
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Upload(xs)
	if err != nil {
		t.Fatal(err)
	}
	p := expr.MustParse("f(x, r, c) = x*r - c")
	f := compute.LeakyReLU(-0.5)
	r := rand.New(rand.NewPCG(1, 2))
	got := make([]float32, n)
	for turn := range 40 {
		length := columns * (1 + r.IntN(n/columns-2))
		var at [4]int // of y, x, r, c
		if turn%4 > 0 {
			at = [4]int{r.IntN(n - length + 1), r.IntN(n - length + 1), r.IntN(n - columns + 1), r.IntN(n - length/columns + 1)}
		}
		part := func(buf compute.Buffer, at, n int) compute.Buffer {
			v, err := buf.View(at, at+n)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { v.Release() })
			return v
		}
		to, from := part(y, at[0], length), part(x, at[1], length)
		want := make([]float32, n)
		if err := y.Read(want); err != nil {
			t.Fatal(err)
		}
		if turn%2 == 0 {
			err = b.Run(p, to, from, compute.Row(part(x, at[2], columns)), compute.Col(part(x, at[3], length/columns)))
			for i := range length {
				want[at[0]+i] = float32(xs[at[1]+i]*xs[at[2]+i%columns]) - xs[at[3]+i/columns]
			}
		} else {
			err = b.Forward(f, to, from)
			for i := range length {
				want[at[0]+i] = f.Value(xs[at[1]+i])
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := y.Read(got); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if !values.Same(got[i], want[i]) && !b.Info().FlushesSubnormals {
				t.Fatalf("call %d, of %d elements from %v on: element %d is %v, want %v", turn, length, at, i, got[i], want[i])
			}
		}
	}
}
