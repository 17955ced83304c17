package cpu

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestOptions: results are the same with all options.
func TestOptions(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	f := compute.LeakyReLU(-0.5)
	for _, o := range []Options{{}, {Threads: 1}, {Threads: 2, Spin: -1}, {Threads: 3, Spin: time.Microsecond}, {Threads: 1 << 30, Spin: maxSpin}} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			b := testenv.Open(t, o.Open)
			for _, n := range []int{1, 16 << 10, 256 << 10, 1<<20 + 3} {
				xs, got := values.Normal(n, 1), make([]float32, n)
				for range 3 { // the second time workers may spin
					if err := b.Stream(context.Background(), compute.OpForward, f, got, xs); err != nil {
						t.Fatal(err)
					}
					for i, x := range xs {
						if !values.Same(got[i], f.Value(x)) {
							t.Fatalf("element %d of %d is %v, want %v", i, n, got[i], f.Value(x))
						}
					}
				}
			}
		})
	}
}

func TestOptionsRefused(t *testing.T) {
	for option, o := range map[string]Options{"Threads is -1": {Threads: -1}, "Spin is 1.000000001s": {Spin: maxSpin + 1}} {
		b, err := compute.Open(o.Open, Open)
		if b != nil || err == nil || errors.Is(err, compute.ErrUnavailable) || !strings.Contains(err.Error(), option) || !strings.Contains(err.Error(), "give ") {
			t.Errorf("%+v: got %v, %v; want an error for %q", o, b, err, option)
		}
	}
}

// TestThreads: no more goroutines than Threads and GOMAXPROCS compute a call.
func TestThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	for threads, most := range map[int]int{0: 8, 1: 1, 2: 2, 3: 3, 8: 8, 9: 8} {
		p := pool{options: Options{Threads: threads}}
		var inside, seen atomic.Int32
		enter := func(*args) {
			now := inside.Add(1)
			for before := seen.Load(); now > before && !seen.CompareAndSwap(before, now); before = seen.Load() {
			}
			runtime.Gosched()
			inside.Add(-1)
		}
		dst := make([]float32, 64*testChunk)
		for range 10 {
			p.do(jobOf(enter, dst), new(frame))
		}
		if workers, seen := len(p.workers), int(seen.Load()); workers != most-1 || seen > most {
			t.Errorf("Threads %d: there are %d workers, and %d goroutines computed at a time; want %d", threads, workers, seen, most-1)
		}
		p.stop()
	}
}

// TestNoSpin: workers that do not spin park after a job, and are not woken for a short one.
func TestNoSpin(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	p := pool{options: Options{Spin: -1}}
	defer p.stop()
	dst := make([]float32, testWake)
	p.do(jobOf(count, dst), new(frame))
	shared := p.turn.Load()
	if shared == 0 {
		t.Fatal("a job of many elements was not shared")
	}
	for !p.workers[0].parked.Load() {
		time.Sleep(time.Millisecond)
	}
	p.do(jobOf(count, dst[:testWake-1]), new(frame))
	if p.turn.Load() != shared || dst[0] != 2 {
		t.Error("a short job was shared with parked workers")
	}
	p.do(jobOf(count, dst), new(frame))
	if p.turn.Load() == shared || dst[0] != 3 {
		t.Error("a second job of many elements was not shared")
	}
}
