package cpu

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/driver"
	program "github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/values"
)

// everything is a program with operands at every address, and two results that may replace
// inputs.
var everything = expr.MustParse(`func everything(x, r, c, s float32, b bool, seed uint32) (y float32, m bool) {
	m = b && x < r || rand(seed, 7) < 0.25
	y = where(m, x*r + s, c - x)
	return
}`)

func everythingKernel() *program.Kernel {
	return program.New(everything.IR(), []program.Address{
		program.Element, program.Row, program.Col, program.Scalar, program.Bit, program.Scalar,
	})
}

// TestPlansShared compares plans that cores share with the reference, called by several
// goroutines at once.
func TestPlansShared(t *testing.T) {
	k := everythingKernel()
	for _, set := range instructionSets() {
		for procs := 1; procs <= 4; procs++ {
			t.Run(fmt.Sprintf("%s/%d", set.name, procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				d := Options{}.device(set)
				defer d.Close()
				c, err := d.Compile(k)
				if err != nil {
					t.Fatal(err)
				}
				c.(*code).cost.Store(int64(50 * costUnit)) // so slow that all cores take part
				var callers sync.WaitGroup
				for caller := range 3 {
					callers.Go(func() {
						m := newTrialMaker(rand.New(rand.NewPCG(uint64(caller), 3)))
						for _, n := range []int{1, 1000, 1024, 5000, sampled(30000) + caller, sampled(100000)} {
							if err := m.make(k, n).try(d, c); err != nil {
								t.Error(err)
							}
						}
					})
				}
				callers.Wait()
				if d.pool.turn.Load() == 0 && procs > 1 {
					t.Error("no call was shared")
				}
			})
		}
	}
}

// TestPlanOnBuffers compares a plan with the reference in one call of a backend on buffers, with
// tiles that are fetched ahead.
func TestPlanOnBuffers(t *testing.T) {
	const n = 100000
	for _, set := range instructionSets() {
		d := Options{}.device(set)
		defer d.Close()
		k := everythingKernel()
		c, err := d.Compile(k)
		if err != nil {
			t.Fatal(err)
		}
		m := newTrialMaker(rand.New(rand.NewPCG(4, 4)))
		m.row = func(int) int { return 1000 }
		trial := m.make(k, n)
		call := &driver.Call{Kernel: k, Code: c, N: n, Index: trial.call.Index, Total: n, Params: trial.call.Params}
		if n*k.Bits() <= 8*fetchBytes {
			t.Error("too few elements for what is fetched ahead")
		}
		// What is one operand of the trial is one memory.
		var made []*memory
		for i, o := range trial.call.Operands {
			at := i
			if j := i - len(k.Results); j >= 0 {
				for r, over := range trial.over {
					if over == j {
						at = r
					}
				}
			}
			if at == i {
				mem, err := d.Alloc(o.Len, o.Memory.Words != nil)
				if err != nil {
					t.Fatal(err)
				}
				made = append(made, mem.(*memory))
				copy(mem.(*memory).elements, floatsOf(o.Memory))
			} else {
				made = append(made, made[at])
			}
			call.Operands = append(call.Operands, program.Operand[driver.Memory]{Memory: made[i], Len: o.Len, Period: o.Period})
		}
		if err := d.Launch(call); err != nil {
			t.Fatal(err)
		}
		for i, o := range trial.call.Operands {
			copy(floatsOf(o.Memory), made[i].elements)
		}
		if err := trial.check(); err != nil {
			t.Errorf("%s: %v: %v", set.name, trial, err)
		}
	}
}

// floatsOf returns the memory of h.
func floatsOf(h driver.Host) []float32 {
	if h.Words != nil {
		return asFloats(h.Words)
	}
	return h.Floats
}

