package compute_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/ops"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// cpus returns so many CPU backends.
func cpus(n int) []compute.Backend {
	list := make([]compute.Backend, n)
	for i := range list {
		list[i], _ = cpu.Open() // never fails
	}
	return list
}

// weighted is an opener of a Shard of CPU backends with these weights.
func weighted(weights ...float64) compute.Opener {
	return func() (compute.Backend, error) { return compute.ShardWeighted(weights, cpus(len(weights))...) }
}

func TestShard(t *testing.T) {
	for name, open := range map[string]compute.Opener{
		"two CPUs":  func() (compute.Backend, error) { return compute.Shard(cpus(2)...) },
		"one alone": weighted(3),
		"five":      weighted(1, 1, 1, 1, 1),
		"1 to 9":    weighted(1, 9),
		"a Shard of a Shard": func() (compute.Backend, error) {
			inner, err := weighted(1, 2)()
			if err != nil {
				return nil, err
			}
			return compute.ShardWeighted([]float64{1, 2}, inner, cpus(1)[0])
		},
	} {
		t.Run(name, func(t *testing.T) {
			sparedRace(t, name != "two CPUs")
			backendtest.Run(t, open)
		})
	}
}

// sparedRace skips what the race detector learns nothing from that it has not seen.
func sparedRace(t *testing.T, seen bool) {
	if testenv.Raced && seen {
		t.Skip("takes minutes with the race detector; make test runs it without")
	}
}

// TestShardOpenCL: on all OpenCL devices, of which PoCL shows two, and on one beside the
// CPU backend.
func TestShardOpenCL(t *testing.T) {
	t.Setenv(gpu.DeviceEnv, "any")
	open := func() (compute.Backend, error) { return alike(gpu.OpenAll()) }
	name := testenv.Open(t, open).Info().Name
	t.Logf("on %s", name)
	t.Run("two devices", func(t *testing.T) {
		sparedRace(t, true)
		if !strings.Contains(name, " + ") {
			if os.Getenv("REQUIRE_OPENCL") == "1" {
				t.Fatal("there is one OpenCL device")
			}
			t.Skip("needs two OpenCL devices (REQUIRE_OPENCL=1 makes this a failure)")
		}
		backendtest.Run(t, open)
	})
	t.Run("beside the CPU", func(t *testing.T) {
		backendtest.Run(t, func() (compute.Backend, error) {
			b, err := gpu.Open()
			if err != nil {
				return nil, err
			}
			return compute.ShardWeighted([]float64{1, 2}, cpus(1)[0], b)
		})
	})
}

// alike returns a Shard, of parts alike, of what was opened.
func alike(all []compute.Backend, err error) (compute.Backend, error) {
	if len(all) == 0 {
		return nil, err
	}
	return compute.ShardWeighted(slices.Repeat([]float64{1}, len(all)), all...)
}

