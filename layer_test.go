package compute_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

func TestLayer(t *testing.T) {
	onBackends(t, func(t *testing.T, b compute.Backend) {
		for _, f := range form.Activations() {
			l := compute.NewLayer(b, f)
			for _, n := range []int{7, 7, 0, 1000, 3} {
				xs, dys := values.Bits(n, uint64(n)), values.Normal(n, 2)
				if b.Info().FlushesSubnormals { // Bits has some
					xs = values.Normal(n, uint64(n))
				}
				ys := values.Each(n, func(i int) float32 { return f.Value(xs[i]) })
				ds := values.Each(n, func(i int) float32 { return f.Derivative(xs[i]) })
				dxs := values.Each(n, func(i int) float32 { return f.Backward(dys[i], xs[i]) })

				got, err := l.Forward(xs)
				testenv.Equal(t, "Forward", got, ys, err)
				for range 2 { // the layer keeps the input
					got, err = l.Derivative()
					testenv.Equal(t, "Derivative", got, ds, err)
					got, err = l.Backward(dys)
					testenv.Equal(t, "Backward", got, dxs, err)
				}
				got, err = l.Inputs()
				if err != nil || !slices.EqualFunc(got, xs, values.Identical) {
					t.Fatalf("Inputs are not those of Forward: %v", err)
				}
				y, dx := slices.Clone(xs), slices.Clone(dys)
				testenv.Equal(t, "ForwardInto its input", y, ys, l.ForwardInto(y, y))
				testenv.Equal(t, "BackwardInto its input", dx, dxs, l.BackwardInto(dx, dx))
			}
			if err := l.Release(); err != nil {
				t.Fatal(err)
			}
			if live := b.Info().LiveBuffers; live != 0 {
				t.Errorf("after Release of the layer %d buffers are live", live)
			}
		}
	})
}

// TestLayerBuffers: layers chain on the device, in one buffer.
func TestLayerBuffers(t *testing.T) {
	onBackends(t, func(t *testing.T, b compute.Backend) {
		first, second := compute.LeakyReLU(-0.5), compute.LeakyReLU(2)
		l1, l2 := compute.NewLayer(b, first), compute.NewLayer(b, second)
		for _, n := range []int{5, 1000, 1000} {
			xs, dys := values.Normal(n, 1), values.Normal(n, 2)
			buf, err := b.Upload(xs)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, n)
			hidden := values.Each(n, func(i int) float32 { return first.Value(xs[i]) })
			testenv.Equal(t, "two layers", got, values.Each(n, func(i int) float32 { return second.Value(hidden[i]) }),
				errors.Join(l1.ForwardBuffer(buf, buf), l2.ForwardBuffer(buf, buf), buf.Read(got)))
			testenv.Equal(t, "their gradient", got, values.Each(n, func(i int) float32 {
				return dys[i] * second.Derivative(hidden[i]) * first.Derivative(xs[i])
			}), errors.Join(buf.Write(dys), l2.BackwardBuffer(buf, buf), l1.BackwardBuffer(buf, buf), buf.Read(got)))
			ds := values.Each(n, func(i int) float32 { return first.Derivative(xs[i]) })
			testenv.Equal(t, "DerivativeBuffer", got, ds, errors.Join(l1.DerivativeBuffer(buf), buf.Read(got)))
			d, err := l1.Derivative()
			testenv.Equal(t, "Derivative after ForwardBuffer", d, ds, err)
			if _, err := l1.Inputs(); !errors.Is(err, compute.ErrBitsOnly) || !errors.Is(err, compute.ErrNoInput) {
				t.Errorf("Inputs after ForwardBuffer: %v", err)
			}
			if err := buf.Release(); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range []error{l1.Release(), l2.Release()} {
			if err != nil {
				t.Error(err)
			}
		}
		if live := b.Info().LiveBuffers; live != 0 {
			t.Errorf("after Release of the layers %d buffers are live", live)
		}
	})
}

