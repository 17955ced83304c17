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
// a helper that has finished a job waits for the next with open eyes for a moment,
// and parks only then. A job never waits for a helper to come: the caller does the
// chunks that no helper has taken.
type pool struct {
	mu      sync.Mutex // held by the caller whose job is done
	helpers []*helper
	shares  []share
	job     job
	ended   time.Time // of the last job that was worth sharing

	turn    atomic.Uint64 // odd while a job is open to helpers
	inside  atomic.Int32  // helpers that may use the open job
	stopped atomic.Bool
	running sync.WaitGroup
}

type helper struct {
	index  int // of its share
	parked atomic.Bool
	wake   chan struct{} // of capacity 1
}

const (
	// minShare is the least number of elements worth a core of its own, and
	// minWake that worth waking a parked helper for. BenchmarkPool shows both
	// crossings.
	minShare = 8 << 10
	minWake  = 256 << 10

	// spin is how long a helper waits with open eyes.
	spin = time.Millisecond
)

// do does the job j on as many cores as pay, and returns when it is done. Callers
// that come while a job is shared do theirs alone: all cores are busy then.
func (p *pool) do(j *job) {
	n := len(j.x)
	shares := min(runtime.GOMAXPROCS(0), n/minShare)
	if shares < 2 || !p.mu.TryLock() {
		j.runAlone()
		return
	}
	defer p.mu.Unlock()
	// Helpers that are parked are woken for much work, or when jobs come so fast
	// that they will stay awake from now on.
	now := time.Now()
	if n < minWake && now.Sub(p.ended) > spin {
		j.runAlone()
		p.ended = time.Now()
		return
	}
	p.share(j, shares)
	p.ended = time.Now()
}

// share does the job j with helpers. The lock is held.
func (p *pool) share(j *job, shares int) {
	p.open(j, shares)
	p.job.work(p.shares, 0)
	p.close()
}

// open shows the job to so many cores less one, this one. The lock is held.
func (p *pool) open(j *job, shares int) {
	for len(p.helpers) < shares-1 && !p.stopped.Load() {
		h := &helper{index: len(p.helpers) + 1, wake: make(chan struct{}, 1)}
		p.helpers = append(p.helpers, h)
		p.running.Add(1)
		go p.help(h)
	}
	if cap(p.shares) < shares {
		p.shares = make([]share, shares)
	}
	p.shares = p.shares[:shares]
	n := len(j.x)
	size := (n/shares + pastBlock - 1) &^ (pastBlock - 1) // in a buffer, whole cache lines
	for i := range p.shares {
		p.shares[i].next.Store(int64(min(i*size, n)))
		p.shares[i].end = min((i+1)*size, n)
	}
	p.shares[shares-1].end = n
	p.job = *j
	p.turn.Add(1)
	for _, h := range p.helpers[:min(shares-1, len(p.helpers))] {
		h.rouse()
	}
}

// close waits for the helpers to leave the job. The lock is held.
func (p *pool) close() {
	p.turn.Add(1)
	for i := 1; p.inside.Load() != 0; i++ {
		relax(i)
	}
	p.job = job{} // keep nobody's slices
}

// relax is turn i of a waiting loop, i > 0. Now and then it lets other threads run,
// then other goroutines: the one that is waited for may need this very core. Linux
// often wakes a thread on the core of the one that wakes it, and moves it to an idle
// core only when it has run for a while, if others get to run there beside it.
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
		return turn%2 == 1 && turn != seen
	}
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
			if i%64 == 0 && time.Since(start) > spin {
				break
			}
		}
		h.parked.Store(true)
		// What came before the store nobody will rouse it for.
		if (isNew() || p.stopped.Load()) && h.parked.CompareAndSwap(true, false) {
			continue
		}
		<-h.wake
	}
}

// rouse makes the helper look, if it is parked.
func (h *helper) rouse() {
	if h.parked.Load() && h.parked.CompareAndSwap(true, false) {
		h.wake <- struct{}{}
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
