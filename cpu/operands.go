package cpu

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// operands are the buffers of one kernel call: the first is written, the others
// are read. The same buffer may stand there more than once.
type operands struct {
	n     int
	names [3]string
	bufs  [3]*buffer
}

// add appends the argument arg, named name, if it is a buffer of b.
func (o *operands) add(b *backend, c check.Call, name string, arg compute.Buffer) error {
	buf, ok := arg.(*buffer)
	if !ok || buf == nil || buf.owner != b {
		return c.Foreign(name, arg)
	}
	o.names[o.n], o.bufs[o.n] = name, buf
	o.n++
	return nil
}

// data returns the elements of operand i, for use between lock and unlock.
func (o *operands) data(i int) []float32 { return o.bufs[i].data }

// lock takes the buffers for one call, or says what is wrong with them.
func (o *operands) lock(c check.Call) error {
	order, n := o.order()
	for _, buf := range order[:n] {
		if buf == o.bufs[0] {
			buf.mu.Lock()
		} else {
			buf.mu.RLock()
		}
	}
	for i, buf := range o.bufs[:o.n] {
		if buf.released {
			o.unlock()
			return c.Released(o.names[i])
		}
	}
	last := o.n - 1
	for i := range last {
		if err := c.Lengths(o.names[i], o.bufs[i].n, o.names[last], o.bufs[last].n); err != nil {
			o.unlock()
			return err
		}
	}
	return nil
}

func (o *operands) unlock() {
	order, n := o.order()
	for _, buf := range order[:n] {
		if buf == o.bufs[0] {
			buf.mu.Unlock()
		} else {
			buf.mu.RUnlock()
		}
	}
}

// order returns the n different buffers by their ids. All calls lock in this
// order, so no two can wait for each other.
func (o *operands) order() (order [3]*buffer, n int) {
next:
	for _, buf := range o.bufs[:o.n] {
		i := n
		for ; i > 0 && order[i-1].id >= buf.id; i-- {
			if order[i-1] == buf {
				continue next
			}
		}
		copy(order[i+1:], order[i:n])
		order[i] = buf
		n++
	}
	return order, n
}
