package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// A productTrial is a product, with what the reference makes of it.
type productTrial struct {
	linear.Product
	c, a, b, want []float32
}

// newProductTrial returns a product of some shape and contents.
func newProductTrial(r *rand.Rand) *productTrial {
	p := linear.Product{M: 1 + r.IntN(40), K: 1 + r.IntN(40), N: 1 + r.IntN(40)}
	switch r.IntN(8) {
	case 0, 1: // around the blocks of a chain
		p.K = []int{255, 256, 257, 258, 511, 512, 513}[r.IntN(7)]
		p.M, p.N = 1+r.IntN(16), 1+r.IntN(34)
	case 2: // few rows, and all kinds of patches of them
		p.M, p.N = 1+r.IntN(4), 1+r.IntN(400)
	case 6: // a row
		p.M, p.N, p.K = 1, 1+r.IntN(100), []int{r.IntN(70) + 1, 256, 263, 300}[r.IntN(4)]
	case 3: // copied panels
		p.M, p.N, p.K = packRows+r.IntN(20), 1+r.IntN(90), 1+r.IntN(5)
	case 5: // the same of a transposed A
		p.M, p.N, p.K = conflict/2, 65+r.IntN(40), 1+r.IntN(5)
	case 4: // rows that are copied, since they are at the same places of the cache
		p.K = conflict
		p.M, p.N = 5+r.IntN(2), 60
	}
	if r.IntN(10) == 0 {
		p.N = 1
	}
	p.TransposeA, p.TransposeB, p.Accumulate = r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
	return newProductTrialOf(r, p)
}

// newProductTrialOf returns p, with some contents.
func newProductTrialOf(r *rand.Rand, p linear.Product) *productTrial {
	t := &productTrial{Product: p}
	t.a, t.b, t.c = contents(r, p.M*p.K), contents(r, p.K*p.N), contents(r, p.M*p.N)
	t.want = append(t.want, t.c...)
	linear.MatMul(p, t.want, t.a, t.b)
	return t
}

// contents returns n values: of the usual size, or so small that products are subnormal, or with
// special ones among them, of which a few make all results NaN.
func contents(r *rand.Rand, n int) []float32 {
	v := values.Normal(n, r.Uint64())
	switch r.IntN(4) {
	case 0:
		for i := range v {
			v[i] *= 0x1p-70
		}
	case 1:
		special := values.Special()
		for range 1 + r.IntN(3) {
			v[r.IntN(n)] = special[r.IntN(len(special))]
		}
	}
	return v
}

func (t *productTrial) String() string {
	return fmt.Sprintf("%d×%d×%d, transposed %v and %v, added %v", t.M, t.K, t.N, t.TransposeA, t.TransposeB, t.Accumulate)
}

// compare returns an error if got is not the product.
func (t *productTrial) compare(got []float32) error {
	for i, v := range got {
		if !values.Same(v, t.want[i]) {
			return fmt.Errorf("%v: element %d, in row %d and column %d, is %s and should be %s",
				t, i, i/t.N, i%t.N, values.Show(v), values.Show(t.want[i]))
		}
	}
	return nil
}

// try computes the product in so many tasks, with operands in rooms, which place sets where they
// begin.
func (t *productTrial) try(set *patches, tasks int, r *rooms, place func(room *room, n int) int) error {
	p := &product{Product: t.Product, set: set}
	var operands [3][]float32
	for i, v := range [][]float32{t.c, t.a, t.b} {
		operands[i] = r[i].take(place(&r[i], len(v)), v)
	}
	start := func(i int) unsafe.Pointer { return unsafe.Pointer(&operands[i][0]) }
	p.c, p.a, p.b = start(0), start(1), start(2)
	p.layOut(tasks)
	s := &panels{}
	for i := range p.tasks {
		p.compute(&frame{panels: s}, i)
	}
	for i, v := range [][]float32{t.a, t.b} {
		for j := range v {
			if !values.Identical(v[j], operands[1+i][j]) {
				return fmt.Errorf("%v: element %d of operand %d changed", t, j, 1+i)
			}
		}
	}
	for i := range 3 {
		if !r[i].intact() {
			return fmt.Errorf("%v: a value outside of operand %d changed", t, i)
		}
	}
	return t.compare(operands[0])
}

// TestProducts compares the products of every instruction set with the reference, for shapes and
// numbers of tasks of all kinds, at all places in a cache line.
func TestProducts(t *testing.T) {
	r := new(rooms)
	for i := range 3 {
		r[i].all = make([]float32, len(canaries))
	}
	source := rand.New(rand.NewPCG(1, 2))
	for range sampled(400) {
		trial := newProductTrial(source)
		tasks := 1 + source.IntN(6)
		for _, set := range instructionSets() {
			place := func(*room, int) int { return margin + source.IntN(16) }
			if err := trial.try(&set.patches, tasks, r, place); err != nil {
				t.Fatalf("%s: %v", set.name, err)
			}
		}
	}
}

// TestPatches: every instruction set has the kernels that products call.
func TestPatches(t *testing.T) {
	for _, set := range instructionSets() {
		p := &set.patches
		for rows := 1; rows <= p.rows; rows++ {
			for vectors := 1; vectors <= p.vectors; vectors++ {
				if p.kernels[rows][vectors] == nil {
					t.Errorf("%s has no kernel of %d rows and %d vectors", set.name, rows, vectors)
				}
			}
		}
	}
}
