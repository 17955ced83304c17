package backendtest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/gmind-go/compute"
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
			own := values.Normal(n, uint64(g))
			for range rounds {
				if err := workAlone(b, f, x, xs, own); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// workAlone computes on buffers of its own, and reads x, which has the values xs.
func workAlone(b compute.Backend, f compute.Activation, x compute.Buffer, xs, own []float32) error {
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
	got := make([]float32, len(own))
	streamed, ran := make([]float32, len(own)), make([]float32, len(own))
	for _, err := range []error{
		b.Forward(f, y, y),
		b.Backward(f, dx, y, x),
		b.Stream(context.Background(), compute.OpForward, f, streamed, own),
		dx.Read(got),
		b.Run(axpy, dx, compute.F32(own[0]), x, y),
		dx.Read(ran),
	} {
		if err != nil {
			return err
		}
	}
	for i := range got {
		want := f.Value(own[i])
		if !values.Same(ran[i], float32(own[0]*xs[i])+want) || !values.Same(streamed[i], want) || !values.Same(got[i], want*f.Derivative(xs[i])) {
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
