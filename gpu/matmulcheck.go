//go:build opencl && cgo

package gpu

import (
	"fmt"
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// A checkedProduct is a product that is compared with the reference. Some values are special.
type checkedProduct struct {
	linear.Product
	c, a, b []float32
	want    []float32
}

// checkTile compares the kernels of c, for v, with the reference.
func (p *pipeline) checkTile(c *tileCode, v variant) error {
	kernels := kernelSet{}
	defer kernels.release()
	for _, t := range checkedProducts(v) {
		if err := p.done(p.multiply(c, kernels, t)); err != nil {
			return err
		}
		if wrong := t.wrong(p.d.flushes.Load()); wrong != "" {
			return fmt.Errorf("%s: %w", wrong, compute.ErrMiscompiled)
		}
	}
	return nil
}

// multiply computes t with kernels of c.
func (p *pipeline) multiply(c *tileCode, kernels kernelSet, t *checkedProduct) error {
	var mems []*memory
	defer func() {
		for _, m := range mems {
			m.Release()
		}
	}()
	alloc := func(n int) (*memory, error) {
		m := &memory{size: n}
		err := p.d.withMemory(func() (err error) {
			m.Mem, err = p.d.context.Alloc(4 * n)
			return err
		})
		if err == nil {
			mems = append(mems, m)
		}
		return m, err
	}
	for _, values := range [][]float32{t.c, t.a, t.b} {
		m, err := alloc(len(values))
		if err == nil {
			err = p.d.withMemory(func() error { return p.queue.Write(m.Mem, 0, values) })
		}
		if err != nil {
			return err
		}
	}
	r := &product{Product: t.Product, tileCode: c, d: p.d, c: mems[0], a: mems[1], b: mems[2]}
	err := r.allocPanels(alloc)
	if err == nil {
		err = r.enqueue(p.queue, kernels)
	}
	if err != nil {
		return err
	}
	return p.queue.Read(r.c.Mem, 0, t.c)
}

// checkedProducts returns products for the kernels of v: some tiles that are whole, with a rest
// in each direction, and some blocks of k, in the second to be added to what is there.
func checkedProducts(v variant) []*checkedProduct {
	var all []*checkedProduct
	rows, columns := v.tile.rows(), v.tile.columns()
	transposes := []variant{v}
	if v.tile.depth == 0 {
		transposes = append(transposes, variant{v.tile, true, true})
	}
	for i, v := range transposes {
		p := linear.Product{M: rows + 3, K: linear.Block + 21, N: columns + 5, TransposeA: v.transposeA, TransposeB: v.transposeB, Accumulate: i > 0}
		all = append(all, newCheckedProduct(p), newNegativeZero(p))
		if v.tile.depth == 0 {
			p.M, p.N = 2, vectorStrip+21
			all = append(all, newCheckedProduct(p))
		}
	}
	return all
}

func newCheckedProduct(p linear.Product) *checkedProduct {
	t := &checkedProduct{Product: p, c: values.Normal(p.M*p.N, 1), a: values.Normal(p.M*p.K, 2), b: values.Normal(p.K*p.N, 3)}
	// Special values meet each other in every second row of a and column of b. They would hide what
	// else is wrong there.
	special := values.Special()
	for i, x := range special {
		l := i * 11 % p.K
		t.a[at(p.TransposeA, p.M, p.K, i*2%(p.M+p.M%2), l)] = x
		t.b[at(p.TransposeB, p.K, p.N, l, i*2%(p.N+p.N%2))] = special[(i*5+1)%len(special)]
	}
	return t.computed()
}

// newNegativeZero returns a product that is -0, as its last step is rounded to that: what comes
// after the end of k must not change it.
func newNegativeZero(p linear.Product) *checkedProduct {
	p.M, p.K, p.N, p.Accumulate = 1, linear.Block-3, 1, false
	t := &checkedProduct{Product: p, c: []float32{1}, a: make([]float32, p.K), b: make([]float32, p.K)}
	t.a[p.K-1], t.b[p.K-1] = 0x1p-100, -0x1p-100
	return t.computed()
}

// computed sets want.
func (t *checkedProduct) computed() *checkedProduct {
	t.want = append([]float32(nil), t.c...)
	linear.MatMul(t.Product, t.want, t.a, t.b)
	return t
}

// at returns the index of an element of a matrix, which may be stored as its transpose.
func at(transposed bool, rows, columns, i, j int) int {
	if transposed {
		return j*rows + i
	}
	return i*columns + j
}

// wrong describes the first element that differs from the reference, or returns "".
func (t *checkedProduct) wrong(flushes bool) string {
	for i, want := range t.want {
		if values.Same(t.c[i], want) || flushes && t.subnormal(i/t.N, i%t.N) {
			continue
		}
		return fmt.Sprintf("the device computes element %d, %d of a product of %d by %d by %d as %s, and not %s",
			i/t.N, i%t.N, t.M, t.K, t.N, values.Show(t.c[i]), values.Show(want))
	}
	return ""
}

// subnormal reports whether a subnormal number is or may be among what is added to element i, j:
// a device that flushes them then computes another value.
func (t *checkedProduct) subnormal(i, j int) bool {
	small := func(x float64) bool { return x != 0 && math.Abs(x) <= 0x1p-126 }
	if small(float64(t.want[i*t.N+j])) {
		return true
	}
	for l := range t.K {
		x, y := float64(t.a[at(t.TransposeA, t.M, t.K, i, l)]), float64(t.b[at(t.TransposeB, t.K, t.N, l, j)])
		if small(x) || small(y) || small(x*y) {
			return true
		}
	}
	return false
}
