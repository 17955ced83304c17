//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// eachWay runs test on a backend for each way of Stream: on the slices themselves, on
// copies in memory that is shared, on staged copies.
func eachWay(t *testing.T, streamMemory int64, test func(t *testing.T, b compute.Backend)) {
	for _, way := range []string{"direct", "copied", "staged"} {
		t.Run(way, func(t *testing.T) {
			o := Options{Device: "any", StreamMemory: streamMemory, Staged: way == "staged"}
			b := testenv.Open(t, o.Open)
			d := inside(b)
			if way == "copied" {
				d.shape.aligned = true // which does not take any slice as it is
			}
			test(t, b)
		})
	}
}

// odd returns a slice that does not begin with a page.
func odd(v []float32) []float32 { return append([]float32{0}, v...)[1:] }

func TestStreamWays(t *testing.T) {
	f := compute.LeakyReLU(-0.5)
	eachWay(t, 1<<20, func(t *testing.T, b compute.Backend) {
		d := inside(b)
		for _, n := range []int{1, 1000, 3*d.part + 7} {
			src := odd(values.Bits(n, 1))
			want := make([]float32, n)
			for i, x := range src {
				want[i] = f.Value(x)
			}
			dst, inPlace := odd(make([]float32, n)), odd(src)
			if err := b.Stream(t.Context(), compute.OpForward, f, dst, src); err != nil {
				t.Fatal(err)
			}
			if err := b.Stream(t.Context(), compute.OpForward, f, inPlace, inPlace); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if !values.Same(dst[i], want[i]) || !values.Same(inPlace[i], want[i]) {
					t.Fatalf("element %d of %d is %x, in place %x, and should be %x", i, n, dst[i], inPlace[i], want[i])
				}
			}
		}
	})
}

// TestStreamRefused: what Go does not hand to C is copied, within the memory that
// Stream may take.
func TestStreamRefused(t *testing.T) {
	const budget = 1 << 20
	b := testenv.Open(t, Options{Device: "any", StreamMemory: budget}.Open)
	object := &struct {
		pointer  *int
		elements [1<<20 + 7]float32
	}{pointer: new(int)}
	host := object.elements[:]
	want := values.Normal(len(host), 1)
	copy(host, want)
	f := compute.LeakyReLU(-0.5)
	compute.Trim(b) // what the self-test left
	if err := b.Stream(t.Context(), compute.OpForward, f, host, host); err != nil {
		t.Fatal(err)
	}
	for i, x := range want {
		if host[i] != f.Value(x) {
			t.Fatalf("element %d is %v and should be %v", i, host[i], f.Value(x))
		}
	}
	most := int64(budget)
	if !b.Info().SharedMemory {
		most *= 2 // as much of the host again, for the transfers
	}
	if held := b.Info().PooledBytes; held > most {
		t.Errorf("Stream holds %d bytes of at most %d", held, most)
	}
	runtime.KeepAlive(object.pointer)
}

// countdown is a context that ends when it was asked so often: it is cancelled, or its
// deadline passes before it knows.
type countdown struct {
	context.Context
	left atomic.Int64
	late bool
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 && !c.late {
		return context.Canceled
	}
	return nil
}

func (c *countdown) Deadline() (time.Time, bool) {
	return time.Unix(0, 0), c.late && c.left.Load() < 0
}

