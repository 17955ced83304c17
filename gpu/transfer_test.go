//go:build opencl && cgo

package gpu

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestMoving: while pipelines copy a buffer, calls on others go on, those on it wait, and so
// does Close.
func TestMoving(t *testing.T) {
	b := testenv.Open(t, Options{Device: "any", Staged: true}.Open)
	d := inside(b)
	f := compute.LeakyReLU(-0.5)
	n := 2 * d.transferPart()
	src, got := values.Bits(n, 1), make([]float32, n)
	var bufs [3]compute.Buffer
	for i := range bufs {
		x, err := b.Alloc(n)
		if err != nil {
			t.Fatal(err)
		}
		bufs[i] = x
	}
	moved, released, other := bufs[0], bufs[1], bufs[2]
	m, err := b.AllocMask(n)
	if err != nil {
		t.Fatal(err)
	}
	giveBack := takePipelines(d)
	defer giveBack()
	calls := []struct {
		name string
		do   func() error
	}{
		{"Write", func() error { return moved.Write(src) }},
		{"Upload", func() error { _, err := b.Upload(src); return err }},
		{"Write of what is released", func() error { return released.Write(src) }},
		{"Forward", func() error { return b.Forward(f, moved, moved) }},
		{"Release", released.Release},
		{"Read", func() error { return moved.Read(got) }},
		{"Close", b.Close},
	}
	results := make([]chan error, len(calls))
	for i, call := range calls {
		if call.name == "Forward" {
			// What is not on its way can be used.
			if err := errors.Join(b.Forward(f, other, other), b.ForwardMask(f, other, m, other), b.Sync(), m.Release()); err != nil {
				t.Error(err)
			}
		}
		results[i] = make(chan error, 1)
		go func() { results[i] <- call.do() }()
		select {
		case err := <-results[i]:
			t.Errorf("%s did not wait for the transfer: %v", call.name, err)
			results[i] <- err
		case <-time.After(20 * time.Millisecond):
		}
	}
	giveBack()
	for i, call := range calls {
		// Close may come before what waits for the transfer, or after it.
		if err := <-results[i]; err != nil && !(errors.Is(err, compute.ErrClosed) && call.name != "Close") {
			t.Errorf("%s: %v", call.name, err)
		}
	}
	if err := b.Sync(); !errors.Is(err, compute.ErrClosed) {
		t.Errorf("Sync after Close: %v", err)
	}
}

// TestMovingAlways: a call gets its turn though others transfer the buffer all the time.
func TestMovingAlways(t *testing.T) {
	b := testenv.Open(t, Options{Device: "any", Staged: true, StreamMemory: minStreamMemory}.Open)
	d := inside(b)
	n := 8 * d.transferPart()
	x, err := b.Upload(values.Normal(n, 1))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			host := make([]float32, n)
			for {
				if err := x.Read(host); err != nil {
					if !errors.Is(err, compute.ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	for range 20 {
		if err := b.Forward(compute.LeakyReLU(-0.5), x, x); err != nil {
			t.Error(err)
		}
	}
	if err := x.Release(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// TestLargeBuffers: what is so large that it is mapped, where the device shares the
// memory of the host, and copied by several cores, keeps every bit.
func TestLargeBuffers(t *testing.T) {
	for _, way := range []int{plain, mapped} {
		b := testenv.Open(t, OpenDevice("any"))
		prefer(inside(b), way)
		testLargeBuffers(t, b)
	}
}

func testLargeBuffers(t *testing.T, b compute.Backend) {
	for _, n := range []int{mapFrom - 1, mapFrom, mapFrom + 3, 3*copyShare + 17} {
		first, second := values.Bits(n, 1), values.Bits(n, 2)
		buf, err := b.Upload(first)
		if err != nil {
			t.Fatal(err)
		}
		same := func(how string, want []float32) {
			t.Helper()
			got := make([]float32, n)
			if err := buf.Read(got); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if !values.Identical(got[i], want[i]) {
					t.Fatalf("%s of %d elements: element %d is %x and should be %x", how, n, i, got[i], want[i])
				}
			}
		}
		same("Upload", first)
		if err := buf.Write(second); err != nil {
			t.Fatal(err)
		}
		same("Write", second)
		if v, err := buf.View(5, n-1); err != nil {
			t.Fatal(err)
		} else if err := v.Write(first[5 : n-1]); err != nil {
			t.Fatal(err)
		}
		copy(second[5:], first[5:n-1])
		same("Write of a view", second)
		if err := buf.ReadAt(first[:n-7], 7); err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(first[:n-7], second[7:], values.Identical) {
			t.Errorf("ReadAt of %d elements is wrong", n-7)
		}
		if err := buf.Release(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCopyAll: large copies are shared among cores, to the last element.
func TestCopyAll(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for _, n := range []int{0, 1, 2<<20 - 1, 2 << 20, 3<<20 + 1} {
		src := values.Bits(n, 1)
		dst := make([]float32, n+1)
		copyAll(dst[:n], src)
		if !slices.EqualFunc(dst[:n], src, values.Identical) || dst[n] != 0 {
			t.Errorf("a copy of %d elements is wrong", n)
		}
	}
}
