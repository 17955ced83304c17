package shard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

// TestStreamFaults makes a member fail at each of its chunks. The result is complete and
// right, in place too, and later calls leave the member out.
func TestStreamFaults(t *testing.T) {
	f := compute.LeakyReLU(0.5) // so that applying it twice shows
	xs := values.Bits(1<<20+3, 1)
	ys := values.Each(len(xs), func(i int) float32 { return f.Value(xs[i]) })
	got := make([]float32, len(xs))
	for _, inPlace := range []bool{false, true} {
		for at := range 2 {
			faults := 0
			for failAt := 1; failAt <= 15; failAt++ {
				what := fmt.Sprintf("Stream (in place: %v) with a fault of member %d in its chunk %d", inPlace, at, failAt)
				bad := newFaulty(failAt, compute.ErrDevice)
				b, other := beside(t, bad, at)
				stream := func() {
					t.Helper()
					clear(got)
					src := xs
					if inPlace {
						src = got
						copy(got, xs)
					}
					testenv.Equal(t, what, got, ys, b.Stream(context.Background(), compute.OpForward, f, got, src))
				}
				stream()
				if bad.failed() {
					faults++
					name := fmt.Sprintf("member %d (faulty)", at)
					if skipped := b.Info().Skipped; !errors.Is(skipped, compute.ErrDevice) || !strings.Contains(skipped.Error(), name) {
						t.Errorf("%s: Skipped is %v", what, skipped)
					}
					if err := b.Sync(); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), name) {
						t.Errorf("%s: then Sync returns %v", what, err)
					}
					calls := bad.calls
					stream()
					if bad.calls != calls {
						t.Errorf("%s: the next Stream calls it again", what)
					}
				} else if skipped := b.Info().Skipped; skipped != nil {
					t.Errorf("%s, which did not come: Skipped is %v", what, skipped)
				}
				if err := everyCall(other, 1000); err != nil {
					t.Errorf("%s: the other member alone: %v", what, err)
				}
				if err := b.Close(); err != nil {
					t.Errorf("%s: Close: %v", what, err)
				}
			}
			t.Logf("in place: %v, member %d: %d faults", inPlace, at, faults)
			if faults == 0 {
				t.Errorf("in place: %v: member %d has no chunk to fail at", inPlace, at)
			}
		}
	}
}

// TestStreamAllFail: if all members fail, Stream returns ErrDevice, and has not changed its
// input in place.
func TestStreamAllFail(t *testing.T) {
	xs := values.Bits(1<<20, 1)
	got := slices.Clone(xs)
	b, err := shard.Weighted([]float64{1, 1}, newFaulty(1, compute.ErrDevice), newFaulty(1, compute.ErrDevice))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range 2 {
		if err := b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(2), got, got); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "(faulty)") {
			t.Errorf("got %v, want ErrDevice that names a member", err)
		}
	}
	testenv.Equal(t, "what no member has computed", got, xs, nil)
	for _, name := range []string{"member 0 (faulty)", "member 1 (faulty)"} {
		if skipped := b.Info().Skipped; skipped == nil || !strings.Contains(skipped.Error(), name) {
			t.Errorf("Skipped is %v, want it to name %s", skipped, name)
		}
	}
}

// TestStreamError: an error that is not a fault ends the Stream.
func TestStreamError(t *testing.T) {
	bad := newFaulty(1, compute.ErrOutOfMemory)
	b, _ := beside(t, bad, 0)
	defer b.Close()
	v := make([]float32, 1<<20)
	if err := b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(2), v, v); !errors.Is(err, compute.ErrOutOfMemory) || !strings.Contains(err.Error(), "member 0 (faulty)") {
		t.Errorf("got %v, want ErrOutOfMemory that names the member", err)
	}
	if err := b.Sync(); err != nil {
		t.Errorf("then Sync returns %v", err)
	}
}

// faultyCPU is reported as the CPU, and fails.
type faultyCPU struct{ *faulty }

