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
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

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

// TestOpenCL: on all OpenCL devices, of which PoCL shows two, and on one beside the
// CPU backend.
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
	broken.Sync() // which counts
	broken.Sync() // and which fails
	weights := func(weights ...float64) error {
		_, err := shard.Weighted(weights, all...)
		return err
	}
	for _, test := range []struct {
		err   error
		wraps error
		tells string
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
		if test.err == nil || test.wraps != nil && !errors.Is(test.err, test.wraps) || !strings.Contains(test.err.Error(), test.tells) {
			t.Errorf("got %v, want an error that tells %q and wraps %v", test.err, test.tells, test.wraps)
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

// TestParts: the parts are in proportion to the weights, and end with words of
// masks.
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

func TestInfo(t *testing.T) {
	reason := errors.New("the first driver is broken")
	big := compute.Info{Name: "opencl Big", Backend: "opencl", Kind: "gpu", Memory: 100, PooledBytes: 7, MaxAlloc: 1 << 20, Skipped: reason}
	small := compute.Info{Name: "opencl Small", Backend: "opencl", Kind: "gpu", Memory: 50, PooledBytes: 1, MaxAlloc: 1 << 19, SharedMemory: true, FlushesSubnormals: true}
	host := compute.Info{Name: "cpu x", Backend: "cpu", Kind: "cpu", SharedMemory: true}
	of := func(weights []float64, infos ...compute.Info) compute.Info {
		members := cpus(len(infos))
		for i, info := range infos {
			members[i] = told{members[i], info}
		}
		b, err := shard.Weighted(weights, members...)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		return b.Info()
	}
	info := of([]float64{1, 1, 2}, big, small, host)
	if info.Name != "shard (opencl Big + opencl Small + cpu x)" || info.Backend != "shard" || info.Kind != "other" ||
		info.Memory != 150 || info.PooledBytes != 8 || info.SharedMemory || !info.FlushesSubnormals || !errors.Is(info.Skipped, reason) {
		t.Errorf("Info is %+v", info)
	}
	// A quarter is on the small one, and perhaps two more words of a mask.
	if want := int64(4 * (1<<19 - 512)); info.MaxAlloc != want {
		t.Errorf("MaxAlloc is %d, want %d", info.MaxAlloc, want)
	}
	if info := of([]float64{1, 1}, host, small); !info.SharedMemory || info.Kind != "other" || info.Skipped != nil {
		t.Errorf("Info is %+v", info)
	}
	if info := of([]float64{1}, big); info.Kind != "gpu" || info.MaxAlloc != big.MaxAlloc || info.FlushesSubnormals {
		t.Errorf("of one member, Info is %+v", info)
	}
	two, err := shard.Weighted([]float64{1, 1}, cpus(1)[0], wrapper{Backend: cpus(1)[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	if got, want := two.Info().Memory, cpus(1)[0].Info().Memory; got != want {
		t.Errorf("two CPU backends have %d bytes, and one has %d of the same", got, want)
	}
	if info := of([]float64{1, 2}, host, host); info.MaxAlloc != 0 || info.Kind != "cpu" {
		t.Errorf("of members without a bound, Info is %+v", info)
	}
}

// TestForeign: the buffers of a member are foreign to the Shard, and its own to the
// member.
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

// TestErrorsTellTheWhole: the lengths in an error are those of the buffers, not of
// their parts.
func TestErrorsTellTheWhole(t *testing.T) {
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

func copier(b compute.Backend) form.Copier {
	c, _ := compute.As[form.Copier](b)
	return c
}

// TestCopyAndTrim: what the functions of this module find in a backend, they find
// in a Shard.
func TestCopyAndTrim(t *testing.T) {
	b := testenv.Open(t, weighted(1, 2))
	xs := values.Normal(1000, 1)
	x, err := b.Upload(xs)
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Alloc(1000)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 1000)
	equal(t, "copy", got, xs, errors.Join(copier(b).Copy(y, x), y.Read(got), x.Release(), y.Release()))
	if b.Info().PooledBytes == 0 {
		t.Error("nothing is kept")
	}
	if compute.Trim(b); b.Info().PooledBytes != 0 {
		t.Errorf("after Trim %d bytes are kept", b.Info().PooledBytes)
	}
	none, err := shard.Weighted([]float64{1, 1}, cpus(1)[0], told{cpus(1)[0], compute.Info{Name: "plain"}})
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if x, err = none.Upload(xs); err != nil {
		t.Fatal(err)
	}
	if err := copier(none).Copy(x, x); err == nil || !strings.Contains(err.Error(), "member 1 (plain)") {
		t.Errorf("with a member that has no Copy: %v", err)
	}
}
