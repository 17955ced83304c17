package shard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

// TestStreamShares: members are done at about the same time, however fast each is,
// also in the first Stream. The clock is that of the test.
func TestStreamShares(t *testing.T) {
	const n, rate = 32 << 20, 1e9
	data := make([]float32, 2*n)
	for _, factors := range [][]float64{{1, 1}, {1, 10}, {10, 1}, {1, 100}, {1, 2, 3, 4}, {1, 1000}} {
		synctest.Test(t, func(t *testing.T) {
			members, all := make([]compute.Backend, len(factors)), 0.0
			for i, factor := range factors {
				members[i] = &timed{rate: factor * rate}
				all += factor * rate
			}
			// Weights that are wrong for Stream, as those of a device behind a slow bus.
			b, err := shard.Weighted(slices.Repeat([]float64{1}, len(members)), members...)
			if err != nil {
				t.Fatal(err)
			}
			for round := range 2 {
				start := time.Now()
				if err := b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(1), data[:n], data[n:]); err != nil {
					t.Fatal(err)
				}
				took := time.Since(start).Seconds()
				// What a member needs for the least chunk, of 64 Ki elements: the first, of each,
				// and the last of the fastest, which does it before a slower one would.
				ideal, chunk, most := n/all, (64<<10)/(slices.Max(factors)*rate), 1.03
				if round == 0 {
					chunk, most = (64<<10)/(slices.Min(factors)*rate), 1.1
				}
				if took > most*ideal+chunk {
					t.Errorf("of speeds %v, Stream number %d takes %.3f ms; all at once need %.3f, and one chunk %.3f",
						factors, round, 1e3*took, 1e3*ideal, 1e3*chunk)
				}
			}
		})
	}
}

// TestKnowsTheCPU: the CPU backend streams in place without a copy, and no other does.
func TestKnowsTheCPU(t *testing.T) {
	b, err := shard.Weighted([]float64{1, 1}, cpus(1)[0], &inPlace{device{cpus(1)[0]}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	v := values.Normal(1<<20, 1)
	if err := b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(0.5), v, v); err != nil {
		t.Error(err)
	}
}

// inPlace is a backend, other than that of package cpu, that may fail at any time.
type inPlace struct{ compute.Backend }

func (b *inPlace) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	if &dst[0] == &src[0] {
		return errors.New("a member that may fail works in place")
	}
	return b.Backend.Stream(ctx, op, f, dst, src)
}

// TestStreamContext: Stream stops between two chunks.
func TestStreamContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	b, err := shard.Weighted([]float64{1}, &meeting{&timed{rate: 1e12}, func() { // which knows of no context
		if calls++; calls == 2 {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	v := make([]float32, 8<<20)
	if err := b.Stream(ctx, compute.OpForward, compute.LeakyReLU(1), v, v); !errors.Is(err, context.Canceled) || calls != 2 {
		t.Errorf("got %v, want context.Canceled, after %d calls", err, calls)
	}
}

// late is a context whose deadline passes after some looks at it, and whose timer never
// fires, as where all cores compute.
type late struct {
	context.Context
	looks atomic.Int32
}

func (c *late) Deadline() (time.Time, bool) {
	if c.looks.Add(-1) >= 0 {
		return time.Now().Add(time.Hour), true
	}
	return time.Unix(0, 0), true
}

// TestStreamDeadline: Stream sees between two chunks that the deadline has passed.
func TestStreamDeadline(t *testing.T) {
	first := &timed{rate: 1e12} // which knows of no context
	b, err := shard.Weighted([]float64{1}, first)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	v, ctx := make([]float32, 8<<20), &late{Context: context.Background()}
	ctx.looks.Store(3)
	if err := b.Stream(ctx, compute.OpForward, compute.LeakyReLU(1), v, v); !errors.Is(err, context.DeadlineExceeded) || first.streams.Load() != 2 {
		t.Errorf("got %v, want context.DeadlineExceeded, after %d calls", err, first.streams.Load())
	}
}

// distant is a timed backend behind a network: a call takes cost, during which others
// are under way, and the data of one call follows that of another.
type distant struct {
	timed
	cost time.Duration
	link chan struct{}
	near bool // not so distant, in the memory of the host
}

func newDistant(cost time.Duration, rate float64) *distant {
	return &distant{timed: timed{rate: rate}, cost: cost, link: make(chan struct{}, 1)}
}

func (b *distant) Info() compute.Info { return compute.Info{Name: "distant", SharedMemory: b.near} }

func (b *distant) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	time.Sleep(b.cost)
	b.link <- struct{}{}
	defer func() { <-b.link }()
	return b.timed.Stream(ctx, op, f, dst, src)
}

// TestStreamWhole: what takes one member no longer than some calls is not divided,
// and what takes longer is.
func TestStreamWhole(t *testing.T) {
	data := make([]float32, 2<<20)
	synctest.Test(t, func(t *testing.T) {
		first, second := &timed{rate: 1e9}, &timed{rate: 1e9}
		b, err := shard.Weighted([]float64{1, 1}, first, second)
		if err != nil {
			t.Fatal(err)
		}
		calls := func(n int) int32 {
			first.streams.Store(0)
			second.streams.Store(0)
			if err := b.Stream(t.Context(), compute.OpForward, compute.LeakyReLU(1), data[:n], data[:n]); err != nil {
				t.Fatal(err)
			}
			return first.streams.Load() + second.streams.Load()
		}
		calls(192 << 10) // from which the speeds are known
		if n := calls(192 << 10); n != 1 {
			t.Errorf("192 Ki elements at 1e9 in a second take %d calls, want 1", n)
		}
		if n := calls(768 << 10); n != 2 {
			t.Errorf("768 Ki elements at 1e9 in a second take %d calls, want 2", n)
		}
	})
}

// TestStreamDistant: two members behind a network are at no length slower than one,
// since none gets chunks that are smaller than what a call costs; and the longer the
// slices, the closer they come to half the time. The clock is that of the test.
func TestStreamDistant(t *testing.T) {
	data := make([]float32, 32<<20)
	for _, net := range []struct {
		cost time.Duration
		rate float64
	}{
		{time.Millisecond, 4e8},
		{300 * time.Microsecond, 3e7}, // 1 Gbit/s
		{30 * time.Microsecond, 3e9},  // a bus
	} {
		synctest.Test(t, func(t *testing.T) {
			b, err := shard.Weighted([]float64{1, 1}, newDistant(net.cost, net.rate), newDistant(net.cost, net.rate))
			if err != nil {
				t.Fatal(err)
			}
			stream := func(b compute.Backend, n int) time.Duration {
				start := time.Now()
				if err := b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(1), data[:n], data[len(data)-n:]); err != nil {
					t.Fatal(err)
				}
				return time.Since(start)
			}
			for n := 64 << 10; n <= len(data)/2; n += max(n/256<<6, 64<<10) {
				most := time.Duration(105) // percent of the time that one needs
				if n >= 8<<20 {
					most = 60
				} else if n >= 1<<20 { // a chunk for each
					most = 80
				}
				one := stream(newDistant(net.cost, net.rate), n)
				for round := range 2 {
					two := stream(b, n)
					if two > one*most/100 {
						t.Errorf("call %v, %.3g/s, round %d: %d elements take %v on two members, and %v on one; want %d %% of it at most", net.cost, net.rate, round, n, two, one, most)
					}
				}
			}
		})
	}
}

// TestStreamLengths: how long a member takes for a short slice, where the cost of a
// call is all, tells nothing of longer ones, and the other way round. The clock is that of
// the test.
func TestStreamLengths(t *testing.T) {
	const short, long = 16, 16 << 20
	data := make([]float32, 2*long)
	synctest.Test(t, func(t *testing.T) {
		near, far := newDistant(time.Microsecond, 1e10), newDistant(300*time.Microsecond, 2e8)
		near.near = true
		b, err := shard.Weighted([]float64{1, 1}, far, near)
		if err != nil {
			t.Fatal(err)
		}
		stream := func(b compute.Backend, n int) time.Duration {
			start := time.Now()
			if err := b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(1), data[:n], data[long:long+n]); err != nil {
				t.Fatal(err)
			}
			return time.Since(start)
		}
		for round := range 3 {
			for call, n := range append([]int{long}, slices.Repeat([]int{short}, 20)...) {
				one, both := stream(near, n), stream(b, n)
				if limit := one * 11 / 10; both > limit && round > 0 { // when both are known
					t.Errorf("round %d, call %d: %d elements take %v on both members, and %v on the near one", round, call, n, both, one)
				}
			}
		}
	})
}

