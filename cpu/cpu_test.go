package cpu

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/internal/values"
)

// TestConformance runs the suite on every row that this processor has, storing as
// it does by itself, and always past the caches.
func TestConformance(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			backendtest.Run(t, func() (compute.Backend, error) { return open(r), nil })
		})
		if r.past == nil {
			continue
		}
		t.Run(r.name+"-past", func(t *testing.T) {
			backendtest.Run(t, func() (compute.Backend, error) {
				b := open(r)
				b.pastFrom = 0
				return b, nil
			})
		})
	}
}

// TestPolicy: which calls store past the caches.
func TestPolicy(t *testing.T) {
	b := open(row{past: generic.kernels})
	defer b.Close()
	b.pastFrom = 1000
	a, c, d := make([]float32, 200), make([]float32, 200), make([]float32, 200)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&d[0])), 800)
	odd := unsafe.Slice((*float32)(unsafe.Pointer(&bytes[2])), 199)
	for _, test := range []struct {
		what       string
		bytes      int
		dst, x, dy []float32
		past       bool
	}{
		{"more than the cache", 8, a, c, nil, true},
		{"what the cache keeps", 8, a[:125], c[:125], nil, false},
		{"a little more", 8, a[:126], c[:126], nil, true},
		{"more, with three slices", 12, a[:84], c[:84], d[:84], true},
		{"what it keeps, with three", 12, a[:83], c[:83], d[:83], false},
		{"in place", 8, a, a, nil, false},
		{"over dy", 12, a, c, a, false},
		{"over x", 12, a, a, c, false},
		{"between addresses", 8, odd, c[:199], nil, false},
		{"nothing", 8, nil, nil, nil, false},
	} {
		if got := b.pastCaches(test.bytes, test.dst, test.x, test.dy); got != test.past {
			t.Errorf("%s: past the caches is %v, want %v", test.what, got, test.past)
		}
	}
	b.row.past = nil
	if b.pastCaches(8, a, c, nil) {
		t.Error("a row that cannot store past the caches does")
	}
}

// count is a kernel that shows how often it had each element.
func count(dst, _ []float32, _ float32) {
	for i := range dst {
		dst[i]++
	}
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
							p.do(&job{unary: count, dst: dst, x: dst})
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
		meet := func(dst, _ []float32, _ float32) {
			here.Done()
			select {
			case <-all:
			case <-time.After(20 * time.Second):
				t.Error("not every core took a chunk")
			}
		}
		p.mu.Lock()
		p.share(&job{unary: meet, dst: dst, x: dst}, procs)
		if p.job.dst != nil || p.job.x != nil {
			t.Error("the pool keeps the slices of a job that is done")
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

// TestCloseWaitsForStream: when Close has returned, Stream leaves its slices alone.
// The race detector watches, in kernels that it sees into.
func TestCloseWaitsForStream(t *testing.T) {
	v := make([]float32, 3*streamPart) // Stream is in its first part at Close, mostly
	for range 5 {
		b := open(generic)
		streaming := make(chan struct{})
		go func() {
			close(streaming)
			b.Stream(context.Background(), compute.OpDerivative, compute.LeakyReLU(0.5), v, v)
		}()
		<-streaming
		time.Sleep(time.Millisecond)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		clear(v)
	}
}

// TestSynctest: a clock that stands still hangs nobody.
func TestSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
		b, err := Open()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		v := values.Normal(1<<20, 1)
		if err := b.Stream(t.Context(), compute.OpForward, compute.LeakyReLU(0.5), v, v); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	})
}

// TestPoolRests: helpers that have nothing to do park, and stop ends them.
func TestPoolRests(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	before := runtime.NumGoroutine()
	var p pool
	dst := make([]float32, 1<<20)
	p.do(&job{unary: count, dst: dst, x: dst})
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
	if p.do(&job{unary: count, dst: dst, x: dst}); dst[0] != 2 {
		t.Error("a job after stop was not done")
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before and %d after", before, after)
	}
}

