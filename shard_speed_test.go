package compute_test

import (
	"context"
	"errors"
	"math"
	"strings"
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

func (*timed) Unwrap() compute.Backend { return nil }

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

// TestShardMeasuredLimit: MaxAlloc is that of a buffer that lies on all members.
func TestShardMeasuredLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := compute.Shard(&timed{element: 4}, &timed{element: 1, limit: 1 << 22})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := float64(b.Info().MaxAlloc), 1.25*(1<<22); math.Abs(got/want-1) > 0.001 {
			t.Errorf("MaxAlloc is %v, want %v", got, want)
		}
	})
}

// tight is a backend that holds little, so that to measure it takes little time.
type tight struct{ compute.Backend }

func (b tight) Info() compute.Info {
	info := b.Backend.Info()
	info.MaxAlloc = 1 << 12
	return info
}

// TestShardMeasuresNothing: whatever call of a member fails while Shard measures, the error
// tells, and nothing is left on any. Of the first calls each is tried, then fewer.
func TestShardMeasuresNothing(t *testing.T) {
	failed := 0
	for _, cause := range []error{compute.ErrDevice, compute.ErrOutOfMemory} {
		for failAt := 1; ; failAt += 1 + failAt/8 {
			bad, other := newFaulty(failAt, cause), cpus(1)[0]
			b, err := compute.Shard(other, tight{bad})
			if left := bad.Info().LiveBuffers + other.Info().LiveBuffers; left != 0 {
				t.Errorf("call %d fails: %d buffers are left", failAt, left)
			}
			if err == nil {
				if bad.failed() {
					t.Errorf("call %d fails, and Shard returns no error", failAt)
				}
				if err := b.Close(); err != nil {
					t.Error(err)
				}
				break
			}
			failed++
			helps := cause == compute.ErrOutOfMemory
			if !errors.Is(err, cause) || !strings.Contains(err.Error(), "(faulty)") || strings.Contains(err.Error(), "ShardWeighted") != helps {
				t.Errorf("call %d fails: got %v, want %v that names the member, and ShardWeighted where that helps", failAt, err, cause)
			}
			if err := errors.Join(bad.Close(), other.Close()); err != nil {
				t.Error(err)
			}
		}
	}
	t.Logf("%d failures", failed)
	if failed < 20 {
		t.Error("there are few calls to fail")
	}
}

// TestShardShortFails: of a short buffer, the error tells what lies on the member, and how
// it could lie on others.
func TestShardShortFails(t *testing.T) {
	members := []*faulty{newFaulty(0, compute.ErrOutOfMemory), newFaulty(0, compute.ErrOutOfMemory)}
	b, err := compute.Shard(tight{members[0]}, tight{members[1]})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, m := range members {
		m.failAt = m.calls + 1
	}
	if _, err := b.Alloc(128); !errors.Is(err, compute.ErrOutOfMemory) || !strings.Contains(err.Error(), "has 128;") || !strings.Contains(err.Error(), "ShardWeighted") {
		t.Errorf("got %v, want that of a member that has all 128 elements, and the remedy", err)
	}
}

// TestShardMeasures: a buffer lies where it is done first by what Shard measures, in
// parts in proportion to that, if one member would take 32 calls. The clock is that of the
// test.
func TestShardMeasures(t *testing.T) {
	const us, million = time.Microsecond, 1_000_000
	slowFast := []*timed{{element: 4, call: 20 * us}, {element: 1, call: 80 * us}}
	fastSlow := []*timed{{element: 1, call: 80 * us}, {element: 4, call: 20 * us}}
	lateCall := []*timed{{element: 4, call: 80 * us}, {element: 1, call: 20 * us}}
	far := []*timed{{element: 1, call: 1000 * us}, {element: 2, call: us}}
	limited := []*timed{{element: 4}, {element: 1, call: 80 * us, limit: 4 * 900_000}}
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
		{"more than the fastest holds", limited, 900_001, []float64{0.2, 0.8}},
		{"one of three", three, 150_000, []float64{1, 0, 0}},
		{"two of three", three, 160_000, []float64{0.5, 0.5, 0}},
		{"still two of three", three, 1_550_000, []float64{0.5, 0.5, 0}},
		{"all three", three, 1_650_000, []float64{1. / 3, 1. / 3, 1. / 3}},
		{"one that brings less than it costs", poor, 2 * million, []float64{0.5, 0, 0.5}},
		{"one that brings little", poor, 200 * million, []float64{0.4975, 0.005, 0.4975}},
		{"more than one holds", limits, 1_700_000, []float64{0.5, 0.5, 0}},
		{"more than two hold", limits, 1_900_000, []float64{1. / 3, 1. / 3, 1. / 3}},
		{"more than all hold", limits, 30 * million, []float64{1. / 3, 1. / 3, 1. / 3}},
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
					if share := float64(m.length) / float64(test.n); math.Abs(share-test.shares[i]) > 0.002 {
						t.Errorf("of %d elements %.3f lie on member %d, want %.3f", test.n, share, i, test.shares[i])
					}
				}
			})
		})
	}
}
