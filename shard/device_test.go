package shard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

func TestInfo(t *testing.T) {
	reason := errors.New("the first driver is broken")
	big := compute.Info{Name: "opencl Big", Backend: "opencl", Kind: "gpu", Memory: 100, PooledBytes: 7, MaxAlloc: 1 << 20, Skipped: reason}
	small := compute.Info{Name: "opencl Small", Backend: "opencl", Kind: "gpu", Memory: 50, PooledBytes: 1, MaxAlloc: 1 << 19, SharedMemory: true, FlushesSubnormals: true}
	host := compute.Info{Name: "cpu x", Backend: "cpu", Kind: "cpu", SharedMemory: true}
	of := func(weights []float64, infos ...compute.Info) compute.Info {
		members := cpus(len(infos))
		for i, info := range infos {
			members[i] = told{members[i], info}
		}
		b, err := shard.Weighted(weights, members...)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		return b.Info()
	}
	info := of([]float64{1, 1, 2}, big, small, host)
	if info.Name != "shard (opencl Big + opencl Small + cpu x)" || info.Backend != "shard" || info.Kind != "other" ||
		info.Memory != 150 || info.PooledBytes != 8 || info.SharedMemory || !info.FlushesSubnormals || !errors.Is(info.Skipped, reason) {
		t.Errorf("Info is %+v", info)
	}
	// A quarter is on the small one, and perhaps two more words of a mask.
	if want := int64(4 * (1<<19 - 512)); info.MaxAlloc != want {
		t.Errorf("MaxAlloc is %d, want %d", info.MaxAlloc, want)
	}
	if info := of([]float64{1, 1}, host, small); !info.SharedMemory || info.Kind != "other" || info.Skipped != nil {
		t.Errorf("Info is %+v", info)
	}
	if info := of([]float64{1}, big); info.Kind != "gpu" || info.MaxAlloc != big.MaxAlloc || info.FlushesSubnormals {
		t.Errorf("of one member, Info is %+v", info)
	}
	two, err := shard.Weighted([]float64{1, 1}, cpus(1)[0], wrapper{Backend: cpus(1)[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	if got, want := two.Info().Memory, cpus(1)[0].Info().Memory; got != want {
		t.Errorf("two CPU backends have %d bytes, and one has %d of the same", got, want)
	}
	if info := of([]float64{1, 2}, host, host); info.MaxAlloc != 0 || info.Kind != "cpu" {
		t.Errorf("of members without a bound, Info is %+v", info)
	}
}

// TestCopyAndTrim: a Shard has the optional methods of its members.
func TestCopyAndTrim(t *testing.T) {
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
	testenv.Equal(t, "copy", got, xs, errors.Join(b.Copy(y, x), y.Read(got), x.Release(), y.Release()))
	if b.Info().PooledBytes == 0 {
		t.Error("nothing is kept")
	}
	if compute.Trim(b); b.Info().PooledBytes != 0 {
		t.Errorf("after Trim %d bytes are kept", b.Info().PooledBytes)
	}
	none, err := shard.Weighted([]float64{1, 1}, cpus(1)[0], told{cpus(1)[0], compute.Info{Name: "plain"}})
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if x, err = none.Upload(xs); err != nil {
		t.Fatal(err)
	}
	if y, err = none.Alloc(1000); err != nil {
		t.Fatal(err)
	}
	clear(got)
	testenv.Equal(t, "copy with a member that has no Copy", got, xs, errors.Join(none.Copy(y, x), y.Read(got)))
}

// TestMemberFails makes each call of a member fail in turn. From then on the Shard returns
// errors that name it, Stream uses the other member, which remains usable, and nothing
// leaks.
func TestMemberFails(t *testing.T) {
	const n = 1000
	f := compute.LeakyReLU(-0.5)
	xs := values.Bits(200_000, 1)
	ys := values.Each(len(xs), func(i int) float32 { return f.Value(xs[i]) })
	for failAt := 1; failAt <= callsOfEvery; failAt++ {
		bad := newFaulty(failAt, compute.ErrDevice)
		b, other := beside(t, bad, failAt%2)
		name := fmt.Sprintf("member %d (faulty)", failAt%2)
		kept, err := b.Alloc(0)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 2 {
			calls := bad.calls
			if err := everyCall(b, n); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), name) ||
				!strings.Contains(err.Error(), fmt.Sprintf("call %d: on fire", failAt)) || !strings.Contains(err.Error(), b.Info().Name) {
				t.Errorf("call %d fails, round %d: got %v, want ErrDevice that names %s", failAt, round, err, name)
			}
			if round > 0 && bad.calls != calls {
				t.Errorf("call %d fails: the member is called after that", failAt)
			}
		}
		for _, err := range []error{b.Sync(), kept.Read(nil), b.Forward(f, kept, kept), b.BackwardMask(f, kept, kept, nil)} {
			if !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), name) {
				t.Errorf("call %d fails: then got %v, want ErrDevice that names %s", failAt, err, name)
			}
		}
		if skipped := b.Info().Skipped; !errors.Is(skipped, compute.ErrDevice) || !strings.Contains(skipped.Error(), name) {
			t.Errorf("call %d fails: Skipped is %v", failAt, skipped)
		}
		if err := everyCall(other, n); err != nil {
			t.Errorf("call %d fails: the other member alone: %v", failAt, err)
		}
		got := make([]float32, len(xs))
		testenv.Equal(t, "Stream after a fault", got, ys, b.Stream(context.Background(), compute.OpForward, f, got, xs))
		if err := kept.Release(); err != nil {
			t.Errorf("call %d fails: Release: %v", failAt, err)
		}
		for _, of := range []compute.Backend{b, other, bad.Backend} {
			if info := of.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
				t.Errorf("call %d fails: %d buffers of %d bytes are left on %s", failAt, info.LiveBuffers, info.LiveBytes, info.Name)
			}
		}
		if err := errors.Join(b.Close(), b.Close()); err != nil {
			t.Errorf("call %d fails: Close: %v", failAt, err)
		}
		if err := other.Sync(); !errors.Is(err, compute.ErrClosed) {
			t.Errorf("after Close of the Shard, Sync of a member returns %v", err)
		}
	}
	if bad := newFaulty(callsOfEvery+1, compute.ErrDevice); everyCall(testenv.Open(t, func() (compute.Backend, error) { b, _ := beside(t, bad, 0); return b, nil }), n) != nil {
		t.Errorf("everyCall makes more than %d calls", callsOfEvery)
	}
}

