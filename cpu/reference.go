package cpu

import (
	"context"
	"unsafe"

	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	program "github.com/gmind-go/compute/internal/kernel"
)

// reference computes c with the reference evaluator.
func (d *device) reference(c *driver.Call) {
	h := &driver.HostCall{Kernel: c.Kernel, Code: c.Code, N: c.N, Index: c.Index, Params: c.Params}
	for i, o := range c.Operands {
		elements := o.Memory.(*memory).elements
		host := driver.Host{Floats: elements}
		if bit := append(append([]program.Address{}, c.Kernel.Results...), c.Kernel.Inputs...)[i] == program.Bit; bit {
			host = driver.Host{Words: unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(elements))), form.MaskWords(o.Len))}
		}
		h.Operands = append(h.Operands, program.Operand[driver.Host]{Memory: host, Len: o.Len, Period: o.Period})
	}
	d.referenceStream(context.Background(), h)
}

func (d *device) referenceStream(_ context.Context, c *driver.HostCall) error {
	driver.Eval(c)
	return nil
}
