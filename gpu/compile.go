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
		c := &code{kernel: k.Kernel, key: k.Kernel.Key, name: k.Name, shape: s, program: programs[s]}
		c.args, _ = openclc.Arguments(k.Kernel, k.Options)
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
	return d.compile(k, d.shape, openclc.Options{})
}

// isOfViews reports whether an operand begins behind the first element of its buffer.
func isOfViews(call *driver.Call) bool {
	for _, o := range call.Operands {
		if o.Memory.(*memory).from > 0 {
			return true
		}
	}
	return false
}

// ofViews returns the code that computes what c does of views. Other calls need neither the first
// elements of operands nor loads that are not aligned, and most kernels are never called with
// views: so it is a kernel of its own, compiled when a call needs it.
func (d *device) ofViews(c *code) (*code, error) {
	o := &c.ofViews
	o.Lock()
	defer o.Unlock()
	if o.code == nil {
		s := d.shape
		s.aligned = false
		compiled, err := d.compile(c.kernel, s, openclc.Options{Guarded: c.guarded, Views: true})
		if err != nil {
			return nil, err
		}
		o.code = compiled
	}
	return o.code, nil
}

// compile returns the code of k in the shape s, or one that takes fewer registers, printed as o
// says, or guarded.
func (d *device) compile(k *kernel.Kernel, s shape, o openclc.Options) (*code, error) {
	key := k.Key
	if o.Views {
		key = "views " + key
	}
	if c := d.codes.find(key); c != nil {
		return c, nil
	}
	if _, bytes := openclc.Arguments(k, openclc.Options{Guarded: true, Views: o.Views}); bytes > d.found.Parameters {
		return nil, fmt.Errorf("a kernel of %d results, %d inputs and %d scalars takes %d bytes of arguments, and the device %d; split the program: %w",
			len(k.Results), len(k.Inputs), len(k.Params), bytes, d.found.Parameters, compute.ErrCompile)
	}
	c, err := attempts(s, o, func(s shape, o openclc.Options) (*code, error) { return d.try(k, s, o) })
	if err != nil {
		return nil, err
	}
	c.key = key
	d.codes.keep(c)
	return c, nil
}

// attempts returns what try makes in the shape s, printed as o says, or else in one that takes
// fewer registers, or guarded.
func attempts(s shape, o openclc.Options, try func(shape, openclc.Options) (*code, error)) (*code, error) {
	for {
		c, err := try(s, o)
		switch {
		case err == nil:
			return c, nil
		case errors.Is(err, compute.ErrDevice):
			return nil, err
		case errors.Is(err, compute.ErrMiscompiled) && !o.Guarded:
			o.Guarded = true
		case (errors.Is(err, compute.ErrCompile) || errors.Is(err, compute.ErrOutOfMemory)) && s != s.narrow():
			s = s.narrow() // it needs fewer registers
		default:
			return nil, err
		}
	}
}

// try compiles k and compares it with its reference.
func (d *device) try(k *kernel.Kernel, s shape, o openclc.Options) (*code, error) {
	if openclc.Masked(k) {
		s = s.masked()
	}
	c := &code{kernel: k, name: "elementwise", shape: s, guarded: o.Guarded, views: o.Views}
	c.args, _ = openclc.Arguments(k, o)
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

// helper returns the code of a kernel that computes no program, and needs no check. source has
// the kernel of that name, with so many arguments.
func (d *device) helper(name string, args int, source string) (*code, error) {
	if c := d.codes.find(name); c != nil {
		return c, nil
	}
	c := &code{key: name, name: name, args: args, shape: d.shape, source: d.defines(d.shape) + source}
	var err error
	if c.program, err = d.context.Build(c.source, d.options()); err != nil {
		return nil, compileError(err)
	}
	d.codes.keep(c)
	return c, nil
}
