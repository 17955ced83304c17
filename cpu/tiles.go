package cpu

import (
	"unsafe"

	program "github.com/gmind-go/compute/internal/kernel"
)

// A call is one run of a plan.
type call struct {
	plan     *plan
	n        int    // elements
	index    uint64 // of the first element
	operands []program.Operand[unsafe.Pointer]
	params   []uint32
	fetch    bool // whether tiles are fetched ahead
}

// Tiles are where one goroutine runs plans. It keeps the memory for the next call.
type tiles struct {
	plan   *plan            // that the rest is placed for
	at     []unsafe.Pointer // by place: the tile under way
	values []uint32         // of the plan, for the tile under way
	beside []aside          // by operand
	ahead  []kernel         // by operand: what fetches its next tile, or nil
	wraps  int              // elements of the tile under way before the low word of the index is 0; 0 for none
	spare  unsafe.Pointer   // a slot: see executeWrapping
	memory []float32        // slots, then what beside has
	call   call             // of the goroutine itself
}

// An aside is memory beside an operand.
type aside struct {
	pad      unsafe.Pointer // of an Element: a group, in place of the rest of the operand
	repeated []float32      // of a Row: the row, repeated; of a Col: a tile
	run      uint64         // of a Col: the element that repeated has
	runs     int            // and in how many elements; 0 for none
}

// group is the number of elements of which primitives compute a multiple. Tiles begin at a
// multiple of it: the bits of a group are a word of a mask.
const group = 64

// whole returns n as a multiple of group, rounded up.
func whole(n int) int { return (n + group - 1) &^ (group - 1) }

// numbers are the elements of the place plan.numbers.
var numbers = func() (list [longTile]uint32) {
	for i := range list {
		list[i] = uint32(i)
	}
	return list
}()

// begin prepares t for parts of c. It calls kernels with a.
func (t *tiles) begin(a *args, c *call) {
	p := c.plan
	if t.plan != p {
		t.place(p)
	}
	for i, bits := range c.params {
		t.values[valueParam+i] = lanes(p.params[i], bits)
	}
	if c.fetch {
		for i := range p.operands {
			t.ahead[i] = c.ahead(i)
		}
	}
	if p.repeats {
		t.repeat(c)
	}
	t.wraps = 0
	for i := range p.once {
		t.execute(a, &p.once[i], min(p.tile, whole(c.n)))
	}
}

// extend returns list with n elements.
func extend[T any](list []T, n int) []T {
	if cap(list) < n {
		return make([]T, n)
	}
	return list[:n]
}

// place makes t ready for calls of p: it divides the memory, after making more if it is too
// little.
func (t *tiles) place(p *plan) {
	t.plan = p
	t.at = extend(t.at, int(p.firstSlot())+p.slots)
	t.values = append(t.values[:0], p.values...)
	const line = 64 / 4
	if need := p.memory(); len(t.memory) < need {
		memory := make([]float32, need+line)
		t.memory = memory[int(-uintptr(unsafe.Pointer(&memory[0]))/4)&(line-1):]
	}
	memory := t.memory
	take := func(n int) []float32 {
		n = (n + line - 1) &^ (line - 1)
		part := memory[:n]
		memory = memory[n:]
		return part
	}
	t.at[p.numbers()] = unsafe.Pointer(&numbers)
	for i := range p.slots {
		t.at[int(p.firstSlot())+i] = unsafe.Pointer(&take(p.stride())[0])
	}
	t.spare = t.at[p.spare]
	t.beside, t.ahead = extend(t.beside, len(p.operands)), extend(t.ahead, len(p.operands))
	for i, address := range p.operands {
		r := &t.beside[i]
		*r = aside{}
		t.ahead[i] = nil
		switch address {
		case program.Element:
			r.pad = unsafe.Pointer(&take(group)[0])
		case program.Row:
			r.repeated = take(2*p.tile + group)
		case program.Col:
			r.repeated = take(p.tile + group)
		}
	}
}

// repeat sets what depends on the rows and columns of c.
func (t *tiles) repeat(c *call) {
	p := c.plan
	for i, address := range p.operands {
		r, o := &t.beside[i], &c.operands[i]
		r.runs = 0
		if address == program.Row && o.Len <= p.tile { // a tile is in one piece from any element on
			cycle(r.repeated[:o.Len+min(p.tile, whole(c.n))], elements(o), 0)
		}
	}
}

// memory returns the elements that place takes at most.
func (p *plan) memory() int {
	n := p.slots * p.stride()
	for _, address := range p.operands {
		switch address {
		case program.Element:
			n += group
		case program.Row:
			n += 2*p.tile + group
		case program.Col:
			n += p.tile + group
		}
	}
	return n
}

// ahead returns what fetches tiles of operand i, or nil.
func (c *call) ahead(i int) kernel {
	set := c.plan.set
	if c.plan.operands[i] != program.Element {
		return nil
	}
	if i < c.plan.results {
		return set.prefetchWrite
	}
	for _, result := range c.operands[:c.plan.results] {
		if result.Memory == c.operands[i].Memory {
			return nil
		}
	}
	return set.prefetch
}

// elements returns those of a Row or Col.
func elements(o *program.Operand[unsafe.Pointer]) []float32 {
	return unsafe.Slice((*float32)(o.Memory), o.Len)
}

// cycle sets dst to src, repeated, from element phase on.
func cycle(dst, src []float32, phase int) {
	for len(dst) > 0 {
		n := copy(dst, src[phase:])
		dst, phase = dst[n:], 0
	}
}

// end forgets the operands of c.
func (t *tiles) end(c *call) {
	clear(t.at[:len(c.plan.operands)])
}

