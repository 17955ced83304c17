//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/openclc"
)

// options returns those of every build.
func (d *device) options() string {
	if d.found.ExactDivision {
		return "-cl-fp32-correctly-rounded-divide-sqrt"
	}
	return ""
}

// defines returns what a program in the shape s begins with.
func (d *device) defines(s shape) string {
	text := s.defines()
	for _, define := range []struct {
		name string
		is   bool
	}{
		{"EXACT_DIVISION", d.found.ExactDivision},
		{"DOUBLE", d.found.Double},
		{"FUSED", d.found.Fused},
		{"FLUSHES", d.flushes.Load()},
	} {
		if define.is {
			text += "#define " + define.name + "\n"
		}
	}
	return text + "#line 1\n"
}

// ship compiles the shipped kernels, of which source has the text.
func (d *device) ship(source string) error {
	d.codes.shipped = map[string]*code{}
	programs := map[shape]*opencl.Program{}
	for _, k := range openclc.All() {
		s := d.shape
		if openclc.Masked(k.Kernel) {
			s = s.masked()
		}
		if programs[s] == nil {
			program, err := d.context.Build(d.defines(s)+source, d.options())
			if err != nil {
				return err
			}
			programs[s] = program
			d.programs = append(d.programs, program)
		}
		c := &code{kernel: k.Kernel, name: k.Name, shape: s, program: programs[s]}
		c.args, _ = openclc.Arguments(k.Kernel, false)
		d.codes.shipped[k.Kernel.Key] = c
		if k.File == "copy.cl" { // for measurements only
			continue
		}
		if _, err := d.kernels.of(c, &d.codes); err != nil {
			return err
		}
	}
	return nil
}

// Compile returns the code of k. A kernel that is not shipped is compared with its reference
// first.
func (d *device) Compile(k *kernel.Kernel) (driver.Code, error) {
	if c := d.codes.find(k); c != nil {
		return c, nil
	}
	if _, bytes := openclc.Arguments(k, true); bytes > d.found.Parameters {
		return nil, fmt.Errorf("a kernel of %d results, %d inputs and %d scalars takes %d bytes of arguments, and the device %d; split the program: %w",
			len(k.Results), len(k.Inputs), len(k.Params), bytes, d.found.Parameters, compute.ErrCompile)
	}
	s, guarded := d.shape, false
	for {
		c, err := d.try(k, s, guarded)
		switch {
		case err == nil:
			d.codes.keep(c)
			return c, nil
		case errors.Is(err, compute.ErrDevice):
			return nil, err
		case errors.Is(err, compute.ErrMiscompiled) && !guarded:
			guarded = true
		case (errors.Is(err, compute.ErrCompile) || errors.Is(err, compute.ErrOutOfMemory)) && s != s.narrow():
			s = s.narrow() // it needs fewer registers
		default:
			return nil, err
		}
	}
}

// try compiles k and compares it with its reference.
func (d *device) try(k *kernel.Kernel, s shape, guarded bool) (*code, error) {
	if openclc.Masked(k) {
		s = s.masked()
	}
	c := &code{kernel: k, name: "elementwise", shape: s, guarded: guarded}
	c.args, _ = openclc.Arguments(k, guarded)
	text, err := openclc.Print(k, d.printed(c))
	if err != nil {
		return nil, err
	}
	c.source = d.defines(s) + d.prelude + "\n" + text
	if c.program, err = d.context.Build(c.source, d.options()); err != nil {
		return nil, compileError(err)
	}
	compiled, err := c.program.NewKernel(c.name, c.args)
	if err == nil {
		err = d.withPipeline(context.Background(), func(p *pipeline) error { return p.check(c, compiled, text) })
		compiled.Release()
	}
	if err != nil {
		c.forget()
		return nil, err
	}
	return c, nil
}
