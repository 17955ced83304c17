//go:build opencl && cgo

package gpu

import (
	"errors"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestProfile: the device counts every kernel, and no more time than has passed; what
// is done meanwhile is in order with what comes before and after.
func TestProfile(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	front, _ := compute.As[*driver.Backend](b)
	const n, kernels = 16 << 10, 300 // more than go unwaited for
	xs := values.Normal(n, 1)
	x, err := b.Upload(xs)
	if err != nil {
		t.Fatal(err)
	}
	f, half := compute.LeakyReLU(0.5), errors.New("half done")
	start := time.Now()
	ns, err := front.Profile(func() error {
		for range kernels {
			if err := b.Forward(f, x, x); err != nil {
				return err
			}
		}
		return half
	})
	passed := float64(time.Since(start))
	if !errors.Is(err, half) || len(ns) != kernels {
		t.Fatalf("%v, %d times; want what the work returned, and %d times", err, len(ns), kernels)
	}
	sum := 0.0
	for _, one := range ns {
		if one <= 0 {
			t.Fatalf("a kernel took %v ns", one)
		}
		sum += one
	}
	if sum > passed {
		t.Errorf("kernels took %v ns, within %v", sum, passed)
	}
	usual := d.queue
	func() {
		defer func() { recover() }()
		front.Profile(func() error { panic(half) })
	}()
	if d.queue != usual {
		t.Error("after work that panics the backend goes on with the queue that was made for it")
	}
	if err := b.Forward(f, x, x); err != nil {
		t.Fatal(err)
	}
	got := make([]float32, n)
	if err := x.Read(got); err != nil {
		t.Fatal(err)
	}
	for i, want := range xs {
		for range kernels + 1 {
			want = f.Value(want)
		}
		if !values.Same(got[i], want) {
			t.Fatalf("element %d is %v, want %v", i, got[i], want)
		}
	}
}
