//go:build opencl && cgo

package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/values"
)

// A check compares a kernel with its reference. It has the operands of one call, in
// which the inputs have special values, all pairs of them for the first two.
type check struct {
	c        *code
	n        int
	index    uint64
	step     int                         // from the first element of an operand that may be a view to that of the next
	operands []kernel.Operand[[]float32] // results, then inputs; the bits of a mask as floats
	params   []uint32
}

// checkElements is how many elements are compared. They end within a vector. With parameters
// they are dealt out to several calls.
const (
	checkElements = 4 << 10
	checkCalls    = 4
	checkRest     = 13
)

// check compares compiled, a kernel of c, with its reference. Its error wraps
// compute.ErrMiscompiled if an element differs, and has text, the source of the kernel.
func (p *pipeline) check(c *code, compiled *opencl.Kernel, text string) error {
	calls := 1
	if len(c.kernel.Params) > 0 {
		calls = checkCalls
	}
	r := rand.New(rand.NewPCG(1, 2))
	for call := range calls {
		n := checkElements / calls
		t := newCheck(r, c, n+checkRest, n*call, call)
		if err := p.launchCheck(t, compiled); err != nil {
			return err
		}
		if wrong := t.wrong(p.d.flushes.Load()); wrong != "" {
			return fmt.Errorf("%s: %w; the kernel is\n%s", wrong, compute.ErrMiscompiled, text)
		}
	}
	return nil
}

// newCheck makes the operands of a call.
func newCheck(r *rand.Rand, c *code, n, from, call int) *check {
	t := &check{c: c, n: n, step: 1, index: 1<<32 - 100} // the low word of the index overflows
	for _, a := range c.kernel.Inputs {
		if a == kernel.Col {
			t.index = 100 // which is in a column of few elements
		}
	}
	for _, a := range c.kernel.Results {
		t.operands = append(t.operands, kernel.Operand[[]float32]{Memory: make([]float32, floats(a, n)), Len: n})
	}
	special := values.Special()
	every := 1
	for _, a := range c.kernel.Inputs {
		o := kernel.Operand[[]float32]{Len: n}
		switch a {
		case kernel.Row:
			o.Len = 37
		case kernel.Col:
			o.Period = 29
			o.Len = (int(t.index)+n)/o.Period + 1
		}
		o.Memory = make([]float32, floats(a, o.Len))
		for i := range o.Memory {
			k := (from + i) / every
			switch {
			case a == kernel.Bit:
				o.Memory[i] = math.Float32frombits(r.Uint32())
			case k < len(special)*len(special)/every || r.IntN(2) == 0:
				o.Memory[i] = special[k%len(special)]
			case r.IntN(2) == 0:
				o.Memory[i] = float32(r.NormFloat64())
			default:
				o.Memory[i] = math.Float32frombits(r.Uint32())
			}
		}
		if a == kernel.Element {
			every = min(every*len(special), len(special)*len(special))
		}
		t.operands = append(t.operands, o)
	}
	for _, typ := range c.kernel.Params {
		bits := uint32(r.Uint64())
		switch {
		case typ == ir.Bool:
			bits &= 1
		case typ == ir.F32 && call%2 == 0:
			bits = math.Float32bits(float32(r.NormFloat64()))
		case typ == ir.F32:
			bits = math.Float32bits(special[r.IntN(len(special))])
		case call%2 == 0:
			bits %= 64
		}
		t.params = append(t.params, bits)
	}
	return t
}

// floats returns how many float32 have n elements at the address.
func floats(a kernel.Address, n int) int {
	if a == kernel.Bit {
		return 2 * ((n + 63) / 64)
	}
	return n
}

// launchCheck runs the call.
func (p *pipeline) launchCheck(t *check, compiled *opencl.Kernel) error {
	return p.computeCheck(t, func(call *driver.Call) error {
		return p.d.enqueue(t.c.shape, p.queue, compiled, t.n, t.c.argumentsOf(call)...)
	})
}

// computeCheck runs enqueue, which launches a call on the operands of t, and reads the results.
func (p *pipeline) computeCheck(t *check, enqueue func(call *driver.Call) error) error {
	call := &driver.Call{Kernel: t.c.kernel, N: t.n, Index: t.index, Params: t.params}
	var mems []*opencl.Mem
	defer func() {
		for _, m := range mems {
			m.Release()
		}
	}()
	for i, o := range t.operands {
		var m *opencl.Mem
		first := t.first(i)
		err := p.d.withMemory(func() (err error) {
			m, err = p.d.context.Alloc(4 * (first + len(o.Memory)))
			return err
		})
		if err != nil {
			return err
		}
		mems = append(mems, m)
		call.Operands = append(call.Operands, kernel.Operand[driver.Memory]{Memory: &memory{Mem: m, from: first}, Len: o.Len, Period: o.Period})
		if i < len(t.c.kernel.Results) {
			for j := range o.Memory { // what does not stay
				o.Memory[j] = 12345
			}
		}
		if err := p.queue.Write(m, first, o.Memory); err != nil {
			return err
		}
	}
	if err := enqueue(call); err != nil {
		return p.done(err)
	}
	for i := range t.c.kernel.Results {
		if err := p.queue.Read(mems[i], t.first(i), t.operands[i].Memory); err != nil {
			return err
		}
	}
	return nil
}

