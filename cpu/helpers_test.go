package cpu

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// setEnv makes this test binary print the first instruction set, and exit.
const setEnv = "COMPUTE_TEST_INSTRUCTION_SET"

func TestMain(m *testing.M) {
	if os.Getenv(setEnv) != "" {
		fmt.Print(instructionSets()[0].name)
		os.Exit(0)
	}
	os.Exit(testenv.Run(m))
}

// operandCount is the number of form.Operands.
const operandCount = form.Src + 1

// An example has what every operand holds after a call: inputs, and results of the
// reference.
type example struct {
	f        compute.Activation
	n        int
	elements [operandCount][]float32
	loose    []float32 // a mask as input: M, with ones behind the last element
}

// newExample returns n elements, with special values among them.
func newExample(n int) *example {
	special := values.Special()
	x, dy := values.Bits(n, uint64(n)), values.Bits(n, uint64(n+1))
	for i := 0; i < n; i += 3 {
		x[i] = special[(i+n)%len(special)]
	}
	e := &example{f: form.Fused()[n%len(form.Fused())], n: n}
	e.elements = [operandCount][]float32{form.X: x, form.DY: dy, form.Dst: x, form.Src: x}
	for _, o := range []form.Operand{form.Y, form.D, form.DX} {
		for i, v := range x {
			e.elements[o] = append(e.elements[o], o.Want(e.f, dy[i], v))
		}
	}
	m := form.Words(e.f, x)
	e.elements[form.M] = asFloats(slices.Clone(m))
	if n%64 > 0 {
		m[len(m)-1] |= ^uint64(0) << (n % 64)
	}
	e.loose = asFloats(m)
	return e
}

// asFloats returns the memory of words.
func asFloats(words []uint64) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(words))), 2*len(words))
}

func asBytes(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// canary surrounds every operand: no kernel may change it. It is negative, so that a kernel
// that goes too far does.
const canary = float32(-3.25)

var canaries = slices.Repeat([]float32{canary}, 64<<10)

// A room is memory around one operand.
type room struct {
	all    []float32
	lo, hi int // the operand
}

// take returns the elements from lo on, with the values v. The others become canaries.
func (r *room) take(lo int, v []float32) []float32 {
	r.lo, r.hi = lo, lo+len(v)
	copy(r.all, canaries[:len(r.all)])
	copy(r.all[r.lo:r.hi], v)
	return r.all[r.lo:r.hi:r.hi]
}

// intact reports whether the canaries are unchanged.
func (r *room) intact() bool {
	for _, v := range [][]float32{r.all[:r.lo], r.all[r.hi:]} {
		if !bytes.Equal(asBytes(v), asBytes(canaries[:len(v)])) {
			return false
		}
	}
	return true
}

// rooms are those of a call, by operand.
type rooms [operandCount]room

// A trial is a form, and what computes it.
type trial struct {
	form form.Form
	run  func(a *args)
}

// trials returns one trial of each form in the table of an instruction set: of an activation,
// and of Copy.
func trials(table []kernels, f compute.Activation) []trial {
	var list []trial
	for kind, forms := range table {
		for fm, k := range forms {
			if k != nil && (kind == 0 || compute.Kind(kind) == f.Kind) {
				list = append(list, trial{form.Form(fm), k})
			}
		}
	}
	return list
}

// paramsOf returns the parameters of the kernel of a form of f.
func paramsOf(fm form.Form, f compute.Activation) (params [4]float32) {
	if fm == form.Copy {
		return params
	}
	k := function.Kernel(int(f.Kind), function.Form(fm))
	scalars := make([]uint32, len(fm.Inputs()))
	for _, v := range f.Params {
		scalars = append(scalars, math.Float32bits(v))
	}
	bits := make([]uint32, len(k.Params))
	k.Eval(bits, scalars, make([]uint64, k.Scratch()))
	for i, b := range bits {
		params[i] = math.Float32frombits(b)
	}
	return params
}

// A layout returns where an operand of n elements begins in its room.
type layout func(o form.Operand, n int) int

// try computes t on e, with the operands in over, and returns an error if a result is wrong,
// or if anything else changed.
func (r *rooms) try(t trial, e *example, over form.Place, lo layout) error {
	var got [operandCount][]float32
	for _, o := range t.form.Inputs() {
		contents := e.elements[o]
		if o == form.M {
			contents = e.loose
		}
		got[o] = r[o].take(lo(o, len(contents)), contents)
	}
	for _, o := range t.form.Results() {
		if over != (form.Place{}) && o == over.Result {
			got[o] = got[over.Input]
		} else {
			n := len(e.elements[o])
			got[o] = r[o].take(lo(o, n), canaries[:n])
		}
	}
	a := &args{n: e.n, params: paramsOf(t.form, e.f)}
	for i, o := range t.form.Operands() {
		a.ptr[i] = unsafe.Pointer(unsafe.SliceData(got[o]))
	}
	t.run(a)
	for i, o := range t.form.Operands() {
		want, same := e.elements[o], values.Same
		if i >= len(t.form.Results()) || o == form.M || o == form.Dst {
			same = values.Identical
			if over != (form.Place{}) && o == over.Input {
				continue // replaced
			}
			if i >= len(t.form.Results()) && o == form.M {
				want = e.loose
			}
		}
		for i, v := range got[o] {
			if !same(v, want[i]) {
				return fmt.Errorf("%v of %v, %v, %d elements: value %d of %v, which begins at %p, is %x and should be %x",
					t.form, e.f, over, e.n, i, o, got[o], v, want[i])
			}
		}
		if !r[o].intact() {
			return fmt.Errorf("%v of %v, %v, %d elements: a value outside of %v changed", t.form, e.f, over, e.n, o)
		}
	}
	return nil
}

// longest is the most elements of an example in heapRooms.
const longest = 5 * blockSize

// margin is the least number of canaries before and behind an operand.
const margin = 16

// heapRooms returns rooms that begin with a cache line.
func heapRooms(t *testing.T) *rooms {
	t.Helper()
	r := new(rooms)
	for o := range r {
		m, err := newMemory(margin + 16 + longest + margin)
		if err != nil {
			t.Fatal(err)
		}
		r[o].all = m.elements
	}
	return r
}

// at puts a result at offset in a cache line, and the other operands elsewhere; at all
// places, over all offsets. Masks are aligned.
func at(offset, n int) layout {
	return func(o form.Operand, _ int) int {
		switch o {
		case form.Y, form.DX, form.Dst:
			return margin + offset
		case form.M:
			return margin
		}
		return margin + (7*offset+n+5*int(o))%16
	}
}

// aligned is lo, but with results at the start of a cache line.
func aligned(lo layout) layout {
	return func(o form.Operand, n int) int {
		switch o {
		case form.Y, form.D, form.DX, form.Dst:
			return margin
		}
		return lo(o, n)
	}
}

// codeOf returns the code of a form of LeakyReLU in an instruction set.
func codeOf(set instructionSet, fm form.Form) *code {
	c, err := set.compile(function.Kernel(int(compute.KindLeakyReLU), function.Form(fm)))
	if err != nil {
		panic(err)
	}
	return c
}

// slope returns the parameters of a LeakyReLU.
func slope(s float32) []uint32 { return []uint32{math.Float32bits(s)} }

func mustUpload(t testing.TB, b compute.Backend, v []float32) compute.Buffer {
	t.Helper()
	buf, err := b.Upload(v)
	if err != nil {
		t.Fatal(err)
	}
	return buf
}