func TestShardRefuses(t *testing.T) {
	all := cpus(2)
	closed := cpus(1)[0]
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	shard := func(members ...compute.Backend) error {
		_, err := compute.Shard(members...)
		return err
	}
	weights := func(weights ...float64) error {
		_, err := compute.ShardWeighted(weights, all...)
		return err
	}
	for _, test := range []struct {
		err   error
		wraps error
		tells string
	}{
		{shard(), compute.ErrUnavailable, "no member"},
		{shard(all[0], nil), nil, "member 1 is nil"},
		{shard(all[0], all[1], all[0]), nil, "members 0 and 2 are the same backend, cpu"},
		{shard(all[0], closed), compute.ErrClosed, "member 1 (cpu"},
		{weights(1), compute.ErrLength, "1 weights for 2 members"},
		{weights(1, 0), nil, "member 1 (cpu"},
		{weights(-1, 1), nil, "member 0 (cpu"},
		{weights(1, math.NaN()), nil, "NaN"},
		{weights(1, math.Inf(1)), nil, "Inf"},
	} {
		if test.err == nil || test.wraps != nil && !errors.Is(test.err, test.wraps) || !strings.Contains(test.err.Error(), test.tells) {
			t.Errorf("got %v, want an error that tells %q and wraps %v", test.err, test.tells, test.wraps)
		}
	}
	for _, b := range all {
		if info := b.Info(); info.LiveBuffers != 0 || b.Sync() != nil {
			t.Errorf("after errors a member holds %d buffers, and Sync returns %v", info.LiveBuffers, b.Sync())
		}
	}
	uncomparable := struct {
		compute.Backend
		_ func()
	}{Backend: all[0]}
	if b, err := compute.ShardWeighted([]float64{1, 1}, uncomparable, uncomparable); err != nil {
		t.Errorf("members that cannot be compared: %v", err)
	} else if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestShardParts: the parts are in proportion to the weights, and end with words of
// masks.
func TestShardParts(t *testing.T) {
	for _, test := range []struct {
		weights []float64
		n       int
		parts   []int
	}{
		{[]float64{1}, 100, []int{100}},
		{[]float64{1, 1}, 128, []int{64, 64}},
		{[]float64{1, 9}, 64000, []int{6400, 57600}},
		{[]float64{1, 9}, 64001, []int{6400, 57601}},
		{[]float64{1e308, 1e308, 1e308}, 640, []int{192, 256, 192}},
		{[]float64{1, 1, 1, 1, 1}, 130, []int{64, 0, 64, 0, 2}},
		{[]float64{1, 1, 1, 1, 1}, 1, []int{0, 0, 1, 0, 0}},
		{[]float64{9, 1}, 50, []int{50, 0}},
		{[]float64{1, 2}, 0, []int{0, 0}},
	} {
		members := cpus(len(test.weights))
		b, err := compute.ShardWeighted(test.weights, members...)
		if err != nil {
			t.Fatal(err)
		}
		x, err := b.Alloc(test.n)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range test.parts {
			if info := members[i].Info(); info.LiveBytes != 4*int64(want) || info.LiveBuffers != min(want, 1) {
				t.Errorf("of %d elements, by %v, %d bytes in %d buffers lie on member %d, want %d elements", test.n, test.weights, info.LiveBytes, info.LiveBuffers, i, want)
			}
		}
		if err := errors.Join(x.Release(), b.Close()); err != nil {
			t.Error(err)
		}
	}
}

// told is a backend with another Info.
type told struct {
	compute.Backend
	info compute.Info
}

func (b told) Info() compute.Info { return b.info }

func TestShardInfo(t *testing.T) {
	reason := errors.New("the first driver is broken")
	big := compute.Info{Name: "opencl Big", Backend: "opencl", Kind: "gpu", Memory: 100, PooledBytes: 7, MaxAlloc: 1 << 20, Skipped: reason}
	small := compute.Info{Name: "opencl Small", Backend: "opencl", Kind: "gpu", Memory: 50, PooledBytes: 1, MaxAlloc: 1 << 19, SharedMemory: true, FlushesSubnormals: true}
	host := compute.Info{Name: "cpu x", Backend: "cpu", Kind: "cpu", SharedMemory: true}
	shard := func(weights []float64, infos ...compute.Info) compute.Info {
		members := cpus(len(infos))
		for i, info := range infos {
			members[i] = told{members[i], info}
		}
		b, err := compute.ShardWeighted(weights, members...)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		return b.Info()
	}
	info := shard([]float64{1, 1, 2}, big, small, host)
	if info.Name != "shard (opencl Big + opencl Small + cpu x)" || info.Backend != "shard" || info.Kind != "other" ||
		info.Memory != 150 || info.PooledBytes != 8 || info.SharedMemory || !info.FlushesSubnormals || !errors.Is(info.Skipped, reason) {
		t.Errorf("Info is %+v", info)
	}
	// A quarter lies on the small one, and perhaps one more word of a mask.
	if want := int64(4 * (1<<19 - 256)); info.MaxAlloc != want {
		t.Errorf("MaxAlloc is %d, want %d", info.MaxAlloc, want)
	}
	if info := shard([]float64{1, 1}, host, small); !info.SharedMemory || info.Kind != "other" || info.Skipped != nil {
		t.Errorf("Info is %+v", info)
	}
	if info := shard([]float64{1}, big); info.Kind != "gpu" || info.MaxAlloc != big.MaxAlloc || info.FlushesSubnormals {
		t.Errorf("of one member, Info is %+v", info)
	}
	if info := shard([]float64{1, 2}, host, host); info.MaxAlloc != 0 || info.Kind != "cpu" {
		t.Errorf("of members without a bound, Info is %+v", info)
	}
}

// timed is a backend that computes nothing, and takes its time for it.
type timed struct {
	compute.Backend
	forward time.Duration // of one call
	rate    float64       // of Stream, elements per second
}

type timedBuffer int

func (n timedBuffer) Len() int                       { return int(n) }
func (timedBuffer) Write([]float32) error            { return nil }
func (timedBuffer) Read([]float32) error             { return nil }
func (timedBuffer) Release() error                   { return nil }
func (*timed) Info() compute.Info                    { return compute.Info{Name: "timed", SharedMemory: true} }
func (*timed) Sync() error                           { return nil }
func (*timed) Close() error                          { return nil }
func (b *timed) Alloc(n int) (compute.Buffer, error) { return timedBuffer(n), nil }
func (b *timed) Upload(src []float32) (compute.Buffer, error) {
	var negative, positive bool
	for _, v := range src {
		negative, positive = negative || v < 0, positive || v > 0
	}
	if !negative || !positive {
		return nil, errors.New("the data is of one sign")
	}
	return timedBuffer(len(src)), nil
}

func (b *timed) Forward(compute.Activation, compute.Buffer, compute.Buffer) error {
	time.Sleep(b.forward)
	return nil
}

func (b *timed) Stream(_ context.Context, _ compute.Op, _ compute.Activation, dst, _ []float32) error {
	time.Sleep(time.Duration(float64(len(dst)) / b.rate * 1e9))
	return nil
}

// TestShardMeasures: the parts are in proportion to what Shard measures. The clock is
// that of the test.
func TestShardMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fast := &counting{Backend: &timed{forward: 9 * time.Millisecond}}, &counting{Backend: &timed{forward: 100 * time.Microsecond}}
		b, err := compute.Shard(slow, fast)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Alloc(91 * 64); err != nil {
			t.Fatal(err)
		}
		if slow.last != 64 || fast.last != 90*64 {
			t.Errorf("a member 90 times as fast gets %d elements, and the other %d", fast.last, slow.last)
		}
	})
}

