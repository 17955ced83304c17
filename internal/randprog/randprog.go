// Package randprog makes random programs and inputs for tests, and shrinks a program that
// shows a fault.
package randprog

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gmind-go/compute/internal/ir"
)

// Options are the kinds of programs that New makes.
type Options struct {
	Operations int                 // at most that many, before any simplification
	Allowed    func(op ir.Op) bool // nil for all operations that text may use
}

// New returns a random program, which is not simplified. Equal states of r give equal programs.
func New(r *rand.Rand, o Options) *ir.Program {
	var ops []ir.Op
	for _, op := range ir.Ops() {
		if op.Info().Public() && (o.Allowed == nil || o.Allowed(op)) {
			ops = append(ops, op)
		}
	}
	b := &ir.Builder{}
	byType := map[ir.Type][]ir.Value{}
	add := func(v ir.Value) { byType[b.Type(v)] = append(byType[b.Type(v)], v) }
	for i := range 1 + r.IntN(4) {
		t := []ir.Type{ir.F32, ir.F32, ir.F32, ir.U32, ir.Bool}[r.IntN(5)]
		add(b.Arg(fmt.Sprintf("a%d", i), t))
	}
	pick := func(t ir.Type) ir.Value {
		if list := byType[t]; len(list) > 0 && r.IntN(6) > 0 {
			return list[max(r.IntN(len(list)), r.IntN(len(list)))] // the later are deeper
		}
		return b.Const(t, Bits(r, t))
	}
	for range 1 + r.IntN(o.Operations) {
		op := ops[r.IntN(len(ops))]
		var operands []ir.Value
		for i, t := range op.Info().In {
			if i == 1 && op.Info().Counts {
				operands = append(operands, b.Const(ir.U32, r.Uint64N(32)))
				continue
			}
			operands = append(operands, pick(t))
		}
		add(b.Op(op, operands...))
	}
	for i := range 1 + r.IntN(3) {
		b.Result(fmt.Sprintf("r%d", i), pick([]ir.Type{ir.F32, ir.F32, ir.U32, ir.Bool}[r.IntN(4)]))
	}
	return b.Program("random")
}

// special has float32 at which simplification or an implementation goes wrong.
var special = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 2, -2, 0.5, 3, 1.0 / 3, 0x1p-149, -0x1p-149, 0x1.fffffcp-127,
	0x1p-126, -0x1p-126, 0x1p-127, 0x1p126, 0x1p127, 0x1p-24, 0x1.fffffep-1, 0x1.000002p0, 0x1p23, 0x1p24, 0x1p31,
	0x1p32, -0x1p32, 2.5, -0.5, 88, -104, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)),
	float32(math.Inf(-1)), float32(math.NaN()),
}

// Bits returns the bits of a random value of a type of arguments: special, small or any.
func Bits(r *rand.Rand, t ir.Type) uint64 {
	kind := r.IntN(4)
	switch {
	case t == ir.Bool:
		return r.Uint64N(2)
	case t == ir.U32 && kind > 0:
		return []uint64{0, 1, 2, 31, 255, 1 << 24, 1<<24 + 1, 1 << 31, math.MaxUint32}[r.IntN(9)]
	case t == ir.F32 && kind < 2:
		return uint64(math.Float32bits(special[r.IntN(len(special))]))
	case t == ir.F32 && kind == 2:
		return uint64(math.Float32bits(float32(r.NormFloat64())))
	}
	return uint64(r.Uint32())
}

// Args returns the bits of random arguments of p.
func Args(r *rand.Rand, p *ir.Program) []uint64 {
	args := make([]uint64, len(p.Args))
	for i, a := range p.Args {
		args[i] = Bits(r, a.Type)
	}
	return args
}

// Same reports whether a and b are the same value of a type: the same bits, or both NaN.
func Same(t ir.Type, a, b uint64) bool {
	if t == ir.F32 {
		x, y := math.Float32frombits(uint32(a)), math.Float32frombits(uint32(b))
		return a == b || x != x && y != y
	}
	return a == b
}
