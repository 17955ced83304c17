package progtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/randprog"
)

// Count returns the number of random programs that a test runs: that of COMPUTE_PROGRAMS, or
// few.
func Count(few int) (int, error) {
	text := os.Getenv("COMPUTE_PROGRAMS")
	if text == "" {
		return few, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("COMPUTE_PROGRAMS is %q; give a number of programs", text)
	}
	return n, nil
}

// Many runs random programs on each of the backends, on all cores. batch of them are one call,
// for a device on which a compilation takes long. The first that is wrong is the error, as small
// as it could be made.
func Many(count, batch int, backends ...compute.Backend) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	var mu sync.Mutex // guards errs
	var errs []error
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var runners []*Runner
			for _, b := range backends {
				runners = append(runners, NewRunner(b))
			}
			var err error
			for err == nil {
				seed := next.Add(1) - 1
				if seed*int64(batch) >= int64(count) {
					break
				}
				if err = One(uint64(seed), batch, runners...); err != nil {
					next.Store(int64(count)) // no more
				}
			}
			for _, r := range runners {
				err = errors.Join(err, r.Release())
			}
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// One runs the random program of a seed, or several as one: by Run, and some by Prepare and
// RunSlices too.
func One(seed uint64, batch int, runners ...*Runner) error {
	r := rand.New(rand.NewPCG(seed, 0))
	p := Random(r, 20)
	if batch > 1 {
		p = Batch(r, 20, batch)
	}
	// Some elements take a part of a tile, and few programs several tiles.
	n := []int{1, 64, 130, 210, 210, 210}[r.IntN(6)]
	if seed%64 == 0 {
		n = 2100
	}
	c := New(r, p, n)
	want := c.Want()
	for _, run := range runners {
		err := run.Run(c, want)
		if seed%8 == 0 && err == nil {
			err = errors.Join(named("Prepare", run.Prepared(c, want)), named("RunSlices", run.Slices(context.Background(), c, want)))
		}
		if err != nil {
			return fmt.Errorf("seed %d: %w\n%v", seed, err, run.shrink(c))
		}
	}
	return nil
}

// shrink returns a call of a smaller program than that of c, which is wrong too, or c.
func (r *Runner) shrink(c *Case) *Case {
	smaller := func(p *ir.Program) *Case {
		return &Case{Program: expr.FromIR(p), N: c.N, Args: c.Args, Over: slices.Repeat([]int{-1}, len(p.Results))}
	}
	fails := func(p *ir.Program) bool {
		s := smaller(p)
		return r.Run(s, s.Want()) != nil
	}
	if p := c.Program.IR(); fails(p) {
		return smaller(randprog.Shrink(p, fails))
	}
	return c
}
