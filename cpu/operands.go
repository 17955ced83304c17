package cpu

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// operands are the buffers and masks of one kernel call, the result first. The same
// buffer may stand there more than once.
type operands struct {
	n      int
	names  [3]string
	bufs   [3]*buffer
	locked [3]*buffer // each buffer once, by id
	locks  int
}

// add appends the argument arg, named name, if it is a buffer of b.
func (o *operands) add(b *backend, c check.Call, name string, arg compute.Buffer) error {
	buf, ok := arg.(*buffer)
	if !ok || buf == nil || buf.owner != b {
		return c.Foreign(name, arg, false)
	}
	o.append(name, buf)
	return nil
}

// addMask appends the argument arg, named name, if it is a mask of b.
func (o *operands) addMask(b *backend, c check.Call, name string, arg compute.Mask) error {
	m, ok := arg.(*mask)
	if !ok || m == nil || m.bits.owner != b {
		return c.Foreign(name, arg, true)
	}
	o.append(name, m.bits)
	return nil
}

// append appends buf, and sorts it in among those to lock.
func (o *operands) append(name string, buf *buffer) {
	o.names[o.n], o.bufs[o.n] = name, buf
	o.n++
	for _, locked := range o.locked[:o.locks] {
		if locked == buf {
			return
		}
	}
	i := o.locks
	for ; i > 0 && o.locked[i-1].id > buf.id; i-- {
		o.locked[i] = o.locked[i-1]
	}
	o.locked[i] = buf
	o.locks++
}

// data returns the elements of operand i, for use between lock and unlock.
func (o *operands) data(i int) []float32 { return o.bufs[i].data }

// words returns the words of operand i, a mask, for use between lock and unlock.
func (o *operands) words(i int) []uint64 { return asWords(o.bufs[i].data) }

// lock takes the buffers for one call, or says what is wrong with them. All calls
// lock by id, so no two can wait for each other.
func (o *operands) lock(c check.Call) error {
	for _, buf := range o.locked[:o.locks] {
		buf.mu.Lock()
	}
	for i, buf := range o.bufs[:o.n] {
		if buf.released {
			o.unlock()
			return c.Released(o.names[i])
		}
	}
	last := o.n - 1
	for i := range last {
		if o.bufs[i].n != o.bufs[last].n {
			o.unlock()
			return c.Lengths(o.names[i], o.bufs[i].n, o.names[last], o.bufs[last].n)
		}
	}
	return nil
}

func (o *operands) unlock() {
	for _, buf := range o.locked[:o.locks] {
		buf.mu.Unlock()
	}
}