// TestLayerKeepsInput: a layer of a function without a bit keeps the input, also where its result
// replaces it.
func TestLayerKeepsInput(t *testing.T) {
	onBackends(t, func(t *testing.T, b compute.Backend) {
		f := compute.Sigmoid()
		l := compute.NewLayer(b, f)
		for _, n := range []int{5, 1000, 0, 3} {
			xs, dys := values.Normal(n, 1), values.Normal(n, 2)
			buf, err := b.Upload(xs)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, n)
			testenv.Equal(t, "ForwardBuffer", got, values.Each(n, func(i int) float32 { return f.Value(xs[i]) }),
				errors.Join(l.ForwardBuffer(buf, buf), buf.Read(got)))
			testenv.Equal(t, "DerivativeBuffer", got, values.Each(n, func(i int) float32 { return f.Derivative(xs[i]) }),
				errors.Join(l.DerivativeBuffer(buf), buf.Read(got)))
			testenv.Equal(t, "BackwardBuffer", got, values.Each(n, func(i int) float32 { return f.Backward(dys[i], xs[i]) }),
				errors.Join(buf.Write(dys), l.BackwardBuffer(buf, buf), buf.Read(got)))
			kept, err := l.Inputs()
			testenv.Equal(t, "Inputs", kept, xs, err)
			if err := buf.Release(); err != nil {
				t.Fatal(err)
			}
		}
		bad := compute.NewLayer(b, compute.CELU(0))
		buf, err := b.Upload([]float32{1, -2})
		if err != nil {
			t.Fatal(err)
		}
		if err := bad.ForwardBuffer(buf, buf); !errors.Is(err, compute.ErrActivation) {
			t.Errorf("ForwardBuffer of %v: %v", bad, err)
		}
		if err := l.ForwardBuffer(nil, nil); !errors.Is(err, compute.ErrForeignBuffer) {
			t.Errorf("ForwardBuffer of nil: %v", err)
		}
		if err := l.DerivativeBuffer(buf); !errors.Is(err, compute.ErrNoInput) {
			t.Errorf("DerivativeBuffer after a ForwardBuffer that failed: %v", err)
		}
		if err := errors.Join(buf.Release(), l.Release(), bad.Release()); err != nil {
			t.Error(err)
		}
		if live := b.Info().LiveBuffers; live != 0 {
			t.Errorf("after Release of the layers %d buffers are live", live)
		}
	})
}

