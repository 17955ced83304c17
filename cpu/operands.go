package cpu

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/form"
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

// take locks args, the operands of fm, for one call, or returns what is wrong with the
// call.
func (o *operands) take(b *backend, fm form.Form, f compute.Activation, args ...any) error {
	c := b.call(fm.String())
	if err := b.accepts(c, f); err != nil {
		return err
	}
	for i, operand := range fm.Operands() {
		if err := o.add(b, c, operand.String(), operand == form.M, args[i]); err != nil {
			return err
		}
	}
	if err := o.lock(c); err != nil {
		return err
	}
	if len(fm.Results()) == 2 && o.bufs[0] == o.bufs[1] {
		o.unlock()
		return c.SameResult(o.names[0], o.names[1])
	}
	return nil
}

// add appends the argument arg, named name, if it is a buffer or mask of b.
func (o *operands) add(b *backend, c check.Call, name string, masked bool, arg any) error {
	var own *buffer
	switch v := arg.(type) {
	case *buffer:
		own = v
	case *mask:
		if v != nil {
			own = v.bits
		}
	}
	if own == nil || own.owner != b {
		return c.Foreign(name, arg, masked)
	}
	o.append(name, own)
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
