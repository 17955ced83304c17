package cpu

import (
	"math"
	"unsafe"

	"github.com/gmind-go/compute/internal/linear"
)

// foldLanes is the number of lanes, as the kernels have it.
const foldLanes = linear.Lanes

// foldArgs are the arguments of the kernels of a fold. The assembly, and cpu/_asm, know this
// layout.
type foldArgs struct {
	dst, src unsafe.Pointer
	pad      unsafe.Pointer // see fold
	n        int            // elements of a row
	rows     int            // at least one
	stride   int            // elements from a row of src to the next
}

type foldKernel func(a *foldArgs)

// A fold is what one instruction set has to reduce elements by an operation: addition, or that
// of the predeclared max or min.
type fold struct {
	// columns adds element i of each row to element i of dst, one row after the other. n is a
	// multiple of foldLanes, above 0.
	columns foldKernel
	// rows sets element i of dst to the fold of row i as of one chunk: of all its elements in
	// lanes, which are then halved. n is above 0. The kernel may use pad, foldLanes elements
	// that do not change a fold, of which it changes only those before n % foldLanes.
	rows foldKernel
}

// foldNone does not change the fold of others, by compute.Reduction. The sum of lanes is never
// -0, as each starts at +0.
var foldNone = [3]float32{0, float32(math.Inf(-1)), float32(math.Inf(1))}