// TestOutOfMemory: if one member has too little memory, the memory that others allocated
// is released, and the Shard remains usable.
func TestOutOfMemory(t *testing.T) {
	for failAt := 1; failAt <= callsOfEvery; failAt++ {
		bad := newFaulty(failAt, compute.ErrOutOfMemory)
		b, other := beside(t, bad, failAt%2)
		if err := everyCall(b, 1000); !errors.Is(err, compute.ErrOutOfMemory) || !strings.Contains(err.Error(), "(faulty)") {
			t.Errorf("call %d fails: got %v, want ErrOutOfMemory that names the member", failAt, err)
		}
		for _, of := range []compute.Backend{b, other, bad.Backend} {
			if info := of.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
				t.Errorf("call %d fails: %d buffers of %d bytes are left on %s", failAt, info.LiveBuffers, info.LiveBytes, info.Name)
			}
		}
		if err := errors.Join(everyCall(b, 1000), b.Close()); err != nil {
			t.Errorf("after call %d has failed: %v", failAt, err)
		}
	}
}

// TestWorstError: of the errors of several members, a fault is returned.
func TestWorstError(t *testing.T) {
	b, err := shard.Weighted([]float64{1, 1, 1}, newFaulty(1, compute.ErrOutOfMemory), newFaulty(1, compute.ErrDevice), newFaulty(1, compute.ErrOutOfMemory))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Alloc(1000); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "member 1 (faulty)") {
		t.Errorf("got %v, want the ErrDevice of member 1", err)
	}
}