// TestStreamCancelled: Stream stops between two parts, the parts are done or
// untouched, nothing goes on behind its back, and the backend works on.
func TestStreamCancelled(t *testing.T) {
	f := compute.LeakyReLU(-0.5)
	eachWay(t, 1<<20, func(t *testing.T, b compute.Backend) {
		d := inside(b)
		d.directPart = d.part
		part, n := d.part, 40*d.part
		src, dst := odd(values.Normal(n, 1)), odd(make([]float32, n))
		for i, asked := range []int64{0, 1, 2, 5, 0, 1, 2, 5} {
			clear(dst)
			ctx, want := &countdown{Context: context.Background()}, context.Canceled
			if i >= 4 {
				ctx.late, want = true, context.DeadlineExceeded
			}
			ctx.left.Store(asked)
			if err := b.Stream(ctx, compute.OpForward, f, dst, src); !errors.Is(err, want) {
				t.Fatalf("got %v, want one that wraps %v", err, want)
			}
			after := slices.Clone(dst)
			done := 0
			for from := 0; from < n; from += part {
				whole := dst[from] != 0
				for i := from; i < from+part; i++ {
					if want := f.Value(src[i]); whole && dst[i] != want || !whole && dst[i] != 0 {
						t.Fatalf("element %d is %v, in a part of which others are done: %v", i, dst[i], whole)
					}
				}
				if whole {
					done++
				}
			}
			if done >= n/part || done > int(asked) {
				t.Errorf("%d parts of %d were done after the context was asked %d times", done, n/part, asked)
			}
			time.Sleep(20 * time.Millisecond)
			if !slices.Equal(dst, after) {
				t.Fatal("dst changed after Stream had returned")
			}
			if err := b.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestStreamWaits: a Stream that finds all pipelines at work waits for one, and gives up when
// its context ends. Close waits for it.
func TestStreamWaits(t *testing.T) {
	b := testenv.Open(t, Options{Device: "any", Staged: true}.Open)
	d := inside(b)
	giveBack := takePipelines(d)
	defer giveBack()
	v := values.Normal(100, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := b.Stream(ctx, compute.OpForward, compute.LeakyReLU(0.01), v, v); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a free pipeline: %v, want that the context ended", err)
	}
	streamed, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		streamed <- b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(0.01), v, v)
	}()
	time.Sleep(10 * time.Millisecond)
	go func() { closed <- b.Close() }()
	select {
	case err := <-streamed:
		t.Errorf("Stream did not wait for a pipeline: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	giveBack()
	if err := <-streamed; err != nil && !errors.Is(err, compute.ErrClosed) { // if it came after Close
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// takePipelines makes all that needs a pipeline wait until giveBack is called.
func takePipelines(d *device) (giveBack func()) {
	pipelines := make([]*pipeline, cap(d.pipelines))
	for i := range pipelines {
		pipelines[i] = <-d.pipelines
	}
	return sync.OnceFunc(func() {
		for _, l := range pipelines {
			d.pipelines <- l
		}
	})
}

// TestStreamLarge: far more than the memory that Stream may take, which counts.
func TestStreamLarge(t *testing.T) {
	const n, budget = 1 << 30, 64 << 20
	if testenv.Raced || testing.Short() {
		t.Skip("takes long, and minutes with the race detector; make test runs it without")
	}
	if have := testenv.Available(); have < 6<<30 {
		t.Skipf("needs 6 GiB of memory, and %d MiB are free", have>>20)
	}
	f := compute.LeakyReLU(-0.5)
	block := values.Normal(1<<20, 1)
	want := make([]float32, len(block))
	for i, x := range block {
		want[i] = f.Value(x)
	}
	host := make([]float32, n)
	for _, staged := range []bool{false, true} {
		t.Run(fmt.Sprintf("staged=%v", staged), func(t *testing.T) {
			b := testenv.Open(t, Options{Device: "any", StreamMemory: budget, Staged: staged}.Open)
			for from := 0; from < n; from += len(block) {
				copy(host[from:], block)
			}
			if err := b.Stream(t.Context(), compute.OpForward, f, host, host); err != nil {
				t.Fatal(err)
			}
			for from := 0; from < n; from += len(block) {
				if !slices.Equal(host[from:from+len(block)], want) {
					t.Fatalf("wrong between %d and %d", from, from+len(block))
				}
			}
			if held := b.Info().PooledBytes; held > 2*budget || staged && held < 2*3*2<<20 {
				t.Errorf("Stream holds %d bytes, of the device and the host, within %d each", held, budget)
			}
			compute.Trim(b)
			if held := b.Info().PooledBytes; held != 0 {
				t.Errorf("after Trim %d bytes are held", held)
			}
		})
	}
}

func TestPlanPipelines(t *testing.T) {
	for _, test := range []struct {
		bytes, maxAlloc int64
		cores           int
		pipelines, part int
	}{
		{minStreamMemory, 1 << 30, 2, 1, 1024},
		{3 * minStreamMemory, 1 << 30, 2, 3, 1024},
		{64 << 20, 1 << 30, 64, 8, 512 << 10},
		{8 << 20, 1 << 30, 64, 8, 256 << 10},
		{1 << 40, 1 << 40, 2, 3, 512 << 10},
		{1 << 40, 8192, 2, 3, 2048},
		{1 << 40, 100, 2, 3, 1},
	} {
		d := &device{info: compute.Info{MaxAlloc: test.maxAlloc}}
		d.planPipelines(test.bytes, test.cores)
		if cap(d.pipelines) != test.pipelines || d.part != test.part {
			t.Errorf("%+v: %d pipelines with %d elements each", test, cap(d.pipelines), d.part)
		}
		if used := 4 * int64(d.part) * int64(cap(d.pipelines)); used > test.bytes {
			t.Errorf("%+v: %d bytes are used", test, used)
		}
	}
}
