package compute_test

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
)

// timed is a backend that computes nothing, and takes its time for it.
type timed struct {
	compute.Backend
	call    time.Duration // what Forward takes, and an element
	element time.Duration
	limit   int64        // MaxAlloc
	rate    float64      // of Stream, elements per second
	streams atomic.Int32 // calls of Stream
	length  int          // of the last buffer
}

type timedBuffer int

func (n timedBuffer) Len() int            { return int(n) }
func (timedBuffer) Write([]float32) error { return nil }
func (timedBuffer) Read([]float32) error  { return nil }
func (timedBuffer) Release() error        { return nil }
func (b *timed) Info() compute.Info {
	return compute.Info{Name: "timed", SharedMemory: true, MaxAlloc: b.limit}
}
func (*timed) Sync() error  { return nil }
func (*timed) Close() error { return nil }
func (b *timed) Alloc(n int) (compute.Buffer, error) {
	b.length = n
	return timedBuffer(n), nil
}
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

func (b *timed) Forward(_ compute.Activation, y, _ compute.Buffer) error {
	time.Sleep(b.call + b.element*time.Duration(y.Len()))
	return nil
}

func (b *timed) Stream(_ context.Context, _ compute.Op, _ compute.Activation, dst, _ []float32) error {
	b.streams.Add(1)
	time.Sleep(time.Duration(float64(len(dst)) / b.rate * 1e9))
	return nil
}

// TestShardKeepsNothing: what Shard has measured with is given back.
func TestShardKeepsNothing(t *testing.T) {
	for _, n := range []int{1, 3} {
		b := testenv.Open(t, func() (compute.Backend, error) { return compute.Shard(cpus(n)...) })
		if info := b.Info(); info.LiveBuffers != 0 || info.PooledBytes != 0 {
			t.Errorf("of %d members, Info is %+v", n, info)
		}
	}
}

// TestShardMeasures: the parts are in proportion to what Shard measures, and no member has
// a part that would take it less than ten calls, while others can hold it. The clock is
// that of the test.
func TestShardMeasures(t *testing.T) {
	const us = time.Microsecond
	for _, test := range []struct {
		what    string
		members []*timed
		n       int
		shares  []float64
	}{
		{"long", []*timed{{element: 9}, {element: 1}}, 1e6, []float64{0.1, 0.9}},
		{"short, of calls that take no time", []*timed{{element: 9}, {element: 1}}, 6400, []float64{0.1, 0.9}},
		// A million elements take ten calls on both.
		{"just too short", []*timed{{element: 4, call: 20 * us}, {element: 1, call: 80 * us}}, 970_000, []float64{0, 1}},
		{"just long enough", []*timed{{element: 4, call: 20 * us}, {element: 1, call: 80 * us}}, 1_030_000, []float64{0.2, 0.8}},
		{"just too short, the other way about", []*timed{{element: 1, call: 80 * us}, {element: 4, call: 20 * us}}, 970_000, []float64{1, 0}},
		{"of the slowest call", []*timed{{element: 4, call: 80 * us}, {element: 1, call: 20 * us}}, 970_000, []float64{0, 1}},
		{"of the slowest call", []*timed{{element: 4, call: 80 * us}, {element: 1, call: 20 * us}}, 1_030_000, []float64{0.2, 0.8}},
		{"one whose calls are slow is not the first", []*timed{{element: 1, call: time.Millisecond}, {element: 2, call: us}}, 100_000, []float64{0, 1}},
		{"too much for the fastest", []*timed{{element: 4}, {element: 1, call: 80 * us, limit: 4 * 900_000}}, 900_001, []float64{0.2, 0.8}},
		{"as much as it holds", []*timed{{element: 4}, {element: 1, call: 80 * us, limit: 4 * 900_000}}, 900_000, []float64{0, 1}},
		{"one of three", []*timed{{element: 2, call: 10 * us}, {element: 2, call: 10 * us}, {element: 2, call: 100 * us}}, 90_000, []float64{1, 0, 0}},
		{"two of three", []*timed{{element: 2, call: 10 * us}, {element: 2, call: 10 * us}, {element: 2, call: 100 * us}}, 1_000_000, []float64{0.5, 0.5, 0}},
		{"all three", []*timed{{element: 2, call: 10 * us}, {element: 2, call: 10 * us}, {element: 2, call: 100 * us}}, 1_600_000, []float64{1. / 3, 1. / 3, 1. / 3}},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var members []compute.Backend
				for _, m := range test.members {
					members = append(members, m)
				}
				b, err := compute.Shard(members...)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range test.members {
					m.length = 0
				}
				if _, err := b.Alloc(test.n); err != nil {
					t.Fatal(err)
				}
				for i, m := range test.members {
					if share := float64(m.length) / float64(test.n); math.Abs(share-test.shares[i]) > 0.02 {
						t.Errorf("of %d elements %.3f lie on member %d, want %.3f", test.n, share, i, test.shares[i])
					}
				}
			})
		})
	}
}
