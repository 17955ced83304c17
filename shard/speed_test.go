package shard_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/shard"
)

// TestKeepsNothing: what Shard has measured with is given back.
func TestKeepsNothing(t *testing.T) {
	for _, n := range []int{1, 3} {
		b := testenv.Open(t, func() (compute.Backend, error) { return shard.New(cpus(n)...) })
		if info := b.Info(); info.LiveBuffers != 0 || info.PooledBytes != 0 {
			t.Errorf("of %d members, Info is %+v", n, info)
		}
	}
}

// TestMeasuredLimit: MaxAlloc is that of a buffer that lies on all members.
func TestMeasuredLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := shard.New(&timed{element: 4}, &timed{element: 1, limit: 1 << 22})
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

// TestMeasuresNothing: whatever call of a member fails while Shard measures, the error
// tells, and nothing is left on any. Of the first calls each is tried, then fewer.
func TestMeasuresNothing(t *testing.T) {
	failed := 0
	for _, cause := range []error{compute.ErrDevice, compute.ErrOutOfMemory} {
		for failAt := 1; ; failAt += 1 + failAt/8 {
			bad, other := newFaulty(failAt, cause), cpus(1)[0]
			b, err := shard.New(other, tight{bad})
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
			if !errors.Is(err, cause) || !strings.Contains(err.Error(), "(faulty)") || strings.Contains(err.Error(), "shard.Weighted") != helps {
				t.Errorf("call %d fails: got %v, want %v that names the member, and Weighted where that helps", failAt, err, cause)
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

// TestShortFails: of a short buffer, the error tells what lies on the member, and how
// it could lie on others.
func TestShortFails(t *testing.T) {
	members := []*faulty{newFaulty(0, compute.ErrOutOfMemory), newFaulty(0, compute.ErrOutOfMemory)}
	b, err := shard.New(tight{members[0]}, tight{members[1]})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, m := range members {
		m.failAt = m.calls + 1
	}
	if _, err := b.Alloc(128); !errors.Is(err, compute.ErrOutOfMemory) || !strings.Contains(err.Error(), "128 of the elements") || !strings.Contains(err.Error(), "shard.Weighted") {
		t.Errorf("got %v, want that of a member that has all 128 elements, and the remedy", err)
	}
}

// TestMeasuredParts: a buffer lies where it is done first by what Shard measures, in
// parts in proportion to that, if one member would take 32 calls. The clock is that of the
// test.
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
