package compute_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
)

// timed is a backend that computes nothing, and takes its time for it.
type timed struct {
	compute.Backend
	forward time.Duration // of one call
	rate    float64       // of Stream, elements per second
	streams atomic.Int32  // calls of Stream
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
	b.streams.Add(1)
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
