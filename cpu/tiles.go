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
	fetch    bool   // whether tiles are fetched ahead
	folded   bool   // whether the result is not stored, but folded by the caller: see fold
	past     uint32 // by result: a bit, whether it is stored past the caches
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
	folded []float32        // values of a folded call, from the element base on
	base   int
	call   call // of the goroutine itself
}

// An aside is memory beside an operand.
type aside struct {
	pad      unsafe.Pointer // of an Element: a block, in place of the rest of the operand
	tile     unsafe.Pointer // of an Element of the results: what is then stored past the caches
	repeated []float32      // of a Row: the row, repeated; of a Col: a tile
	run      uint64         // of a Col: the element that repeated has
	runs     int            // and in how many elements; 0 for none
}

// whole returns n rounded up to whole blocks, of which primitives compute several.
func whole(n int) int { return (n + blockSize - 1) &^ (blockSize - 1) }

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
			r.pad = unsafe.Pointer(&take(blockSize)[0])
			if i < p.results && p.set.store != nil {
				r.tile = unsafe.Pointer(&take(min(p.tile, longTile))[0])
			}
		case program.Row:
			r.repeated = take(2*p.tile + blockSize)
		case program.Col:
			r.repeated = take(p.tile + blockSize)
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
	for i, address := range p.operands {
		switch address {
		case program.Element:
			n += blockSize
			if i < p.results && p.set.store != nil {
				n += min(p.tile, longTile)
			}
		case program.Row:
			n += 2*p.tile + blockSize
		case program.Col:
			n += p.tile + blockSize
		}
	}
	return n
}

// ahead returns what fetches tiles of operand i, or nil.
func (c *call) ahead(i int) kernel {
	set := c.plan.set
	if c.plan.operands[i] != program.Element || i < c.plan.results && c.past>>i&1 == 1 {
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