// meeting is a backend that calls meet in each call.
type meeting struct {
	compute.Backend
	meet func()
}

func (b *meeting) Forward(f compute.Activation, y, x compute.Buffer) error {
	b.meet()
	return b.Backend.Forward(f, y.(meetingBuffer).Buffer, x.(meetingBuffer).Buffer)
}

func (b *meeting) Alloc(n int) (compute.Buffer, error) {
	buf, err := b.Backend.Alloc(n)
	if n > 0 { // 0 is a check that b can be used
		b.meet()
	}
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

// TestAtOnce: the members work at the same time.
func TestAtOnce(t *testing.T) {
	const n = 128 << 10 // two chunks of Stream
	members := cpus(2)
	here := make(chan struct{})
	for i, b := range members {
		members[i] = &meeting{device{b}, func() {
			select {
			case here <- struct{}{}:
			case <-here:
			case <-time.After(time.Minute):
				t.Error("a member waits for the other to be called")
			}
		}}
	}
	b, err := shard.Weighted([]float64{1, 1}, members...)
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
	testenv.Equal(t, "forward", got, values.Each(n, func(i int) float32 { return f.Value(xs[i]) }), nil)
	clear(got)
	testenv.Equal(t, "stream", got, values.Each(n, func(i int) float32 { return f.Value(xs[i]) }),
		b.Stream(context.Background(), compute.OpForward, f, got, xs))
}

// TestOrder: calls from several goroutines take effect in the same order on all members.
func TestOrder(t *testing.T) {
	const n, rounds = 4096, 500
	b := testenv.Open(t, weighted(1, 1, 1))
	x, err := b.Upload(slices.Repeat([]float32{1}, n))
	if err != nil {
		t.Fatal(err)
	}
	f := compute.LeakyReLU(-1) // maps -1 to 1
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

// TestSync: Sync calls the members that have launched kernels since the last Sync.
func TestSync(t *testing.T) {
	first, second := newFaulty(0, nil), newFaulty(0, nil)
	b, err := shard.Weighted([]float64{1, 1}, first, second)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	short, err := b.Upload(values.Normal(64, 1)) // all on the first
	if err != nil {
		t.Fatal(err)
	}
	long, err := b.Upload(values.Normal(128, 1))
	if err != nil {
		t.Fatal(err)
	}
	f := compute.LeakyReLU(2)
	for _, test := range []struct {
		what          string
		x             compute.Buffer
		first, second int // calls of the members
	}{{"a buffer on both", long, 2, 2}, {"a buffer on the first", short, 2, 0}, {"again one on both", long, 2, 2}} {
		if err := b.Sync(); err != nil {
			t.Fatal(err)
		}
		before := [2]int{first.calls, second.calls}
		// The second Sync has nothing to wait for.
		if err := errors.Join(b.Forward(f, test.x, test.x), b.Sync(), b.Sync()); err != nil {
			t.Fatal(err)
		}
		if got := [2]int{first.calls - before[0], second.calls - before[1]}; got != [2]int{test.first, test.second} {
			t.Errorf("%s: the members are called %d times, want %d and %d", test.what, got, test.first, test.second)
		}
	}
	if err := b.Forward(f, short, short); err != nil {
		t.Fatal(err)
	}
	first.failAt, first.err = first.calls+1, compute.ErrOutOfMemory
	if err := b.Sync(); !errors.Is(err, compute.ErrOutOfMemory) {
		t.Errorf("got %v, want ErrOutOfMemory", err)
	}
	calls := first.calls
	if err := b.Sync(); err != nil || first.calls == calls {
		t.Errorf("after a Sync that failed the next returns %v, and makes %d calls of the member", err, first.calls-calls)
	}
}
