package cpu

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/gmind-go/compute/internal/ir"
	program "github.com/gmind-go/compute/internal/kernel"
)

// A planner makes a plan.
type planner struct {
	*plan
	k      *program.Kernel
	staged bool

	last   []int         // by node: the node that uses it last, or itself; see liveness
	place  []place       // by node
	scalar []int         // by node: its value, or -1
	free   []place       // slots
	filled map[int]place // by value: a slot that has it in all elements

	index      place // of the low words of the indexes; 0 before it is needed
	lastRandom int   // the last RandBits
}

// newPlan returns a plan of k. Results are written as soon as they are known; if it is staged,
// after all inputs are read. It fails if the instruction set lacks an operation.
func newPlan(set *instructionSet, k *program.Kernel, staged bool) (*plan, error) {
	nodes := k.Body.Nodes
	b := &planner{
		plan: &plan{
			results: len(k.Results), operands: slices.Concat(k.Results, k.Inputs),
			params: k.Params, values: make([]uint32, valueParam+len(k.Params)), indexed: k.Indexed, set: set,
		},
		k: k, staged: staged,
		last: make([]int, len(nodes)), place: make([]place, len(nodes)), scalar: make([]int, len(nodes)),
		filled: map[int]place{},
	}
	b.writes, b.reads = make([]int, len(k.Results)), slices.Repeat([]int{-1}, len(k.Inputs))
	b.liveness()
	for i := range nodes {
		if err := b.node(ir.Value(i)); err != nil {
			return nil, err
		}
	}
	b.finish()
	return b.plan, nil
}

// liveness sets last. If the plan is staged, a result is used after all nodes.
func (b *planner) liveness() {
	for i, n := range b.k.Body.Nodes {
		b.last[i] = i
		for _, x := range n.Operands() {
			b.last[x] = i
		}
		if n.Op == ir.RandBits {
			b.lastRandom = i
		}
	}
	if b.staged {
		for _, r := range b.k.Body.Results {
			b.last[r.Value] = len(b.k.Body.Nodes)
		}
	}
}

// node plans a node.
func (b *planner) node(v ir.Value) error {
	n := &b.k.Body.Nodes[v]
	inputs := len(b.k.Inputs)
	b.scalar[v] = -1
	switch {
	case n.Op == ir.Const:
		b.scalar[v] = b.constant(lanes(n.Type, uint32(n.Imm)))
		return nil
	case n.Op == ir.Arg && int(n.Imm) >= inputs:
		b.scalar[v] = valueParam + int(n.Imm) - inputs
		return nil
	case n.Op == ir.Arg && b.k.Inputs[n.Imm] == program.Bit:
		b.place[v] = b.slot()
		b.emit(step{run: b.set.expand, at: [4]place{b.place[v], b.input(int(n.Imm))}})
	case n.Op == ir.Arg:
		b.place[v] = b.input(int(n.Imm))
	default:
		if err := b.operation(v, n); err != nil {
			return err
		}
	}
	if !b.staged {
		b.store(v)
		b.release(v, int(v))
	}
	return nil
}

// lanes returns a value of a type as a tile has it.
func lanes(t ir.Type, bits uint32) uint32 {
	if t == ir.Bool {
		return -bits
	}
	return bits
}

func (b *planner) input(i int) place { return place(b.results + i) }

// constant returns the value with the bits.
func (b *planner) constant(bits uint32) int {
	constants := b.values[valueParam+len(b.params):]
	if i := slices.Index(constants, bits); i >= 0 {
		return valueParam + len(b.params) + i
	}
	b.values = append(b.values, bits)
	return len(b.values) - 1
}

// operation plans a node that is no argument and no constant.
func (b *planner) operation(v ir.Value, n *ir.Node) error {
	operands, scalars := slices.Clone(n.Operands()), uint(0)
	for j, x := range operands {
		if b.scalar[x] >= 0 {
			scalars |= 1 << j
		}
	}
	primitives := &b.set.primitives[n.Op]
	mask := best(primitives, scalars)
	if n.Op.Info().Commutes {
		swapped := scalars&^3 | scalars&1<<1 | scalars>>1&1
		if other := best(primitives, swapped); bits.OnesCount(other) > bits.OnesCount(mask) || primitives[mask] == nil {
			operands[0], operands[1], mask = operands[1], operands[0], other
		}
	}
	in := step{run: primitives[mask], random: n.Op == ir.RandBits}
	if in.run == nil {
		return fmt.Errorf("the instruction set %s has no kernel for %s: %w", b.set.name, n.Op.Info().Name, errors.ErrUnsupported)
	}
	for j, x := range operands {
		switch {
		case mask>>j&1 == 1:
			in.scalar[j] = uint16(b.scalar[x])
		case b.scalar[x] >= 0:
			in.at[1+j] = b.fill(b.scalar[x])
		default:
			in.at[1+j] = b.place[x]
		}
	}
	if in.random {
		in.at[3], in.scalar[3] = b.indexes(), valueHigh
	}
	for _, x := range operands {
		b.release(x, int(v))
	}
	if in.random && int(v) == b.lastRandom {
		b.free = append(b.free, b.index)
	}
	in.at[0] = b.destination(v)
	b.place[v] = in.at[0]
	b.emit(in)
	return nil
}

