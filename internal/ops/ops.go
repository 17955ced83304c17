// Package ops lists the operations of a backend on buffers, each with its
// reference, for all that tests or times them: the self-test of package gpu,
// backendtest and cmd/bench.
package ops

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// An Op is one operation, in the form of Backward: those that have no dy ignore it.
type Op struct {
	Name  string
	Bytes int // that must move, per element
	Run   func(b compute.Backend, f compute.Activation, dst, dy, x compute.Buffer) error
	Want  func(f compute.Activation, dy, x float32) float32 // the reference

	usesDY bool
}

// All returns every operation. The first two stand at their compute.Op.
func All() []Op {
	return []Op{
		{"forward", 8,
			func(b compute.Backend, f compute.Activation, y, _, x compute.Buffer) error { return b.Forward(f, y, x) },
			func(f compute.Activation, _, x float32) float32 { return f.Value(x) }, false},
		{"derivative", 8,
			func(b compute.Backend, f compute.Activation, d, _, x compute.Buffer) error {
				return b.Derivative(f, d, x)
			},
			func(f compute.Activation, _, x float32) float32 { return f.Derivative(x) }, false},
		{"backward", 12,
			func(b compute.Backend, f compute.Activation, dx, dy, x compute.Buffer) error {
				return b.Backward(f, dx, dy, x)
			},
			func(f compute.Activation, dy, x float32) float32 { return dy * f.Derivative(x) }, true},
	}
}

// A Copier is a backend that can show its limit: a copy from buffer to buffer that
// moves memory in the way the kernels do.
type Copier interface {
	// Copy sets dst to src, of the same length.
	Copy(dst, src compute.Buffer) error
}

// A Profiler is a backend whose device has a clock of its own.
type Profiler interface {
	// Profile calls work, which runs operations on buffers, and returns how many ns the
	// device counted for each kernel that it ran meanwhile, or nothing if it does not
	// tell. Nothing else may use the backend.
	Profile(work func() error) (ns []float64, err error)
}

// Activations returns functions with the parameters that tell right kernels from
// those that are right for the usual ones only. Slope 0 shows products with
// infinity, 2.5 the maximum of x and slope*x, -0.5 going by the sign of the result.
func Activations() []compute.Activation {
	var list []compute.Activation
	for _, slope := range []float32{0, compute.DefaultNegativeSlope, 1, 2.5, -0.5} {
		list = append(list, compute.LeakyReLU(slope))
	}
	return list
}

// Agrees tells whether got is the result of op for f: the reference bit by bit,
// where any NaN stands for any other. If the device flushes subnormals, those of
// the operands, the parameters and the result may be zeros, of any sign.
func (op Op) Agrees(f compute.Activation, got, dy, x float32, flushes bool) bool {
	want := op.Want(f, dy, x)
	return values.Same(got, want) || flushes && op.flushed(f, got, dy, x)
}

func (op Op) flushed(f compute.Activation, got, dy, x float32) bool {
	if !op.usesDY {
		dy = 0
	}
	flushedF := f
	flushedF.NegativeSlope = flush(f.NegativeSlope)
	for _, f2 := range []compute.Activation{f, flushedF} {
		for _, dy2 := range []float32{dy, flush(dy)} {
			for _, x2 := range []float32{x, flush(x)} {
				want := op.Want(f2, dy2, x2)
				flushed := f2 != f || dy2 != dy || x2 != x || values.IsSubnormal(want)
				if flushed && (values.Same(got, want) || got == 0 && flush(want) == 0) {
					return true
				}
			}
		}
	}
	return false
}

// flush returns 0 for a subnormal v and else v.
func flush(v float32) float32 {
	if values.IsSubnormal(v) {
		return 0
	}
	return v
}
