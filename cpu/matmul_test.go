package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// multiply calls MatMul on buffers.
func multiply(b compute.Backend, c, x, y compute.Buffer, p linear.Product) error {
	l, ok := compute.As[compute.Linear](b)
	if !ok {
		return fmt.Errorf("%v multiplies no matrices", b.Info().Name)
	}
	var options []compute.MatMulOption
	if p.TransposeA {
		options = append(options, compute.TransposeA)
	}
	if p.TransposeB {
		options = append(options, compute.TransposeB)
	}
	if p.Accumulate {
		options = append(options, compute.Accumulate)
	}
	return l.MatMul(c, x, p.M, p.K, y, p.N, options...)
}

// TestMatMul compares the products of backends with the reference, on several numbers of cores.
func TestMatMul(t *testing.T) {
	var backends []compute.Backend
	for _, set := range instructionSets() {
		for threads := range 4 {
			b := Options{Threads: threads}.open(set)
			defer b.Close()
			backends = append(backends, b)
		}
	}
	source := rand.New(rand.NewPCG(5, 6))
	for i := range sampled(64) {
		trial := newProductTrial(source)
		if i%16 == 0 { // several tasks, with any instruction set
			trial = newProductTrialOf(source, linear.Product{M: 130, K: 130, N: 130, TransposeB: i%32 == 0})
		}
		for _, b := range backends {
			x, y, c := mustUpload(t, b, trial.a), mustUpload(t, b, trial.b), mustUpload(t, b, trial.c)
			got := make([]float32, len(trial.c))
			err := multiply(b, c, x, y, trial.Product)
			if err == nil {
				err = c.Read(got)
			}
			if err == nil {
				err = trial.compare(got)
			}
			if err != nil {
				t.Fatalf("%s: %v", b.Info().Name, err)
			}
			for _, buf := range []compute.Buffer{x, y, c} {
				buf.Release()
			}
		}
	}
}

// TestMatMulAllocates: products keep the memory that they need from call to call.
func TestMatMulAllocates(t *testing.T) {
	d := Options{}.device(instructionSets()[0])
	defer d.Close()
	f := d.frames.take()
	f.panels = &panels{}
	const n = 200
	a, b, c := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	p := &f.panels.product
	call := func() {
		*p = product{
			Product: linear.Product{M: n, K: n, N: n, TransposeB: true}, set: &d.set.patches,
			c: unsafe.Pointer(&c[0]), a: unsafe.Pointer(&a[0]), b: unsafe.Pointer(&b[0]),
		}
		d.multiply(p, f)
	}
	call()
	if got := testing.AllocsPerRun(20, call); got >= 1 {
		t.Errorf("a product allocates %v times", got)
	}
}

// BenchmarkMatMul times products of all forms, alone and on all cores, as a part of what the
// multiply-adds of the kernels could do in the time. The best of all calls counts.
func BenchmarkMatMul(b *testing.B) {
	sizes := []linear.Product{
		{M: 16, K: 16, N: 16}, {M: 64, K: 64, N: 64}, {M: 256, K: 256, N: 256}, {M: 512, K: 512, N: 512},
		{M: 1000, K: 1000, N: 1000}, {M: 1024, K: 1024, N: 1024}, {M: 2048, K: 2048, N: 2048},
		{M: 64, K: 784, N: 128}, {M: 1, K: 4096, N: 4096}, {M: 4, K: 4096, N: 4096}, {M: 4096, K: 4096, N: 1}, {M: 1024, K: 256, N: 10},
	}
	for _, set := range instructionSets() {
		for _, p := range sizes {
			for form, name := range []string{"NN", "TN", "NT", "TT"} {
				p.TransposeA, p.TransposeB = form&1 > 0, form&2 > 0
				for _, threads := range []int{1, 0} {
					b.Run(fmt.Sprintf("%s/%dx%dx%d/%s/%d", set.name, p.M, p.K, p.N, name, threads), func(b *testing.B) {
						backend := Options{Threads: threads}.open(set)
						defer backend.Close()
						x, y := mustUpload(b, backend, values.Normal(p.M*p.K, 1)), mustUpload(b, backend, values.Normal(p.K*p.N, 2))
						c := mustUpload(b, backend, values.Normal(p.M*p.N, 3))
						best := math.Inf(1)
						for b.Loop() {
							start := time.Now()
							if err := multiply(backend, c, x, y, p); err != nil {
								b.Fatal(err)
							}
							best = min(best, time.Since(start).Seconds())
						}
						adds := float64(p.M) * float64(p.K) * float64(p.N)
						b.ReportMetric(2*adds/best/1e9, "Gflop/s")
						b.ReportMetric(adds*set.patches.measure()*1e-9/best, "cores")
					})
				}
			}
		}
	}
}
