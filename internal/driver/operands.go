package driver

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// operands are the buffers and masks of one call. A buffer may occur more than once.
type operands struct {
	b      *Backend
	form   form.Form
	all    [3]*memory
	n      int        // how many of all are set
	sorted [3]*memory // all, by id
}

// take locks args, the operands of fm, or returns what is wrong with them.
func (o *operands) take(b *Backend, fm form.Form, args []any) error {
	o.b, o.form = b, fm
	for i, arg := range args {
		var own *memory
		switch v := arg.(type) {
		case *buffer:
			if v != nil {
				own = &v.memory
			}
		case *mask:
			if v != nil {
				own = &v.memory
			}
		}
		if own == nil || own.owner != b {
			return o.call().foreign(o.name(i), arg, fm.Operands()[i] == form.M)
		}
		o.all[i] = own
	}
	o.n = len(args)
	o.lock()
	if err := o.check(); err != nil {
		o.unlock()
		return err
	}
	return nil
}

// lock locks each operand once. All calls lock by id, so that no two wait for each other.
func (o *operands) lock() {
	o.sorted = o.all
	s := &o.sorted
	if s[0].id > s[1].id {
		s[0], s[1] = s[1], s[0]
	}
	if o.n == 3 {
		if s[1].id > s[2].id {
			s[1], s[2] = s[2], s[1]
			if s[0].id > s[1].id {
				s[0], s[1] = s[1], s[0]
			}
		}
	}
	s[0].mu.Lock()
	if s[1] != s[0] {
		s[1].mu.Lock()
	}
	if o.n == 3 && s[2] != s[1] {
		s[2].mu.Lock()
	}
}

func (o *operands) unlock() {
	s := &o.sorted
	s[0].mu.Unlock()
	if s[1] != s[0] {
		s[1].mu.Unlock()
	}
	if o.n == 3 && s[2] != s[1] {
		s[2].mu.Unlock()
	}
}

// check returns what is wrong with the operands, which are locked.
func (o *operands) check() error {
	for i, m := range o.all[:o.n] {
		if m.released {
			return o.call().released(o.name(i))
		}
	}
	last := o.n - 1
	for i, m := range o.all[:last] {
		if m.n != o.all[last].n {
			return o.call().lengths(o.name(i), m.n, o.name(last), o.all[last].n)
		}
	}
	if o.all[0] == o.all[1] && len(o.form.Results()) == 2 {
		return o.call().fail(compute.ErrOverlap, "%s and %s are the same buffer; give each result its own", o.name(0), o.name(1))
	}
	return nil
}

// memories returns what the device knows of the operands, until unlock. It is part of the
// first operand, so that no call allocates. What a Device frees must be small afterwards,
// since it may stay there.
func (o *operands) memories() []Memory {
	first := o.all[0]
	for i, m := range o.all[:o.n] {
		first.operands[i] = m.device
	}
	return first.operands[:o.n]
}

// call and name are for errors.
func (o *operands) call() call        { return o.b.call(o.form.String()) }
func (o *operands) name(i int) string { return o.form.Operands()[i].String() }
