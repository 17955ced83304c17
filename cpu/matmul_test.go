package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
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

// TestMatMulThen compares products with a program in the same pass with those in two, for shapes
// whose tasks are rows or parts of them, and programs that have kernels or plans.
func TestMatMulThen(t *testing.T) {
	relu := expr.MustParse("relu(z) = where(z >= 0, z, 0*z)")
	bias := expr.MustParse("bias(z, r, c) = max(z + r, 0) * c + z")
	masked := expr.MustParse(`func masked(z, r float32) (y float32, m bool, s float32) {
		y = z * r
		m = y > 0
		s = y - z
		return
	}`)
	exp := expr.MustParse("e(z) = exp(z)")
	shapes := []linear.Product{
		{M: 1, K: 3, N: 1}, {M: 5, K: 7, N: 9}, {M: 100, K: 20, N: 640}, {M: 33, K: 300, N: 1111}, {M: 64, K: 33, N: 128},
		{M: 1, K: 20, N: 5000}, {M: 5000, K: 20, N: 1}, {M: 40, K: 1, N: 576, TransposeB: true},
	}
	for _, set := range instructionSets() {
		for _, threads := range []int{1, 2} {
			b := Options{Threads: threads}.open(set)
			defer b.Close()
			l, _ := compute.As[compute.Linear](b)
			for _, s := range shapes {
				n := s.M * s.N
				x, y := mustUpload(t, b, values.Normal(s.M*s.K, 1)), mustUpload(t, b, values.Normal(s.K*s.N, 2))
				row, col := mustUpload(t, b, values.Normal(s.N, 3)), mustUpload(t, b, values.Normal(s.M, 4))
				for _, p := range []*expr.Program{relu, bias, masked, exp} {
					var got [2][][]float32
					var words [2][]uint64
					for pass := range 2 { // in one pass, and in two
						c, other := mustUpload(t, b, values.Normal(n, 5)), mustUpload(t, b, make([]float32, n))
						m, err := b.AllocMask(n)
						if err != nil {
							t.Fatal(err)
						}
						var results, args []compute.Arg
						switch p {
						case bias:
							args = []compute.Arg{compute.Row(row), compute.Col(col)}
						case masked:
							results, args = []compute.Arg{m, other}, []compute.Arg{compute.Row(row)}
						}
						options := []compute.MatMulOption{compute.Accumulate}
						if s.TransposeB {
							options = append(options, compute.TransposeB)
						}
						if pass == 0 {
							options = append(options, compute.Then(p, slices.Concat(results, args)...))
						}
						if err = l.MatMul(c, x, s.M, s.K, y, s.N, options...); err == nil && pass == 1 {
							err = b.Run(p, slices.Concat([]compute.Arg{c}, results, []compute.Arg{c}, args)...)
						}
						if err != nil {
							t.Fatal(err)
						}
						for _, buf := range []compute.Buffer{c, other} {
							v := make([]float32, n)
							if err := buf.Read(v); err != nil {
								t.Fatal(err)
							}
							got[pass] = append(got[pass], v)
							buf.Release()
						}
						if p == masked {
							words[pass] = make([]uint64, form.MaskWords(n))
							if err := m.Read(words[pass]); err != nil {
								t.Fatal(err)
							}
						}
						m.Release()
					}
					for i := range got[0] {
						for j, v := range got[0][i] {
							if !values.Same(v, got[1][i][j]) {
								t.Fatalf("%s, %d threads, %+v, %s: element %d of result %d is %s and should be %s",
									set.name, threads, s, p.Name(), j, i, values.Show(v), values.Show(got[1][i][j]))
							}
						}
					}
					if !slices.Equal(words[0], words[1]) {
						t.Fatalf("%s, %d threads, %+v, %s: the masks differ", set.name, threads, s, p.Name())
					}
				}
				for _, buf := range []compute.Buffer{x, y, row, col} {
					buf.Release()
				}
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
		d.multiply(p, f, nil)
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
