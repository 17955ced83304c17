package shard_test

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/shard"
)

// TestParts: parts are in proportion to weights, and end with words of masks, or chunks of sums.
func TestParts(t *testing.T) {
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
		{[]float64{1, 1, 1}, 1<<20 - 1, []int{349504, 349568, 349503}},
		{[]float64{1, 1, 1}, 1 << 20, []int{85 * 4096, 86 * 4096, 85 * 4096}},
	} {
		members := cpus(len(test.weights))
		b, err := shard.Weighted(test.weights, members...)
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

// TestMeasuredLimit: MaxAlloc is the size of a buffer that is split.
func TestMeasuredLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := shard.New(&timed{element: 4}, &timed{element: 1, limit: 1 << 22})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := float64(b.Info().MaxAlloc), 1.25*(1<<22); got/want > 1 || got/want < 0.99 {
			t.Errorf("MaxAlloc is %v, want %v", got, want)
		}
	})
}

// TestMeasuredParts: a buffer is on the member that is done first, or split by measured
// speed if that one needs 32 times the time of an empty call to all. The clock is fake.
func TestMeasuredParts(t *testing.T) {
	const us, million = time.Microsecond, 1_000_000
	slowFast := []*timed{{element: 4, call: 20 * us}, {element: 1, call: 80 * us}}
	fastSlow := []*timed{{element: 1, call: 80 * us}, {element: 4, call: 20 * us}}
	lateCall := []*timed{{element: 4, call: 80 * us}, {element: 1, call: 20 * us}}
	far := []*timed{{element: 1, call: 1000 * us}, {element: 2, call: us}}
	limited := []*timed{{element: 4, call: us}, {element: 1, call: 80 * us, limit: 4 * 900_000}}
	three := []*timed{{element: 2, call: 10 * us}, {element: 2, call: 10 * us}, {element: 2, call: 100 * us}}
	poor := []*timed{{element: 2, call: 10 * us}, {element: 200, call: 100 * us}, {element: 2, call: 10 * us}}
	limits := []*timed{{element: 2, limit: 4 * 900_000}, {element: 2, limit: 4 * 900_000}, {element: 2, call: 1000 * us, limit: 4 * 900_000}}
	for _, test := range []struct {
		what    string
		members []*timed
		n       int
		shares  []float64
	}{
		{"calls that take no time", []*timed{{element: 9}, {element: 1}}, 64_000, []float64{0.1, 0.9}},
		{"short", slowFast, 10_000, []float64{1, 0}},
		{"32 calls of 80 µs, not yet", slowFast, 2_400_000, []float64{0, 1}},
		{"32 calls of 80 µs", slowFast, 2_550_000, []float64{0.2, 0.8}},
		{"32 calls of 80 µs, not yet, the other way about", fastSlow, 2_400_000, []float64{1, 0}},
		{"32 calls of the slow one, not yet", lateCall, 2_460_000, []float64{0, 1}},
		{"32 calls of the slow one", lateCall, 2_620_000, []float64{0.2, 0.8}},
		{"soonest, near", far, 900_000, []float64{0, 1}},
		{"soonest, far", far, 1_100_000, []float64{1, 0}},
		{"far and near, not yet", far, 30 * million, []float64{1, 0}},
		{"far and near", far, 32 * million, []float64{2. / 3, 1. / 3}},
		{"as much as the fastest holds", limited, 900_000, []float64{0, 1}},
		{"more than the fastest holds", limited, 1_100_000, []float64{0.2, 0.8}},
		{"more than all hold, but one does", limited, 1_200_000, []float64{1, 0}},
		{"one of three", three, 1_550_000, []float64{1, 0, 0}},
		{"all three", three, 1_650_000, []float64{1. / 3, 1. / 3, 1. / 3}},
		{"too short for one that brings little", poor, 1_550_000, []float64{1, 0, 0}},
		{"one that brings little", poor, 200 * million, []float64{0.4975, 0.005, 0.4975}},
		{"as much as one holds", limits, 900_000, []float64{1, 0, 0}},
		{"more than one holds", limits, 900_001, []float64{1. / 3, 1. / 3, 1. / 3}},
		{"more than all hold", limits, 30 * million, []float64{1. / 3, 1. / 3, 1. / 3}},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var members []compute.Backend
				for _, m := range test.members {
					members = append(members, m)
				}
				b, err := shard.New(members...)
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
					if share := float64(m.length) / float64(test.n); math.Abs(share-test.shares[i]) > 0.002 {
						t.Errorf("of %d elements %.3f lie on member %d, want %.3f", test.n, share, i, test.shares[i])
					}
				}
			})
		})
	}
}
