package cpu

import (
	"math"
	"math/bits"
	"time"
	"unsafe"

	program "github.com/gmind-go/compute/internal/kernel"
)

// A cost is how many nanoseconds a kernel takes for costUnit elements in a near cache.
type cost int64

const costUnit = 1 << 10

// time returns how long the kernel takes for n elements.
func (c cost) time(n int) time.Duration { return time.Duration(int64(n) * int64(c) / costUnit) }

// elements returns the least number of elements for which the kernel takes d.
func (c cost) elements(d time.Duration) int {
	return int((int64(d)*costUnit + int64(c) - 1) / int64(c))
}

// chunk returns the most elements that one call of the kernel computes. It is a multiple of
// 64, as the size of a share is, so that no two calls write to the same word of a mask.
func (c cost) chunk() int { return 1 << max(bits.Len(uint(c.elements(chunkTime)))-1, 6) }

// cost returns the cost of c. The first call for each code measures it, which takes some 30
// microseconds.
func (d *device) cost(c *code, params []uint32) cost {
	known := cost(c.cost.Load())
	if known == 0 {
		known = measure(c, params)
		c.cost.Store(int64(known))
	}
	return known
}

// What one core moves at most, in bytes per nanosecond.
const (
	cacheSpeed  = 100 // from and to the L2 cache
	memorySpeed = 25  // from and to memory
)

// moving returns the cost of moving a number of bits for each element at a speed.
func moving(bits, speed int) cost {
	return cost((bits*costUnit/8 + speed - 1) / speed)
}

// measure returns the cost of c, with parameters: the time of a call on data in the L1 cache,
// but at least that of moving its data.
func measure(c *code, params []uint32) cost {
	// The best of some batches of calls, each long enough for the clock. If the clock is too
	// coarse, or stands still, the data decides.
	const rounds, batch, mostCalls = 3, 5 * time.Microsecond, 1 << 10
	run := sample(c, params)
	best := int64(math.MaxInt64)
	for calls, round := 1, 0; round < rounds; {
		start := time.Now()
		for range calls {
			run()
		}
		spent := time.Since(start)
		if spent < batch && calls < mostCalls {
			calls *= 2
			continue
		}
		best = min(best, int64(spent)/int64(calls))
		round++
	}
	return max(cost(best), moving(c.bits, cacheSpeed))
}

// sample returns a run of c on costUnit elements of its own, of both signs.
func sample(c *code, params []uint32) func() {
	data := make([]float32, len(c.operands)*costUnit)
	for i := range data {
		data[i] = float32(i%7) - 3
	}
	f := &frame{}
	start := func(i int) unsafe.Pointer { return unsafe.Pointer(&data[i*costUnit]) }
	if c.plain != nil {
		for i := range c.operands {
			f.args.ptr[i] = start(i)
		}
		f.args.n = costUnit
		f.args.setParams(params)
		return func() { c.plain(&f.args) }
	}
	f.tiles = &tiles{}
	r := &f.tiles.call
	r.plan, r.n, r.params = c.direct, costUnit, params
	for i := range c.operands {
		r.operands = append(r.operands, program.Operand[unsafe.Pointer]{Memory: start(i), Len: costUnit, Period: costUnit})
	}
	return func() {
		f.tiles.begin(&f.args, r)
		f.tiles.run(&f.args, r, 0, costUnit)
	}
}
