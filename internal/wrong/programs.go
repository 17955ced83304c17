package wrong

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
)

func (b Backend) Run(p *expr.Program, args ...compute.Arg) error {
	switch {
	case b.has("Run with a shifted row"):
		return b.shifted(p, args)
	case b.has("Run of one result after the other"):
		return b.apart(p, args)
	case b.has("Run with an earlier scalar"):
		return b.Backend.Run(p, earlier(p, args)...)
	case b.has("Run without an error"):
		if err := b.Backend.Run(p, args...); !errors.Is(err, compute.ErrOverlap) {
			return err
		}
		return nil
	}
	return b.Backend.Run(p, args...)
}

// shifted runs p with the elements of rows one too late.
func (b Backend) shifted(p *expr.Program, args []compute.Arg) error {
	if _, err := b.Backend.Prepare(p, args...); err != nil {
		return err
	}
	args = slices.Clone(args)
	for i, a := range args {
		r, ok := a.(compute.Repeated)
		if !ok || r.Col || r.Len() == 0 {
			continue
		}
		v := make([]float32, r.Len())
		if err := r.Of.(compute.Buffer).Read(v); err != nil {
			return err
		}
		row, err := b.Backend.Upload(append(v[1:], v[0]))
		if err != nil {
			return err
		}
		defer row.Release()
		args[i] = compute.Row(row)
	}
	return b.Backend.Run(p, args...)
}

// apart computes one result after the other, so that one which is in place changes what others
// need.
func (b Backend) apart(p *expr.Program, args []compute.Arg) error {
	if _, err := b.Backend.Prepare(p, args...); err != nil {
		return err
	}
	results := p.Results()
	for i := range results {
		call := slices.Clone(args)
		for j, r := range results {
			var err error
			switch {
			case i == j:
				continue
			case r.Type == expr.Bool:
				call[j], err = b.Backend.AllocMask(args[j].Len())
			default:
				call[j], err = b.Backend.Alloc(args[j].Len())
			}
			if err != nil {
				return err
			}
			defer call[j].(interface{ Release() error }).Release()
		}
		if err := b.Backend.Run(p, call...); err != nil {
			return err
		}
	}
	return nil
}

// scalars has the last float32 scalar of each argument.
var scalars sync.Map

type argument struct {
	p     *expr.Program
	index int
}

// earlier returns args with the scalars of earlier calls of p.
func earlier(p *expr.Program, args []compute.Arg) []compute.Arg {
	args = slices.Clone(args)
	for i, a := range args {
		if _, ok := a.(compute.F32); !ok {
			continue
		}
		if last, ok := scalars.Swap(argument{p, i}, a); ok {
			args[i] = last.(compute.F32)
		}
	}
	return args
}

// unset is a Call whose scalars are those of Prepare.
type unset struct{ compute.Call }

func (unset) Set(string, compute.Arg) error { return nil }

func (b Backend) Prepare(p *expr.Program, args ...compute.Arg) (compute.Call, error) {
	call, err := b.Backend.Prepare(p, args...)
	if b.has("Prepare without Set") && err == nil {
		return unset{call}, nil
	}
	return call, err
}

func (b Backend) RunSlices(ctx context.Context, p *expr.Program, args ...compute.Arg) error {
	n, repeated := 0, false
	for _, a := range args {
		switch v := a.(type) {
		case compute.Slice:
			n = len(v)
		case compute.Repeated:
			repeated = true
		}
	}
	switch {
	case b.has("RunSlices without its context"):
		ctx = context.Background()
	case b.has("RunSlices from another element") && !repeated && n > 0:
		args = append(slices.Clone(args), kernel.At{Index: 1, Total: n, N: n})
	case b.has("RunSlices of too many bits"):
		err := b.Backend.RunSlices(ctx, p, args...)
		if err == nil && n%64 > 0 {
			for _, a := range args[:len(p.Results())] {
				if words, ok := a.(compute.Words); ok {
					words[n/64] |= 1 << 63
				}
			}
		}
		return err
	}
	return b.Backend.RunSlices(ctx, p, args...)
}
