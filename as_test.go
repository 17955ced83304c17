package compute_test

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/shard"
)

// wrapper wraps as users do, with nothing but the embedded interface.
type wrapper struct{ compute.Backend }

// multiplier wraps a backend that multiplies matrices.
type multiplier struct{ compute.Linear }

// outer promotes the methods and the field of another wrapper.
type outer struct{ *wrapper }

// hiding hides what is inside.
type hiding struct{ wrapper }

func (hiding) Unwrap() compute.Backend { return nil }

func TestAs(t *testing.T) {
	b, _ := cpu.Open() // never fails
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
		if got, ok := compute.As[compute.Linear](of); !ok || got != b.(compute.Linear) {
			t.Errorf("%s: As returns %v, %v; want the CPU backend", name, got, ok)
		}
	}
	for name, of := range map[string]compute.Backend{"a struct": multiplier{b.(compute.Linear)}, "two": wrapper{Backend: &multiplier{b.(compute.Linear)}}} {
		if got, ok := compute.As[interface{ Trim() }](of); !ok || got != b.(interface{ Trim() }) {
			t.Errorf("%s with a Linear embedded: As returns %v, %v; want the CPU backend", name, got, ok)
		}
	}
	if inner, wraps := compute.Unwrap(multiplier{}); inner != nil || !wraps {
		t.Errorf("without what it embeds: Unwrap returns %v, %v", inner, wraps)
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
		if got, ok := compute.As[compute.Linear](of); ok || got != nil {
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
	b, _ := cpu.Open() // never fails
	both, err := shard.Weighted([]float64{1}, wrapper{Backend: b})
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	for name, of := range map[string]compute.Backend{"wrapper": wrapper{Backend: b}, "Shard": both} {
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
	if testenv.Raced {
		t.Skip("takes minutes with the race detector; make test runs it without")
	}
	backendtest.Run(t, func() (compute.Backend, error) {
		b, err := cpu.Open()
		return &wrapper{Backend: b}, err
	})
}
