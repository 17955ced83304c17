package driver

import (
	"context"
	"errors"
	"slices"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/kernel"
)

// RunSlices implements compute.Backend.
func (b *Backend) RunSlices(ctx context.Context, p *expr.Program, args ...compute.Arg) error {
	const op = "run slices"
	if err := b.enterHosted(op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	c, err := b.newProgramCall(op, true, p, args)
	if err != nil {
		return err
	}
	if ctx == nil {
		return c.wrap(errors.New("ctx is nil; pass context.Background()"))
	}
	n, err := c.checkSlices()
	if err != nil {
		return err
	}
	if err := c.wrap(Ended(ctx)); err != nil || n == 0 {
		return err
	}
	code, err := c.compile(b)
	if err != nil {
		return err
	}
	h := &HostCall{
		Kernel: code.kernel, Code: code.code, N: n, Index: c.at.Index, Total: max(c.at.Total, n), Params: make([]uint32, len(code.kernel.Params)),
		Operands: placed(c, code, n, c.host),
	}
	code.kernel.Eval(h.Params, c.scalars, make([]uint64, code.kernel.Scratch()))
	return b.stream(ctx, c.call, h)
}

// host returns the operand i, a slice.
func (c *programCall) host(i int) Host {
	switch v := c.buffers[i].(type) {
	case compute.Slice:
		return Host{Floats: v}
	case compute.Words:
		return Host{Words: v}
	}
	return Host{}
}

// checkSlices returns the number of elements, or what is wrong with the slices. Masks alone have
// as many as their words have bits, unless c is a part.
func (c *programCall) checkSlices() (n int, err error) {
	n = c.buffers[0].Len()
	if at := slices.Index(c.signature.addresses, kernel.Element); at >= 0 {
		n = c.buffers[at].Len()
	}
	if c.at.N > 0 {
		n = c.at.N
	}
	length := func(i int) int {
		if words, ok := c.buffers[i].(compute.Words); ok && len(words) == form.MaskWords(n) {
			return n
		}
		return c.buffers[i].Len()
	}
	if err := checkSizes(c.call, &c.signature, length, c.at, c.sharesMemory); err != nil {
		return 0, err
	}
	for i := range c.results {
		for j := c.results; j < len(c.buffers); j++ {
			if a, b := c.host(i), c.host(j); overlap(a, b) && (a.start() != b.start() || (a.Words == nil) != (b.Words == nil)) {
				return 0, c.fail(compute.ErrOverlap, "%s and %s share a part of their memory; give the same slice or separate ones", c.names[i], c.names[j])
			}
		}
	}
	return n, nil
}

// sharesMemory reports whether the slices i and j overlap.
func (c *programCall) sharesMemory(i, j int) bool { return overlap(c.host(i), c.host(j)) }

// overlap reports whether a and b share memory. Nothing does with an empty one.
func overlap(a, b Host) bool {
	bytes := func(h Host) uintptr { return uintptr(4*len(h.Floats) + 8*len(h.Words)) }
	return bytes(a) > 0 && bytes(b) > 0 && a.start() < b.start()+bytes(b) && b.start() < a.start()+bytes(a)
}

// start returns the address of h.
func (h Host) start() uintptr {
	if h.Words != nil {
		return uintptr(unsafe.Pointer(unsafe.SliceData(h.Words)))
	}
	return uintptr(unsafe.Pointer(unsafe.SliceData(h.Floats)))
}

// Is reports whether h and other begin at the same place.
func (h Host) Is(other Host) bool { return h.start() == other.start() }
