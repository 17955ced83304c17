package cpu

import (
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/form"
)

// operands are the buffers and masks of one call. The same buffer may stand there more
// than once. The checks are those of check.Call.Operands, made in between taking locks,
// and without the interfaces that a call on 16 elements would spend most of its time on.
type operands struct {
	b      *backend
	form   form.Form
	n      int
	bufs   [3]*buffer
	locked [3]*buffer // each buffer once, by id
	locks  int
}

// take locks args, the operands of fm, for one call, or returns what is wrong with them.
func (o *operands) take(b *backend, fm form.Form, args ...any) error {
	o.b, o.form = b, fm
	for i, arg := range args {
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
			return o.call().Foreign(o.name(i), arg, fm.Operands()[i] == form.M)
		}
		o.append(own)
	}
	if err := o.lock(); err != nil {
		return err
	}
	if o.bufs[0] == o.bufs[1] && len(fm.Results()) == 2 {
		o.unlock()
		return o.call().SameResult(o.name(0), o.name(1))
	}
	return nil
}

// call and name are for errors.
func (o *operands) call() check.Call  { return o.b.call(o.form.String()) }
func (o *operands) name(i int) string { return o.form.Operands()[i].String() }

// append appends buf, and sorts it in among those to lock.
func (o *operands) append(buf *buffer) {
	o.bufs[o.n] = buf
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

// lock locks the buffers for one call, or returns what is wrong with them. All calls
// lock by id, so no two can wait for each other.
func (o *operands) lock() error {
	for _, buf := range o.locked[:o.locks] {
		buf.mu.Lock()
	}
	for i, buf := range o.bufs[:o.n] {
		if buf.released {
			o.unlock()
			return o.call().Released(o.name(i))
		}
	}
	last := o.n - 1
	for i := range last {
		if o.bufs[i].n != o.bufs[last].n {
			o.unlock()
			return o.call().Lengths(o.name(i), o.bufs[i].n, o.name(last), o.bufs[last].n)
		}
	}
	return nil
}

func (o *operands) unlock() {
	for _, buf := range o.locked[:o.locks] {
		buf.mu.Unlock()
	}
}
