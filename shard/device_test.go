package shard_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

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

func (b *meeting) Alloc(n int) (compute.Buffer, error) {
	buf, err := b.Backend.Alloc(n)
	if n > 0 { // for 0 New asks, to see whether b can be used
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

// TestAtOnce: all members are at work at the same time.
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
	equal(t, "forward", got, want(n, func(i int) float32 { return f.Value(xs[i]) }), nil)
	clear(got)
	equal(t, "stream", got, want(n, func(i int) float32 { return f.Value(xs[i]) }),
		b.Stream(context.Background(), compute.OpForward, f, got, xs))
}

// TestOrder: calls from several goroutines take effect in one order on all members.
func TestOrder(t *testing.T) {
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

// TestSync: Sync waits for the members that have been called since the last.
func TestSync(t *testing.T) {
	first, second := newFaulty(0, nil), newFaulty(0, nil)
	b, err := shard.Weighted([]float64{1, 1}, first, second)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	short, err := b.Upload(values.Normal(64, 1)) // of which the second has nothing
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
		// For the second Sync nothing is under way.
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
