package cpu

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gmind-go/compute/internal/form"
)

// count is a kernel that counts how often it computes each element.
func count(a *args) {
	dst := a.floats(0)
	for i := range dst {
		dst[i]++
	}
}

// jobOf returns a job of k on dst.
func jobOf(k kernel, dst []float32) *job {
	j := &job{form: form.Forward, plain: k}
	if len(dst) > 0 {
		j.args = sliceArgs(dst, dst)
	}
	return j
}

// TestPool: every element is done once, on one core or several, by one caller or
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
					for _, n := range []int{0, 1, 2*minShare - 1, 2 * minShare, 3*minShare + 17, chunk, 5*chunk + 1, minWake, 1<<20 + 3} {
						dst := make([]float32, n)
						for range 3 { // the second time helpers are awake
							p.do(jobOf(count, dst), new(args))
						}
						for i, v := range dst {
							if v != 3 {
								t.Errorf("of %d elements, element %d was done %v times in 3 jobs", n, i, v)
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

// TestPoolHelps: helpers take part in a job, whether they are awake or parked, and a
// job that is done keeps nobody's memory.
func TestPoolHelps(t *testing.T) {
	const procs = 6 // so that helpers wake helpers
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	var p pool
	defer p.stop()
	dst := make([]float32, procs*chunk)
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
		p.share(jobOf(meet, dst), 0, procs)
		kept := p.job.args.ptr != args{}.ptr
		for i := range p.shares {
			kept = kept || p.shares[i].args.ptr != args{}.ptr
		}
		if kept {
			t.Error("the pool keeps the memory of a job that is done")
		}
		p.mu.Unlock()
		if round == 1 { // the last one meets parked helpers
			for _, h := range p.helpers {
				for !h.parked.Load() {
					time.Sleep(time.Millisecond)
				}
			}
		}
	}
}

// TestPoolIgnoresFewer: a helper that an open job has a share for sees it, and one
// that it has none for parks.
func TestPoolIgnoresFewer(t *testing.T) {
	var p pool
	p.turn.Store(turnOf(1, 2))
	first, second := &helper{index: 1, wake: make(chan int, 1)}, &helper{index: 2, wake: make(chan int, 1)}
	if turn, ok := p.await(first, 0); !ok || sharesOf(turn) != 2 {
		t.Errorf("the first helper sees turn %x, %v", turn, ok)
	}
	gone := make(chan bool)
	go func() {
		_, ok := p.await(second, 0)
		gone <- ok
	}()
	for !second.parked.Load() {
		select {
		case <-gone:
			t.Fatal("the second helper sees a job that it has no share of")
		case <-time.After(time.Millisecond):
		}
	}
	p.stopped.Store(true)
	second.rouse()
	if <-gone {
		t.Error("the second helper goes on after the stop")
	}
}

// TestPoolRests: helpers that have nothing to do park, and stop ends them.
func TestPoolRests(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	before := runtime.NumGoroutine()
	var p pool
	dst := make([]float32, 1<<20)
	p.do(jobOf(count, dst), new(args))
	if len(p.helpers) != 3 {
		t.Errorf("%d helpers on 4 cores, want 3", len(p.helpers))
	}
	deadline := time.Now().Add(10 * time.Second)
	for _, h := range p.helpers {
		for !h.parked.Load() {
			if time.Now().After(deadline) {
				t.Fatal("a helper with nothing to do does not park")
			}
			time.Sleep(time.Millisecond)
		}
	}
	p.stop()
	if p.do(jobOf(count, dst), new(args)); dst[0] != 2 {
		t.Error("a job after stop was not done")
	}
	for runtime.NumGoroutine() > before { // those that have said that they end
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before and %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond)
	}
}