// TestMemory: memory is aligned, writable to its ends, and comes back from the
// pool, on both sides of the sizes where its source changes.
func TestMemory(t *testing.T) {
	var p memoryPool
	for _, n := range []int{1, 15, 16, 17, 1000, mapSize/4 - 1, mapSize / 4, mapSize/4 + 1, 1<<19 - 1, 1 << 19, 1<<19 + 1, 3 << 20} {
		m, err := p.get(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.elements) != n || cap(m.elements) < n || cap(m.elements) > n+n/4+16 {
			t.Fatalf("get(%d) returned %d elements of %d", n, len(m.elements), cap(m.elements))
		}
		if addr := uintptr(unsafe.Pointer(&m.elements[0])); addr%64 != 0 {
			t.Errorf("get(%d) starts at %x", n, addr)
		}
		all := m.elements[:cap(m.elements)]
		for i := range all {
			all[i] = 1
		}
		p.put(m)
		if p.bytes() != m.bytes() {
			t.Errorf("the pool counts %d bytes of %d", p.bytes(), m.bytes())
		}
		again, err := p.get(n)
		if err != nil {
			t.Fatal(err)
		}
		if &again.elements[0] != &m.elements[0] || p.bytes() != 0 {
			t.Errorf("get(%d) did not return what was put", n)
		}
		again.free()
	}
}

// TestMemoryPoolIsBounded: it keeps no more than maxPooled, and nothing once it is
// emptied.
func TestMemoryPoolIsBounded(t *testing.T) {
	var p memoryPool
	const n = maxPooled / 4 / 3
	var held []memory
	for range 5 {
		m, err := p.get(n)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, m)
	}
	for _, m := range held {
		p.put(m)
	}
	if p.bytes() == 0 || p.bytes() > maxPooled {
		t.Errorf("the pool keeps %d bytes of at most %d", p.bytes(), maxPooled)
	}
	large, err := p.get(maxPooled / 4 * 3 / 4) // which has room only beside one of them
	if err != nil {
		t.Fatal(err)
	}
	p.put(large)
	if again, err := p.get(len(large.elements)); err != nil || &again.elements[0] != &large.elements[0] {
		t.Errorf("%v: what was put last was not kept", err)
	} else {
		p.put(again)
	}
	if p.bytes() == 0 || p.bytes() > maxPooled {
		t.Errorf("with another class the pool keeps %d bytes of at most %d", p.bytes(), maxPooled)
	}
	p.empty()
	if p.bytes() != 0 || len(p.free) != 0 {
		t.Errorf("the empty pool keeps %d bytes", p.bytes())
	}
}

func TestClass(t *testing.T) {
	last := 0
	for n := 1; n < 100_000; n++ {
		c := class(n)
		if c < n || c > max(n+n/4, 64/4) && c > n+15 || c < last || class(c) != c || c%16 != 0 {
			t.Fatalf("class(%d) is %d, class(%d) %d, class(%d) %d", n-1, last, n, c, c, class(c))
		}
		last = c
	}
}

