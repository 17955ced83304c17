package cpu

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gmind-go/compute/internal/driver"
	program "github.com/gmind-go/compute/internal/kernel"
)

// taskTime is what a task of a product takes at least, if there are several. Between them a
// worker looks whether there is another.
const taskTime = 10 * time.Microsecond

// tasksOfCore is the number of tasks for each core: one that comes late leaves some to others.
const tasksOfCore = 4

// MatMul computes c.
func (d *device) MatMul(c *driver.MatMulCall) error {
	f := d.frames.take()
	defer d.frames.put(f)
	if f.panels == nil {
		f.panels = &panels{}
	}
	p := &f.panels.product
	*p = product{
		set: &d.set.patches, Product: c.Product,
		c: c.C.(*memory).start(), a: c.A.(*memory).start(), b: c.B.(*memory).start(),
	}
	if p.N == 1 { // the transposed product has the same elements, in the same order, and long rows
		p.M, p.N = 1, p.M
		p.a, p.b = p.b, p.a
		p.TransposeA, p.TransposeB = false, !p.TransposeA
	}
	fused := d.multiply(p, f, c.Then)
	*p = product{}
	if c.Then == nil || fused {
		return nil
	}
	return d.Launch(c.Then)
}

// multiply computes p with f, and then, if it is not nil, where a part of it is complete. It
// reports whether it did the latter.
func (d *device) multiply(p *product, f *frame, then *driver.Call) (fused bool) {
	bits := (int64(p.M)*int64(p.K) + int64(p.K)*int64(p.N) + int64(p.M)*int64(p.N)) * 32
	computing := time.Duration(float64(p.M) * float64(p.K) * float64(p.N) * d.multiplyAdd.cost(p.set))
	moves := func(speed int64) time.Duration { return max(computing, time.Duration(bits/8/speed)) }
	cached, cold := moves(cacheSpeed), moves(memorySpeed)
	tasks := 1
	if cores := d.pool.options.cores(); cores > 1 && cached >= 2*worthCore {
		tasks = min(max(int(cached/taskTime), 2), tasksOfCore*cores)
	}
	p.layOut(tasks)
	ofTask := func(t time.Duration) cost { return cost(t*costUnit/time.Duration(p.tasks)) + 1 }
	j := job{task: p, n: p.tasks, cost: ofTask(cached), cold: ofTask(cold), chunk: 1}
	if fused = then != nil && p.fuses(then.Code.(*code)); fused {
		d.fuse(p, f, then)
		j.call = p.then.call
	}
	if p.tasks == 1 {
		f.begin(&j)
		p.run(f, 0, 1)
		f.end(&j)
	} else {
		d.pool.do(&j, f)
	}
	if fused {
		r := &f.tiles.call
		clear(r.operands)
		*r = call{operands: r.operands[:0]}
		f.panels.then = job{}
	}
	return fused
}

// leastFused is the least number of neighboring elements for which a call pays.
const leastFused = 256

// fuses reports whether c can be run for the parts of p, and whether that pays. Words of masks
// are not shared between parts.
func (p *product) fuses(c *code) bool {
	if p.columns < p.N && p.columns < leastFused {
		return false
	}
	return !slices.Contains(c.operands, program.Bit) || p.N%blockSize == 0 && (p.columns == p.N || p.columns%blockSize == 0)
}

// fuse makes then a job of f, which p runs for its parts.
func (d *device) fuse(p *product, f *frame, then *driver.Call) {
	c := then.Code.(*code)
	p.then = &f.panels.then
	if c.plain != nil {
		a := &f.args
		for i := range then.Operands {
			a.ptr[i&3] = then.Operands[i].Memory.(*memory).start()
		}
		a.n = then.N
		a.setParams(then.Params)
		*p.then = newJob(c, nil, a, nil, d.cost(c, then.Params))
		return
	}
	r := &f.tiles.call
	for i := range then.Operands {
		o := &then.Operands[i]
		r.operands = append(r.operands, program.Operand[unsafe.Pointer]{Memory: o.Memory.(*memory).start(), Len: o.Len, Period: o.Period})
	}
	r.n, r.index, r.params = then.N, then.Index, then.Params
	r.plan = c.plan(r.operands)
	*p.then = newJob(c, nil, nil, r, d.cost(c, r.params))
}

// A multiplyAdd remembers how long the kernels of products take for a multiply-add, in
// nanoseconds, as the bits of a float64; 0 until it is measured.
type multiplyAdd struct{ bits atomic.Uint64 }

// cost returns the time. The first call measures it, which takes some 10 microseconds.
func (m *multiplyAdd) cost(set *patches) float64 {
	known := m.bits.Load()
	if known == 0 {
		known = math.Float64bits(set.measure())
		m.bits.Store(known)
	}
	return math.Float64frombits(known)
}

// measure returns the time of a multiply-add of the kernel of the largest patch: the best of some
// calls. If the clock is too coarse, or stands still, it is taken to be 8 of each vector in a
// nanosecond.
func (set *patches) measure() float64 {
	p, multiplyAdds := set.sample(kBlock / 4)
	best := time.Duration(math.MaxInt64)
	for range 8 {
		start := time.Now()
		set.kernels[set.rows][set.vectors](p)
		if spent := time.Since(start); spent > 0 {
			best = min(best, spent)
		}
	}
	if best == math.MaxInt64 {
		return 1 / float64(8*set.width)
	}
	return float64(best) / multiplyAdds
}

// sample returns the largest patch, with chains of k products, and the multiply-adds of a call.
func (set *patches) sample(k int) (p *patch, multiplyAdds float64) {
	width := set.vectors * set.width
	data := make([]float32, set.rows*k+k*width+set.rows*width+line) // with the end of the last vector of A
	at := func(i int) unsafe.Pointer { return unsafe.Pointer(&data[i]) }
	for i := range data {
		data[i] = float32(i%7) - 3
	}
	return &patch{
		a: at(0), rowA: 4, stepA: 4 * set.rows, b: at(set.rows * k), stepB: 4 * width, k: k,
		c: at(set.rows*k + k*width), rowC: 4 * width, rows: set.rows, columns: width,
	}, float64(set.rows * width * k)
}

// Peak computes patches in the L1 cache on all cores for some time: see form.Peaker.
func (d *device) Peak() (flop float64, err error) {
	const perUnit, perCore = 64, 32
	set := &d.set.patches
	t := peak{set.kernels[set.rows][set.vectors], perUnit, sync.Pool{New: func() any {
		p, _ := set.sample(kBlock / 4)
		return p
	}}}
	_, multiplyAdds := set.sample(kBlock / 4)
	ofUnit := cost(multiplyAdds*perUnit*d.multiplyAdd.cost(set)*costUnit) + 1
	j := job{task: &t, n: perCore * d.pool.options.cores(), cost: ofUnit, cold: ofUnit, chunk: 1}
	f := d.frames.take()
	defer d.frames.put(f)
	d.pool.do(&j, f)
	return 2 * multiplyAdds * perUnit * float64(j.n), nil
}

// A peak is the task of Peak: units of a number of calls of the kernel.
type peak struct {
	kernel  patchKernel
	calls   int
	patches sync.Pool
}

func (t *peak) run(_ *frame, lo, hi int) {
	p := t.patches.Get().(*patch)
	defer t.patches.Put(p)
	for range (hi - lo) * t.calls {
		t.kernel(p)
	}
}
