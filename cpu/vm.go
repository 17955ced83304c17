package cpu

import (
	"unsafe"

	"github.com/gmind-go/compute/internal/form"
	program "github.com/gmind-go/compute/internal/kernel"
)

// run computes the elements of c from lo, a multiple of 64, to hi, which is one, or all that
// there are.
func (t *tiles) run(a *args, c *call, lo, hi int) {
	tile := c.plan.tile
	if c.past != 0 {
		tile = min(tile, longTile)
	}
	for lo < hi {
		n := min(tile, hi-lo)
		if n >= blockSize {
			n &^= blockSize - 1
		}
		t.tile(a, c, lo, n)
		lo += n
	}
	if c.past != 0 {
		// A fence. If the goroutine had another core before, the scheduler had one there.
		a.n = 0
		c.plan.set.nonTemporal[0][form.Copy](a)
	}
}

// fold computes n values of a folded call, at most a batch, from the element lo on. They stay
// until the next are computed.
func (t *tiles) fold(a *args, c *call, lo, n int) unsafe.Pointer {
	if t.folded == nil {
		const line = 64 / 4
		memory := make([]float32, batch+2*blockSize+line)
		t.folded = memory[int(-uintptr(unsafe.Pointer(&memory[0]))/4)&(line-1):]
	}
	t.base = lo &^ (blockSize - 1)
	t.run(a, c, t.base, lo+n)
	return unsafe.Pointer(&t.folded[lo-t.base])
}

// tile computes n elements from lo on: whole blocks, or a part of one.
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
	} else if c.past != 0 {
		t.store(a, c, lo, n)
	}
}

// store copies whole blocks from the tiles of results to where they are stored past the caches.
func (t *tiles) store(a *args, c *call, lo, n int) {
	for i := range c.plan.results {
		if c.past>>i&1 == 1 {
			a.ptr[0], a.ptr[1], a.n = unsafe.Add(c.operands[i].Memory, 4*lo), t.beside[i].tile, n
			c.plan.set.store(a)
		}
	}
}

// position sets the places of operands, and the values, for a tile.
func (t *tiles) position(a *args, c *call, lo, n int) {
	p := c.plan
	for i, address := range p.operands {
		o, r := &c.operands[i], &t.beside[i]
		switch address {
		case program.Element:
			if c.folded && i == 0 {
				t.at[i] = unsafe.Pointer(&t.folded[lo-t.base]) // where there is room for a block
				continue
			}
			t.at[i] = unsafe.Add(o.Memory, 4*lo)
			if n < blockSize {
				if i >= p.results {
					copy(unsafe.Slice((*float32)(r.pad), n), unsafe.Slice((*float32)(t.at[i]), n))
				}
				t.at[i] = r.pad
			} else if i < p.results && c.past>>i&1 == 1 {
				t.at[i] = r.tile
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
		if v := list[run]; m < blockSize/2 {
			for i := range dst[:m] {
				dst[i] = v
			}
		} else { // and what follows, up to a block
			a.ptr[0], a.n, a.params[0] = unsafe.Pointer(&dst[0]), whole(m), v
			p.set.fill(a)
		}
		if m == n {
			r.run, r.runs = run, n
		}
		dst, left = dst[m:], period
	}
}

// execute runs a step on n elements, whole blocks.
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
func (t *tiles) fetch(a *args, spans []span, n int) {
	for _, b := range spans {
		if k := t.ahead[b.operand]; k != nil {
			a.ptr[0], a.n = unsafe.Add(t.at[b.operand], 4*(n+b.from)), b.n
			k(a)
		}
	}
}

// finish copies n elements, less than a block, from the pads to the results.
func (t *tiles) finish(c *call, lo, n int) {
	p := c.plan
	if c.folded {
		return
	}
	for i, address := range p.operands[:p.results] {
		memory := c.operands[i].Memory
		if address == program.Bit {
			*(*uint64)(unsafe.Add(memory, lo/8)) &= 1<<n - 1
			continue
		}
		copy(unsafe.Slice((*float32)(unsafe.Add(memory, 4*lo)), n), unsafe.Slice((*float32)(t.beside[i].pad), n))
	}
}
