package compute_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// wrapper wraps as users do, with nothing but the embedded interface.
type wrapper struct {
	compute.Backend
	err error // of Stream, which has overwritten half of dst by then
}

func (b wrapper) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	if b.err == nil {
		return b.Backend.Stream(ctx, op, f, dst, src)
	}
	half := len(dst) / 2
	return errors.Join(b.Backend.Stream(ctx, op, f, dst[:half], src[:half]), b.err)
}

// outer promotes the methods and the field of another wrapper.
type outer struct{ *wrapper }

// hiding hides what is inside.
type hiding struct{ wrapper }

func (hiding) Unwrap() compute.Backend { return nil }

func TestAs(t *testing.T) {
	b := cpus(1)[0]
	defer b.Close()
	fallback, err := compute.Open(failing("no device", compute.ErrUnavailable), opening(&wrapper{Backend: b}))
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]compute.Backend{
		"itself":               b,
		"a struct":             wrapper{Backend: b},
		"a pointer":            &wrapper{Backend: b},
		"two of them":          wrapper{Backend: &wrapper{Backend: b}},
		"a promoted field":     outer{&wrapper{Backend: b}},
		"what Open returns":    fallback,
		"with Unwrap, and all": &fake{Backend: outer{&wrapper{Backend: fallback}}},
	} {
		if got, ok := compute.As[form.Copier](of); !ok || got != b.(form.Copier) {
			t.Errorf("%s: As returns %v, %v; want the CPU backend", name, got, ok)
		}
	}
	if got, ok := compute.As[*wrapper](fallback); !ok || got.Backend != b {
		t.Errorf("the type behind Open: As returns %v, %v", got, ok)
	}
	for name, of := range map[string]compute.Backend{
		"nil":                    nil,
		"a nil pointer":          (*wrapper)(nil),
		"a nil embedded pointer": outer{},
		"nothing embedded":       &wrapper{},
		"a nil pointer embedded": wrapper{Backend: (*wrapper)(nil)},
		"a wrapper that hides":   hiding{wrapper{Backend: b}},
	} {
		if got, ok := compute.As[form.Copier](of); ok || got != nil {
			t.Errorf("%s: As returns %v, %v; want nothing", name, got, ok)
		}
		compute.Trim(of)
	}
	if _, ok := compute.As[*wrapper]((*wrapper)(nil)); ok {
		t.Error("As finds a nil pointer")
	}
}

// TestTrimReaches: the memory that is kept is given back through wrappers too, also of
// the members of a Shard.
func TestTrimReaches(t *testing.T) {
	b := cpus(1)[0]
	shard, err := compute.ShardWeighted([]float64{1}, wrapper{Backend: b})
	if err != nil {
		t.Fatal(err)
	}
	defer shard.Close()
	for name, of := range map[string]compute.Backend{"wrapper": wrapper{Backend: b}, "Shard": shard} {
		x, err := of.Alloc(1000)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Release(); err != nil || b.Info().PooledBytes == 0 {
			t.Errorf("%s: Release returns %v, and %d bytes are kept", name, err, b.Info().PooledBytes)
		}
		if compute.Trim(of); b.Info().PooledBytes != 0 {
			t.Errorf("%s: after Trim %d bytes are kept", name, b.Info().PooledBytes)
		}
	}
}

// TestWrapper: a wrapper keeps the contract.
func TestWrapper(t *testing.T) {
	sparedRace(t, true)
	backendtest.Run(t, func() (compute.Backend, error) {
		b, err := cpu.Open()
		return &wrapper{Backend: b}, err
	})
}

// TestShardWrapped: a Shard of wrapped CPU backends streams in place without a copy, on
// one of them, as bare ones do.
func TestShardWrapped(t *testing.T) {
	v := values.Normal(1<<20, 1)
	for _, inPlace := range []bool{true, false} {
		here := &place{Backend: cpus(1)[0], dst: make(map[*float32]bool)}
		b, err := compute.ShardWeighted([]float64{1, 1}, here, wrapper{Backend: cpus(1)[0], err: errors.New("both are called")})
		if err != nil {
			t.Fatal(err)
		}
		dst := v
		if !inPlace {
			dst = make([]float32, len(v))
		}
		if err := b.Stream(t.Context(), compute.OpForward, compute.LeakyReLU(0.5), dst, v); err != nil || !here.dst[&dst[0]] {
			t.Errorf("in place: %v: Stream returns %v, and the result went elsewhere first: %v", inPlace, err, !here.dst[&dst[0]])
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// place wraps a backend and remembers where Stream put its results.
type place struct {
	compute.Backend
	dst map[*float32]bool
}

func (b *place) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	b.dst[&dst[0]] = true
	return b.Backend.Stream(ctx, op, f, dst, src)
}

// TestShardWrappedFails: when a wrapper of the CPU backend fails in a Stream in place,
// where a part of the input is overwritten by then, the Stream ends with its error and
// nothing is computed twice. With a result of its own, others complete it.
func TestShardWrappedFails(t *testing.T) {
	f := compute.LeakyReLU(0.5) // applied twice it shows
	xs := values.Normal(1<<20, 1)
	ys := want(len(xs), func(i int) float32 { return f.Value(xs[i]) })
	for _, inPlace := range []bool{true, false} {
		bad := &wrapper{Backend: cpus(1)[0], err: fmt.Errorf("on fire: %w", compute.ErrDevice)}
		b, err := compute.ShardWeighted([]float64{1, 1}, bad, slow{cpus(1)[0]})
		if err != nil {
			t.Fatal(err)
		}
		got, src := make([]float32, len(xs)), xs
		if inPlace {
			copy(got, xs)
			src = got
		}
		err = b.Stream(t.Context(), compute.OpForward, f, got, src)
		if !inPlace {
			equal(t, "after a fault", got, ys, err)
		} else if !errors.Is(err, compute.ErrDevice) {
			t.Errorf("in place: got %v, want ErrDevice", err)
		}
		for i := range got {
			if !values.Same(got[i], xs[i]) && !values.Same(got[i], ys[i]) {
				t.Fatalf("in place: %v: of x = %v, element %d has become %v", inPlace, xs[i], i, got[i])
			}
		}
		if skipped := b.Info().Skipped; !errors.Is(skipped, compute.ErrDevice) {
			t.Errorf("in place: %v: Skipped is %v", inPlace, skipped)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
