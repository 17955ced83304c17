package backendtest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// testConcurrent runs goroutines on buffers of their own, and one that all of them read.
func testConcurrent(t *testing.T, b compute.Backend) {
	const goroutines, rounds, n = 64, 10, 3001
	f := compute.LeakyReLU(0.01)
	xs := values.Normal(n, 1)
	x := upload(t, b, xs)
	defer release(t, x)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			w := worker{f: f, xs: xs, own: values.Normal(n, uint64(g))}
			w.sum = linear.Sum(n, func(i int) float32 { return f.Value(w.own[i]) })
			w.product = linear.Product{M: 1, K: n, N: 1}.Element(0, values.Each(n, func(i int) float32 { return f.Value(w.own[i]) }), xs, 0, 0)
			for range rounds {
				if err := w.work(b, x); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A worker is what one goroutine of testConcurrent computes: with values of its own, and those of
// x, which all of them read.
type worker struct {
	f            compute.Activation
	xs, own      []float32
	sum, product float32 // of f of own, and of that and xs
}

// work computes on buffers of its own, and reads x, which has the values xs.
func (w *worker) work(b compute.Backend, x compute.Buffer) error {
	f, own := w.f, w.own
	y, err := b.Upload(own)
	if err != nil {
		return err
	}
	defer y.Release()
	dx, err := b.Alloc(len(own))
	if err != nil {
		return err
	}
	defer dx.Release()
	one, err := b.Alloc(1)
	if err != nil {
		return err
	}
	defer one.Release()
	got := make([]float32, len(own))
	streamed, ran := make([]float32, len(own)), make([]float32, len(own))
	var sum, product [1]float32
	for _, err := range []error{
		b.Forward(f, y, y),
		b.Backward(f, dx, y, x),
		b.Stream(context.Background(), compute.OpForward, f, streamed, own),
		dx.Read(got),
		b.Run(axpy, dx, compute.F32(own[0]), x, y),
		dx.Read(ran),
		b.Reduce(one, compute.Sum, compute.All(), nil, y),
		one.Read(sum[:]),
	} {
		if err != nil {
			return err
		}
	}
	product[0] = w.product
	if l, ok := compute.As[compute.Linear](b); ok {
		if err := errors.Join(l.MatMul(one, y, 1, len(own), x, 1), one.Read(product[:])); err != nil {
			return err
		}
	}
	if !values.Same(sum[0], w.sum) || !values.Same(product[0], w.product) {
		return errors.New("a concurrent call has changed a sum or a product")
	}
	for i := range got {
		want := f.Value(own[i])
		if !values.Same(ran[i], float32(own[0]*w.xs[i])+want) || !values.Same(streamed[i], want) || !values.Same(got[i], want*f.Derivative(w.xs[i])) {
			return errors.New("a concurrent call has changed the result")
		}
	}
	return nil
}

// testReleaseWhileUsed releases buffers during calls of other goroutines.
func testReleaseWhileUsed(t *testing.T, b compute.Backend) {
	const n = 50000
	for range 10 {
		x, y := upload(t, b, values.Normal(n, 1)), alloc(t, b, n)
		useWhile(t, b, x, y, func() { release(t, y, x) })
	}
}

// testCloseWhileUsed closes the backend during calls of other goroutines.
func testCloseWhileUsed(t *testing.T, b compute.Backend) {
	const n = 50000
	x, y := upload(t, b, values.Normal(n, 1)), alloc(t, b, n)
	useWhile(t, b, x, y, func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// useWhile runs goroutines that use x and y in every way, with all orders of the two, until
// their calls return ErrClosed, which is the effect of end.
func useWhile(t *testing.T, b compute.Backend, x, y compute.Buffer, end func()) {
	f := compute.LeakyReLU(0.01)
	into := func(n int, use func(out compute.Buffer) error) error {
		out, err := b.Alloc(n)
		if err != nil {
			return err
		}
		return errors.Join(use(out), out.Release())
	}
	uses := []func(host []float32) error{
		func([]float32) error { return b.Forward(f, y, x) },
		func([]float32) error { return b.Derivative(f, x, y) },
		func([]float32) error { return b.Backward(f, x, y, x) },
		func([]float32) error { return b.Run(swap2, x, y, x, y) },
		func([]float32) error { return b.Run(axpy, y, compute.F32(0.5), y, compute.Row(x)) },
		func(host []float32) error { return y.Read(host) },
		func(host []float32) error { return x.Write(host) },
		func(host []float32) error {
			if err := b.Stream(context.Background(), compute.OpForward, f, host, host); err != nil {
				return err
			}
			return x.Read(host)
		},
		func(host []float32) error {
			buf, err := b.Upload(host)
			if err != nil {
				return err
			}
			return errors.Join(b.Forward(f, buf, buf), buf.Release(), x.Read(host))
		},
		func([]float32) error {
			return into(1, func(out compute.Buffer) error { return b.Reduce(out, compute.Sum, compute.All(), nil, x) })
		},
		func(host []float32) error {
			return into(len(host), func(out compute.Buffer) error { return b.Gather(out, x, y) })
		},
		func([]float32) error {
			v, err := x.View(1, x.Len())
			if err != nil {
				return err
			}
			return errors.Join(b.Fill(v, 1), v.Release())
		},
	}
	if l, ok := compute.As[compute.Linear](b); ok {
		uses = append(uses, func(host []float32) error {
			return into(1, func(out compute.Buffer) error { return l.MatMul(out, y, 1, len(host), x, 1) })
		})
	}
	var started, wg sync.WaitGroup
	for _, use := range uses {
		started.Add(1)
		wg.Go(func() {
			host := make([]float32, x.Len())
			err := use(host)
			for started.Done(); err == nil; err = use(host) {
				runtime.Gosched() // otherwise those that wait for a lock wait for a time slice
			}
			if !errors.Is(err, compute.ErrClosed) {
				t.Errorf("after it was released or closed: got error %v, want one that wraps %q", err, compute.ErrClosed)
			}
		})
	}
	started.Wait()
	end()
	wg.Wait()
}