// run computes the elements of c from lo, a multiple of 64, to hi, which is one, or all that
// there are.
func (t *tiles) run(a *args, c *call, lo, hi int) {
	for lo < hi {
		n := min(c.plan.tile, hi-lo)
		if n >= group {
			n &^= group - 1
		}
		t.tile(a, c, lo, n)
		lo += n
	}
}

// tile computes n elements from lo on: whole groups, or a part of one.
func (t *tiles) tile(a *args, c *call, lo, n int) {
	p := c.plan
	padded := whole(n)
	t.position(a, c, lo, n)
	fetch := c.fetch && n == p.tile && n <= c.n-lo-n
	for i := range p.code {
		t.execute(a, &p.code[i], padded)
		if fetch {
			t.fetch(a, p.ahead[i], n)
		}
	}
	if n < padded {
		t.finish(c, lo, n)
	}
}

// position sets the places of operands, and the values, for a tile.
func (t *tiles) position(a *args, c *call, lo, n int) {
	p := c.plan
	for i, address := range p.operands {
		o, r := &c.operands[i], &t.beside[i]
		switch address {
		case program.Element:
			t.at[i] = unsafe.Add(o.Memory, 4*lo)
			if n < group {
				if i >= p.results {
					copy(unsafe.Slice((*float32)(r.pad), n), unsafe.Slice((*float32)(t.at[i]), n))
				}
				t.at[i] = r.pad
			}
		case program.Bit:
			t.at[i] = unsafe.Add(o.Memory, lo/8)
		case program.Row:
			t.at[i] = r.row(p, o, c.index+uint64(lo), whole(n))
		case program.Col:
			r.col(a, p, o, c.index+uint64(lo), n)
			t.at[i] = unsafe.Pointer(&r.repeated[0])
		}
	}
	if p.indexed {
		index := c.index + uint64(lo)
		t.values[valueLow], t.values[valueHigh] = uint32(index), uint32(index>>32)
		t.wraps = 0
		if before := 1<<32 - index&(1<<32-1); before < uint64(n) {
			t.wraps = int(before)
		}
	}
}

// row returns n elements of the row o, repeated, from the index on.
func (r *aside) row(p *plan, o *program.Operand[unsafe.Pointer], index uint64, n int) unsafe.Pointer {
	phase := int(index % uint64(o.Len))
	switch {
	case o.Len <= p.tile:
		return unsafe.Pointer(&r.repeated[phase])
	case n <= o.Len-phase:
		return unsafe.Add(o.Memory, 4*phase)
	}
	cycle(r.repeated[:n], elements(o), phase)
	return unsafe.Pointer(&r.repeated[0])
}

// col sets repeated to n elements of the column o from the index on.
func (r *aside) col(a *args, p *plan, o *program.Operand[unsafe.Pointer], index uint64, n int) {
	period := uint64(o.Period)
	run, left := index/period, period-index%period
	if r.run == run && n <= r.runs && uint64(n) <= left {
		return
	}
	r.runs = 0
	list := elements(o)
	for dst := r.repeated[:n]; len(dst) > 0; run++ {
		m := int(min(left, uint64(len(dst))))
		if v := list[run]; m < group/2 {
			for i := range dst[:m] {
				dst[i] = v
			}
		} else { // and what follows, up to a group
			a.ptr[0], a.n, a.params[0] = unsafe.Pointer(&dst[0]), whole(m), v
			p.set.fill(a)
		}
		if m == n {
			r.run, r.runs = run, n
		}
		dst, left = dst[m:], period
	}
}

// execute runs a step on n elements, whole groups.
func (t *tiles) execute(a *args, in *step, n int) {
	if in.random && t.wraps > 0 {
		t.executeWrapping(a, in, n)
		return
	}
	t.set(a, in, n)
	in.run(a)
}

// set sets a to the arguments of a step.
func (t *tiles) set(a *args, in *step, n int) {
	at, values := t.at, t.values
	a.ptr = [4]unsafe.Pointer{at[in.at[0]], at[in.at[1]], at[in.at[2]], at[in.at[3]]}
	// As float32 the bits might change.
	*(*[4]uint32)(unsafe.Pointer(&a.params)) = [4]uint32{values[in.scalar[0]], values[in.scalar[1]], values[in.scalar[2]], values[in.scalar[3]]}
	a.n = n
}

// executeWrapping runs a step that depends on the high word of the index in a tile in
// which that changes: once for each.
func (t *tiles) executeWrapping(a *args, in *step, n int) {
	t.set(a, in, n)
	a.ptr[0] = t.spare
	(*[4]uint32)(unsafe.Pointer(&a.params))[3]++
	in.run(a)
	t.set(a, in, n)
	in.run(a)
	dst := unsafe.Slice((*uint32)(t.at[in.at[0]]), n)
	copy(dst[t.wraps:], unsafe.Slice((*uint32)(t.spare), n)[t.wraps:])
}

// fetch fetches the parts of the next tile. A tile has n elements.
func (t *tiles) fetch(a *args, blocks []block, n int) {
	for _, b := range blocks {
		if k := t.ahead[b.operand]; k != nil {
			a.ptr[0], a.n = unsafe.Add(t.at[b.operand], 4*(n+b.from)), b.n
			k(a)
		}
	}
}

// finish copies n elements, less than a group, from the pads to the results.
func (t *tiles) finish(c *call, lo, n int) {
	p := c.plan
	for i, address := range p.operands[:p.results] {
		memory := c.operands[i].Memory
		if address == program.Bit {
			*(*uint64)(unsafe.Add(memory, lo/8)) &= 1<<n - 1
			continue
		}
		copy(unsafe.Slice((*float32)(unsafe.Add(memory, 4*lo)), n), unsafe.Slice((*float32)(t.beside[i].pad), n))
	}
}
