package driver

import (
	"context"
	"errors"
	"math"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/kernel"
)

// Forward implements compute.Backend.
func (b *Backend) Forward(f compute.Activation, y, x compute.Buffer) error {
	return b.form(form.Forward, f, y, x)
}

// Derivative implements compute.Backend.
func (b *Backend) Derivative(f compute.Activation, d, x compute.Buffer) error {
	return b.form(form.Derivative, f, d, x)
}

// Backward implements compute.Backend.
func (b *Backend) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	return b.form(form.Backward, f, dx, dy, x)
}

// ForwardDerivative implements compute.Backend.
func (b *Backend) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	return b.form(form.ForwardDerivative, f, y, d, x)
}

// ForwardMask implements compute.Backend.
func (b *Backend) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	return b.form(form.ForwardMask, f, y, m, x)
}

// BackwardMask implements compute.Backend.
func (b *Backend) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	return b.form(form.BackwardMask, f, dx, dy, m)
}

// Copy implements compute.Backend.
func (b *Backend) Copy(dst, src compute.Buffer) error {
	return b.form(form.Copy, compute.Activation{}, dst, src)
}

// maxOperands is the most that a form has.
const maxOperands = 3

// signatures are those of the forms.
var signatures = func() (list [form.Count + 1]signature) {
	for fm := range list {
		fm := form.Form(fm)
		s := signature{op: fm.String(), streamed: "stream " + fm.String(), results: len(fm.Results())}
		for _, o := range fm.Operands() {
			address := kernel.Element
			if o == form.M {
				address = kernel.Bit
			}
			s.names, s.addresses = append(s.names, o.String()), append(s.addresses, address)
		}
		list[fm] = s
	}
	return list
}()

// formCodes has the code of the forms of the library's kinds of activations, once it is used.
// Kind 0 has Copy. The code of other activations is in the cache of programs.
type formCodes [][form.Count + 1]atomic.Pointer[compiled]

// formCode returns the code of fm. b is entered.
func (b *Backend) formCode(fm form.Form, kind compute.Kind) (*compiled, error) {
	if function.Added(int(kind)) {
		f := function.Of(int(kind))
		code, err := b.programs.get(f.Program(function.Form(fm)), f.Addresses(function.Form(fm)), b.device.Compile)
		if err != nil {
			return nil, b.failed(fm.String(), "", err)
		}
		return code, nil
	}
	place := &b.forms[kind][fm]
	if c := place.Load(); c != nil {
		return c, nil
	}
	k := function.Kernel(int(kind), function.Form(fm))
	code, err := b.device.Compile(k)
	if err != nil {
		return nil, b.failed(fm.String(), "", err)
	}
	place.Store(&compiled{k, code})
	return place.Load(), nil
}

// enterFormCode is formCode for a call that has not entered b.
func (b *Backend) enterFormCode(fm form.Form, kind compute.Kind) (*compiled, error) {
	if !function.Added(int(kind)) {
		if c := b.forms[kind][fm].Load(); c != nil {
			return c, nil
		}
	}
	if err := b.enter(fm.String()); err != nil {
		return nil, err
	}
	defer b.calls.RUnlock()
	return b.formCode(fm, kind)
}

// A launchOn is a CallOn of a form and the memory that it needs, so that no call allocates. A
// launch is part of the first operand, whose lock guards it. The backend has those on memory of
// the host.
type launchOn[M any] struct {
	CallOn[M]
	operands [maxOperands]kernel.Operand[M]
	params   [kernel.MaxParams]uint32
	scratch  []uint64 // of Kernel.Eval
}

type launch = launchOn[Memory]

// set makes l a call of code, the form fm of f, for n elements of the operands.
func (l *launchOn[M]) set(code *compiled, fm form.Form, f compute.Activation, n int) {
	s := &signatures[fm]
	if l.Kernel != code.kernel {
		l.CallOn = CallOn[M]{
			Kernel: code.kernel, Code: code.code,
			Operands: l.operands[:s.results+len(code.kernel.Inputs)], Params: l.params[:len(code.kernel.Params)],
		}
		if n := code.kernel.Scratch(); n > len(l.scratch) {
			l.scratch = make([]uint64, n)
		}
	}
	l.N, l.Total = n, n
	var args [maxOperands + function.MaxParams]uint32
	inputs := len(s.names) - s.results
	for i, v := range f.Params {
		args[inputs+i] = math.Float32bits(v)
	}
	code.kernel.Eval(l.Params, args[:], l.scratch)
}

// operand returns the index among the operands of a form of operand i of k, which reads only the
// inputs that it needs.
func operand(k *kernel.Kernel, results, i int) int {
	if i < results {
		return i
	}
	return results + k.Arg(i-results)
}

