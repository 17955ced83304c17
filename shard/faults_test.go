package shard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

// TestMemberFails: whatever call of a member fails, the Shard says so from then on
// and names it, the other member stays usable, Stream goes on with it, and nothing leaks.
func TestMemberFails(t *testing.T) {
	const n = 1000
	f := compute.LeakyReLU(-0.5)
	xs := values.Bits(200_000, 1)
	ys := want(len(xs), func(i int) float32 { return f.Value(xs[i]) })
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
				t.Errorf("call %d fails, round %d: got %v, want ErrDevice that tells %s", failAt, round, err, name)
			}
			if round > 0 && bad.calls != calls {
				t.Errorf("call %d fails: the member is called after that", failAt)
			}
		}
		for _, err := range []error{b.Sync(), kept.Read(nil), b.Forward(f, kept, kept), b.BackwardMask(f, kept, kept, nil)} {
			if !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), name) {
				t.Errorf("call %d fails: then got %v, want ErrDevice that tells %s", failAt, err, name)
			}
		}
		if skipped := b.Info().Skipped; !errors.Is(skipped, compute.ErrDevice) || !strings.Contains(skipped.Error(), name) {
			t.Errorf("call %d fails: Skipped is %v", failAt, skipped)
		}
		if err := everyCall(other, n); err != nil {
			t.Errorf("call %d fails: the other member alone: %v", failAt, err)
		}
		got := make([]float32, len(xs))
		equal(t, "Stream after a fault", got, ys, b.Stream(context.Background(), compute.OpForward, f, got, xs))
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

// TestOutOfMemory: when one member has too little memory for a call, what others
// took for it is given back, and the Shard stays usable.
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

// TestWorstError: of the errors of several members, one after which the Shard cannot
// be used is returned.
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

// TestStreamFaults: whatever chunk of a Stream a member fails at, the result is
// complete and right, in place too; and the member is left out from then on.
func TestStreamFaults(t *testing.T) {
	f := compute.LeakyReLU(0.5) // applied twice it shows
	xs := values.Bits(1<<20+3, 1)
	ys := want(len(xs), func(i int) float32 { return f.Value(xs[i]) })
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
					equal(t, what, got, ys, b.Stream(context.Background(), compute.OpForward, f, got, src))
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

// TestStreamAllFail: without a member that works there is no result, and the error
// tells; what was there to compute from is still there in place.
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
	equal(t, "what no member has computed", got, xs, nil)
	for _, name := range []string{"member 0 (faulty)", "member 1 (faulty)"} {
		if skipped := b.Info().Skipped; skipped == nil || !strings.Contains(skipped.Error(), name) {
			t.Errorf("Skipped is %v, want it to tell %s", skipped, name)
		}
	}
}

// TestStreamError: an error that is no fault of a device ends the Stream.
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

// faultyCPU passes for the CPU backend, and fails.
type faultyCPU struct{ *faulty }

func (b faultyCPU) Info() compute.Info {
	info := b.faulty.Info()
	info.Backend = "cpu"
	return info
}

// TestStreamCPUFails: a Stream ends with an error where the one member that works
// on all cores of the host fails, though there is another that would.
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