// best returns the pattern with the most of the scalars that there is a kernel for.
func best(primitives *[8]kernel, scalars uint) uint {
	found := uint(0)
	for mask := range uint(8) {
		if mask&^scalars == 0 && primitives[mask] != nil && bits.OnesCount(mask) > bits.OnesCount(found) {
			found = mask
		}
	}
	return found
}

// emit adds a step.
func (b *planner) emit(in step) {
	for _, at := range in.at[1:] {
		if i := int(at) - b.results; i >= 0 && i < len(b.reads) {
			b.reads[i] = len(b.code)
		}
	}
	if int(in.at[0]) < b.results {
		b.writes[in.at[0]] = len(b.code)
	}
	b.code = append(b.code, in)
}

// slot returns a slot that nothing uses: the last that was released, which is in the cache.
func (b *planner) slot() place {
	if n := len(b.free); n > 0 {
		p := b.free[n-1]
		b.free = b.free[:n-1]
		return p
	}
	b.slots++
	return b.firstSlot() + place(b.slots-1)
}

// release frees the slot of x if the node user is the last that uses it. An operand that occurs
// twice is released once.
func (b *planner) release(x ir.Value, user int) {
	if b.last[x] == user && b.scalar[x] < 0 && b.place[x] >= b.firstSlot() && !slices.Contains(b.free, b.place[x]) {
		b.free = append(b.free, b.place[x])
	}
}

// destination returns where the value of v goes: into the first result that it is, or a slot.
func (b *planner) destination(v ir.Value) place {
	if !b.staged {
		for i, r := range b.k.Body.Results {
			if r.Value == v && b.operands[i] == program.Element {
				return place(i)
			}
		}
	}
	return b.slot()
}

// fill returns a slot that has a value in all elements, in all tiles.
func (b *planner) fill(value int) place {
	p, ok := b.filled[value]
	if !ok {
		b.slots++ // none that was another's before, whose instructions follow in the next tile
		p = b.firstSlot() + place(b.slots-1)
		b.filled[value] = p
		b.once = append(b.once, step{run: b.set.fill, at: [4]place{p}, scalar: [4]uint16{uint16(value)}})
	}
	return p
}

// indexes returns the slot of the low words of the indexes.
func (b *planner) indexes() place {
	if b.index == 0 {
		b.slots++
		b.spare = b.firstSlot() + place(b.slots-1)
		b.index = b.slot()
		b.emit(step{
			run: b.set.primitives[ir.AddU32][0b10], at: [4]place{b.index, b.numbers()}, scalar: [4]uint16{1: valueLow},
		})
	}
	return b.index
}

// store writes the results that v is and that do not have its value yet.
func (b *planner) store(v ir.Value) {
	for i, r := range b.k.Body.Results {
		if r.Value != v || place(i) == b.place[v] && b.scalar[v] < 0 {
			continue
		}
		in := step{run: copyElements, at: [4]place{place(i), b.place[v]}}
		switch scalar := b.scalar[v] >= 0; {
		case b.operands[i] == program.Bit && scalar:
			in.run, in.at[1] = b.set.compress, b.fill(b.scalar[v])
		case b.operands[i] == program.Bit:
			in.run = b.set.compress
		case scalar:
			in = step{run: b.set.fill, at: [4]place{place(i)}, scalar: [4]uint16{uint16(b.scalar[v])}}
		}
		b.emit(in)
	}
}

// finish writes the results that are left, and sets what depends on all instructions.
func (b *planner) finish() {
	stored := map[ir.Value]bool{}
	for _, r := range b.k.Body.Results {
		if n := b.k.Body.Nodes[r.Value]; b.staged && n.Op == ir.Arg && b.scalar[r.Value] < 0 && b.place[r.Value] < b.firstSlot() {
			slot := b.slot()
			b.emit(step{run: copyElements, at: [4]place{slot, b.place[r.Value]}})
			b.place[r.Value] = slot
		}
	}
	for _, r := range b.k.Body.Results {
		if (b.staged || b.scalar[r.Value] >= 0) && !stored[r.Value] {
			stored[r.Value] = true
			b.store(r.Value)
		}
	}
	b.tile = longTile
	if 4*b.slots*b.stride() > slotBytes {
		b.tile = shortTile
	}
	b.repeats = slices.ContainsFunc(b.operands, func(a program.Address) bool { return a == program.Row || a == program.Col })
	if b.slots == 0 && !b.repeats && len(b.code) == 1 {
		b.tile = allInOne
		return
	}
	b.fetch()
}

// fetch divides the tiles of all buffers among the instructions, each of which fetches its part
// of the next tile. Requests that come at once would wait for each other.
func (b *planner) fetch() {
	var all []span
	for i := range b.operands {
		at := (i + b.results) % len(b.operands) // inputs first
		if b.operands[at] == program.Element {
			for from := 0; from < b.tile; from += blockSize {
				all = append(all, span{place(at), from, blockSize})
			}
		}
	}
	b.ahead = make([][]span, len(b.code))
	for i := range b.code {
		for _, next := range all[i*len(all)/len(b.code) : (i+1)*len(all)/len(b.code)] {
			list := b.ahead[i]
			if n := len(list); n > 0 && list[n-1].operand == next.operand {
				list[n-1].n += blockSize
			} else {
				b.ahead[i] = append(list, next)
			}
		}
	}
}
