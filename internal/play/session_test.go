package play_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/play"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/wrong"
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
			scripts[i] = make([]byte, 20_000)
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

// TestPlayFinds: every bug is found.
func TestPlayFinds(t *testing.T) {
	for _, bug := range wrong.Bugs() {
		t.Run(bug, func(t *testing.T) {
			if bug == "Stream that continues" && testenv.Raced {
				t.Skip("the race detector finds it, and fails the test")
			}
			b, _ := cpu.Open()
			defer b.Close()
			err := playOn(t, wrong.Backend{Backend: b, Bug: bug})
			t.Log(err)
			if err == nil {
				t.Error("not found")
			}
		})
	}
}