// counting remembers the length of the last buffer.
type counting struct {
	compute.Backend
	last int
}

func (b *counting) Alloc(n int) (compute.Buffer, error) {
	b.last = n
	return b.Backend.Alloc(n)
}

// TestShardStreamShares: members are done at about the same time, however fast each is,
// also in the first Stream. The clock is that of the test.
func TestShardStreamShares(t *testing.T) {
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
			b, err := compute.ShardWeighted(slices.Repeat([]float64{1}, len(members)), members...)
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
				ideal, chunk := n/all, (64<<10)/(slices.Max(factors)*rate)
				if round == 0 {
					chunk = (64 << 10) / (slices.Min(factors) * rate)
				}
				if took > 1.03*ideal+chunk {
					t.Errorf("of speeds %v, Stream number %d takes %.3f ms; all at once need %.3f, and one chunk %.3f",
						factors, round, 1e3*took, 1e3*ideal, 1e3*chunk)
				}
			}
		})
	}
}

// meeting is a backend whose calls wait for each other: none returns before so many are
// under way.
type meeting struct {
	compute.Backend
	meet func()
}

func (b *meeting) Forward(f compute.Activation, y, x compute.Buffer) error {
	b.meet()
	return b.Backend.Forward(f, y.(meetingBuffer).Buffer, x.(meetingBuffer).Buffer)
}

func (b *meeting) Upload(src []float32) (compute.Buffer, error) {
	b.meet()
	buf, err := b.Backend.Upload(src)
	return meetingBuffer{buf, b}, err
}

func (b *meeting) Sync() error {
	b.meet()
	return nil
}

func (b *meeting) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	b.meet()
	return b.Backend.Stream(ctx, op, f, dst, src)
}

type meetingBuffer struct {
	compute.Buffer
	b *meeting
}

func (b meetingBuffer) Write(src []float32) error {
	b.b.meet()
	return b.Buffer.Write(src)
}

func (b meetingBuffer) Read(dst []float32) error {
	b.b.meet()
	return b.Buffer.Read(dst)
}

