package play_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/play"
	"github.com/gmind-go/compute/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Run(m)) }

// playOn plays random scripts on b, which a player may close.
func playOn(t *testing.T, b compute.Backend) error {
	t.Helper()
	other, _ := cpu.Open()
	defer other.Close()
	s, err := play.NewSession(b, other)
	if err != nil {
		t.Fatal(err)
	}
	const rounds = 3
	random := rand.NewChaCha8([32]byte{1})
	scripts := make([][]byte, 4)
	for round := range rounds {
		for i := range scripts {
			scripts[i] = make([]byte, 10_000)
			random.Read(scripts[i])
		}
		closer := -1
		if round == rounds-1 {
			closer = 0
		}
		if err := s.Play(scripts, closer); err != nil {
			return err
		}
	}
	if !s.Closed() {
		t.Error("no player has closed the backend")
	}
	return s.End()
}

func TestPlay(t *testing.T) {
	b, _ := cpu.Open()
	defer b.Close()
	if err := playOn(t, b); err != nil {
		t.Error(err)
	}
}

// wrong is a backend with one bug.
type wrong struct {
	compute.Backend
	in string
}

func (b wrong) is(in string) bool { return b.in == in }

var errWrong = errors.New("something else")

func (b wrong) Alloc(n int) (compute.Buffer, error) {
	buf, err := b.Backend.Alloc(n)
	if b.is("Alloc") && errors.Is(err, compute.ErrLength) {
		err = compute.ErrOverlap
	}
	return buf, err
}

func (b wrong) AllocMask(n int) (compute.Mask, error) {
	if b.is("AllocMask") && n > 64 {
		n--
	}
	return b.Backend.AllocMask(n)
}

func (b wrong) Upload(src []float32) (compute.Buffer, error) {
	buf, err := b.Backend.Upload(src)
	if b.is("Upload") && len(src) > 0 && err == nil {
		b.Backend.Upload(src) // is never released
	}
	return buf, err
}

func (b wrong) Forward(f compute.Activation, y, x compute.Buffer) error {
	if b.is("Forward") {
		f.NegativeSlope = -f.NegativeSlope
	}
	return b.Backend.Forward(f, y, x)
}

func (b wrong) Derivative(f compute.Activation, d, x compute.Buffer) error {
	if b.is("Derivative") && d == x {
		return b.Backend.Forward(f, d, x)
	}
	return b.Backend.Derivative(f, d, x)
}

func (b wrong) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	if b.is("Backward") {
		dy, x = x, dy
	}
	return b.Backend.Backward(f, dx, dy, x)
}

func (b wrong) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	err := b.Backend.ForwardDerivative(f, y, d, x)
	if b.is("ForwardDerivative") && errors.Is(err, compute.ErrOverlap) {
		return nil
	}
	return err
}

func (b wrong) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	if b.is("ForwardMask") && y == x {
		return errors.Join(b.Backend.Forward(f, y, x), b.Backend.ForwardMask(f, y, m, x))
	}
	return b.Backend.ForwardMask(f, y, m, x)
}

func (b wrong) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	err := b.Backend.BackwardMask(f, dx, dy, m)
	if b.is("BackwardMask") && err == nil {
		return b.Backend.Forward(f, dx, dx)
	}
	return err
}

func (b wrong) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	switch {
	case b.is("Stream without its context"):
		ctx = context.Background()
	case b.is("Stream of too much"):
		if err := b.Backend.Stream(ctx, op, f, dst, src); err != nil || len(dst) == 0 {
			return err
		}
		dst = dst[:len(dst)+1]
		dst[len(dst)-1]++
		return nil
	case b.is("Stream that continues"):
		err := b.Backend.Stream(ctx, op, f, dst, src)
		if errors.Is(err, context.Canceled) && len(dst) > 0 {
			go func() { dst[0] = 77 }()
		}
		return err
	}
	return b.Backend.Stream(ctx, op, f, dst, src)
}

func (b wrong) Sync() error {
	err := b.Backend.Sync()
	if b.is("Sync") && err != nil {
		return nil
	}
	return err
}

func (b wrong) Close() error {
	if b.is("Close") {
		return nil
	}
	return errors.Join(b.Backend.Close(), map[bool]error{true: errWrong}[b.is("Close with an error")])
}

// TestPlayFinds: every bug is found.
func TestPlayFinds(t *testing.T) {
	for _, in := range []string{"Alloc", "AllocMask", "Upload", "Forward", "Derivative", "Backward", "ForwardDerivative", "ForwardMask", "BackwardMask",
		"Stream without its context", "Stream of too much", "Stream that continues", "Sync", "Close", "Close with an error"} {
		t.Run(in, func(t *testing.T) {
			if in == "Stream that continues" && testenv.Raced {
				t.Skip("the race detector finds it, and fails the test")
			}
			b, _ := cpu.Open()
			defer b.Close()
			err := playOn(t, wrong{b, in})
			t.Log(err)
			if err == nil {
				t.Error("not found")
			}
		})
	}
}
