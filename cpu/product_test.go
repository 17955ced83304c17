package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/gmind-go/compute/internal/single"
	"github.com/gmind-go/compute/internal/values"
)

// reference computes p on slices, by the contract.
func reference(c, a, b []float32, m, k, n int, ta, tb, add bool) {
	for i := range m {
		for j := range n {
			var total float32
			if add {
				total = c[i*n+j]
			}
			for k0 := 0; k0 < k; k0 += 256 {
				var s float32
				for t := k0; t < min(k, k0+256); t++ {
					x, y := i*k+t, t*n+j
					if ta {
						x = t*m + i
					}
					if tb {
						y = j*k + t
					}
					s = single.FMA(a[x], b[y], s)
				}
				if k0 == 0 && !add {
					total = s
				} else {
					total += s
				}
			}
			c[i*n+j] = total
		}
	}
}

func TestProduct(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			s := &panels{}
			for trial := range 400 {
				m, n, k := 1+r.IntN(40), 1+r.IntN(140), 1+r.IntN(40)
				switch trial % 4 {
				case 1:
					k = []int{255, 256, 257, 258, 511, 512, 513}[r.IntN(7)]
				case 2:
					m = 100 + r.IntN(60)
				}
				ta, tb, add := r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
				a, b, c := values.Normal(m*k, r.Uint64()), values.Normal(k*n, r.Uint64()), values.Normal(m*n, r.Uint64())
				want := append([]float32(nil), c...)
				reference(want, a, b, m, k, n, ta, tb, add)
				p := &product{set: &set.patches, c: unsafe.Pointer(&c[0]), a: unsafe.Pointer(&a[0]), b: unsafe.Pointer(&b[0]), m: m, k: k, n: n, transposeA: ta, transposeB: tb, add: add}
				p.layOut(1)
				for i := range p.tasks {
					p.run(s, i)
				}
				for i := range c {
					if math.Float32bits(c[i]) != math.Float32bits(want[i]) {
						t.Fatalf("%dx%dx%d %v %v %v: element %d is %x and should be %x", m, k, n, ta, tb, add, i, c[i], want[i])
					}
				}
			}
		})
	}
}

// peak returns the multiply-adds of a second of a kernel on a block in the L1 cache.
func peak(set *patches) float64 {
	const k = 256
	v := 2
	if set.kernels[1][2] == nil {
		v = 1
	}
	rows := set.rows
	a, b, c := values.Normal(rows*k, 1), values.Normal(v*set.width*k, 2), make([]float32, rows*v*set.width)
	p := &patch{c: unsafe.Pointer(&c[0]), a: unsafe.Pointer(&a[0]), b: unsafe.Pointer(&b[0]), k: k, rowA: 4, stepA: 4 * rows, stepB: 4 * v * set.width, rowC: 4 * v * set.width, rows: rows, columns: v * set.width}
	best := math.Inf(1)
	for range 50 {
		start := time.Now()
		for range 10 {
			set.kernels[rows][v](p)
		}
		best = min(best, time.Since(start).Seconds()/10)
	}
	return 2 * float64(rows*v*set.width*k) / best / 1e9
}

func BenchmarkProduct(b *testing.B) {
	for _, set := range instructionSets() {
		top := peak(&set.patches)
		for _, size := range [][3]int{{16, 16, 16}, {64, 64, 64}, {256, 256, 256}, {512, 512, 512}, {1000, 1000, 1000}, {1024, 1024, 1024}, {2048, 2048, 2048}, {64, 784, 128}, {1, 4096, 4096}, {4, 4096, 4096}, {1024, 256, 10}} {
			m, k, n := size[0], size[1], size[2]
			for form := range 4 {
				b.Run(fmt.Sprintf("%s/%dx%dx%d/%d", set.name, m, k, n, form), func(b *testing.B) {
					x, y, z := values.Normal(m*k, 1), values.Normal(k*n, 2), values.Normal(m*n, 3)
					s := &panels{}
					best := math.Inf(1)
					for b.Loop() {
						start := time.Now()
						p := &product{set: &set.patches, c: unsafe.Pointer(&z[0]), a: unsafe.Pointer(&x[0]), b: unsafe.Pointer(&y[0]), m: m, k: k, n: n, transposeA: form&1 > 0, transposeB: form&2 > 0}
						p.layOut(1)
						for i := range p.tasks {
							p.run(s, i)
						}
						best = min(best, time.Since(start).Seconds())
					}
					g := 2 * float64(m) * float64(k) * float64(n) / best / 1e9
					b.ReportMetric(g, "Gflop/s")
					b.ReportMetric(g/top, "of-peak")
					b.ReportMetric(top, "peak")
				})
			}
		}
	}
}