// TestTrim: a backend keeps memory that is released, and gives it back when asked
// to, or closed.
func TestTrim(t *testing.T) {
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	fill := func() {
		buf, err := b.Alloc(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		buf.Release()
		if b.Info().PooledBytes < 4<<20 {
			t.Errorf("after a buffer of 4 MiB was released, %d bytes are kept", b.Info().PooledBytes)
		}
	}
	fill()
	compute.Trim(b)
	if kept := b.Info().PooledBytes; kept != 0 {
		t.Errorf("after Trim, %d bytes are kept", kept)
	}
	fill()
	b.Close()
	if kept := b.Info().PooledBytes; kept != 0 {
		t.Errorf("after Close, %d bytes are kept", kept)
	}
}

// TestNoAllocation: calls on buffers allocate nothing, on one core or several.
func TestNoAllocation(t *testing.T) {
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	f := compute.LeakyReLU(0.01)
	for _, n := range []int{16, 1 << 10, 64 << 10, 1 << 20} {
		x, y := mustUpload(t, b, values.Normal(n, 1)), mustUpload(t, b, values.Normal(n, 2))
		host := make([]float32, n)
		for name, call := range map[string]func() error{
			"Forward":    func() error { return b.Forward(f, y, x) },
			"Derivative": func() error { return b.Derivative(f, y, x) },
			"Backward":   func() error { return b.Backward(f, y, y, x) },
			"Read":       func() error { return y.Read(host) },
			"Write":      func() error { return y.Write(host) },
		} {
			// testing.AllocsPerRun would run on one core.
			const runs = 50
			var before, after runtime.MemStats
			for i := range 2 * runs {
				if i == runs { // the first ones start helpers and fill pools
					runtime.ReadMemStats(&before)
				}
				if err := call(); err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			allocs := (after.Mallocs - before.Mallocs) / runs // others allocate now and then
			if allocs != 0 {
				t.Errorf("%s of %d elements allocates %v times", name, n, allocs)
			}
		}
		x.Release()
		y.Release()
	}
}

func mustUpload(t *testing.T, b compute.Backend, v []float32) compute.Buffer {
	t.Helper()
	buf, err := b.Upload(v)
	if err != nil {
		t.Fatal(err)
	}
	return buf
}

// BenchmarkPool times one kernel on one core, and shared with helpers that are
// awake or parked: the crossings are what minShare and minWake should be. On one
// core, the first crossing is at the latest where two cores are worth it.
func BenchmarkPool(b *testing.B) {
	k := rows()[0].kernels[compute.KindLeakyReLU].unary[compute.OpForward]
	for n := 4 << 10; n <= 16<<20; n *= 4 {
		j := job{unary: k, dst: values.Normal(n, 2), x: values.Normal(n, 1), slope: 0.01}
		b.Run(fmt.Sprintf("alone/%d", n), func(b *testing.B) {
			b.SetBytes(8 * int64(n))
			for b.Loop() {
				j.runAlone()
			}
		})
		b.Run(fmt.Sprintf("awake/%d", n), func(b *testing.B) {
			var p pool
			defer p.stop()
			b.SetBytes(8 * int64(n))
			for b.Loop() {
				p.share(&j, runtime.GOMAXPROCS(0))
			}
		})
		// After a rest: the helpers are parked, and caches and cores less awake.
		for _, how := range []string{"rested-alone", "rested-shared"} {
			b.Run(fmt.Sprintf("%s/%d", how, n), func(b *testing.B) {
				var p pool
				defer p.stop()
				var total time.Duration // stopping b's timer would take longer than a job
				for b.Loop() {
					time.Sleep(2 * spin)
					start := time.Now()
					if how == "rested-alone" {
						j.runAlone()
					} else {
						p.share(&j, runtime.GOMAXPROCS(0))
					}
					total += time.Since(start)
				}
				b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/op")
			})
		}
	}
}

// BenchmarkProcs times calls with one core and with all that GOMAXPROCS gives, in
// turn, and reports how many times as fast the latter are: never much below 1.
func BenchmarkProcs(b *testing.B) {
	all := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(all)
	backend, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	for n := 16; n <= 64<<20; n *= 2 {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, err := backend.Upload(values.Normal(n, 1))
			if err != nil {
				b.Fatal(err)
			}
			y, err := backend.Upload(values.Normal(n, 2))
			if err != nil {
				b.Fatal(err)
			}
			defer x.Release()
			defer y.Release()
			calls := 1 + 4<<20/n // some milliseconds
			sample := func(procs int) float64 {
				runtime.GOMAXPROCS(procs)
				var start time.Time
				for i := range 2 * calls { // the first half warms up
					if i == calls {
						start = time.Now()
					}
					if err := backend.Forward(compute.LeakyReLU(0.01), y, x); err != nil {
						b.Fatal(err)
					}
				}
				return float64(time.Since(start))
			}
			var ratios []float64
			for b.Loop() {
				ratios = append(ratios, sample(1)/sample(all))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "times-as-fast")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkStores times a kernel with plain stores and with those past the caches,
// over the traffic of a call: the crossing is what lastCache should be.
func BenchmarkStores(b *testing.B) {
	r := rows()[0]
	if r.past == nil {
		b.Skipf("the row %s has no stores past the caches", r.name)
	}
	var p pool
	defer p.stop()
	var m memoryPool
	defer m.empty()
	for mib := 4; mib <= 256; mib *= 2 {
		n := mib << 20 / 8
		y, err := m.get(n)
		if err != nil {
			b.Fatal(err)
		}
		x, err := m.get(n)
		if err != nil {
			b.Fatal(err)
		}
		copy(x.elements, values.Normal(n, 1))
		copy(y.elements, x.elements)
		j := job{unary: r.kernels[compute.KindLeakyReLU].unary[0], dst: y.elements, x: x.elements, slope: 0.01}
		for _, stores := range []string{"plain", "past"} {
			j.past.unary = nil
			if stores == "past" {
				j.past.unary = r.past[compute.KindLeakyReLU].unary[0]
			}
			b.Run(fmt.Sprintf("%s/%dMiB", stores, mib), func(b *testing.B) {
				b.SetBytes(8 * int64(n))
				for b.Loop() {
					p.do(&j)
				}
			})
		}
		m.put(x)
		m.put(y)
	}
}

// BenchmarkForward times calls through the Backend interface.
func BenchmarkForward(b *testing.B) {
	backend, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	for _, n := range []int{16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, err := backend.Upload(values.Normal(n, 1))
			if err != nil {
				b.Fatal(err)
			}
			y, err := backend.Upload(values.Normal(n, 2))
			if err != nil {
				b.Fatal(err)
			}
			defer x.Release()
			defer y.Release()
			b.SetBytes(8 * int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := backend.Forward(compute.LeakyReLU(0.01), y, x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