// TestShardAtOnce: all members are at work at the same time.
func TestShardAtOnce(t *testing.T) {
	const n = 128 << 10 // two chunks of Stream
	members := cpus(2)
	here := make(chan struct{})
	for i, b := range members {
		members[i] = &meeting{b, func() {
			select {
			case here <- struct{}{}:
			case <-here:
			case <-time.After(time.Minute):
				t.Error("a member waits for the other to be called")
			}
		}}
	}
	b, err := compute.ShardWeighted([]float64{1, 1}, members...)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	xs, got := values.Normal(n, 1), make([]float32, n)
	f := compute.LeakyReLU(-0.5)
	x, err := b.Upload(xs)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(x.Write(xs), b.Forward(f, x, x), b.Sync(), x.Read(got)); err != nil {
		t.Fatal(err)
	}
	equal(t, "forward", got, want(n, func(i int) float32 { return f.Value(xs[i]) }), nil)
	clear(got)
	equal(t, "stream", got, want(n, func(i int) float32 { return f.Value(xs[i]) }),
		b.Stream(context.Background(), compute.OpForward, f, got, xs))
}

// TestShardOrder: calls from several goroutines take effect in one order on all members.
func TestShardOrder(t *testing.T) {
	const n, rounds = 4096, 500
	b := testenv.Open(t, weighted(1, 1, 1))
	x, err := b.Upload(slices.Repeat([]float32{1}, n))
	if err != nil {
		t.Fatal(err)
	}
	f := compute.LeakyReLU(-1) // of -1 it makes 1
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			v, got := slices.Repeat([]float32{float32(g) - 2}, n), make([]float32, n)
			for range rounds {
				if err := errors.Join(x.Write(v), b.Forward(f, x, x), x.Read(got)); err != nil {
					t.Error(err)
					return
				}
				if i := slices.IndexFunc(got, func(v float32) bool { return v != got[0] }); i > 0 {
					t.Errorf("element 0 is %v and element %d is %v", got[0], i, got[i])
					return
				}
			}
		})
	}
	wg.Wait()
	if err := x.Release(); err != nil {
		t.Error(err)
	}
}

// TestShardForeign: the buffers of a member are foreign to the Shard, and its own to the
// member.
func TestShardForeign(t *testing.T) {
	members := cpus(2)
	b, err := compute.ShardWeighted([]float64{1, 1}, members...)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	own, err := b.Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := members[0].Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{b.Forward(compute.LeakyReLU(1), own, theirs), members[0].Forward(compute.LeakyReLU(1), own, theirs)} {
		if !errors.Is(err, compute.ErrForeignBuffer) {
			t.Errorf("got %v, want ErrForeignBuffer", err)
		}
	}
	other := testenv.Open(t, weighted(1, 1))
	foreign, err := other.Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Forward(compute.LeakyReLU(1), own, foreign); !errors.Is(err, compute.ErrForeignBuffer) || strings.Contains(err.Error(), "member") {
		t.Errorf("of a buffer of another Shard: got %v, want ErrForeignBuffer, of no member", err)
	}
	if live := b.Info().LiveBuffers; live != 1 {
		t.Errorf("Info counts %d buffers, and the shard has made 1", live)
	}
}

// TestShardErrorsTellTheWhole: the lengths in an error are those of the buffers, not of
// their parts.
func TestShardErrorsTellTheWhole(t *testing.T) {
	b := testenv.Open(t, weighted(1, 1))
	x, err := b.Alloc(1000)
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Alloc(2000)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{b.Forward(compute.LeakyReLU(1), y, x), x.Read(make([]float32, 2000)), x.Write(make([]float32, 2000)),
		b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(1), make([]float32, 2000), make([]float32, 1000))} {
		if !errors.Is(err, compute.ErrLength) || !strings.Contains(err.Error(), "1000") || !strings.Contains(err.Error(), "2000") {
			t.Errorf("got %v, want ErrLength with 1000 and 2000", err)
		}
	}
	if err := b.ForwardDerivative(compute.LeakyReLU(1), y, y, y); !errors.Is(err, compute.ErrOverlap) || strings.Contains(err.Error(), "member") {
		t.Errorf("got %v, want ErrOverlap, of no member", err)
	}
	if err := errors.Join(x.Release(), y.Release()); err != nil {
		t.Error(err)
	}
}

