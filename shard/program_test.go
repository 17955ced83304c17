package shard_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/progtest"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

// ofShards opens a Shard of a Shard and a CPU backend that may fail.
func ofShards() (compute.Backend, error) {
	inner, err := shard.Weighted([]float64{2, 1}, device{cpus(1)[0]}, cpus(1)[0])
	if err != nil {
		return nil, err
	}
	return shard.Weighted([]float64{3, 2}, inner, device{cpus(1)[0]})
}

// TestPrograms runs random programs on Shards: members of unequal weights have parts of
// different phases of rows, columns and random numbers.
func TestPrograms(t *testing.T) {
	for name, open := range map[string]compute.Opener{
		"two": weighted(1, 1), "three": weighted(5, 1, 3), "of shards": ofShards,
		"measured": func() (compute.Backend, error) { return shard.New(cpus(2)...) },
	} {
		t.Run(name, func(t *testing.T) {
			b := testenv.Open(t, open)
			run := progtest.NewRunner(b)
			for seed := range uint64(150) {
				r := rand.New(rand.NewPCG(seed, 2))
				n := []int{r.IntN(700), 60 * r.IntN(20), 64 * r.IntN(10), 1}[r.IntN(4)]
				c := progtest.New(r, progtest.Random(r, 12), n)
				if err := run.All(c); err != nil {
					t.Fatalf("seed %d: %v\n%v", seed, err, c)
				}
			}
			if err := run.Release(); err != nil || b.Info().LiveBuffers != 0 {
				t.Errorf("%v, and %d buffers are left", err, b.Info().LiveBuffers)
			}
		})
	}
}

// mixed depends on all that elements can differ in: their index, rows, columns and masks.
var mixed = expr.MustParse(`func mixed(x, r, l float32, c bool, s float32, seed uint32) (y, z float32, d, e bool) {
	y = where(c, x*s+r, l-x)
	z = rand(seed, 7) * x
	d = y < z
	e = c != d
	return
}`)

// mixedCase is a call of mixed on n elements, a multiple of 35 and 28.
func mixedCase(n int, over ...int) *progtest.Case {
	words := make([]uint64, (n+63)/64)
	for i := range words {
		words[i] = rand.New(rand.NewPCG(uint64(i), 1)).Uint64()
	}
	words[len(words)-1] &= 1<<(n%64) - 1
	return &progtest.Case{Program: mixed, N: n, Over: over, Args: []progtest.Arg{
		{Floats: values.Normal(n, 1)}, {Address: kernel.Row, Floats: values.Normal(35, 2)}, {Address: kernel.Col, Floats: values.Normal(28, 3)},
		{Address: kernel.Bit, Words: words}, {Address: kernel.Scalar, Scalar: math.Float32bits(-2.5)}, {Address: kernel.Scalar, Scalar: 77},
	}}
}

// The operands of mixed that its results overwrite.
var (
	apart      = []int{-1, -1, -1, -1}
	overInputs = []int{0, -1, -1, 3}
)

// TestRunSlicesFaults makes a member fail at each of its chunks. The results are complete and
// right, in place too, and later calls leave the member out.
func TestRunSlicesFaults(t *testing.T) {
	const n = 3<<16 + 92 // a multiple of 140
	for _, over := range [][]int{apart, overInputs} {
		c := mixedCase(n, over...)
		want := c.Want()
		for at := range 2 {
			faults := 0
			for failAt := 1; failAt <= 6; failAt++ {
				what := fmt.Sprintf("over %v, with a fault of member %d in its chunk %d", over, at, failAt)
				bad := newFaulty(failAt, compute.ErrDevice)
				b, other := beside(t, bad, at)
				if err := progtest.NewRunner(b).Slices(context.Background(), c, want); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				failed := bad.failed()
				if failed {
					faults++
					name := fmt.Sprintf("member %d (faulty)", at)
					if skipped := b.Info().Skipped; !errors.Is(skipped, compute.ErrDevice) || !strings.Contains(skipped.Error(), name) {
						t.Errorf("%s: Skipped is %v", what, skipped)
					}
					if err := b.Sync(); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), name) {
						t.Errorf("%s: then Sync returns %v", what, err)
					}
					calls := bad.calls
					if err := progtest.NewRunner(b).Slices(context.Background(), c, want); err != nil || bad.calls != calls {
						t.Errorf("%s: the next call: %v, and %d more calls of the member", what, err, bad.calls-calls)
					}
				}
				if err := everyCall(other, 1000); err != nil {
					t.Errorf("%s: the other member alone: %v", what, err)
				}
				if err := b.Close(); err != nil {
					t.Errorf("%s: Close: %v", what, err)
				}
				if !failed {
					break
				}
			}
			if faults == 0 {
				t.Errorf("over %v: member %d has no chunk to fail at", over, at)
			}
		}
	}
}

