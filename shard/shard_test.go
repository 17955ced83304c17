package shard_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/shard"
)

// TestNew runs the suite on CPU backends.
func TestNew(t *testing.T) {
	for name, open := range map[string]compute.Opener{
		"two CPUs":  func() (compute.Backend, error) { return shard.New(cpus(2)...) },
		"one alone": weighted(3),
		"five":      weighted(1, 1, 1, 1, 1),
		"1 to 9":    weighted(1, 9),
		"a Shard of a Shard": func() (compute.Backend, error) {
			inner, err := weighted(1, 2)()
			if err != nil {
				return nil, err
			}
			return shard.Weighted([]float64{1, 2}, inner, cpus(1)[0])
		},
	} {
		t.Run(name, func(t *testing.T) {
			sparedRace(t, name != "two CPUs")
			backendtest.Run(t, open)
		})
	}
}

// TestOpenCL runs the suite on a Shard of all OpenCL devices, and of one and the CPU.
func TestOpenCL(t *testing.T) {
	t.Setenv(gpu.DeviceEnv, "any")
	open := func() (compute.Backend, error) { return alike(gpu.OpenAll()) }
	name := testenv.Open(t, open).Info().Name
	t.Logf("on %s", name)
	t.Run("two devices", func(t *testing.T) {
		sparedRace(t, true)
		if !strings.Contains(name, " + ") {
			testenv.Lacking(t, "two OpenCL devices")
		}
		backendtest.Run(t, open)
	})
	t.Run("beside the CPU", func(t *testing.T) {
		backendtest.Run(t, func() (compute.Backend, error) {
			b, err := gpu.Open()
			if err != nil {
				return nil, err
			}
			return shard.Weighted([]float64{1, 2}, cpus(1)[0], b)
		})
	})
}

func TestRefuses(t *testing.T) {
	all := cpus(2)
	closed := cpus(1)[0]
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	with := func(members ...compute.Backend) error {
		_, err := shard.New(members...)
		return err
	}
	weightedWith := func(members ...compute.Backend) error {
		_, err := shard.Weighted([]float64{1, 1}, members...)
		return err
	}
	broken := newFaulty(1, compute.ErrDevice)
	broken.Sync() // is the first that counts
	broken.Sync() // fails
	weights := func(weights ...float64) error {
		_, err := shard.Weighted(weights, all...)
		return err
	}
	for _, test := range []struct {
		err   error
		wraps error
		text  string
	}{
		{with(), compute.ErrUnavailable, "no member"},
		{with(all[0], nil), nil, "member 1 is nil"},
		{with(all[0], all[1], all[0]), nil, "members 0 and 2 are the same backend, cpu"},
		{with(all[0], &wrapper{Backend: all[0]}), nil, "members 0 and 1 are the same backend, cpu"},
		{with(wrapper{Backend: all[0]}, &wrapper{Backend: all[0]}), nil, "members 0 and 1 are the same backend, cpu"},
		{with(all[0], (*wrapper)(nil)), nil, "member 1 is nil"},
		{with(all[0], &wrapper{}), nil, "member 1 is a *shard_test.wrapper without a Backend inside"},
		{with(wrapper{Backend: &wrapper{}}, all[0]), nil, "member 0 is a shard_test.wrapper without a Backend inside"},
		{with(all[0], closed), compute.ErrClosed, "member 1 (cpu"},
		{weightedWith(all[0], closed), compute.ErrClosed, "member 1 (cpu"},
		{weightedWith(broken, all[0]), compute.ErrDevice, "member 0 (faulty) cannot be used"},
		{weights(1), compute.ErrLength, "1 weights for 2 members"},
		{weights(1, 0), nil, "member 1 (cpu"},
		{weights(-1, 1), nil, "member 0 (cpu"},
		{weights(1, math.NaN()), nil, "NaN"},
		{weights(1, math.Inf(1)), nil, "Inf"},
	} {
		if test.err != nil && strings.Contains(test.err.Error(), "shard.Weighted") {
			t.Errorf("%v: Weighted would not help", test.err)
		}
		if test.err == nil || test.wraps != nil && !errors.Is(test.err, test.wraps) || !strings.Contains(test.err.Error(), test.text) {
			t.Errorf("got %v, want an error with %q and wraps %v", test.err, test.text, test.wraps)
		}
	}
	for _, b := range all {
		if info := b.Info(); info.LiveBuffers != 0 || b.Sync() != nil {
			t.Errorf("after errors a member holds %d buffers, and Sync returns %v", info.LiveBuffers, b.Sync())
		}
	}
	uncomparable := struct {
		compute.Backend
		_ func()
	}{Backend: all[0]}
	if _, err := shard.Weighted([]float64{1, 1, 1}, uncomparable, all[1], uncomparable); err == nil {
		t.Error("members that cannot be compared are accepted with one backend inside")
	}
	different := uncomparable
	different.Backend = cpus(1)[0]
	if b, err := shard.Weighted([]float64{1, 1}, uncomparable, different); err != nil {
		t.Errorf("members that cannot be compared: %v", err)
	} else if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestForeign: buffers of a member are foreign to the Shard, and the other way round.
func TestForeign(t *testing.T) {
	members := cpus(2)
	b, err := shard.Weighted([]float64{1, 1}, members...)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	own, err := b.Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := members[0].Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{b.Forward(compute.LeakyReLU(1), own, theirs), members[0].Forward(compute.LeakyReLU(1), own, theirs)} {
		if !errors.Is(err, compute.ErrForeignBuffer) {
			t.Errorf("got %v, want ErrForeignBuffer", err)
		}
	}
	other := testenv.Open(t, weighted(1, 1))
	foreign, err := other.Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Forward(compute.LeakyReLU(1), own, foreign); !errors.Is(err, compute.ErrForeignBuffer) || strings.Contains(err.Error(), "member") {
		t.Errorf("of a buffer of another Shard: got %v, want ErrForeignBuffer, of no member", err)
	}
	if live := b.Info().LiveBuffers; live != 1 {
		t.Errorf("Info counts %d buffers, and the shard has made 1", live)
	}
}

// TestErrorLengths: errors have the lengths of buffers, not of their parts.
func TestErrorLengths(t *testing.T) {
	b := testenv.Open(t, weighted(1, 1))
	x, err := b.Alloc(1000)
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Alloc(2000)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{b.Forward(compute.LeakyReLU(1), y, x), x.Read(make([]float32, 2000)), x.Write(make([]float32, 2000)),
		b.Stream(context.Background(), compute.OpForward, compute.LeakyReLU(1), make([]float32, 2000), make([]float32, 1000))} {
		if !errors.Is(err, compute.ErrLength) || !strings.Contains(err.Error(), "1000") || !strings.Contains(err.Error(), "2000") {
			t.Errorf("got %v, want ErrLength with 1000 and 2000", err)
		}
	}
	if err := b.ForwardDerivative(compute.LeakyReLU(1), y, y, y); !errors.Is(err, compute.ErrOverlap) || strings.Contains(err.Error(), "member") {
		t.Errorf("got %v, want ErrOverlap, of no member", err)
	}
	if err := errors.Join(x.Release(), y.Release()); err != nil {
		t.Error(err)
	}
}