// TestWrapped: a Shard of wrapped CPU backends streams in place without a copy, on
// one of them, as bare ones do.
func TestWrapped(t *testing.T) {
	v := values.Normal(1<<20, 1)
	for _, inPlace := range []bool{true, false} {
		here := &place{Backend: cpus(1)[0], dst: make(map[*float32]bool)}
		b, err := shard.Weighted([]float64{1, 1}, here, wrapper{Backend: cpus(1)[0], err: errors.New("both are called")})
		if err != nil {
			t.Fatal(err)
		}
		dst := v
		if !inPlace {
			dst = make([]float32, len(v))
		}
		if err := b.Stream(t.Context(), compute.OpForward, compute.LeakyReLU(0.5), dst, v); err != nil || !here.dst[&dst[0]] {
			t.Errorf("in place: %v: Stream returns %v, and the result went elsewhere first: %v", inPlace, err, !here.dst[&dst[0]])
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// place wraps a backend and remembers where Stream put its results.
type place struct {
	compute.Backend
	dst map[*float32]bool
}

func (b *place) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	b.dst[&dst[0]] = true
	return b.Backend.Stream(ctx, op, f, dst, src)
}

// TestWrappedFails: when a wrapper of the CPU backend fails in a Stream in place,
// where a part of the input is overwritten by then, the Stream ends with its error and
// nothing is computed twice. With a result of its own, others complete it.
func TestWrappedFails(t *testing.T) {
	f := compute.LeakyReLU(0.5) // applied twice it shows
	xs := values.Normal(1<<20, 1)
	ys := want(len(xs), func(i int) float32 { return f.Value(xs[i]) })
	for _, inPlace := range []bool{true, false} {
		bad := &wrapper{Backend: cpus(1)[0], err: fmt.Errorf("on fire: %w", compute.ErrDevice)}
		b, err := shard.Weighted([]float64{1, 1}, bad, slow{device{cpus(1)[0]}})
		if err != nil {
			t.Fatal(err)
		}
		got, src := make([]float32, len(xs)), xs
		if inPlace {
			copy(got, xs)
			src = got
		}
		err = b.Stream(t.Context(), compute.OpForward, f, got, src)
		if !inPlace {
			equal(t, "after a fault", got, ys, err)
		} else if !errors.Is(err, compute.ErrDevice) {
			t.Errorf("in place: got %v, want ErrDevice", err)
		}
		for i := range got {
			if !values.Same(got[i], xs[i]) && !values.Same(got[i], ys[i]) {
				t.Fatalf("in place: %v: of x = %v, element %d has become %v", inPlace, xs[i], i, got[i])
			}
		}
		if skipped := b.Info().Skipped; !errors.Is(skipped, compute.ErrDevice) {
			t.Errorf("in place: %v: Skipped is %v", inPlace, skipped)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
