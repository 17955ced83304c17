package cpu

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
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

// costs are those of the kernels of one activation, by form; 0 until they are measured.
type costs [form.Count + 1]atomic.Int64

// cost returns the cost of fm of f. The first call for each activation and form measures it,
// which takes some 30 microseconds.
func (d *device) cost(fm form.Form, f compute.Activation) cost {
	known := &d.costs[f.Kind][fm]
	if known.Load() == 0 {
		known.Store(int64(measure(fm, d.set.plain[f.Kind][fm], f)))
	}
	return cost(known.Load())
}

// What one core moves at most, in bytes per nanosecond.
const (
	cacheSpeed  = 100 // from and to the L2 cache
	memorySpeed = 25  // from and to memory
)

// moving returns the cost of moving the data of fm at a speed.
func moving(fm form.Form, speed int) cost {
	return cost((fm.Bits()*costUnit/8 + speed - 1) / speed)
}

// measure returns the cost of k: the time of a call on data in the L1 cache, but at least
// that of moving its data.
func measure(fm form.Form, k kernel, f compute.Activation) cost {
	// The best of some batches of calls, each long enough for the clock. If the clock is too
	// coarse, or stands still, the data decides.
	const rounds, batch, mostCalls = 3, 5 * time.Microsecond, 1 << 10
	data := make([]float32, len(fm.Operands())*costUnit)
	for i := range data {
		data[i] = float32(i%7) - 3 // of both signs
	}
	a := &args{n: costUnit, params: f.Params}
	for i := range fm.Operands() {
		a.ptr[i] = unsafe.Pointer(&data[i*costUnit])
	}
	best := int64(math.MaxInt64)
	for calls, round := 1, 0; round < rounds; {
		start := time.Now()
		for range calls {
			k(a)
		}
		spent := time.Since(start)
		if spent < batch && calls < mostCalls {
			calls *= 2
			continue
		}
		best = min(best, int64(spent)/int64(calls))
		round++
	}
	return max(cost(best), moving(fm, cacheSpeed))
}
