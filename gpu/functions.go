//go:build opencl && cgo

package gpu

import (
	"context"
	"math"
	"time"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/openclc"
)

// Functions are computed in one of three ways, with the same results:
//
//   - in double, by their bodies, on CPUs and on what computes about as fast with double as with
//     float;
//   - on other devices with double by their quick bodies, and in double where those are not sure;
//   - without double by their quick bodies, and in integers where those are not sure.
//
// Without an operation for fma there is no quick way: a compiler makes some hundred instructions
// of each fma of float.

// printed returns how the kernel of c is printed.
func (d *device) printed(c *code) openclc.Options {
	o := openclc.Options{Name: c.name, Guarded: c.guarded, Views: c.views, Doubles: d.found.Double}
	if openclc.HasFunction(c.kernel) {
		o.Quick = d.quick()
	}
	return o
}

// slowDouble reports whether quick bodies are faster than others. They have four to six times as
// many operations as those in double, and half of the data in registers. If the measurement
// fails, it returns false: the bits are the same, and the call that needs them reports a fault.
func (d *device) slowDouble() bool {
	if !d.found.Fused || !d.found.Double {
		return d.found.Fused
	}
	if d.found.Type == opencl.CPU || d.found.Software {
		return false
	}
	slower := 0.0
	err := d.withPipeline(context.Background(), func(p *pipeline) (err error) {
		slower, err = p.doubleTime()
		return err
	})
	return err == nil && slower > 4
}

// chains has two kernels. Each item multiplies and adds as often as times says.
const chains = `
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
kernel void chain_float(global float *y, const uint times)
{
    float v = (float)get_global_id(0);
    for (uint i = 0; i < times; i++) v = fma(v, 0.5f, 1.0f);
    y[get_global_id(0)] = v;
}
kernel void chain_double(global float *y, const uint times)
{
    double v = (double)get_global_id(0);
    for (uint i = 0; i < times; i++) v = fma(v, 0.5, 1.0);
    y[get_global_id(0)] = (float)v;
}
`

// doubleTime returns the time of a multiplication and addition with double, divided by that with
// float.
func (p *pipeline) doubleTime() (float64, error) {
	const (
		items   = 1 << 16
		enough  = time.Millisecond // far above the time of a launch
		longest = 1 << 16          // times
	)
	program, err := p.d.context.Build(chains, "")
	if err != nil {
		return 0, err
	}
	defer program.Release()
	memory, err := p.d.context.Alloc(4 * items)
	if err != nil {
		return 0, err
	}
	defer memory.Release()
	var kernels [2]*opencl.Kernel
	for i, name := range []string{"chain_float", "chain_double"} {
		if kernels[i], err = program.NewKernel(name, 2); err != nil {
			return 0, err
		}
		defer kernels[i].Release()
	}
	// least returns the least time of some launches.
	least := func(k *opencl.Kernel, times uint32) (time.Duration, error) {
		best := time.Duration(math.MaxInt64)
		for range 3 {
			start := time.Now()
			err := p.d.enqueue(shape{width: 1, vectors: 1, group: 64}, p.queue, k, items, memory, times)
			if err := p.done(err); err != nil {
				return 0, err
			}
			best = min(best, time.Since(start))
		}
		return best, nil
	}
	for times := uint32(64); ; times *= 2 {
		single, err := least(kernels[0], times)
		if err != nil {
			return 0, err
		}
		if single < enough && times < longest {
			continue
		}
		double, err := least(kernels[1], times)
		return float64(double) / float64(single), err
	}
}
