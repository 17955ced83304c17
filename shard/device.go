package shard

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/kernel"
)

// device is the driver.Device of a Shard. The front locks the operands of a call until all
// members return, so calls on one buffer take effect in the same order on all of them.
type device struct {
	name    string
	members []*member
	layout  layout
	syncs   sync.Mutex // held by Sync
	scratch sync.Pool  // of *[]float32, for Stream in place
}

// A member is one of the backends of a Shard.
type member struct {
	compute.Backend
	linear   compute.Linear        // of the backend, or nil
	name     string                // in errors
	cpu      bool                  // it uses all cores, and has no device that can fail
	streams  int                   // calls of Stream at a time; 0 for a second CPU backend
	least    int                   // elements of a chunk of Stream, unless fewer are left
	rates    [2]atomic.Int64       // elements per second in a call of Stream; see stream.class
	launched atomic.Bool           // kernels since the last Sync
	fault    atomic.Pointer[error] // the first ErrDevice
}

// Info describes the members as one device. Memory and PooledBytes are sums, where the
// memory of the host counts once for all CPU backends.
func (d *device) Info() compute.Info {
	info := compute.Info{Name: d.name, Backend: "shard", SharedMemory: true, MaxAlloc: d.layout.all.limit}
	var skipped []error
	for i, m := range d.members {
		of := m.Info()
		if i == 0 {
			info.Kind = of.Kind
		} else if of.Kind != info.Kind {
			info.Kind = "other"
		}
		if m.streams > 0 {
			info.Memory += of.Memory
		}
		info.PooledBytes += of.PooledBytes
		info.SharedMemory = info.SharedMemory && of.SharedMemory
		info.FlushesSubnormals = info.FlushesSubnormals || of.FlushesSubnormals
		skipped = append(skipped, of.Skipped)
		if fault := m.fault.Load(); fault != nil {
			skipped = append(skipped, fmt.Errorf("%s failed: %w", m.name, *fault))
		}
	}
	info.Skipped = errors.Join(skipped...)
	return info
}

func (d *device) Alloc(n int, mask bool) (driver.Memory, error) {
	m := d.layout.parts(n, d.members)
	err := d.each(m, func(_ int, p *part) (err error) {
		if mask {
			p.held, err = p.AllocMask(p.to - p.from)
		} else {
			p.held, err = p.Alloc(p.to - p.from)
		}
		if err != nil {
			p.held = nil
		}
		return err
	})
	if err != nil {
		d.Free(m) // what others have allocated
		return nil, err
	}
	return m, nil
}

func (d *device) Free(m driver.Memory) error {
	return d.each(m.(memory), func(_ int, p *part) error {
		if p.held == nil {
			return nil
		}
		if p.fault.Load() != nil { // was reported
			p.held.Release()
			return nil
		}
		return p.held.Release()
	})
}

func (d *device) Write(m driver.Memory, src []float32) error {
	return d.each(m.(memory), func(_ int, p *part) error { return p.buffer().Write(src[p.from:p.to]) })
}

func (d *device) Read(m driver.Memory, dst []float32) error {
	return d.each(m.(memory), func(_ int, p *part) error {
		if p.whole() {
			return p.buffer().Read(dst[p.from:p.to])
		}
		return p.buffer().ReadAt(dst[p.from:p.to], p.at)
	})
}

func (d *device) ReadMask(m driver.Memory, dst []uint64) error {
	return d.each(m.(memory), func(_ int, p *part) error {
		return p.mask().Read(dst[p.from/64 : form.MaskWords(p.to)])
	})
}

// code is that of a kernel: a program that the members run.
type code struct {
	program *expr.Program
	shipped bool // it is Copy or a form with all parameters of its function
	kind    compute.Kind
	form    form.Form
}

// Compile leaves it to the members to compile, when they run a part for the first time.
func (d *device) Compile(k *kernel.Kernel) (driver.Code, error) {
	kind, fm, ok := function.Shipped(k)
	if ok && fm != function.Copy {
		_, ok = function.Unparams(kind, fm, make([]uint32, len(k.Params)))
	}
	return &code{expr.FromIR(k.Body), ok, compute.Kind(kind), form.Form(fm)}, nil
}

// of returns the activation of which c is a form, or false if it is not: a program may have
// parameters that no activation has.
func (c *code) of(params []uint32) (f compute.Activation, ok bool) {
	if !c.shipped || c.form == form.Copy {
		return f, false
	}
	all, _ := function.Unparams(int(c.kind), function.Form(c.form), params)
	f = compute.Activation{Kind: c.kind, Params: all}
	return f, f.Validate() == nil
}