// form computes fm of f on args, its operands.
func (b *Backend) form(fm form.Form, f compute.Activation, args ...any) error {
	s := &signatures[fm]
	if b.unsure.Load() { // short calls notice the time of all else
		if err := b.usable(s.op); err != nil {
			return err
		}
	}
	if fm != form.Copy {
		if err := f.Validate(); err != nil {
			return b.call(s.op).wrap(err)
		}
	}
	if fm.Masked() && !f.HasBit() {
		return b.call(s.op).noBit(f)
	}
	var operands [maxOperands]*memory
	var order [maxOperands]*store
	all := operands[:len(args)]
	for i, arg := range args {
		if all[i] = b.own(arg); all[i] == nil || all[i].isMask != (s.addresses[i] == kernel.Bit) {
			return b.call(s.op).foreign(s.names[i], arg, s.addresses[i] == kernel.Bit)
		}
	}
	code, err := b.enterFormCode(fm, f.Kind)
	if err != nil {
		return err
	}
	sorted := byID(order[:len(all)], all)
	lockAll(sorted)
	defer unlockAll(sorted)
	if !s.fits(all) {
		if err := s.check(b, all, kernel.At{}); err != nil {
			return err
		}
	}
	if b.unsure.Load() { // since a call for which this one waited
		if err := b.usable(s.op); err != nil {
			return err
		}
	}
	n := all[0].n
	if n == 0 {
		return nil
	}
	l := all[0].launch
	if l == nil {
		l = &launch{}
		all[0].launch = l
	}
	for i := range s.results + len(code.kernel.Inputs) {
		l.operands[i].Memory, l.operands[i].Len = all[operand(code.kernel, s.results, i)].device, n
	}
	l.set(code, fm, f, n)
	if err := b.device.Launch(&l.CallOn); err != nil {
		return b.failed(s.op, elements(n), err)
	}
	return nil
}

// Stream implements compute.Backend.
func (b *Backend) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	c := b.call("stream")
	if err := b.enterHosted(c.op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if err := c.stream(ctx, op, f, dst, src); err != nil || len(src) == 0 {
		return err
	}
	return b.streamForm(ctx, c, form.Of(op), f, nil, dst, src)
}

// StreamForm computes fm of f, a form of one or two operands besides the result that is the first
// slice, as Stream does. The slices are its operands, and have one length; the words are its mask,
// for as many elements. It may be Copy, of no function. It is for compute.Layer.
func (b *Backend) StreamForm(fm function.Form, f compute.Activation, words []uint64, slices ...[]float32) error {
	s := &signatures[fm]
	c := b.call(s.streamed)
	if err := b.enterHosted(c.op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if fm != function.Copy {
		if err := f.Validate(); err != nil {
			return c.wrap(err)
		}
	}
	for i, next := 0, 0; i < len(s.names); i++ {
		if s.addresses[i] == kernel.Bit {
			continue
		}
		if partOverlap(slices[0], slices[next]) {
			return c.fail(compute.ErrOverlap, "%s and %s share a part of their memory; give the same slice or separate ones", s.names[0], s.names[i])
		}
		next++
	}
	if len(slices[0]) == 0 {
		return nil
	}
	return b.streamForm(context.Background(), c, form.Form(fm), f, words, slices...)
}

// enterHosted is enter for a call on memory of the host, which a survivor computes after a fault
// too.
func (b *Backend) enterHosted(op string) error {
	if err := b.enter(op); err != nil || b.survivor != nil {
		return err
	}
	err := b.usable(op)
	if err != nil {
		b.calls.RUnlock()
	}
	return err
}

// streamForm computes fm of f on slices, and on the words of a mask, which c names in errors. b is
// entered.
func (b *Backend) streamForm(ctx context.Context, c call, fm form.Form, f compute.Activation, words []uint64, slices ...[]float32) error {
	code, err := b.formCode(fm, f.Kind)
	if err != nil {
		return err
	}
	var l *launchOn[Host]
	select {
	case l = <-b.hosted:
	default:
		l = &launchOn[Host]{}
	}
	n := len(slices[0])
	l.set(code, fm, f, n)
	var all [maxOperands]Host
	for i, address := range signatures[fm].addresses {
		if address == kernel.Bit {
			all[i].Words = words
		} else {
			all[i].Floats, slices = slices[0], slices[1:]
		}
	}
	results := len(code.kernel.Results)
	for i := range results + len(code.kernel.Inputs) {
		l.operands[i] = kernel.Operand[Host]{Memory: all[operand(code.kernel, results, i)], Len: n}
	}
	err = b.stream(ctx, c, &l.CallOn)
	clear(l.operands[:])
	select {
	case b.hosted <- l:
	default:
	}
	return err
}

// stream runs h, which c names in errors.
func (b *Backend) stream(ctx context.Context, c call, h *HostCall) error {
	err := b.device.Stream(ctx, h)
	if ended := Ended(ctx); ended != nil && errors.Is(err, ended) {
		return c.wrap(err)
	}
	if err != nil {
		return b.failed(c.op, elements(h.N), err)
	}
	return nil
}