// first returns the first element of an operand in its buffer.
func (t *check) first(operand int) int {
	if !t.c.views || t.c.address(operand) == kernel.Bit {
		return 0
	}
	return (operand + 1) * t.step
}

// wrong describes the first element that differs from the reference, or returns "". If the
// device flushes subnormals, an element for which the reference has one anywhere may have any
// value.
func (t *check) wrong(flushes bool) string {
	k := t.c.kernel
	args := make([]uint64, len(k.Inputs)+len(k.Params))
	for i, bits := range t.params {
		args[len(k.Inputs)+i] = uint64(bits)
	}
	reference := newReference(k.Body)
	for i := range t.n {
		for j, a := range k.Inputs {
			args[j] = t.at(len(k.Results)+j, a, i)
		}
		nodes := reference.eval(t.index+uint64(i), args)
		for j, r := range k.Body.Results {
			got, want := t.at(j, k.Results[j], i), nodes[r.Value]
			same := got == want
			if k.Results[j] == kernel.Element {
				same = values.Same(math.Float32frombits(uint32(got)), math.Float32frombits(uint32(want)))
			}
			if !same && !(flushes && hasSubnormal(k.Body, nodes)) {
				return t.describe(i, r.Name, args, show(k.Results[j], got), show(k.Results[j], want))
			}
		}
	}
	return ""
}

// A reference computes the values of all nodes of a program. Functions have the results of their
// bodies, which are the same and take less time.
type reference struct {
	inlined       *ir.Program // has a result for each node
	values, nodes []uint64
}

func newReference(p *ir.Program) *reference {
	all := *p
	all.Results = make([]ir.Result, len(p.Nodes))
	for i := range p.Nodes {
		all.Results[i].Value = ir.Value(i)
	}
	r := &reference{inlined: libm.Inlined(&all), nodes: make([]uint64, len(p.Nodes))}
	r.values = make([]uint64, len(r.inlined.Nodes))
	return r
}

// eval returns the values for the element with the index, which are valid until the next call.
func (r *reference) eval(index uint64, args []uint64) []uint64 {
	r.inlined.Eval(r.values, index, args)
	for i, result := range r.inlined.Results {
		r.nodes[i] = r.values[result.Value]
	}
	return r.nodes
}

// at returns the bits of an operand for element i.
func (t *check) at(operand int, a kernel.Address, i int) uint64 {
	o := t.operands[operand]
	switch a {
	case kernel.Bit:
		return uint64(math.Float32bits(o.Memory[i/32])>>(i%32)) & 1
	case kernel.Row:
		i = int((t.index + uint64(i)) % uint64(o.Len))
	case kernel.Col:
		i = int((t.index + uint64(i)) / uint64(o.Period))
	}
	return uint64(math.Float32bits(o.Memory[i]))
}

// hasSubnormal reports whether a node has a subnormal value, or the smallest normal one, which
// may be one that was flushed before it was rounded.
func hasSubnormal(p *ir.Program, nodes []uint64) bool {
	for i := range p.Nodes {
		if x := math.Float32frombits(uint32(nodes[i])); p.Nodes[i].Type == ir.F32 && x != 0 && -0x1p-126 <= x && x <= 0x1p-126 {
			return true
		}
	}
	return false
}

// describe tells of an element that is wrong.
func (t *check) describe(i int, result string, args []uint64, got, want string) string {
	var list []string
	for j, a := range t.c.kernel.Inputs {
		list = append(list, fmt.Sprintf("a%d = %s", j, show(a, args[j])))
	}
	for j, typ := range t.c.kernel.Params {
		bits := args[len(t.c.kernel.Inputs)+j]
		text := fmt.Sprint(bits)
		if typ == ir.F32 {
			text = show(kernel.Element, bits)
		}
		list = append(list, fmt.Sprintf("p%d = %s", j, text))
	}
	return fmt.Sprintf("the device computes %s = %s, and not %s, for %s and the index %d of an element",
		result, got, want, strings.Join(list, ", "), t.index+uint64(i))
}

// show returns a value with the address in words.
func show(a kernel.Address, bits uint64) string {
	if a == kernel.Bit {
		return fmt.Sprint(bits != 0)
	}
	return values.Show(math.Float32frombits(uint32(bits)))
}