func (d *device) Launch(c *driver.Call) error {
	code := c.Code.(*code)
	f, ok := code.of(c.Params)
	if code.form == form.Copy && !together(c) {
		return d.move(c.Operands[0].Memory.(memory), c.Operands[1].Memory.(memory))
	}
	if code.form != form.Copy && (!ok || !together(c)) {
		return d.run(code, c)
	}
	return d.each(c.Operands[0].Memory.(memory), func(k int, p *part) error {
		defer p.launched.Store(true)
		at := func(i int) *part { return &c.Operands[i].Memory.(memory)[k] }
		if code.form == form.Copy {
			return p.Copy(p.buffer(), at(1).buffer())
		}
		var args form.Args
		for i, o := range code.form.Operands() {
			if o == form.M {
				args.M = at(i).mask()
			} else {
				*args.Buffer(o) = at(i).buffer()
			}
		}
		return code.form.Run(p.Backend, f, args)
	})
}

// together reports whether all operands of c, none of which is repeated, have the same parts.
func together(c *driver.Call) bool {
	first := c.Operands[0].Memory.(memory)
	for _, o := range c.Operands[1:] {
		if !first.alike(o.Memory.(memory)) {
			return false
		}
	}
	return true
}

// Sync waits for the members that have launched kernels since the last Sync: to call a
// distant one takes long.
func (d *device) Sync() error {
	d.syncs.Lock()
	defer d.syncs.Unlock()
	var busy memory
	for _, m := range d.members {
		if m.launched.Swap(false) {
			busy = append(busy, part{member: m})
		}
	}
	return d.each(busy, func(_ int, p *part) error {
		err := p.Sync()
		if err != nil {
			p.launched.Store(true)
		}
		return err
	})
}

func (d *device) Trim() error {
	for _, m := range d.members {
		compute.Trim(m.Backend)
	}
	return nil
}

func (d *device) Close() error {
	var all memory
	for _, m := range d.members {
		all = append(all, part{member: m})
	}
	return d.each(all, func(_ int, p *part) error { return p.Close() })
}

// Usable implements driver.Survivor.
func (d *device) Usable() error {
	for _, m := range d.members {
		if fault := m.fault.Load(); fault != nil {
			return fmt.Errorf("%s cannot be used since it failed (%v); Release the buffers and make a Shard of the others, or Close: %w", m.name, *fault, compute.ErrDevice)
		}
	}
	return nil
}

// allFailed returns the error of a Stream that no member is left for.
func (d *device) allFailed() error {
	var reasons []error
	for _, m := range d.members {
		if fault := m.fault.Load(); fault != nil {
			reasons = append(reasons, fmt.Errorf("%s: %w", m.name, *fault))
		}
	}
	return fmt.Errorf("all members have failed; Close it and open others: %w", errors.Join(reasons...))
}

// each calls do for each part of m, and returns the first fault, or else the first error.
// Members work at the same time, except CPU backends, which take turns.
func (d *device) each(m memory, do func(k int, p *part) error) error {
	errs := make([]error, len(m))
	var wg sync.WaitGroup
	for k := range m {
		if p := &m[k]; !p.cpu && len(m) > 1 {
			wg.Go(func() { errs[k] = p.note(do(k, p)) })
		}
	}
	for k := range m {
		if p := &m[k]; p.cpu || len(m) == 1 {
			errs[k] = p.note(do(k, p))
		}
	}
	wg.Wait()
	worst := -1
	for k, err := range errs {
		if err != nil && (worst < 0 || errors.Is(err, compute.ErrDevice) && !errors.Is(errs[worst], compute.ErrDevice)) {
			worst = k
		}
	}
	if worst < 0 {
		return nil
	}
	p, err := &m[worst], errs[worst]
	if p.to > 0 && errors.Is(err, compute.ErrOutOfMemory) && d.layout.all.call > 0 && len(m) < len(d.members) {
		err = fmt.Errorf("%w; shard.Weighted has short buffers on other members too", err)
	}
	return p.blame(err)
}

// note returns err, of a call of m, and remembers the first fault.
func (m *member) note(err error) error {
	if errors.Is(err, compute.ErrDevice) {
		m.fault.CompareAndSwap(nil, &err)
	}
	return err
}
