package cpu

import (
	"runtime"
	"sync"
)

// minShare is the least number of elements worth a goroutine of its own: below
// it, waking one, and moving the data to the cache of another core, costs more
// than it saves. BenchmarkShare shows the crossing.
const minShare = 128 << 10

// runUnary runs k over dst and x, which have equal length, on as many cores as pay.
func runUnary(k unaryKernel, dst, x []float32, slope float32) {
	if len(x) < 2*minShare {
		k(dst, x, slope)
		return
	}
	split(len(x), func(lo, hi int) { k(dst[lo:hi], x[lo:hi], slope) })
}

// runBackward runs k over dx, dy and x in the same way.
func runBackward(k backwardKernel, dx, dy, x []float32, slope float32) {
	if len(x) < 2*minShare {
		k(dx, dy, x, slope)
		return
	}
	split(len(x), func(lo, hi int) { k(dx[lo:hi], dy[lo:hi], x[lo:hi], slope) })
}

// split calls run on consecutive ranges that make up [0, n), on as many cores as
// pay, and returns when all are done.
func split(n int, run func(lo, hi int)) {
	runShares(n, min(runtime.GOMAXPROCS(0), n/minShare), run)
}

// runShares is split into a given number of shares, one of them done on this
// goroutine.
func runShares(n, shares int, run func(lo, hi int)) {
	const line = 64 / 4 // ranges are whole cache lines, so that, in a buffer, no two cores write to one
	size := (n/shares + line - 1) &^ (line - 1)
	var wg sync.WaitGroup
	for lo := size; lo < n; lo += size {
		wg.Go(func() { run(lo, min(lo+size, n)) })
	}
	run(0, min(size, n))
	wg.Wait()
}
