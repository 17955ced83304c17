package compute_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestCPU(t *testing.T) { backendtest.Run(t, cpu.Open) }

func TestOpenCL(t *testing.T) {
	open := gpu.OpenDevice("any")
	t.Logf("on %s", testenv.Open(t, open).Info().Name)
	backendtest.Run(t, open)
}

// TestFallbackBackend: the wrapper that keeps the reasons of Open conforms.
func TestFallbackBackend(t *testing.T) {
	backendtest.Run(t, func() (compute.Backend, error) {
		return compute.Open(failing("no device", compute.ErrUnavailable), cpu.Open)
	})
}

// fake is a backend that can only be opened.
type fake struct {
	compute.Backend
	info    compute.Info
	trimmed int // calls of Trim
}

func (f *fake) Trim() { f.trimmed++ }

func (f *fake) Info() compute.Info { return f.info }

func opening(b compute.Backend) compute.Opener {
	return func() (compute.Backend, error) { return b, nil }
}

// failing is an opener whose error has the text reason and wraps err.
func failing(reason string, err error) compute.Opener {
	return func() (compute.Backend, error) { return nil, errors.Join(errors.New(reason), err) }
}

func TestOpenTakesTheFirst(t *testing.T) {
	first := &fake{info: compute.Info{Name: "first"}}
	b, err := compute.Open(opening(first), func() (compute.Backend, error) {
		t.Error("the second opener was called")
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if b != compute.Backend(first) {
		t.Errorf("got %v, want the first as it is", b)
	}
	if skipped := b.Info().Skipped; skipped != nil {
		t.Errorf("Skipped is %v, want nil", skipped)
	}
}

func TestOpenKeepsTheReasons(t *testing.T) {
	inner := errors.New("a device was skipped")
	last := &fake{info: compute.Info{Name: "last", Skipped: inner}}
	b, err := compute.Open(
		failing("no driver", compute.ErrUnavailable),
		failing("no power", compute.ErrUnavailable),
		opening(last),
	)
	if err != nil {
		t.Fatal(err)
	}
	info := b.Info()
	if info.Name != "last" {
		t.Errorf("opened %q, want the last", info.Name)
	}
	for _, reason := range []string{"no driver", "no power", "a device was skipped"} {
		if info.Skipped == nil || !strings.Contains(info.Skipped.Error(), reason) {
			t.Errorf("Skipped is %v, want it to contain %q", info.Skipped, reason)
		}
	}
	if compute.Trim(b); last.trimmed != 1 {
		t.Errorf("Trim was called %d times, want once", last.trimmed)
	}
	if !errors.Is(info.Skipped, compute.ErrUnavailable) || !errors.Is(info.Skipped, inner) {
		t.Errorf("Skipped %v does not wrap its reasons", info.Skipped)
	}
}

func TestOpenReturnsOtherErrors(t *testing.T) {
	fault := errors.New("on fire")
	b, err := compute.Open(
		failing("no driver", compute.ErrUnavailable),
		failing("it broke", fault),
		opening(&fake{}),
	)
	if b != nil || !errors.Is(err, fault) {
		t.Errorf("got %v, %v; want the error of the second", b, err)
	}
	if errors.Is(err, compute.ErrUnavailable) || !strings.Contains(err.Error(), "no driver") {
		t.Errorf("%v should have the reason for skipping the first, and not wrap ErrUnavailable", err)
	}
}

func TestOpenNone(t *testing.T) {
	b, err := compute.Open(
		failing("no driver", compute.ErrUnavailable),
		failing("no power", compute.ErrUnavailable),
	)
	if b != nil || !errors.Is(err, compute.ErrUnavailable) {
		t.Fatalf("got %v, %v; want ErrUnavailable", b, err)
	}
	for _, reason := range []string{"no driver", "no power"} {
		if !strings.Contains(err.Error(), reason) {
			t.Errorf("%v does not contain %q", err, reason)
		}
	}
	if _, err := compute.Open(); !errors.Is(err, compute.ErrUnavailable) {
		t.Errorf("with no opener: %v", err)
	}
}

func TestOpenBadOpener(t *testing.T) {
	for name, open := range map[string]compute.Opener{"nil": nil, "one that returns nothing": opening(nil), "one that returns a nil pointer": opening((*fake)(nil))} {
		b, err := compute.Open(open, cpu.Open)
		if b != nil || err == nil || errors.Is(err, compute.ErrUnavailable) {
			t.Errorf("with an opener that is %s: got %v, %v; want an error that does not wrap ErrUnavailable", name, b, err)
		}
	}
}
