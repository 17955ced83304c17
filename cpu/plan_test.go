package cpu

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/ir"
	program "github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/randprog"
	"github.com/gmind-go/compute/internal/testenv"
)

// randomKernel returns the kernel of a random program with operands at random addresses.
func randomKernel(r *rand.Rand, operations int) *program.Kernel {
	p := randprog.New(r, randprog.Options{Operations: operations})
	// There are no buffers of uint32.
	var b ir.Builder
	var args []ir.Value
	for _, a := range p.Args {
		args = append(args, b.Arg(a.Name, a.Type))
	}
	values := b.Inline(p, args)
	for _, result := range p.Results {
		v := values[result.Value]
		if b.Type(v) == ir.U32 {
			v = b.Op(ir.FromBits, v)
		}
		b.Result(result.Name, v)
	}
	p = b.Program(p.Name)
	if r.IntN(2) == 0 {
		p = ir.Simplify(p)
	}
	addresses := make([]program.Address, len(p.Args))
	for i, a := range p.Args {
		addresses[i] = program.Scalar
		switch {
		case a.Type == ir.Bool && r.IntN(4) > 0:
			addresses[i] = program.Bit
		case a.Type == ir.F32:
			addresses[i] = []program.Address{program.Element, program.Element, program.Element, program.Row, program.Col, program.Scalar}[r.IntN(6)]
		}
	}
	return program.New(p, addresses)
}

// heapRoom returns a room on the heap, with an operand of a number of float32 that begins
// somewhere in a cache line.
func heapRoom(r *rand.Rand, a program.Address, size int) *room {
	lo := r.IntN(16)
	if a == program.Bit {
		lo &^= 1
	}
	return lineRoom(lo, size)
}

// lineRoom is heapRoom with an operand that begins with element lo of a cache line.
func lineRoom(lo, size int) *room {
	const edge, line = 80, 64 / 4 // canaries before and behind the operand, at least
	all := asFloats(make([]uint64, (size+2*edge+2*line)/2+1))
	first := int(-uintptr(unsafe.Pointer(&all[0]))/4) & (line - 1)
	lo += first + edge
	return &room{all: all[:lo+size+edge], lo: lo, hi: lo + size}
}

// furnish fills a room: the operand has random values, and the rest canaries.
func (g *room) furnish(r *rand.Rand, a program.Address) driver.Host {
	for _, v := range [][]float32{g.all[:g.lo], g.all[g.hi:]} {
		copy(v, canaries)
	}
	v := g.all[g.lo:g.hi:g.hi]
	for i := range v {
		bits := uint64(r.Uint32())
		if a != program.Bit {
			bits = randprog.Bits(r, ir.F32)
		}
		v[i] = math.Float32frombits(uint32(bits))
	}
	if a == program.Bit {
		return driver.Host{Words: unsafe.Slice((*uint64)(unsafe.Pointer(&v[0])), len(v)/2)}
	}
	return driver.Host{Floats: v}
}

func clone(h driver.Host) driver.Host {
	return driver.Host{Floats: slices.Clone(h.Floats), Words: slices.Clone(h.Words)}
}

// rowLengths are those of rows: shorter than a tile, of it, and longer.
var rowLengths = []int{1, 2, 3, 5, 63, 64, 65, 100, 511, 512, 513, 1000, 1024, 1025, 1500, 4096}

// A callTrial is a call of a kernel on random operands.
type callTrial struct {
	call  *driver.HostCall
	rooms []*room // by operand
	over  []int   // by result: the input that it replaces, or -1
	want  *driver.HostCall
}

// A trialMaker makes trials. What is nil is at random.
type trialMaker struct {
	*rand.Rand
	index  func(n int) uint64
	row    func(n int) int // returns the length of a row
	period func(n int) int // returns the period of a column
	room   func(a program.Address, size int) *room
}