// TestRunSlicesAllFail: if all members fail, the inputs are as before, in place too.
func TestRunSlicesAllFail(t *testing.T) {
	b, err := shard.Weighted([]float64{1, 1}, newFaulty(1, compute.ErrDevice), newFaulty(1, compute.ErrDevice))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	xs := compute.Slice(values.Normal(1<<18, 1))
	got := slices.Clone(xs)
	if err := b.RunSlices(context.Background(), scaled, got, got, compute.F32(2)); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "(faulty)") {
		t.Errorf("got %v, want ErrDevice that names a member", err)
	}
	testenv.Equal(t, "what no member has computed", got, xs, nil)
}

// TestRunSlicesError: an error that is not a fault ends the call.
func TestRunSlicesError(t *testing.T) {
	bad := newFaulty(1, compute.ErrOutOfMemory)
	b, _ := beside(t, bad, 0)
	defer b.Close()
	v := make(compute.Slice, 1<<20)
	if err := b.RunSlices(context.Background(), scaled, v, v, compute.F32(2)); !errors.Is(err, compute.ErrOutOfMemory) || !strings.Contains(err.Error(), "member 0 (faulty)") || !strings.Contains(err.Error(), "run slices scaled") {
		t.Errorf("got %v, want ErrOutOfMemory that names the call and the member", err)
	}
	if err := b.Sync(); err != nil {
		t.Errorf("then Sync returns %v", err)
	}
}

// TestLongSlices: chunks of all members have the right rows, columns, bits and random numbers.
func TestLongSlices(t *testing.T) {
	const n = 3<<16 + 92 // a multiple of 140
	for name, open := range map[string]compute.Opener{
		"two": func() (compute.Backend, error) { b, _ := beside(t, device{cpus(1)[0]}, 0); return b, nil }, "of shards": ofShards,
	} {
		b := testenv.Open(t, open)
		for _, over := range [][]int{apart, overInputs} {
			c := mixedCase(n, over...)
			if err := progtest.NewRunner(b).Slices(context.Background(), c, c.Want()); err != nil {
				t.Errorf("%s, over %v: %v", name, over, err)
			}
		}
	}
}

// TestRowFails: an error while a row is sent to a member names the call and the member.
func TestRowFails(t *testing.T) {
	for failAt := 1; ; failAt++ {
		bad := newFaulty(0, compute.ErrDevice)
		b, err := shard.Weighted([]float64{1, 1}, bad, cpus(1)[0])
		if err != nil {
			t.Fatal(err)
		}
		x, err := b.Upload(values.Normal(350, 1))
		if err != nil {
			t.Fatal(err)
		}
		row, err := b.Upload(values.Normal(175, 2))
		if err != nil {
			t.Fatal(err)
		}
		bad.calls, bad.failAt = 0, failAt
		err = b.Run(expr.MustParse("f(x, r) = x*r"), x, x, compute.Row(row))
		if failAt > 3 { // Read, Upload, Run
			if err != nil {
				t.Errorf("without a fault: %v", err)
			}
			b.Close()
			return
		}
		if !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "run f on shard") || !strings.Contains(err.Error(), "member 0 (faulty)") {
			t.Errorf("call %d of the member fails: %v", failAt, err)
		}
		if err := errors.Join(x.Release(), row.Release(), b.Close()); err != nil {
			t.Errorf("then: %v", err)
		}
	}
}

// TestAnyParameter: a program that is a form of an activation runs with parameters that the
// activation cannot have.
func TestAnyParameter(t *testing.T) {
	b := testenv.Open(t, weighted(1, 2))
	leaky := expr.MustParse("leakyReLU(x, s) = where(x >= 0, x, s*x)")
	xs := values.Normal(300, 1)
	for _, s := range []float32{float32(math.NaN()), float32(math.Inf(1)), -0.5} {
		c := &progtest.Case{Program: leaky, N: len(xs), Over: []int{-1}, Args: []progtest.Arg{
			{Floats: xs}, {Address: kernel.Scalar, Scalar: math.Float32bits(s)},
		}}
		run := progtest.NewRunner(b)
		if err := errors.Join(run.All(c), run.Release()); err != nil {
			t.Errorf("a slope of %v: %v", s, err)
		}
	}
}
