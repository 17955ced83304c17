//go:build opencl && cgo && linux

package gpu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

// TestFaultsOfShard makes one of two devices fail in the middle of a Stream of a
// Shard.
func TestFaultsOfShard(t *testing.T) {
	cmd, _ := layerCommand(t, "TestFaultsOfShardRuns")
	cmd.Env = append(cmd.Env, "POCL_DEVICES=pthread pthread")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	} else if strings.Count(string(out), "\nshard faults: ") != 2 {
		testenv.Lacking(t, "two OpenCL devices, and a loader that knows layers")
	}
}

// TestFaultsOfShardRuns is what TestFaultsOfShard runs.
func TestFaultsOfShardRuns(t *testing.T) {
	shared := underLayer(t, 2)
	s := newSweep(t, shared)
	xs := values.Bits(1<<20+5, 1)
	right := make([]float32, len(xs))
	host, _ := cpu.Open() // never fails
	defer host.Close()
	if err := host.Stream(context.Background(), compute.OpForward, shardFunction, right, xs); err != nil {
		t.Fatal(err)
	}
	for _, inPlace := range []bool{false, true} {
		const runs = 100 // that have a fault
		faults, members := 0, [2]int{}
		for try := int32(0); faults < runs && try < 5*runs; try++ {
			// The modes take turns, and in each the calls.
			f := fault{"shard", 1 + try*7%100, []int32{-14, -36, -1001}[try%3], []int32{fail, late, later, fail}[try%4]}
			if f.mode != fail {
				f.n = 1 + f.n%8 // there are fewer kernels than calls
			}
			copy(shared.trying[:], f.String())
			failed, err := s.shardRun(f, try%2 == 0, inPlace, xs, right)
			if err != nil {
				t.Errorf("in place: %v: %v (%s): %v", inPlace, f, text(shared.name[:]), err)
			}
			if failed >= 0 {
				faults++
				members[failed]++
			}
		}
		if faults < runs || members[0] == 0 || members[1] == 0 {
			t.Errorf("in place: %v: %d faults, of the members %v; want %d, of both", inPlace, faults, members, runs)
		}
		fmt.Printf("\nshard faults: in place: %v: %d times one of two devices failed, %v by index\n", inPlace, faults, members)
	}
}

// shardFunction shows when it is applied twice, as one with a negative slope does not.
var shardFunction = compute.LeakyReLU(0.5)

// shardRun makes the fault f in a Stream over two devices, and returns which of them
// failed, or -1, and what the fault did that it must not do.
func (s *sweep) shardRun(f fault, staged, inPlace bool, xs, right []float32) (failed int, err error) {
	c := s.control
	c.reset()
	devices, err := list(Options{StreamMemory: defaultStreamMemory, Staged: staged})
	if err != nil {
		return -1, err
	}
	members := make([]compute.Backend, 2)
	for i := range members {
		if members[i], err = devices[i].open(); err != nil { // without the self-test
			return -1, err
		}
		defer members[i].Close()
	}
	b, err := shard.Weighted([]float64{1, 1}, members...)
	if err != nil {
		return -1, err
	}
	got := slices.Clone(xs)
	src := xs
	if inPlace {
		src = got
	}
	// Another one before, so that the fault is none of what is only done once.
	if err := b.Stream(context.Background(), compute.OpForward, shardFunction, got, xs); err != nil {
		return -1, err
	}
	copy(got, xs)
	s.arm(f)
	err = b.Stream(context.Background(), compute.OpForward, shardFunction, got, src)
	c.armed.Store(0)
	if err != nil {
		return -1, fmt.Errorf("the Stream in which it fails: %w", err)
	}
	if i := firstWrong(got, right); i >= 0 {
		return -1, fmt.Errorf("element %d of %d is %x and should be %x, after %v", i, len(got), got[i], right[i], b.Info().Skipped)
	}
	skipped := b.Info().Skipped
	if skipped == nil {
		if c.failed.Load() > 0 && f.mode != fail {
			return -1, errors.New("a kernel failed, and nobody is told")
		}
		return -1, b.Close()
	}
	for failed = range members {
		if strings.Contains(skipped.Error(), fmt.Sprintf("member %d (", failed)) {
			break
		}
	}
	if !errors.Is(skipped, compute.ErrDevice) || !s.names(f, skipped) {
		return -1, fmt.Errorf("Skipped does not tell of the fault: %w", skipped)
	}
	// The other one, alone, and another Stream, and all else.
	copy(got, xs)
	if err := b.Stream(context.Background(), compute.OpForward, shardFunction, got, got); err != nil || firstWrong(got, right) >= 0 {
		return -1, fmt.Errorf("the next Stream is wrong, or returns %w", err)
	}
	if err := s.shardAfter(b, members[failed], members[1-failed]); err != nil {
		return -1, err
	}
	return failed, b.Close()
}

// shardAfter tells what is wrong with a Shard b of which the member bad has failed.
func (s *sweep) shardAfter(b, bad, good compute.Backend) error {
	if err := bad.Sync(); !errors.Is(err, compute.ErrDevice) {
		return fmt.Errorf("the member that failed returns %w", err)
	}
	if err := b.Sync(); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), bad.Info().Name) {
		return fmt.Errorf("the Shard returns %w", err)
	}
	if op, err := s.run(good); err != nil {
		return fmt.Errorf("%s on the other member alone: %w", op, err)
	}
	return nil
}

// firstWrong returns the index of the first element of got that is not right, or -1.
func firstWrong(got, right []float32) int {
	for i := range got {
		if !values.Same(got[i], right[i]) {
			return i
		}
	}
	return -1
}
