package cpu

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	program "github.com/gmind-go/compute/internal/kernel"
)

// count is a kernel that counts how often it computes each element.
func count(a *args) {
	dst := a.floats(0)
	for i := range dst {
		dst[i]++
	}
}

// jobOf returns a job of k on dst, with testCost.
func jobOf(k kernel, dst []float32) *job {
	a := &args{}
	if len(dst) > 0 {
		*a = sliceArgs(dst, dst)
	}
	j := newJob(codeWith(k), nil, a, nil, testCost)
	return &j
}

// codeWith returns the code of a kernel with one result and one input.
func codeWith(k kernel) *code {
	return &code{operands: []program.Address{program.Element, program.Element}, results: 1, bits: 64, plain: k}
}

const testCost = cost(80)

// Elements of a job with testCost.
var (
	testChunk = testCost.chunk()
	testShare = testCost.elements(worthCore)
	testWake  = moving(64, memorySpeed).elements(worthWake)
)

// TestPool: every element is computed once, on one core or several, for one caller or
// several.
func TestPool(t *testing.T) {
	for _, procs := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			var p pool
			defer p.stop()
			var callers sync.WaitGroup
			for range 3 {
				callers.Go(func() {
					for _, n := range []int{0, 1, 2*testShare - 1, 2 * testShare, 3*testShare + 17, testChunk, 5*testChunk + 1, testWake, 1<<20 + 3} {
						dst := make([]float32, n)
						for range 3 { // the second time workers spin
							p.do(jobOf(count, dst), new(frame))
						}
						for i, v := range dst {
							if v != 3 {
								t.Errorf("of %d elements, element %d was computed %v times in 3 jobs", n, i, v)
								return
							}
						}
					}
				})
			}
			callers.Wait()
		})
	}
}

// TestPoolRest: what is left of a job when another one ends may be worth no core.
func TestPoolRest(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	var p pool
	defer p.stop()
	dst := make([]float32, longTile+1)
	other := true
	j := jobOf(func(a *args) {
		count(a)
		if other {
			p.ended, other = time.Now(), false
			p.mu.Unlock()
		}
	}, dst)
	j.cost, j.cold, j.chunk = 100*costUnit, 100*costUnit, longTile // as of a long program
	p.mu.Lock()
	p.do(j, new(frame))
	for i, v := range dst {
		if v != 1 {
			t.Fatalf("element %d was computed %v times", i, v)
		}
	}
}

// TestPoolWorkers: workers take part in a job, whether they spin or are parked, and the pool
// keeps no memory of a job that is done.
func TestPoolWorkers(t *testing.T) {
	const procs = 6 // so that workers wake workers
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	var p pool
	defer p.stop()
	dst := make([]float32, procs*testChunk)
	for round := range 3 {
		// Every chunk waits until each core has one.
		var here sync.WaitGroup
		here.Add(procs)
		all := make(chan struct{})
		go func() { here.Wait(); close(all) }()
		meet := func(*args) {
			here.Done()
			select {
			case <-all:
			case <-time.After(20 * time.Second):
				t.Error("not every core took a chunk")
			}
		}
		p.mu.Lock()
		p.share(jobOf(meet, dst), 0, procs, new(frame))
		kept := p.job.args.ptr != args{}.ptr
		for _, w := range p.workers {
			kept = kept || w.frame.args.ptr != args{}.ptr
		}
		if kept {
			t.Error("the pool keeps the memory of a job that is done")
		}
		p.mu.Unlock()
		if round == 1 { // the last one meets parked workers
			for _, w := range p.workers {
				for !w.parked.Load() {
					time.Sleep(time.Millisecond)
				}
			}
		}
	}
}

// TestPoolIgnoresFewer: a worker sees an open job that has a share for it, and parks during
// one that does not.
func TestPoolIgnoresFewer(t *testing.T) {
	var p pool
	p.turn.Store(turnOf(1, 2))
	first, second := &worker{index: 1, wakeup: make(chan int, 1)}, &worker{index: 2, wakeup: make(chan int, 1)}
	if turn, ok := p.await(first, 0); !ok || sharesOf(turn) != 2 {
		t.Errorf("the first worker sees turn %x, %v", turn, ok)
	}
	gone := make(chan bool)
	go func() {
		_, ok := p.await(second, 0)
		gone <- ok
	}()
	for !second.parked.Load() {
		select {
		case <-gone:
			t.Fatal("the second worker sees a job without a share for it")
		case <-time.After(time.Millisecond):
		}
	}
	p.stopped.Store(true)
	second.wake()
	if <-gone {
		t.Error("the second worker goes on after the stop")
	}
}

// TestPoolRests: idle workers park, and stop ends them.
func TestPoolRests(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	before := runtime.NumGoroutine()
	var p pool
	dst := make([]float32, 1<<20)
	p.do(jobOf(count, dst), new(frame))
	if len(p.workers) != 3 {
		t.Errorf("%d workers on 4 cores, want 3", len(p.workers))
	}
	deadline := time.Now().Add(10 * time.Second)
	for _, w := range p.workers {
		for !w.parked.Load() {
			if time.Now().After(deadline) {
				t.Fatal("an idle worker does not park")
			}
			time.Sleep(time.Millisecond)
		}
	}
	p.stop()
	if p.do(jobOf(count, dst), new(frame)); dst[0] != 2 {
		t.Error("a job after stop was not computed")
	}
	for runtime.NumGoroutine() > before { // that have called Done but still end
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before and %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond)
	}
}