// TestPlanForgets: after a call of a plan nothing refers to its operands, which may be released.
func TestPlanForgets(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	k := everythingKernel()
	d := Options{}.device(generic)
	defer d.Close()
	c, err := d.Compile(k)
	if err != nil {
		t.Fatal(err)
	}
	c.(*code).cost.Store(50 * costUnit)
	m := newTrialMaker(rand.New(rand.NewPCG(5, 5)))
	for _, n := range []int{16, 100000} {
		trial := m.make(k, n)
		if err := trial.try(d, c); err != nil {
			t.Fatal(err)
		}
		own := map[unsafe.Pointer]bool{nil: true}
		f := d.frames.take()
		kept := func(f *frame) {
			for _, p := range f.args.ptr {
				if !own[p] {
					t.Errorf("after %d elements, arguments refer to %v", n, p)
				}
			}
			if f.tiles == nil {
				return
			}
			for _, p := range f.tiles.at[:len(k.Results)+len(k.Inputs)] {
				if !own[p] {
					t.Errorf("after %d elements, a tile is at %v", n, p)
				}
			}
			r := &f.tiles.call
			for _, o := range r.operands[:cap(r.operands)] {
				if o.Memory != nil {
					t.Errorf("after %d elements, the call has an operand", n)
				}
			}
			if r.plan != nil || r.params != nil {
				t.Errorf("after %d elements, the call is kept", n)
			}
		}
		kept(f)
		d.frames.put(f)
		d.pool.mu.Lock()
		for _, w := range d.pool.workers {
			kept(&w.frame)
		}
		if d.pool.job.call != nil {
			t.Error("the pool keeps a job")
		}
		if n > costUnit && len(d.pool.workers) == 0 {
			t.Error("no worker took part")
		}
		d.pool.mu.Unlock()
	}
	if d.Trim(); d.frames.take().tiles.memory != nil {
		t.Error("Trim keeps the memory of tiles")
	}
}