func newTrialMaker(r *rand.Rand) *trialMaker {
	return &trialMaker{
		Rand: r,
		index: func(n int) uint64 {
			return []uint64{0, 1<<32 - uint64(r.IntN(2*n+1)), uint64(r.IntN(5000)), r.Uint64N(1 << 40)}[r.IntN(4)]
		},
		row:    func(int) int { return rowLengths[r.IntN(len(rowLengths))] },
		period: func(n int) int { return 1 + r.IntN(1+min(n, []int{3, 40, 1000, 1 << 20}[r.IntN(4)])) },
		room:   func(a program.Address, size int) *room { return heapRoom(r, a, size) },
	}
}

// make returns a trial of k on n elements.
func (m *trialMaker) make(k *program.Kernel, n int) *callTrial {
	t := &callTrial{call: &driver.HostCall{Kernel: k, N: n, Total: math.MaxInt, Index: m.index(n)}}
	operand := func(a program.Address, o *program.Operand[driver.Host]) *room {
		size := o.Len
		if a == program.Bit {
			size = 2 * form.MaskWords(o.Len)
		}
		g := m.room(a, size)
		o.Memory = g.furnish(m.Rand, a)
		return g
	}
	inputs := make([]program.Operand[driver.Host], len(k.Inputs))
	rooms := make([]*room, len(k.Inputs))
	for i, a := range k.Inputs {
		o := &inputs[i]
		o.Len = n
		switch a {
		case program.Row:
			o.Len = m.row(n)
		case program.Col:
			o.Period = m.period(n)
			last := t.call.Index + uint64(n) - 1
			if last/uint64(o.Period) > 1<<16 { // a short column, of which the last elements are used
				o.Period = int(min(last/(1+m.Uint64N(7))+1, math.MaxInt32))
			}
			o.Len = int(last/uint64(o.Period)) + 1
		}
		rooms[i] = operand(a, o)
	}
	taken := map[int]bool{}
	for _, a := range k.Results {
		over := -1
		for i, in := range k.Inputs {
			if in == a && !taken[i] && m.IntN(3) > 0 {
				over = i
			}
		}
		t.over = append(t.over, over)
		o := program.Operand[driver.Host]{Len: n}
		if over >= 0 {
			taken[over] = true
			o.Memory = inputs[over].Memory
			t.rooms = append(t.rooms, rooms[over])
		} else {
			t.rooms = append(t.rooms, operand(a, &o))
		}
		t.call.Operands = append(t.call.Operands, o)
	}
	t.rooms = append(t.rooms, rooms...)
	t.call.Operands = append(t.call.Operands, inputs...)
	for _, p := range k.Params {
		t.call.Params = append(t.call.Params, uint32(randprog.Bits(m.Rand, p)))
	}
	want := *t.call
	want.Operands = slices.Clone(t.call.Operands)
	for i := range want.Operands {
		want.Operands[i].Memory = clone(want.Operands[i].Memory)
	}
	driver.Eval(&want)
	t.want = &want
	return t
}

// check returns an error unless the call has set the results to those of the reference, and
// nothing else.
func (t *callTrial) check() error {
	results := len(t.over)
	for i, o := range t.call.Operands {
		want := t.want.Operands[i].Memory
		if i >= results && slices.Contains(t.over, i-results) {
			continue
		}
		for j, v := range o.Memory.Floats {
			if !randprog.Same(ir.F32, uint64(math.Float32bits(v)), uint64(math.Float32bits(want.Floats[j]))) {
				return fmt.Errorf("element %d of operand %d is %x and should be %x", j, i, math.Float32bits(v), math.Float32bits(want.Floats[j]))
			}
		}
		for j, w := range o.Memory.Words {
			if w != want.Words[j] {
				return fmt.Errorf("word %d of operand %d is %x and should be %x", j, i, w, want.Words[j])
			}
		}
	}
	for i, g := range t.rooms {
		if !g.intact() {
			return fmt.Errorf("a value outside of operand %d changed", i)
		}
	}
	return nil
}

