//go:build opencl && cgo

package gpu

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/openclc"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/kernels"
)

// softKernel applies an operation to the operands of an element.
const softKernel = `
kernel void soft(global const ulong *x, global const ulong *y, global const ulong *z, global ulong *r, const uint operation)
{
    const size_t i = get_global_id(0);
    r[i] = apply(operation, x[i], y[i], z[i]);
}
kernel void numbers(global ulong *r)
{
%s}
`

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

// truncated returns operands of the types of op in place of words at random.
func truncated(op ir.Op, words [3]uint64) [3]uint64 {
	info := op.Info()
	for i, t := range info.In {
		switch {
		case t == ir.Bool:
			words[i] &= 1
		case info.Counts && i == 1 && info.Out == ir.U64:
			words[i] &= 63
		case info.Counts && i == 1:
			words[i] &= 31
		case t == ir.F32 || t == ir.U32:
			words[i] &= math.MaxUint32
		}
	}
	return words
}

// sameBits reports whether results of type t are equal. All NaN are.
func sameBits(t ir.Type, a, b uint64) bool {
	x, y := math.Float64frombits(a), math.Float64frombits(b)
	switch t {
	case ir.F32:
		return a>>32 == 0 && values.Same(math.Float32frombits(uint32(a)), math.Float32frombits(uint32(b)))
	case ir.F64:
		return a == b || x != x && y != y
	}
	return a == b
}

// TestSoftFloat compares the operations in integers with their references, on millions of
// operands.
func TestSoftFloat(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	const n = 1 << 16
	rounds := 16
	if testing.Short() {
		rounds = 1
	}
	var ops []ir.Op
	text := ""
	for _, op := range ir.Ops() {
		if step := openclc.Step(op); step != "" {
			text += fmt.Sprintf("    r[%d] = %s;\n", len(ops), step)
			ops = append(ops, op)
		}
	}
	program, err := d.context.Build(d.shape.defines()+kernels.Prelude+fmt.Sprintf(softKernel, text), "")
	if err != nil {
		t.Fatal(err)
	}
	defer program.Release()
	k, err := program.NewKernel("soft", 5)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	numbers, err := program.NewKernel("numbers", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer numbers.Release()
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
	run := func(k *opencl.Kernel, args ...any) {
		t.Helper()
		err := d.withPipeline(context.Background(), func(p *pipeline) error {
			if err := p.done(d.enqueue(shape{width: 1, vectors: 1, group: 64}, p.queue, k, n, args...)); err != nil {
				return err
			}
			return p.queue.Read(mems[3], 0, bytes(data[3]))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	run(numbers, mems[3])
	number := slices.Clone(data[3][:len(ops)])
	r := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		softOperands(r, data[0], data[1], data[2])
		for o, op := range ops {
			info := op.Info()
			var b ir.Builder
			var args []ir.Value
			for i, typ := range info.In {
				args = append(args, b.Arg(string(rune('x'+i)), typ))
			}
			b.Result("r", b.Op(op, args...))
			reference := b.Program("f")
			nodes := make([]uint64, len(reference.Nodes))
			operands := make([][3]uint64, n)
			for i := range operands {
				operands[i] = truncated(op, [3]uint64{data[0][i], data[1][i], data[2][i]})
			}
			err := d.withPipeline(context.Background(), func(p *pipeline) error {
				column := make([]uint64, n)
				for j := range 3 {
					for i := range column {
						column[i] = operands[i][j]
					}
					if err := p.queue.Write(mems[j], 0, bytes(column)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			run(k, mems[0], mems[1], mems[2], mems[3], uint32(number[o]))
			flushes := d.flushes.Load() && slices.Contains([]ir.Op{ir.AddF32, ir.MulF32, ir.FMA}, op)
			for i, got := range data[3] {
				reference.Eval(nodes, 0, operands[i][:])
				want := nodes[reference.Results[0].Value]
				if !sameBits(info.Out, got, want) && !(flushes && hasSubnormal(reference, nodes)) {
					t.Fatalf("%s of %#x is %#x, want %#x", openclc.Step(op), operands[i][:len(info.In)], got, want)
				}
			}
		}
	}
}