func TestLayerErrors(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	l := compute.NewLayer(b, compute.LeakyReLU(0.01))
	_, derivative := l.Derivative()
	_, backward := l.Backward([]float32{1})
	_, inputs := l.Inputs()
	buf, err := b.Alloc(1)
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Release()
	if errors.Is(inputs, compute.ErrBitsOnly) {
		t.Errorf("Inputs before the first Forward: %v", inputs)
	}
	for _, err := range []error{derivative, backward, inputs, l.DerivativeBuffer(buf), l.BackwardBuffer(buf, buf), l.DerivativeInto(nil), l.BackwardInto(nil, nil)} {
		if !errors.Is(err, compute.ErrNoInput) || !strings.Contains(err.Error(), "call Forward first") {
			t.Errorf("before the first Forward: %v", err)
		}
	}
	if _, err := l.Forward([]float32{1, 2}); err != nil {
		t.Fatal(err)
	}
	_, backward = l.Backward([]float32{1})
	for _, err := range []error{backward, l.ForwardInto(nil, []float32{1}), l.DerivativeInto([]float32{1}), l.BackwardInto([]float32{1}, []float32{1, 2})} {
		if !errors.Is(err, compute.ErrLength) {
			t.Errorf("with another length: %v", err)
		}
	}
	if d, err := l.Derivative(); err != nil || !slices.Equal(d, []float32{1, 1}) {
		t.Errorf("after calls that failed: %v, %v", d, err)
	}
	type anyBuffer struct{ compute.Buffer }
	for _, none := range []compute.Buffer{nil, (*anyBuffer)(nil)} {
		if err := l.ForwardBuffer(buf, none); !errors.Is(err, compute.ErrForeignBuffer) || !strings.Contains(err.Error(), "x is nil") {
			t.Errorf("ForwardBuffer of nil: %v", err)
		}
	}
	if err := l.ForwardBuffer(anyBuffer{buf}, buf); !errors.Is(err, compute.ErrForeignBuffer) || !strings.Contains(err.Error(), "y, a compute_test.anyBuffer,") {
		t.Errorf("ForwardBuffer to a wrapped buffer: %v", err)
	}
	if _, err := l.Derivative(); !errors.Is(err, compute.ErrNoInput) {
		t.Errorf("after Forward failed: %v", err)
	}
	bad := compute.NewLayer(b, compute.LeakyReLU(float32(math.NaN())))
	if _, err := bad.Forward([]float32{1}); !errors.Is(err, compute.ErrSlope) {
		t.Errorf("with slope NaN: %v", err)
	}
	if _, err := bad.Derivative(); !errors.Is(err, compute.ErrNoInput) {
		t.Errorf("after a Forward with slope NaN: %v", err)
	}
	bad.Release()
	for _, none := range []*compute.Layer{new(compute.Layer), compute.NewLayer(nil, compute.LeakyReLU(1)), compute.NewLayer((*wrapper)(nil), compute.LeakyReLU(1))} {
		_, err = none.Forward([]float32{1})
		for _, err := range []error{err, none.ForwardBuffer(buf, buf), none.Remember([]float32{1})} {
			if !errors.Is(err, compute.ErrUnavailable) || !strings.Contains(err.Error(), "NewLayer") {
				t.Errorf("a layer without a backend: %v", err)
			}
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Forward([]float32{1, 2}); !errors.Is(err, compute.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Errorf("Release after Close: %v", err)
	}
}

// fullOnce is a backend on which the first Write fails for lack of memory.
type fullOnce struct {
	compute.Backend
	failed *bool
}

type fullBuffer struct {
	compute.Buffer
	failed *bool
}

func (b fullOnce) Alloc(n int) (compute.Buffer, error) {
	buf, err := b.Backend.Alloc(n)
	return fullBuffer{buf, b.failed}, err
}

func (b fullOnce) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	return b.Backend.BackwardMask(f, dx, dy.(fullBuffer).Buffer, m)
}

func (b fullBuffer) Write(src []float32) error {
	if !*b.failed {
		*b.failed = true
		return compute.ErrOutOfMemory
	}
	return b.Buffer.Write(src)
}

// TestLayerOutOfMemory: after DerivativeBuffer fails for lack of memory, it can be called
// again.
func TestLayerOutOfMemory(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	l := compute.NewLayer(fullOnce{b, new(bool)}, compute.LeakyReLU(0.5))
	buf, err := b.Upload([]float32{-1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.ForwardBuffer(buf, buf); err != nil {
		t.Fatal(err)
	}
	if err := l.DerivativeBuffer(buf); !errors.Is(err, compute.ErrOutOfMemory) {
		t.Errorf("without memory: %v", err)
	}
	got := make([]float32, 2)
	err = errors.Join(l.DerivativeBuffer(buf), buf.Read(got))
	testenv.Equal(t, "the second DerivativeBuffer", got, []float32{0.5, 1}, err)
	if err := errors.Join(l.Release(), buf.Release()); err != nil || b.Info().LiveBuffers != 0 {
		t.Errorf("%d buffers are live: %v", b.Info().LiveBuffers, err)
	}
}

// TestLayerAllocates: a loop with one length allocates nothing.
func TestLayerAllocates(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	l := compute.NewLayer(b, compute.LeakyReLU(0.01))
	defer l.Release()
	x := values.Normal(1000, 1)
	y := make([]float32, len(x))
	step := func() {
		if err := errors.Join(l.ForwardInto(y, x), l.DerivativeInto(y), l.BackwardInto(y, x)); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if allocs := testing.AllocsPerRun(100, step); allocs > 0 {
		t.Errorf("%v allocations per step", allocs)
	}
}

func TestLayerString(t *testing.T) {
	l := compute.NewLayer(nil, compute.LeakyReLU(compute.DefaultNegativeSlope))
	if s := l.String(); s != "LeakyReLU(negative_slope=0.01)" {
		t.Errorf("String is %q", s)
	}
}

// TestLayerRemember: the layer is as after Forward, and has a copy of the slice.
func TestLayerRemember(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	l := compute.NewLayer(b, compute.LeakyReLU(0.5))
	defer l.Release()
	for _, xs := range [][]float32{{1, -2, 3}, {}, {-1}} {
		x := slices.Clone(xs)
		if err := l.Remember(x); err != nil {
			t.Fatal(err)
		}
		clear(x)
		ones := slices.Repeat([]float32{1}, len(xs))
		got, err := l.Backward(ones)
		testenv.Equal(t, "Backward", got, values.Each(len(xs), func(i int) float32 { return l.Activation().Derivative(xs[i]) }), err)
		got, err = l.Inputs()
		testenv.Equal(t, "Inputs", got, xs, err)
	}
}
