package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A pool is the goroutines that help a backend with its jobs, one job at a time.
//
// Waking a parked goroutine takes as long as a whole kernel on 64 Ki elements, so
// a helper that has finished a job spins for the next one, by default for a
// millisecond, and parks only then. A job never waits for a helper to come: the
// caller does the chunks that no helper has taken.
type pool struct {
	options Options

	mu      sync.Mutex // held by the caller whose job is done
	helpers []*helper
	shares  []share
	job     job
	ended   time.Time // of the last job that was worth sharing

	turn    atomic.Uint64 // of the job, see turnOf
	inside  atomic.Int32  // helpers that may use the open job
	stopped atomic.Bool
	running sync.WaitGroup
}

type helper struct {
	index  int // of its share
	parked atomic.Bool
	wake   chan int // of capacity 1: the core that wakes it
}

const (
	// minShare is the least number of elements worth a core of its own, and
	// minWake that worth waking a parked helper for. BenchmarkPool shows both
	// crossings.
	minShare = 8 << 10
	minWake  = 256 << 10
)

// maxTurns returns more turns of relax than a core makes while it spins for so long.
func maxTurns(spin time.Duration) int { return (1 << 16) * int(spin/time.Millisecond+1) }

// turnOf makes a value of pool.turn: every job has another sequence, and helpers
// with an index beyond the shares ignore it. The lowest bit is set while it is open.
func turnOf(sequence uint64, shares int) uint64 {
	return sequence<<16 | uint64(shares)<<1 | turnOpen
}

const (
	turnOpen  = 1
	maxShares = 1<<15 - 1
)

func sharesOf(turn uint64) int { return int(turn >> 1 & maxShares) }

// do computes the job j on as many cores as pay, and returns when it is done. The caller
// calls kernels with a.
func (p *pool) do(j *job, a *args) {
	n := j.args.n
	shares := min(p.options.cores(), n/minShare, maxShares)
	if shares < 2 {
		j.runAlone(a, 0)
		return
	}
	// While another caller's job is shared, this one goes on alone; what is left when
	// that one is done is shared, if it is still worth it.
	lo := 0
	for !p.mu.TryLock() {
		if n-lo < minWake {
			j.runAlone(a, lo)
			return
		}
		j.run(a, lo, lo+chunk)
		lo += chunk
	}
	defer p.mu.Unlock()
	shares = min(shares, (n-lo)/minShare)
	// Parked workers are woken for much work, or when jobs come so fast that they will
	// spin from now on.
	if n-lo < minWake && time.Since(p.ended) >= p.options.spin() {
		j.runAlone(a, lo)
	} else {
		p.share(j, lo, shares)
	}
	p.ended = time.Now()
}

// share computes the elements of j from lo on, a multiple of 64, in so many shares. The lock
// is held.
func (p *pool) share(j *job, lo, shares int) {
	p.open(j, lo, shares)
	defer p.close()
	p.job.work(p.shares, 0)
}

// open divides the elements of j from lo on into shares, and shows the job to the workers.
// The lock is held.
func (p *pool) open(j *job, lo, shares int) {
	for len(p.helpers) < shares-1 && !p.stopped.Load() {
		h := &helper{index: len(p.helpers) + 1, wake: make(chan int, 1)}
		p.helpers = append(p.helpers, h)
		p.running.Add(1)
		go p.help(h)
	}
	if cap(p.shares) < shares {
		p.shares = make([]share, shares)
	}
	p.shares = p.shares[:shares]
	n := j.args.n
	size := ((n-lo)/shares + blockSize - 1) &^ (blockSize - 1) // in a buffer, whole cache lines
	for i := range p.shares {
		p.shares[i].next.Store(int64(min(lo+i*size, n)))
		p.shares[i].end = min(lo+(i+1)*size, n)
	}
	p.shares[shares-1].end = n
	p.job = *j
	p.turn.Store(turnOf(p.turn.Load()>>16+1, shares))
	p.rouse(0, shares)
}

// rouse makes the helpers below number i look at the job. They stand in a tree, the
// caller at its root, so that none has to wake many.
func (p *pool) rouse(i, shares int) {
	for _, below := range []int{2*i + 1, 2*i + 2} {
		if below < shares && below <= len(p.helpers) {
			p.helpers[below-1].rouse()
		}
	}
}

// close waits for the helpers to leave the job. The lock is held.
func (p *pool) close() {
	p.turn.Store(p.turn.Load() &^ turnOpen)
	for i := 1; p.inside.Load() != 0; i++ {
		relax(i)
	}
	p.job = job{} // keep nobody's memory
	for i := range p.shares {
		p.shares[i].args = args{}
	}
}

// relax is turn i of a waiting loop, i > 0. Now and then it lets other threads run,
// then other goroutines: the one that is waited for may need this very core.
func relax(i int) {
	pause()
	if i%32 == 0 {
		yieldThread()
	}
	if i%256 == 0 {
		runtime.Gosched()
	}
}

// help is the life of a helper.
func (p *pool) help(h *helper) {
	defer p.running.Done()
	var seen uint64 // the turn that it helped with last
	for {
		turn, ok := p.await(h, seen)
		if !ok {
			return
		}
		// The caller waits for inside to be 0 after it has closed the turn: either
		// it sees this helper, or this helper sees that the turn is over.
		p.inside.Add(1)
		if p.turn.Load() == turn {
			p.rouse(h.index, len(p.shares))
			p.job.work(p.shares, h.index)
		}
		p.inside.Add(-1)
		seen = turn
	}
}

// await returns the turn that is open, other than seen, or false when the pool is
// stopped.
func (p *pool) await(h *helper, seen uint64) (turn uint64, ok bool) {
	isNew := func() bool {
		turn = p.turn.Load()
		return turn&turnOpen != 0 && turn != seen && h.index < sharesOf(turn)
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
			// A bound on the turns is for a clock that stands still, as in synctest.
			if spin == 0 || i%64 == 0 && (time.Since(start) > spin || i > maxTurns(spin)) {
				break
			}
		}
		h.parked.Store(true)
		// What came before the store nobody will rouse it for.
		if (isNew() || p.stopped.Load()) && h.parked.CompareAndSwap(true, false) {
			continue
		}
		leaveCore(<-h.wake)
	}
}

// rouse makes the helper look, if it is parked.
func (h *helper) rouse() {
	if h.parked.Load() && h.parked.CompareAndSwap(true, false) {
		h.wake <- currentCore()
	}
}

// stop ends the helpers and waits for them. Jobs are done without them from then
// on.
func (p *pool) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped.Store(true)
	for _, h := range p.helpers {
		h.rouse()
	}
	p.running.Wait()
	p.helpers = nil
}