// TestShardCopyAndTrim: what the functions of this module find in a backend, they find
// in a Shard.
func TestShardCopyAndTrim(t *testing.T) {
	b := testenv.Open(t, weighted(1, 2))
	xs := values.Normal(1000, 1)
	x, err := b.Upload(xs)
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Alloc(1000)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 1000)
	equal(t, "copy", got, xs, errors.Join(b.(ops.Copier).Copy(y, x), y.Read(got), x.Release(), y.Release()))
	if b.Info().PooledBytes == 0 {
		t.Error("nothing is kept")
	}
	if compute.Trim(b); b.Info().PooledBytes != 0 {
		t.Errorf("after Trim %d bytes are kept", b.Info().PooledBytes)
	}
	none, err := compute.ShardWeighted([]float64{1, 1}, cpus(1)[0], told{cpus(1)[0], compute.Info{Name: "plain"}})
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if x, err = none.Upload(xs); err != nil {
		t.Fatal(err)
	}
	if err := none.(ops.Copier).Copy(x, x); err == nil || !strings.Contains(err.Error(), "member 1 (plain)") {
		t.Errorf("with a member that has no Copy: %v", err)
	}
}

// TestShardKnowsTheCPU: Shard finds out which members have all cores and never fail, and
// streams in place without a copy there.
func TestShardKnowsTheCPU(t *testing.T) {
	if _, ok := cpus(1)[0].(interface{ Host() }); !ok {
		t.Error("the CPU backend does not tell that it is the host")
	}
	b, err := compute.ShardWeighted([]float64{1, 1}, cpus(1)[0], &inPlace{Backend: cpus(1)[0]})
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

// TestShardStreamContext: Stream stops between two chunks.
func TestShardStreamContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	b, err := compute.ShardWeighted([]float64{1}, &meeting{&timed{rate: 1e12}, func() { // which knows of no context
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

// BenchmarkShard compares a Shard of backends of this machine with one of them. Those on
// the same cores share what one has alone.
func BenchmarkShard(b *testing.B) {
	b.Setenv(gpu.DeviceEnv, "any")
	backends := map[string]compute.Opener{
		"cpu":            cpu.Open,
		"shard of 2 cpu": func() (compute.Backend, error) { return compute.Shard(cpus(2)...) },
		"opencl":         gpu.Open,
		"shard of opencls": func() (compute.Backend, error) {
			all, err := gpu.OpenAll()
			if len(all) == 0 {
				return nil, err
			}
			return compute.Shard(all...)
		},
		"shard of both": func() (compute.Backend, error) {
			one, err := gpu.Open()
			if err != nil {
				return nil, err
			}
			return compute.Shard(one, cpus(1)[0])
		},
	}
	for _, n := range []int{1 << 20, 16 << 20} {
		for _, name := range []string{"cpu", "shard of 2 cpu", "opencl", "shard of opencls", "shard of both"} {
			b.Run(fmt.Sprintf("%dMi/%s", n>>20, name), func(b *testing.B) {
				backend := testenv.Open(b, backends[name])
				f, v, w := compute.LeakyReLU(0.01), values.Normal(n, 1), make([]float32, n)
				x, err := backend.Upload(v)
				if err != nil {
					b.Fatal(err)
				}
				y, err := backend.Alloc(n)
				if err != nil {
					b.Fatal(err)
				}
				for _, bench := range []struct {
					what string
					call func() error
				}{
					{"forward", func() error { return errors.Join(backend.Forward(f, y, x), backend.Sync()) }},
					{"write", func() error { return x.Write(v) }},
					{"read", func() error { return y.Read(w) }},
					{"stream", func() error { return backend.Stream(context.Background(), compute.OpForward, f, w, v) }},
					{"stream in place", func() error { return backend.Stream(context.Background(), compute.OpForward, f, w, w) }},
				} {
					b.Run(bench.what, func(b *testing.B) {
						b.SetBytes(8 * int64(n))
						for b.Loop() {
							if err := bench.call(); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
			})
		}
	}
}
