//go:build opencl && cgo

package gpu

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestMoving: while lanes copy a buffer, calls on others go on, those on it wait, and so
// does Close.
func TestMoving(t *testing.T) {
	b := testenv.Open(t, Options{Device: "any", Staged: true}.Open).(*opened).Backend.(*backend)
	f := compute.LeakyReLU(-0.5)
	n := 2 * b.transferPart()
	src := values.Bits(n, 1)
	alloc := func() compute.Buffer {
		x, err := b.Alloc(n)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	moved, released, other := alloc(), alloc(), alloc()
	m, err := b.AllocMask(n)
	if err != nil {
		t.Fatal(err)
	}
	// Without a lane a transfer waits in the middle.
	lanes := make([]*lane, cap(b.lanes))
	for i := range lanes {
		lanes[i] = <-b.lanes
	}
	giveBack := sync.OnceFunc(func() {
		for _, l := range lanes {
			b.lanes <- l
		}
	})
	defer giveBack()
	got := make([]float32, n)
	calls := []struct {
		name string
		do   func() error
		err  error
	}{
		{"Write", func() error { return moved.Write(src) }, nil},
		{"Upload", func() error { _, err := b.Upload(src); return err }, nil},
		{"Write of what is released", func() error { return released.Write(src) }, nil},
		{"Forward", func() error { return b.Forward(f, moved, moved) }, nil},
		{"Release", released.Release, nil},
		{"Read", func() error { return moved.Read(got) }, nil},
		{"Close", b.Close, nil},
		{"Sync", b.Sync, compute.ErrClosed},
	}
	results := make([]chan error, len(calls))
	for i, call := range calls {
		if call.name == "Forward" {
			// What is not on its way can be used.
			if err := errors.Join(b.Forward(f, other, other), b.ForwardMask(f, other, m, other), b.Copy(other, other), b.Sync(), m.Release()); err != nil {
				t.Error(err)
			}
		}
		results[i] = make(chan error, 1)
		go func() { results[i] <- call.do() }()
		// The next call comes after this one has begun, as far as can be seen.
		if i < 3 {
			for moving := 0; moving != i+1; time.Sleep(time.Millisecond) {
				b.mu.Lock()
				moving = b.moves
				b.mu.Unlock()
				if len(results[i]) > 0 {
					t.Fatalf("%s did not wait for a lane: %v", call.name, <-results[i])
				}
			}
			continue
		}
		if call.name == "Close" {
			for closed := false; !closed; time.Sleep(time.Millisecond) {
				b.mu.Lock()
				closed = b.closed
				b.mu.Unlock()
			}
		}
		if call.name == "Sync" {
			break
		}
		select {
		case err := <-results[i]:
			t.Errorf("%s did not wait for the transfer: %v", call.name, err)
			results[i] <- err
		case <-time.After(20 * time.Millisecond):
		}
	}
	giveBack()
	for i, call := range calls {
		err := <-results[i]
		// Close may come before what waits for the transfer, or after it.
		closed := errors.Is(err, compute.ErrClosed) && (call.name == "Forward" || call.name == "Read")
		if !errors.Is(err, call.err) && !closed {
			t.Errorf("%s: %v, want %v", call.name, err, call.err)
		}
	}
}

// TestMovingAlways: a call gets its turn though others transfer the buffer all the time.
func TestMovingAlways(t *testing.T) {
	b := testenv.Open(t, Options{Device: "any", Staged: true, StreamMemory: minStreamMemory}.Open).(*opened).Backend.(*backend)
	n := 8 * b.transferPart()
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