func (t *callTrial) String() string {
	c := t.call
	s := fmt.Sprintf("%d elements from index %d, params %x, results over %v, of", c.N, c.Index, c.Params, t.over)
	for i, o := range c.Operands {
		a := append(slices.Clone(c.Kernel.Results), c.Kernel.Inputs...)[i]
		s += fmt.Sprintf(" %d:(address %d, len %d, period %d)", i, a, o.Len, o.Period)
	}
	for i, n := range c.Kernel.Body.Nodes {
		s += fmt.Sprintf("\n%d %s %v %x", i, n.Op.Info().Name, n.Operands(), n.Imm)
	}
	return s + fmt.Sprint("\n", c.Kernel.Body.Results)
}

// kernelOf returns the kernel of a program in text.
func kernelOf(text string, addresses ...program.Address) *program.Kernel {
	return program.New(expr.MustParse(text).IR(), addresses)
}

// try runs the trial with the code c.
func (t *callTrial) try(d *device, c driver.Code) error {
	t.call.Code = c
	if err := d.Stream(context.Background(), t.call); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return fmt.Errorf("%v: %w", t, err)
	}
	return nil
}

// sampled returns how many of n cases to try: fewer with the race detector, which looks at every
// element.
func sampled(n int) int {
	if testenv.Raced || testing.Short() {
		return n / 8
	}
	return n
}

// TestRepeats compares rows of all lengths, and columns of all periods, with the reference
// where they begin and end anywhere in a tile.
func TestRepeats(t *testing.T) {
	k := kernelOf("f(x, r, c) = (x + r) * c", program.Element, program.Row, program.Col)
	if k.Inputs[1] != program.Row {
		t.Fatal("the row has another place")
	}
	periods := []int{1, 2, 31, 32, 33, 64, 100, 512, 1000, 1024, 1025, 2048, 3000, 1 << 20}
	for _, set := range instructionSets() {
		d := Options{}.device(set)
		defer d.Close()
		c, err := d.Compile(k)
		if err != nil {
			t.Fatal(err)
		}
		m := newTrialMaker(rand.New(rand.NewPCG(1, 2)))
		for i, row := range append(rowLengths, 2049, 3000, 1100) {
			for j, period := range periods {
				m.row, m.period = func(int) int { return row }, func(int) int { return period }
				for x, index := range []int{0, 1, row - 1, 64*i + j, period - 1, m.IntN(3000)} {
					if sampled(8) < 8 && (i+j+x)%8 > 0 {
						continue
					}
					m.index = func(int) uint64 { return uint64(index) }
					n := []int{3000, 2 * row, 2*row - index, 1024 + 64*j}[(i+j+index)%4]
					if err := m.make(k, min(max(n, 1), 4000)).try(d, c); err != nil {
						t.Fatalf("%s: %v", set.name, err)
					}
				}
			}
		}
	}
}

// TestPlans compares plans of random programs with the reference, on each instruction set, in
// place in every way, with rows, columns, masks and random numbers. Every second one stores
// results past the caches.
func TestPlans(t *testing.T) {
	lengths := []int{1, 15, 63, 64, 65, 130, 1000, 1024, 1025, 5000}
	programs := sampled(400)
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			d := Options{}.device(set)
			defer d.Close()
			cache := d.cache
			for seed := range uint64(programs) {
				r := rand.New(rand.NewPCG(seed, 1))
				k := randomKernel(r, 1+r.IntN(30))
				c, err := d.Compile(k)
				if err != nil {
					t.Fatal(err)
				}
				m := newTrialMaker(r)
				if d.cache = cache; seed%2 == 1 {
					d.cache = 0
					m.room = func(_ program.Address, size int) *room { return lineRoom(0, size) }
				}
				for _, n := range lengths {
					if err := m.make(k, n).try(d, c); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
			}
		})
	}
}
