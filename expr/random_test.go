package expr

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/randprog"
)

// agree returns an error if p and q differ for some of n random arguments.
func agree(p, q *ir.Program, r *rand.Rand, n int) error {
	pv, qv := make([]uint64, len(p.Nodes)), make([]uint64, len(q.Nodes))
	for range n {
		args, index := randprog.Args(r, p), r.Uint64()
		p.Eval(pv, index, args)
		q.Eval(qv, index, args)
		for i := range p.Results {
			v, w := p.Results[i].Value, q.Results[i].Value
			if t := p.Nodes[v].Type; t != q.Nodes[w].Type || !randprog.Same(t, pv[v], qv[w]) {
				return fmt.Errorf("result %d of %#x is %#x and %#x", i, args, pv[v], qv[w])
			}
		}
	}
	return nil
}

// simplifies returns an error if Simplify changes a result of p.
func simplifies(p *ir.Program, seed uint64) error {
	q := ir.Simplify(p)
	if q.Size() > p.Size() {
		return fmt.Errorf("%d operations became %d", p.Size(), q.Size())
	}
	return agree(p, q, rand.New(rand.NewPCG(seed, 1)), 20)
}

// roundTrips returns an error if the text of p is not parsed to an equal program.
func roundTrips(p *ir.Program) error {
	q := &Program{ir: ir.Simplify(p)}
	again, err := Parse(q.String())
	if err != nil {
		return err
	}
	if !again.Equal(q) {
		return fmt.Errorf("parsed to\n%v", again)
	}
	return nil
}

// differentiates returns an error if a partial derivative or a gradient of p is not a program.
func differentiates(p *ir.Program) error {
	q := &Program{ir: ir.Simplify(p)}
	float := false
	for _, r := range q.Results() {
		float = float || r.Type == Float32
	}
	for _, a := range q.Args() {
		if a.Type != Float32 || !float {
			continue
		}
		for _, d := range []*Program{q.Partial(a.Name), q.Backward(a.Name), q.Partial(a.Name).Partial(a.Name)} {
			if err := d.Err(); err != nil {
				return err
			}
			if err := d.ir.Check(); err != nil {
				return err
			}
			if err := roundTrips(d.ir); err != nil {
				return fmt.Errorf("%v: %w", d, err)
			}
		}
	}
	return nil
}

// TestRandomPrograms checks, for random programs, that no simplification changes a bit, that
// the text of each is parsed to an equal program, and that its derivatives are programs.
func TestRandomPrograms(t *testing.T) {
	programs := uint64(3000)
	if testing.Short() {
		programs = 300
	}
	for seed := range programs {
		tryRandom(t, seed)
	}
}

// tryRandom tries one program, and shrinks it if it fails.
func tryRandom(t *testing.T, seed uint64) {
	p := randprog.New(rand.New(rand.NewPCG(seed, 0)), randprog.Options{Operations: 30})
	for name, try := range map[string]func(*ir.Program) error{
		"simplified":     func(p *ir.Program) error { return simplifies(p, seed) },
		"from text":      roundTrips,
		"differentiated": differentiates,
	} {
		if try(p) == nil {
			continue
		}
		p := randprog.Shrink(p, func(p *ir.Program) bool { return try(p) != nil })
		t.Errorf("seed %d, %s: %v\nof %v", seed, name, try(p), &Program{ir: p})
	}
}

// FuzzProgram tries random programs by their seed.
func FuzzProgram(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(tryRandom)
}