// TestPlanNoAllocation: the Run of a prepared call allocates nothing, on one core or several.
func TestPlanNoAllocation(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, n := range []int{16, 1 << 10, 64 << 10, 1 << 20} {
		x, y, r := mustUpload(t, b, values.Normal(n, 1)), mustUpload(t, b, values.Normal(n, 2)), mustUpload(t, b, values.Normal(16, 2))
		m, err := b.AllocMask(n)
		if err != nil {
			t.Fatal(err)
		}
		call, err := b.Prepare(everything, y, compute.Bits(m), x, compute.Row(r), compute.Col(r), compute.F32(2), compute.Bits(m), compute.U32(3))
		if err != nil {
			t.Fatal(err)
		}
		const runs = 50
		var before, after runtime.MemStats
		for i := range 2 * runs {
			if i == runs { // the first ones start workers and make tiles
				runtime.ReadMemStats(&before)
			}
			if err := call.Run(); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if allocs := (after.Mallocs - before.Mallocs) / runs; allocs != 0 { // others allocate now and then
			t.Errorf("a call of %d elements allocates %v times", n, allocs)
		}
		for _, release := range []func() error{x.Release, y.Release, r.Release, m.Release} {
			release()
		}
	}
}

// TestPlanSteps checks how programs are planned: what takes a slot, which operands are scalars,
// and what goes from buffer to buffer.
func TestPlanSteps(t *testing.T) {
	el, sc, bit := program.Element, program.Scalar, program.Bit
	for _, test := range []struct {
		text               string
		addresses          []program.Address
		steps, slots, once int
	}{
		{"f(x) = x*x", []program.Address{el}, 1, 0, 0},
		{"f(x, y) = x+y", []program.Address{el, el}, 1, 0, 0},
		{"f(x, y) = x+y", []program.Address{sc, el}, 1, 0, 0},                 // it commutes
		{"f(x, y) = x-y", []program.Address{sc, el}, 1, 0, 0},                 // a pattern of its own
		{"f(x, y, z) = fma(x, y, z)", []program.Address{sc, el, sc}, 1, 0, 0}, // it commutes
		{"f(x, y, z) = fma(x, y, z)", []program.Address{sc, sc, el}, 1, 1, 1}, // there is no such kernel
		{"f(x) = sqrt(x*x+1)", []program.Address{el}, 3, 1, 0},                // one slot for all
		{"f(x, y) = (x*x+y*y)*(x-y)", []program.Address{el, el}, 5, 2, 0},     // and two
		{"f(x) = x", []program.Address{el}, 1, 0, 0},                          // a copy
		{"f(x) = 3", []program.Address{el}, 1, 0, 0},                          // a constant
		{"func f(x float32) (b bool) { return x > 0 }", []program.Address{el}, 2, 1, 0},
		{"func f(a bool) (b bool) { return a }", []program.Address{bit}, 2, 1, 0},
		{"func f(a bool) (b bool) { return a }", []program.Address{sc}, 1, 1, 1},
		{"func f(x float32) (y, z float32) { y = x*x; z = y+1; return }", []program.Address{el}, 2, 0, 0}, // z from the result y
		{"func f(x float32) (y, z float32) { y = x*x; z = y; return }", []program.Address{el}, 2, 0, 0},
		{"func f(a, b uint32) float32 { return rand(a, b) + rand(a, b+1) }", []program.Address{sc, sc}, 10, 3, 0},
	} {
		k := program.New(expr.MustParse(test.text).IR(), test.addresses)
		before := slices.Clone(k.Body.Nodes)
		p, err := newPlan(&generic, k, false)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(before, k.Body.Nodes) {
			t.Errorf("%s is another program now", test.text)
		}
		if len(p.code) != test.steps || p.slots != test.slots || len(p.once) != test.once {
			t.Errorf("%s of %v: %d steps, %d slots and %d filled once, want %d, %d and %d",
				test.text, test.addresses, len(p.code), p.slots, len(p.once), test.steps, test.slots, test.once)
		}
		if (p.tile == allInOne) != (test.steps == 1 && test.slots == 0) {
			t.Errorf("%s of %v: tiles of %d elements", test.text, test.addresses, p.tile)
		}
	}
}

// TestStaged: results are written last where one replaces an input too early, and only there.
func TestStaged(t *testing.T) {
	x, y := make([]float32, 64), make([]float32, 64)
	X, Y := unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0])
	swap := kernelOf("func f(x, y float32) (a, b float32) { return y, x }", program.Element, program.Element)
	square := kernelOf("func f(m, g float32) (a, b float32) { a = m + g; b = a*a; return }", program.Element, program.Element)
	for _, test := range []struct {
		k        *program.Kernel
		operands [4]unsafe.Pointer
		want     bool
	}{
		{swap, [4]unsafe.Pointer{X, Y, X, Y}, true},
		{swap, [4]unsafe.Pointer{Y, X, X, Y}, false}, // each replaces itself
		{square, [4]unsafe.Pointer{X, Y, X, Y}, false},
		{square, [4]unsafe.Pointer{Y, X, X, Y}, false},
	} {
		c, err := generic.compile(test.k)
		if err != nil {
			t.Fatal(err)
		}
		var operands []program.Operand[unsafe.Pointer]
		for _, p := range test.operands {
			operands = append(operands, program.Operand[unsafe.Pointer]{Memory: p, Len: 64})
		}
		if got := c.plan(operands); (got == c.staged) != test.want {
			t.Errorf("%v of %v is staged: %v, want %v", test.k.Key, test.operands, !test.want, test.want)
		}
	}
}

// TestCloseWaitsForPlans: after Close, RunSlices does not access its slices. The race detector
// checks it.
func TestCloseWaitsForPlans(t *testing.T) {
	p := expr.MustParse("f(x) = (x*x + 1) * x")
	v := make([]float32, 1<<20)
	for range 5 {
		b := Options{}.open(generic)
		streaming := make(chan struct{})
		go func() {
			close(streaming)
			b.RunSlices(t.Context(), p, compute.Slice(v), compute.Slice(v))
		}()
		<-streaming
		runtime.Gosched()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		clear(v)
	}
}