func (b faultyCPU) Info() compute.Info {
	info := b.faulty.Info()
	info.Backend = "cpu"
	return info
}

// TestStreamCPUFails: a Stream in place ends with an error if the CPU backend fails, even if
// there is another.
func TestStreamCPUFails(t *testing.T) {
	b, err := shard.Weighted([]float64{1, 1}, faultyCPU{newFaulty(1, compute.ErrDevice)}, cpus(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	v := values.Normal(1000, 1)
	if err := b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(2), v, v); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "member 0 (faulty)") {
		t.Errorf("got %v, want ErrDevice that names the member", err)
	}
}

// TestStreamShares: members of any speed are done at about the same time, in the first
// Stream too. The clock is fake.
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
			// Weights do not matter to Stream.
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
				// The first chunk of each member has 64 Ki elements, as its speed is unknown.
				ideal, chunk, most := n/all, (64<<10)/(slices.Max(factors)*rate), 1.03
				if round == 0 {
					chunk, most = (64<<10)/(slices.Min(factors)*rate), 1.25
				}
				if took > most*ideal+chunk {
					t.Errorf("of speeds %v, Stream number %d takes %.3f ms; all at once need %.3f, and one chunk %.3f",
						factors, round, 1e3*took, 1e3*ideal, 1e3*chunk)
				}
			}
		})
	}
}

// TestStreamCPU: the CPU backend streams in place without a copy, and no other does.
func TestStreamCPU(t *testing.T) {
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

// inPlace is a device that does not work in place.
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
	b, err := shard.Weighted([]float64{1}, &meeting{&timed{rate: 1e12}, func() { // which ignores its context
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

// late is a context whose deadline passes when it was asked for looks times, and whose timer
// never fires, as if all cores were busy.
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

// TestStreamDeadline: Stream checks the deadline between two chunks.
func TestStreamDeadline(t *testing.T) {
	first := &timed{rate: 1e12} // which ignores its context
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

// distant is a timed backend behind a network: each call first takes cost, while others go
// on, and then its turn on the link.
type distant struct {
	timed
	cost time.Duration
	link chan struct{}
	near bool // in the memory of the host
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

// TestStreamWhole: only a Stream that takes one member long enough is divided.
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
		calls(192 << 10) // makes the speeds known
		if n := calls(192 << 10); n != 1 {
			t.Errorf("192 Ki elements at 1e9 in a second take %d calls, want 1", n)
		}
		if n := calls(768 << 10); n != 2 {
			t.Errorf("768 Ki elements at 1e9 in a second take %d calls, want 2", n)
		}
	})
}

// TestStreamDistant: two members behind a network are not slower than one at any length,
// since chunks are long enough for the cost of a call, and need about half the time for
// long slices. The clock is fake.
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
				most := time.Duration(105) // percent of the time of one member
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

// TestStreamLengths: rates of short slices, where calls cost most of the time, do not
// influence long ones, and the other way round. The clock is fake.
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

// TestStreamWrapped: wrapped CPU backends stream as bare ones do: in place, and one of
// them alone.
func TestStreamWrapped(t *testing.T) {
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

// place is a wrapper that remembers the dst of each Stream.
type place struct {
	compute.Backend
	dst map[*float32]bool
}

func (b *place) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	b.dst[&dst[0]] = true
	return b.Backend.Stream(ctx, op, f, dst, src)
}

// TestStreamWrappedFails: if a wrapper of the CPU backend fails in a Stream in place, a part
// of the input is overwritten. The Stream ends with its error, and no element is computed
// twice. If dst is another slice, others complete it.
func TestStreamWrappedFails(t *testing.T) {
	f := compute.LeakyReLU(0.5) // so that applying it twice shows
	xs := values.Normal(1<<20, 1)
	ys := values.Each(len(xs), func(i int) float32 { return f.Value(xs[i]) })
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
			testenv.Equal(t, "after a fault", got, ys, err)
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
