//go:build opencl && cgo

package gpu

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/kernels"
)

// softKernel applies the operation number op to the operands of an element.
const softKernel = `
kernel void soft(global const ulong *x, global const ulong *y, global const ulong *z, global ulong *r, const uint op)
{
    const size_t i = get_global_id(0);
    switch (op) {
    case 0: r[i] = add64(x[i], y[i]); break;
    case 1: r[i] = mul64(x[i], y[i]); break;
    case 2: r[i] = div64(x[i], y[i]); break;
    case 3: r[i] = fma64(x[i], y[i], z[i]); break;
    case 4: r[i] = from32((uint)x[i]); break;
    case 5: r[i] = to32(x[i]); break;
    case 6: r[i] = less32((uint)x[i], (uint)y[i]); break;
    case 7: r[i] = equal32((uint)x[i], (uint)y[i]); break;
    }
}
`

// softOperations has the name and the reference of each operation of softKernel, and whether
// the bits of its operands and result are of float and not double.
var softOperations = []struct {
	name              string
	reference         func(x, y, z uint64) uint64
	from32, to32, raw bool
}{
	{name: "add64", reference: doubles(func(x, y, _ float64) float64 { return x + y })},
	{name: "mul64", reference: doubles(func(x, y, _ float64) float64 { return x * y })},
	{name: "div64", reference: doubles(func(x, y, _ float64) float64 { return x / y })},
	{name: "fma64", reference: doubles(math.FMA)},
	{name: "from32", from32: true, reference: func(x, _, _ uint64) uint64 {
		return math.Float64bits(float64(math.Float32frombits(uint32(x))))
	}},
	{name: "to32", to32: true, reference: func(x, _, _ uint64) uint64 {
		return uint64(math.Float32bits(float32(math.Float64frombits(x))))
	}},
	{name: "less32", from32: true, raw: true, reference: floatsCompared(func(x, y float32) bool { return x < y })},
	{name: "equal32", from32: true, raw: true, reference: floatsCompared(func(x, y float32) bool { return x == y })},
}

func doubles(f func(x, y, z float64) float64) func(x, y, z uint64) uint64 {
	return func(x, y, z uint64) uint64 {
		return math.Float64bits(f(math.Float64frombits(x), math.Float64frombits(y), math.Float64frombits(z)))
	}
}

func floatsCompared(f func(x, y float32) bool) func(x, y, z uint64) uint64 {
	return func(x, y, _ uint64) uint64 {
		if f(math.Float32frombits(uint32(x)), math.Float32frombits(uint32(y))) {
			return 1
		}
		return 0
	}
}

// softOperand returns bits of a double of every kind: any, special, with few bits set or unset,
// and with an exponent near 0, near that of other, or at an end of the range.
func softOperand(r *rand.Rand, other uint64) uint64 {
	const fraction = 1<<52 - 1
	x := r.Uint64()
	switch r.IntN(4) {
	case 0:
		x &^= fraction
		for range r.IntN(4) {
			x ^= 1 << r.IntN(53)
		}
	case 1:
		x |= fraction
		for range r.IntN(4) {
			x ^= 1 << r.IntN(53)
		}
	case 2:
		x &^= 1<<r.IntN(52) - 1
	}
	exponent := func(e int) { x = x&^(0x7ff<<52) | uint64(e&0x7ff)<<52 }
	switch r.IntN(6) {
	case 0:
		exponent(1023 + r.IntN(9) - 4)
	case 1:
		exponent(int(other>>52&0x7ff) + r.IntN(121) - 60)
	case 2:
		exponent(r.IntN(3))
	case 3:
		exponent(2045 + r.IntN(3))
	case 4:
		exponent(1023 - 150 + r.IntN(300)) // the range of float
	}
	return x
}

// softOperands fills the operands, some of which make results near 0, and next to the middle
// between two double.
func softOperands(r *rand.Rand, x, y, z []uint64) {
	for i := range x {
		x[i] = softOperand(r, 1023<<52)
		y[i] = softOperand(r, x[i])
		z[i] = softOperand(r, x[i])
		a, b := math.Float64frombits(x[i]), math.Float64frombits(y[i])
		switch r.IntN(6) {
		case 0:
			z[i] = math.Float64bits(-float64(a*b)) + uint64(r.IntN(3)) - 1
		case 1:
			z[i] = softOperand(r, math.Float64bits(float64(a*b)))
		case 2:
			y[i] = x[i] ^ 1<<63 + uint64(r.IntN(5)) - 2
		case 3: // a tie of float, or next to one
			x[i] = x[i]&^(1<<29-1) | 1<<28
			x[i] += uint64(r.IntN(3)) - 1
		}
	}
}

// TestSoftFloat compares the operations on double in integers with those of Go.
func TestSoftFloat(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	const n = 1 << 16
	rounds := 16
	if testing.Short() {
		rounds = 1
	}
	program, err := d.context.Build("#define FUSED\n"+d.shape.defines()+kernels.Prelude+softKernel, "")
	if err != nil {
		t.Fatal(err)
	}
	defer program.Release()
	k, err := program.NewKernel("soft", 5)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	var mems [4]*opencl.Mem
	var data [4][]uint64 // the operands and the result
	for i := range mems {
		if mems[i], err = d.context.Alloc(8 * n); err != nil {
			t.Fatal(err)
		}
		defer mems[i].Release()
		data[i] = make([]uint64, n)
	}
	bytes := func(v []uint64) []float32 { return unsafe.Slice((*float32)(unsafe.Pointer(&v[0])), 2*n) }
	r := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		softOperands(r, data[0], data[1], data[2])
		for op, o := range softOperations {
			err := d.withPipeline(context.Background(), func(p *pipeline) error {
				for i := range 3 {
					if err := p.queue.Write(mems[i], 0, bytes(data[i])); err != nil {
						return err
					}
				}
				if err := p.done(d.enqueue(shape{width: 1, vectors: 1, group: 64}, p.queue, k, n, mems[0], mems[1], mems[2], mems[3], uint32(op))); err != nil {
					return err
				}
				return p.queue.Read(mems[3], 0, bytes(data[3]))
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range data[3] {
				x, y, z := data[0][i], data[1][i], data[2][i]
				if o.from32 {
					x, y = x&math.MaxUint32, y&math.MaxUint32
				}
				want := o.reference(x, y, z)
				same := got == want
				switch {
				case o.raw:
				case o.to32:
					same = same || isNaN32(got) && isNaN32(want)
				default:
					same = same || math.IsNaN(math.Float64frombits(got)) && math.IsNaN(math.Float64frombits(want))
				}
				if !same {
					t.Fatalf("%s of %#x, %#x, %#x is %#x, want %#x", o.name, x, y, z, got, want)
				}
			}
		}
	}
}

func isNaN32(bits uint64) bool { return bits>>32 == 0 && bits&0x7fffffff > 0x7f800000 }
