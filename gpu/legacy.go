//go:build opencl && cgo

package gpu

import (
	"context"
	"math"

	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/kernel"
)

// What the front calls until it has calls of kernels.

func legacyCall[M any](d *device, k driver.Kernel, n int, operands []M) (*driver.CallOn[M], error) {
	kern := function.Kernel(int(k.F.Kind), function.Form(k.Form))
	code, err := d.Compile(kern)
	if err != nil {
		return nil, err
	}
	c := &driver.CallOn[M]{Kernel: kern, Code: code, N: n}
	for _, m := range operands {
		c.Operands = append(c.Operands, kernel.Operand[M]{Memory: m, Len: n})
	}
	if k.Form != form.Copy {
		c.Params = []uint32{math.Float32bits(k.F.NegativeSlope)}
	}
	return c, nil
}

func (d *device) Launch(k driver.Kernel, n int, operands []driver.Memory) error {
	c, err := legacyCall(d, k, n, operands)
	if err != nil {
		return err
	}
	return d.launch(c)
}

func (d *device) Stream(ctx context.Context, k driver.Kernel, dst, src []float32) error {
	c, err := legacyCall(d, k, len(src), []driver.Host{{Floats: dst}, {Floats: src}})
	if err != nil {
		return err
	}
	return d.stream(ctx, c)
}
