package shard_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/shard"
)

// TestKeepsNothing: New releases the memory that it uses to measure.
func TestKeepsNothing(t *testing.T) {
	for _, n := range []int{1, 3} {
		b := testenv.Open(t, func() (compute.Backend, error) { return shard.New(cpus(n)...) })
		if info := b.Info(); info.LiveBuffers != 0 || info.PooledBytes != 0 {
			t.Errorf("of %d members, Info is %+v", n, info)
		}
	}
}

// tight is a backend that holds little, so that it is measured quickly.
type tight struct{ compute.Backend }

func (b tight) Info() compute.Info {
	info := b.Backend.Info()
	info.MaxAlloc = 1 << 12
	return info
}

// TestMeasureFails makes calls of a member fail while New measures: all of the first calls,
// and some later ones. The error names the member, and no memory is left on any.
func TestMeasureFails(t *testing.T) {
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

// TestShortFails: the error for a short buffer has the number of elements on the member,
// and the remedy.
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
