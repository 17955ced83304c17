package shard_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/gmind-go/compute/internal/play"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestScripts plays random calls on one Shard from several goroutines.
func TestScripts(t *testing.T) {
	s, err := play.NewSession(testenv.Open(t, ofShards), testenv.Open(t, weighted(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.End()
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for g := range errs {
		p := s.Player()
		wg.Go(func() {
			random, script := rand.NewChaCha8([32]byte{byte(g)}), make([]byte, 500)
			for range rounds {
				random.Read(script)
				if errs[g] = p.Play(script); errs[g] != nil {
					break
				}
			}
			errs[g] = errors.Join(errs[g], p.Release())
		})
	}
	wg.Wait()
	if err := errors.Join(errors.Join(errs...), s.Balance()); err != nil {
		t.Error(err)
	}
}
