package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A pool is the workers of a backend: goroutines that compute one job at a time, together
// with its caller.
//
// Waking a parked goroutine takes as long as a whole kernel on 64 Ki elements. A worker that
// has finished a job therefore spins for the next one, by default for a millisecond, before
// it parks. A job never waits for a worker to start: the caller computes the chunks that no
// worker has taken.
type pool struct {
	options Options

	mu      sync.Mutex // held by the caller of the shared job
	workers []*worker
	shares  []share
	job     job
	ended   time.Time // when the last job that was worth sharing ended

	turn    atomic.Uint64 // of the job: see turnOf
	inside  atomic.Int32  // workers that may use the open job
	stopped atomic.Bool
	running sync.WaitGroup
}

type worker struct {
	index  int // of its share
	frame  frame
	parked atomic.Bool
	wakeup chan int // of capacity 1: the core of the goroutine that wakes it
}

// BenchmarkPool shows where the first two pay.
const (
	worthCore = 640 * time.Nanosecond // the least work worth a core of its own
	worthWake = 80 * time.Microsecond // the least work worth waking a parked worker for
	// chunkTime is what one call of a kernel takes, or several times that where the memory
	// is slow. Assembly cannot be interrupted, and the garbage collector waits for it.
	chunkTime = 2 * time.Microsecond
)

// maxTurns returns more iterations of relax than a core makes while it spins.
func maxTurns(spin time.Duration) int { return (1 << 16) * int(spin/time.Millisecond+1) }

// turnOf returns a value of pool.turn: a sequence number, which differs from job to job, the
// number of shares, and turnOpen while the job is open.
func turnOf(sequence uint64, shares int) uint64 {
	return sequence<<16 | uint64(shares)<<1 | turnOpen
}

const (
	turnOpen  = 1
	maxShares = 1<<15 - 1
)

func sharesOf(turn uint64) int { return int(turn >> 1 & maxShares) }

// do computes the job j on as many cores as pay, and returns when it is done. The caller
// computes with f, which forgets the operands.
func (p *pool) do(j *job, f *frame) {
	f.begin(j)
	defer f.end(j)
	n := j.n
	shares := min(p.options.cores(), int(j.cost.time(n)/worthCore), maxShares)
	if shares < 2 {
		j.runAlone(f, 0)
		return
	}
	// While another job is shared, the caller computes this one alone. What is left when
	// the other one is done is shared, if that still pays.
	lo := 0
	for !p.mu.TryLock() {
		if lo+j.chunk >= n || j.cold.time(n-lo) < worthWake {
			j.runAlone(f, lo)
			return
		}
		j.run(f, lo, lo+j.chunk)
		lo += j.chunk
	}
	defer p.mu.Unlock()
	shares = min(shares, int(j.cost.time(n-lo)/worthCore))
	// Parked workers are woken for long jobs, or when jobs follow each other so fast that
	// the workers will keep spinning. After a rest the data is in no near cache.
	if shares < 2 || j.cold.time(n-lo) < worthWake && time.Since(p.ended) >= p.options.spin() {
		j.runAlone(f, lo)
	} else {
		p.share(j, lo, shares, f)
	}
	p.ended = time.Now()
}

// share computes the elements of j from lo on, a multiple of 64, on as many cores as there
// are shares. The lock is held.
func (p *pool) share(j *job, lo, shares int, f *frame) {
	p.open(j, lo, shares)
	defer p.close()
	p.job.work(p.shares, 0, f)
}

// open divides the elements of j from lo on into shares, and shows the job to the workers.
// The lock is held.
func (p *pool) open(j *job, lo, shares int) {
	for len(p.workers) < shares-1 && !p.stopped.Load() {
		w := &worker{index: len(p.workers) + 1, wakeup: make(chan int, 1)}
		p.workers = append(p.workers, w)
		p.running.Add(1)
		go p.run(w)
	}
	if cap(p.shares) < shares {
		p.shares = make([]share, shares)
	}
	p.shares = p.shares[:shares]
	n := j.n
	size := roundUp(ceil(n-lo, shares), j.unit())
	for i := range p.shares {
		p.shares[i].next.Store(int64(min(lo+i*size, n)))
		p.shares[i].end = min(lo+(i+1)*size, n)
	}
	p.shares[shares-1].end = n
	p.job = *j
	p.turn.Store(turnOf(p.turn.Load()>>16+1, shares))
	p.wake(0, shares)
}

// wake wakes the workers below number i of a binary tree with the caller at its root, so that
// nobody has to wake many.
func (p *pool) wake(i, shares int) {
	for _, below := range []int{2*i + 1, 2*i + 2} {
		if below < shares && below <= len(p.workers) {
			p.workers[below-1].wake()
		}
	}
}

// close waits for the workers to leave the job. The lock is held.
func (p *pool) close() {
	p.turn.Store(p.turn.Load() &^ turnOpen)
	for i := 1; p.inside.Load() != 0; i++ {
		relax(i)
	}
	p.job = job{} // keep nobody's memory
}

// relax is iteration i of a waiting loop, i > 0. Now and then it lets other threads run,
// then other goroutines: the one that the loop waits for may need this core.
func relax(i int) {
	pause()
	if i%32 == 0 {
		yieldThread()
	}
	if i%256 == 0 {
		runtime.Gosched()
	}
}

// run is the goroutine of w.
func (p *pool) run(w *worker) {
	defer p.running.Done()
	var seen uint64 // the turn of its last job
	for {
		turn, ok := p.await(w, seen)
		if !ok {
			return
		}
		// The caller closes the turn, then waits until inside is 0: either it sees this
		// worker there, or this worker sees that the turn is over.
		p.inside.Add(1)
		if p.turn.Load() == turn {
			p.wake(w.index, len(p.shares))
			w.frame.begin(&p.job)
			p.job.work(p.shares, w.index, &w.frame)
			w.frame.end(&p.job)
		}
		p.inside.Add(-1)
		seen = turn
	}
}

// await waits for a job that has a share for w, and returns its turn, other than seen; or
// false when the pool is stopped.
func (p *pool) await(w *worker, seen uint64) (turn uint64, ok bool) {
	isNew := func() bool {
		turn = p.turn.Load()
		return turn&turnOpen != 0 && turn != seen && w.index < sharesOf(turn)
	}
	spin := p.options.spin()
	for {
		start := time.Now()
		for i := 1; ; i++ {
			if p.stopped.Load() {
				return 0, false
			}
			if isNew() {
				return turn, true
			}
			relax(i)
			// The number of iterations is limited because a clock may stand still, as in
			// synctest.
			if spin == 0 || i%64 == 0 && (time.Since(start) > spin || i > maxTurns(spin)) {
				break
			}
		}
		w.parked.Store(true)
		// Nobody wakes it for what happened before the store.
		if (isNew() || p.stopped.Load()) && w.parked.CompareAndSwap(true, false) {
			continue
		}
		leaveCore(<-w.wakeup)
	}
}

// wake wakes the worker if it is parked.
func (w *worker) wake() {
	if w.parked.Load() && w.parked.CompareAndSwap(true, false) {
		w.wakeup <- currentCore()
	}
}

// stop ends the workers and waits for them. From then on callers compute alone.
func (p *pool) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped.Store(true)
	for _, w := range p.workers {
		w.wake()
	}
	p.running.Wait()
	p.workers = nil
}
