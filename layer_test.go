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
	"github.com/gmind-go/compute/shard"
)

// onLayerBackends also runs test on a Shard, and on a backend with only the methods of Backend.
func onLayerBackends(t *testing.T, test func(t *testing.T, b compute.Backend)) {
	onBackends(t, test)
	t.Run("shard", func(t *testing.T) {
		test(t, testenv.Open(t, func() (compute.Backend, error) {
			return shard.New(testenv.Open(t, cpu.Open), testenv.Open(t, cpu.Open))
		}))
	})
	t.Run("wrapper", func(t *testing.T) { test(t, &wrapper{testenv.Open(t, cpu.Open)}) })
}

func TestLayer(t *testing.T) {
	onLayerBackends(t, func(t *testing.T, b compute.Backend) {
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

// TestLayerKeepBits: with KeepBits, forward passes on slices keep only bits, of which all gradients
// are computed, on slices and on buffers.
func TestLayerKeepBits(t *testing.T) {
	onLayerBackends(t, func(t *testing.T, b compute.Backend) {
		for _, f := range []compute.Activation{compute.LeakyReLU(-0.5), compute.Clip(-1, 0.5), compute.HardShrink(0.25), compute.Sigmoid(), form.Programs()[2]} {
			l := compute.NewLayer(b, f)
			l.KeepBits()
			for _, n := range []int{130, 0, 1000, 64, 3} {
				xs, dys := values.Normal(n, 1), values.Normal(n, 2)
				ys := values.Each(n, func(i int) float32 { return f.Value(xs[i]) })
				ds := values.Each(n, func(i int) float32 { return f.Derivative(xs[i]) })
				dxs := values.Each(n, func(i int) float32 { return f.Backward(dys[i], xs[i]) })
				buf, err := b.Alloc(n)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]float32, n)
				for _, inPlace := range []bool{false, true} {
					y, dx := slices.Clone(xs), slices.Clone(dys)
					if inPlace {
						testenv.Equal(t, "ForwardInto its input", y, ys, l.ForwardInto(y, y))
					} else {
						y, err = l.Forward(xs)
						testenv.Equal(t, "Forward", y, ys, err)
					}
					d, err := l.Derivative()
					testenv.Equal(t, "Derivative", d, ds, err)
					testenv.Equal(t, "BackwardInto its input", dx, dxs, l.BackwardInto(dx, dx))
					testenv.Equal(t, "BackwardBuffer", got, dxs, errors.Join(buf.Write(dys), l.BackwardBuffer(buf, buf), buf.Read(got)))
					testenv.Equal(t, "DerivativeBuffer", got, ds, errors.Join(l.DerivativeBuffer(buf), buf.Read(got)))
					dx, err = l.Backward(dys)
					testenv.Equal(t, "Backward after BackwardBuffer", dx, dxs, err)
					inputs, err := l.Inputs()
					if f.HasBit() {
						if !errors.Is(err, compute.ErrBitsOnly) {
							t.Errorf("Inputs of %v: %v, %v", f, inputs, err)
						}
					} else {
						testenv.Equal(t, "Inputs", inputs, xs, err)
					}
				}
				if err := l.Remember(dys); err != nil {
					t.Fatal(err)
				}
				inputs, err := l.Inputs()
				testenv.Equal(t, "Inputs after Remember", inputs, dys, err)
				if err := buf.Release(); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Release(); err != nil || b.Info().LiveBuffers != 0 {
				t.Errorf("after Release %d buffers are live: %v", b.Info().LiveBuffers, err)
			}
		}
	})
}

// TestLayerMixed: what one of slices and buffers remembers serves the other.
func TestLayerMixed(t *testing.T) {
	onLayerBackends(t, func(t *testing.T, b compute.Backend) {
		for _, f := range []compute.Activation{compute.LeakyReLU(-0.5), compute.Sigmoid()} {
			l := compute.NewLayer(b, f)
			for n := range 4 {
				n = 100 * n
				old, xs, dys := values.Normal(n, 3), values.Normal(n, 1), values.Normal(n, 2)
				dxs := values.Each(n, func(i int) float32 { return f.Backward(dys[i], xs[i]) })
				ds := values.Each(n, func(i int) float32 { return f.Derivative(xs[i]) })
				buf, err := b.Upload(old)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]float32, n)
				_, err = l.Forward(xs)
				testenv.Equal(t, "BackwardBuffer after Forward", got, dxs, errors.Join(err, buf.Write(dys), l.BackwardBuffer(buf, buf), buf.Read(got)))
				testenv.Equal(t, "DerivativeBuffer after Forward", got, ds, errors.Join(l.DerivativeBuffer(buf), buf.Read(got)))
				testenv.Equal(t, "BackwardInto after BackwardBuffer", got, dxs, l.BackwardInto(got, dys))
				if err := errors.Join(l.Remember(old), l.BackwardBuffer(buf, buf), buf.Write(xs), l.ForwardBuffer(buf, buf)); err != nil {
					t.Fatal(err)
				}
				testenv.Equal(t, "BackwardInto after ForwardBuffer", got, dxs, l.BackwardInto(got, dys))
				testenv.Equal(t, "DerivativeInto after ForwardBuffer", got, ds, l.DerivativeInto(got))
				if err := errors.Join(l.Remember(xs), buf.Write(dys), l.BackwardBuffer(buf, buf)); err != nil {
					t.Fatal(err)
				}
				testenv.Equal(t, "BackwardBuffer after Remember", got, dxs, buf.Read(got))
				if err := buf.Release(); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Release(); err != nil || b.Info().LiveBuffers != 0 {
				t.Errorf("after Release %d buffers are live: %v", b.Info().LiveBuffers, err)
			}
			if _, err := l.Derivative(); !errors.Is(err, compute.ErrNoInput) {
				t.Errorf("after Release: %v", err)
			}
		}
	})
}

// TestLayerOverlap: slices that share a part of their memory are refused.
func TestLayerOverlap(t *testing.T) {
	onLayerBackends(t, func(t *testing.T, b compute.Backend) {
		l := compute.NewLayer(b, compute.LeakyReLU(0.5))
		defer l.Release()
		v := values.Normal(101, 1)
		if err := l.Remember(v[1:]); err != nil {
			t.Fatal(err)
		}
		if err := l.BackwardInto(v[1:], v[:100]); !errors.Is(err, compute.ErrOverlap) {
			t.Errorf("BackwardInto: %v", err)
		}
		if err := l.ForwardInto(v[1:], v[:100]); !errors.Is(err, compute.ErrOverlap) {
			t.Errorf("ForwardInto: %v", err)
		}
		if err := l.DerivativeInto(v[1:]); !errors.Is(err, compute.ErrNoInput) {
			t.Errorf("after a ForwardInto that failed: %v", err)
		}
		l.KeepBits()
		if err := l.ForwardInto(v[1:], v[:100]); !errors.Is(err, compute.ErrOverlap) || !strings.Contains(err.Error(), "y and x") {
			t.Errorf("ForwardInto with KeepBits: %v", err)
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

// TestLayerAllocates: a loop with one length allocates nothing, also behind openers that failed.
func TestLayerAllocates(t *testing.T) {
	b := testenv.Open(t, func() (compute.Backend, error) {
		return compute.Open(failing("no device", compute.ErrUnavailable), cpu.Open)
	})
	for i, f := range []compute.Activation{compute.LeakyReLU(0.01), compute.ELU(1.5), compute.LeakyReLU(0.01), compute.HardTanh()} {
		l := compute.NewLayer(b, f)
		defer l.Release()
		if i >= 2 {
			l.KeepBits()
		}
		x := values.Normal(1000, 1)
		y := make([]float32, len(x))
		step := func() {
			if err := errors.Join(l.ForwardInto(y, x), l.DerivativeInto(y), l.BackwardInto(y, x)); err != nil {
				t.Fatal(err)
			}
		}
		step()
		if allocs := testing.AllocsPerRun(100, step); allocs > 0 {
			t.Errorf("%v allocations per step of %v", allocs, f)
		}
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
